"""Keys in old forms on real servers: found, renamed, made hashes; nothing overwritten or lost."""

from __future__ import annotations

import pytest

from tests.support.commands import texts
from tt.adapters.redis.address import Address
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.keys import TownKeys
from tt.adapters.redis.oldkeys import RedisOldKeys
from tt.adapters.redis.opening import open_connection
from tt.adapters.redis.replies import RefusedError
from tt.core.migrated import OldKey
from tt.errors import StoreError

UUID = "0b0b0b0b-0000-4000-8000-00000000000"
TASK, AGENT = UUID + "1", UUID + "2"
KINDS = ("agent", "inbox", "urgent", "activity", "stop", "task")


def keys_of(connection: Connection) -> set[str]:
    return {key.decode() for key in texts(connection, "KEYS", "*")}


def old_keys(connection: Connection, town: str = "shop-main") -> RedisOldKeys:
    return RedisOldKeys(connection, TownKeys(town))


@pytest.mark.parametrize("town", ["shop-main", "task", "agent", "a*", "backlog", "größe"])
def test_keys_without_a_town_are_found_and_get_one(connection: Connection, town: str) -> None:
    for kind in KINDS:
        connection.execute("RPUSH", f"tt:{kind}:{TASK}", kind)
    connection.execute("RPUSH", "tt:backlog", TASK)
    old = old_keys(connection, town)
    found = old.names()
    assert [one.kind for one in found] == [*KINDS, "backlog"]
    assert old.rename(found) == [""] * 7
    assert keys_of(connection) == {f"tt:{town}:backlog"} | {
        f"tt:{town}:{kind}:{TASK}" for kind in KINDS
    }
    assert texts(connection, "LRANGE", f"tt:{town}:task:{TASK}", 0, -1) == [b"task"]  # type: ignore[arg-type]
    assert old.names() == []


def test_the_keys_of_towns_with_such_names_are_no_old_ones(connection: Connection) -> None:
    """A town may be called `task`, `agent`, `backlog` or by a uuid."""
    for key in (
        "tt:task:plan", "tt:task:tombstones", f"tt:task:task:{TASK}", f"tt:agent:task:{TASK}",
        f"tt:{TASK}:task:{TASK}", "tt:backlog:plan", "tt:backlog:backlog", "tt:shop:backlog",
        f"tt:events:agent:{AGENT}", f"tt:task:{TASK}:x", f"tt:task:{TASK}\n", "tt:broadcast",
        f"tt:task:{TASK.upper()}", f"tt:plan:{TASK}", f"xtt:task:{TASK}", "tt:inbox:dev",
    ):  # fmt: skip
        connection.execute("SET", key, "x")
    assert old_keys(connection).names() == []


def test_what_expires_goes_on_expiring(connection: Connection) -> None:
    connection.execute("SET", f"tt:stop:{AGENT}", "1", "EX", 3600)
    old = old_keys(connection)
    old.rename(old.names())
    left = connection.execute("PTTL", f"tt:shop-main:stop:{AGENT}")
    assert isinstance(left, int)
    assert 3_500_000 < left <= 3_600_000


def test_a_name_that_is_taken_is_never_overwritten(connection: Connection) -> None:
    connection.execute("SET", f"tt:task:{TASK}", "old")
    old = old_keys(connection)
    (free,) = old.names()
    assert free.why == ""
    connection.execute("SET", f"tt:shop-main:task:{TASK}", "new")  # since it was looked at
    why = f"tt:shop-main:task:{TASK} is there already"
    assert old.rename([free]) == [why]
    assert [one.why for one in old.names()] == [why]
    assert connection.execute("GET", f"tt:shop-main:task:{TASK}") == b"new"
    assert connection.execute("GET", f"tt:task:{TASK}") == b"old"


def test_a_key_that_somebody_else_renamed_is_neither_done_nor_left(connection: Connection) -> None:
    connection.execute("SET", f"tt:task:{TASK}", "old")
    old = old_keys(connection)
    found = old.names()
    assert old.rename(found) == [""]
    assert old.rename(found) == [None]


def test_only_keys_that_are_no_hashes_are_texts(connection: Connection) -> None:
    connection.execute("SET", f"tt:shop-main:task:{TASK}", "{}")
    connection.execute("HSET", f"tt:shop-main:task:{AGENT}", "id", AGENT)
    connection.execute("RPUSH", f"tt:shop-main:agent:{AGENT}", "x")
    connection.execute("SET", f"tt:shop-main:inbox:{AGENT}", "{}")
    connection.execute("SET", "tt:shop-main:task:odd", "{}")
    connection.execute("SET", f"tt:shop-main:task:task:{TASK}", "{}")
    connection.execute("SET", f"tt:shop-main-2:task:{TASK}", "{}")
    agent, task = f"tt:shop-main:agent:{AGENT}", f"tt:shop-main:task:{TASK}"
    assert old_keys(connection).texts() == [
        OldKey(agent, agent, "agent", why="it is a list, and no JSON"),
        OldKey(task, task, "task", b"{}"),
    ]


