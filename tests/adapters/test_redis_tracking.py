"""Hearing which keys change, on real servers: what is heard, what is not, and how soon."""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator
from time import perf_counter

import pytest

from tests.support.listening import SECONDS, heard
from tests.support.redis_server import Launch, free_port, wait_until
from tt.adapters.redis.address import Address
from tt.adapters.redis.asking import pulse
from tt.adapters.redis.commands import Command
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.heard import Heard
from tt.adapters.redis.tracking import CLIENT_NAME, Tracking, listen, track

TASK = "0a1b2c3d-0000-4000-8000-{:012x}"
UUID = TASK.format(1)


@pytest.fixture
def tracking(redis_address: Address, town: str) -> Iterator[Tracking]:
    """A town that is listened to, its tasks as well."""
    with track(Connection.open(redis_address, SECONDS), town, SECONDS, tasks=True) as made:
        yield made


def all_heard(tracking: Tracking, connection: Connection, town: str) -> Heard:
    """Return all that was heard of what is done already: what comes last is heard last."""
    last = TASK.format(0xFFFF)
    connection.execute("HSET", f"tt:{town}:task:{last}", "f", 1)
    found: list[Heard] = []

    def is_heard() -> bool:
        found.append(tracking.heard())
        return last in found[-1].uuids

    wait_until(is_heard, "what comes last to be heard")
    uuids = frozenset().union(*(each.uuids for each in found)) - {last}
    return Heard(uuids, any(each.town for each in found), any(each.lost for each in found))


def test_a_write_of_another_connection_is_heard_with_its_uuid(
    tracking: Tracking, connection: Connection, town: str
) -> None:
    assert not tracking.heard()
    connection.execute("HSET", f"tt:{town}:task:{UUID}", "state", "running")
    assert heard(tracking) == Heard(frozenset({UUID}))
    assert tracking.heard() == Heard()


@pytest.mark.parametrize("own", ["plan", "tombstones"])
def test_the_town_s_own_hashes_are_heard(
    tracking: Tracking, connection: Connection, town: str, own: str
) -> None:
    connection.execute("HSET", f"tt:{town}:{own}", "f", 1)
    assert heard(tracking) == Heard(town=True)


def test_what_only_reads_is_not_heard(
    tracking: Tracking, connection: Connection, town: str
) -> None:
    key = f"tt:{town}:task:{UUID}"
    connection.execute("HSET", key, "f", 1)
    heard(tracking)
    connection.pipeline([("HGETALL", key), ("EXISTS", key), ("SCAN", 0), ("DEL", key + "0")])
    assert all_heard(tracking, connection, town) == Heard()


def test_other_towns_are_not_heard_whatever_their_names(
    tracking: Tracking, connection: Connection, town: str
) -> None:
    others = [
        f"{town}2",
        f"{town}:plan",
        f"{town}:task",
        f"x{town}",
        town[:-1],
        f"{town}:task:{UUID}",
    ]
    keys = [f"tt:{other}:{key}" for other in others for key in ("plan", f"task:{UUID}")]
    keys += [f"tt:{town}:{key}" for key in (f"agent:{UUID}", "events", "task:", "task:x", "plans")]
    connection.pipeline(("HSET", key, "f", 1) for key in [*keys, f"tt:{town}:task:{UUID}\n"])
    connection.execute("HSET", f"tt:{town}:task:".encode() + b"\xff" * 36, "f", 1)
    assert all_heard(tracking, connection, town) == Heard()


def test_tasks_are_not_heard_where_only_the_town_is_asked_for(
    redis_address: Address, connection: Connection, town: str
) -> None:
    with track(Connection.open(redis_address), town, SECONDS, tasks=False) as tracking:
        connection.execute("HSET", f"tt:{town}:task:{UUID}", "f", 1)
        connection.execute("HSET", f"tt:{town}:plan", "f", 1)
        assert heard(tracking) == Heard(town=True)


@pytest.mark.parametrize(
    "name", ["{repo}-main", "*", "[a-z]", "größe", "a b", "a:b", 'q"\\', "x" * 1000]
)
def test_a_town_may_have_any_name(
    redis_address: Address, connection: Connection, name: str
) -> None:
    with track(Connection.open(redis_address), name, SECONDS, tasks=True) as tracking:
        connection.execute("HSET", f"tt:{name}:task:{UUID}", "f", 1)
        assert heard(tracking) == Heard(frozenset({UUID}))