def converted(connection: Connection, **fields: str) -> str | None:
    """Make a hash of the text that was read as `{}`."""
    key = f"tt:shop-main:task:{TASK}"
    (fate,) = old_keys(connection).convert([(OldKey(key, key, "task", b"{}"), fields)])
    return fate


def test_a_text_becomes_a_hash_and_expires_as_before(connection: Connection) -> None:
    key = f"tt:shop-main:task:{TASK}"
    connection.execute("SET", key, "{}", "EX", 3600)
    fields = {"id": TASK, "": "x", **{f"f{number}": "ü" for number in range(10_000)}}
    assert converted(connection, **fields) == ""
    assert connection.execute("HLEN", key) == 10_002
    assert connection.execute("HGET", key, "f9999") == "ü".encode()
    left = connection.execute("PTTL", key)
    assert isinstance(left, int)
    assert 3_500_000 < left <= 3_600_000
    assert converted(connection, id=TASK) is None


def test_a_text_that_is_another_one_meanwhile_stays(connection: Connection) -> None:
    key = f"tt:shop-main:task:{TASK}"
    connection.execute("SET", key, '{"state":"completed"}')
    assert converted(connection, id=TASK) == "it changed meanwhile"
    assert connection.execute("GET", key) == b'{"state":"completed"}'
    connection.execute("DEL", key)
    assert converted(connection, id=TASK) is None
    assert keys_of(connection) == set()


@pytest.mark.parametrize("right", ["-hset", "-del", "-pttl", "-eval -evalsha"])
def test_a_user_who_may_not_write_hashes_loses_no_text(connection: Connection, right: str) -> None:
    key = f"tt:shop-main:task:{TASK}"
    connection.execute("SET", key, "{}")
    connection.execute("ACL", "SETUSER", "half", "on", "nopass", "~*", "+@all", *right.split())
    try:
        connection.execute("AUTH", "half", "x")
        with pytest.raises(RefusedError):
            converted(connection, id=TASK)
    finally:
        connection.execute("AUTH", "default", "")
        connection.execute("ACL", "DELUSER", "half")
    assert connection.execute("GET", key) == b"{}"


def test_a_user_who_may_not_look_at_a_server_can_migrate(connection: Connection) -> None:
    connection.execute("SET", f"tt:task:{TASK}", "x")
    connection.execute("ACL", "SETUSER", "plain", "on", "nopass", "~tt:*", "+@all", "-@dangerous")
    try:
        connection.execute("AUTH", "plain", "x")
        old = old_keys(connection)
        old.check_movable()
        assert old.rename(old.names()) == [""]
    finally:
        connection.execute("AUTH", "default", "")
        connection.execute("ACL", "DELUSER", "plain")


def test_a_full_server_loses_no_text(connection: Connection) -> None:
    key = f"tt:shop-main:task:{TASK}"
    connection.execute("SET", key, "{}")
    connection.execute("CONFIG", "SET", "maxmemory", 1)
    try:
        with pytest.raises(RefusedError, match="no memory left"):
            converted(connection, id=TASK)
    finally:
        connection.execute("CONFIG", "SET", "maxmemory", 0)
    assert connection.execute("GET", key) == b"{}"


def test_on_a_cluster_keys_are_not_renamed_and_texts_are_converted(
    cluster_ports: list[int],
) -> None:
    town = "{shop}-main"
    url = f"redis+cluster://:hunter2@127.0.0.1:{cluster_ports[0]}"
    with open_connection(Address.parse(url), town=town) as made:
        old = old_keys(made, town)
        with pytest.raises(StoreError) as caught:
            old.check_movable()
        assert "is a cluster" in caught.value.message
        assert "tt --redis URL migrate" in str(caught.value.hint)
        assert old.names() == []
        key = f"tt:{town}:task:{TASK}"
        made.execute("SET", key, "{}")
        (text,) = old.texts()
        assert old.convert([(text, {"id": TASK})]) == [""]
        there = [f"tt:task:{UUID}{number}" for number in range(8)]
        with pytest.raises(StoreError, match="no key can be given another name"):
            old.rename([OldKey(one, f"tt:{town}:{one[3:]}", "task") for one in there])