GOING: dict[str, Callable[[str], list[Command]]] = {
    "deleted": lambda key: [("DEL", key)],
    "unlinked": lambda key: [("UNLINK", key)],
    "renamed away": lambda key: [("RENAME", key, "elsewhere")],
    "renamed to": lambda key: [("COPY", key, "other"), ("RENAME", "other", key)],
    "moved to another database": lambda key: [("MOVE", key, 5)],
    "changed by a script": lambda key: [
        ("EVAL", "return redis.call('HSET', KEYS[1], 'f', 3)", 1, key)
    ],
    "changed in a transaction": lambda key: [("MULTI",), ("HSET", key, "f", 3), ("EXEC",)],
    "made to expire": lambda key: [("EXPIRE", key, 1000)],
}


@pytest.mark.parametrize("how", GOING)
def test_a_key_is_heard_however_it_changes(
    tracking: Tracking, connection: Connection, town: str, how: str
) -> None:
    key = f"tt:{town}:task:{UUID}"
    connection.execute("HSET", key, "f", 1)
    heard(tracking)
    connection.pipeline(GOING[how](key))
    assert heard(tracking) == Heard(frozenset({UUID}))


def test_a_key_that_expires_is_heard_when_it_does(
    tracking: Tracking, connection: Connection, town: str
) -> None:
    key = f"tt:{town}:task:{UUID}"
    connection.pipeline([("HSET", key, "f", 1), ("PEXPIRE", key, 100)])
    heard(tracking)
    assert heard(tracking) == Heard(frozenset({UUID}))
    assert connection.execute("EXISTS", key) == 0


def test_a_key_that_is_evicted_is_heard(launch_redis: Launch, town: str) -> None:
    server = launch_redis()
    with server.connect() as made, track(server.connect(), town, SECONDS, tasks=True) as tracking:
        made.execute("HSET", f"tt:{town}:task:{UUID}", "f", 1)
        heard(tracking)
        for name, value in (("maxmemory-policy", "allkeys-random"), ("maxmemory", 1)):
            made.execute("CONFIG", "SET", name, value)
        assert heard(tracking) == Heard(frozenset({UUID}))


def test_other_keys_of_a_town_are_heard_by_kind_where_they_are_asked_for(
    redis_address: Address, connection: Connection, town: str
) -> None:
    other = TASK.format(2)
    prefixes = ["task:", f"inbox:{UUID}", "alive:", "backlog", "events:agent:"]
    wanted = {"inbox": {UUID}, "alive": {UUID, other}, "backlog": {""}, "events:agent": {other}}
    unheard = [f"inbox:{other}", "backlogs", "alive:x", f"alive:{UUID}x", f"urgent:{UUID}", "plan"]
    endings = [f"inbox:{UUID}", f"alive:{UUID}", f"alive:{other}", "backlog"]
    with listen(Connection.open(redis_address), town, prefixes, SECONDS) as tracking:
        for ending in (*unheard, *endings, f"events:agent:{other}"):
            connection.execute("RPUSH", f"tt:{town}:{ending}", "x")
        connection.execute("RPUSH", f"tt:{town}:task:{UUID}", "x")
        found = [heard(tracking)]
        while not found[-1].uuids:
            found.append(heard(tracking))
    keys: dict[str, set[str]] = {}
    for each in found:
        for kind, uuids in each.keys.items():
            keys.setdefault(kind, set()).update(uuids)
    assert keys == wanted
    assert not any(each.town or each.lost for each in found)


def test_a_sign_of_life_that_expires_is_heard(
    redis_address: Address, connection: Connection, town: str
) -> None:
    key = f"tt:{town}:alive:{UUID}"
    connection.execute("SET", key, 1, "PX", 100)
    with listen(Connection.open(redis_address), town, ["alive:"], SECONDS) as tracking:
        assert heard(tracking) == Heard(keys={"alive": frozenset({UUID})})


@pytest.mark.parametrize("flush", [("FLUSHALL",), ("FLUSHDB",), ("FLUSHALL", "ASYNC")])
def test_a_flush_means_that_anything_may_have_changed(
    tracking: Tracking, connection: Connection, flush: Command
) -> None:
    connection.execute(*flush)
    assert heard(tracking) == Heard(lost=True)
    assert tracking.heard() == Heard()


def test_a_reload_means_that_anything_may_have_changed(launch_redis: Launch, town: str) -> None:
    server = launch_redis("--enable-debug-command", "yes")
    with server.connect() as made, track(server.connect(), town, SECONDS, tasks=True) as tracking:
        made.execute("DEBUG", "RELOAD")
        assert heard(tracking) == Heard(lost=True)


def test_a_replica_that_is_filled_anew_and_then_written_to_is_heard(
    launch_redis: Launch, town: str
) -> None:
    port = free_port()
    primary = launch_redis("--port", str(port), "--repl-diskless-sync-delay", "0")
    replica = launch_redis()
    with (
        primary.connect() as first,
        replica.connect() as second,
        track(replica.connect(), town, SECONDS, tasks=True) as tracking,
    ):
        second.execute("REPLICAOF", "127.0.0.1", port)
        assert heard(tracking) == Heard(lost=True)
        first.execute("HSET", f"tt:{town}:task:{UUID}", "f", 1)
        assert heard(tracking) == Heard(frozenset({UUID}))


def test_the_same_key_in_another_database_is_heard_as_the_server_names_none(
    tracking: Tracking, redis_address: Address, town: str
) -> None:
    with Connection.open(Address.parse(f"unix://{redis_address.path}?db=3")) as third:
        third.execute("HSET", f"tt:{town}:task:{UUID}", "f", 1)
    assert heard(tracking) == Heard(frozenset({UUID}))


def test_a_town_in_a_database_of_its_own_is_heard(redis_address: Address, town: str) -> None:
    third = Address.parse(f"unix://{redis_address.path}?db=3")
    with (
        Connection.open(third) as made,
        track(Connection.open(third), town, SECONDS, tasks=True) as tracking,
    ):
        made.execute("HSET", f"tt:{town}:plan", "epoch", "e")
        assert heard(tracking) == Heard(town=True)
        tracking.ping()
        assert tracking.heard() == Heard()


def test_databases_that_are_swapped_are_noticed_by_a_ping(launch_redis: Launch, town: str) -> None:
    server = launch_redis()
    with server.connect() as made:
        made.execute("HSET", f"tt:{town}:plan", "epoch", "e")
        with track(server.connect(), town, SECONDS, tasks=True) as tracking:
            made.execute("SWAPDB", 0, 1)
            tracking.ping()
            assert tracking.heard() == Heard(lost=True)
            tracking.ping()
            assert tracking.heard() == Heard()


def test_a_town_that_was_heard_of_is_nothing_new_to_a_ping(
    tracking: Tracking, connection: Connection, town: str
) -> None:
    connection.execute("HSET", f"tt:{town}:plan", "epoch", "e")
    assert heard(tracking) == Heard(town=True)
    tracking.ping()
    assert tracking.heard() == Heard()


def test_what_is_told_during_a_ping_is_heard_after_it(
    tracking: Tracking, connection: Connection, town: str
) -> None:
    for number in range(200):
        connection.execute("HSET", f"tt:{town}:task:{TASK.format(number)}", "f", 1)
    tracking.ping()
    assert tracking.heard().uuids == {TASK.format(number) for number in range(200)}
    assert not select.select(tracking.filenos, [], [], 0)[0]


def test_a_hundred_thousand_keys_are_more_than_is_remembered(
    tracking: Tracking, connection: Connection, town: str
) -> None:
    writes = ((b"HSET", f"tt:{town}:task:{TASK.format(n)}", b"f", 1) for n in range(100_000))
    connection.pipeline([*writes, ("HSET", f"tt:{town}:plan", "f", 1)])
    found = []
    while not (found and found[-1].town):
        found.append(heard(tracking))
    assert any(each.lost for each in found)
    assert max(len(each.uuids) for each in found) <= 10_000
    connection.execute("HSET", f"tt:{town}:task:{UUID}", "f", 1)
    assert heard(tracking) == Heard(frozenset({UUID}))


def test_all_keys_of_a_large_town_in_one_script_are_one_message_and_lost(
    tracking: Tracking, connection: Connection, town: str
) -> None:
    script = "for i = 1, 50000 do redis.call('SET', KEYS[1] .. string.format('%012x', i), 1) end"
    connection.execute("EVAL", script, 1, f"tt:{town}:task:{UUID[:24]}")
    wait_until(lambda: tracking.heard().lost, "too much to be heard")


def test_a_listener_is_known_by_its_name_and_asks_for_nothing_else(
    tracking: Tracking, connection: Connection
) -> None:
    clients = connection.execute("CLIENT", "LIST")
    assert isinstance(clients, bytes)
    (line,) = (line for line in clients.decode().splitlines() if f"name={CLIENT_NAME} " in line)
    assert "resp=3" in line.split()


def test_the_pulse_of_a_town_changes_with_its_epoch_and_counter(
    connection: Connection, town: str
) -> None:
    assert pulse(connection, town) == (None, None)
    connection.execute("HSET", f"tt:{town}:plan", "epoch", "e", "seq", 4, "branch", "main")
    assert pulse(connection, town) == (b"e", b"4")


def test_a_change_is_heard_within_milliseconds(
    tracking: Tracking, connection: Connection, town: str
) -> None:
    taken = []
    for number in range(100):
        began = perf_counter()
        connection.execute("HSET", f"tt:{town}:task:{UUID}", "f", number)
        heard(tracking)
        taken.append(perf_counter() - began)
    print(f"heard after {sorted(taken)[50] * 1000:.2f} ms, at most {max(taken) * 1000:.2f} ms")
