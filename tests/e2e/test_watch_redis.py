"""Redis goes away, hangs, forgets, moves: `tt watch` says it once, goes on, and catches up."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest

from tests.support.clusters import Watched
from tests.support.commands import texts
from tests.support.effort import EFFORT
from tests.support.redis_server import Launch, RedisServer, free_port, wait_until
from tests.support.watch_yard import WatchYard, plan_text, says
from tests.support.watchman import LIMIT_SECONDS, Watchman
from tt.adapters.redis.address import Address
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.opening import connect_embedded, connect_running, open_connection
from tt.errors import StoreError

pytestmark = pytest.mark.slow

IDS = tuple(f"t{number}" for number in range(8))
ENGINES_HERE = ["valkey", "redis"] if EFFORT == "nightly" else ["valkey"]
CATCH_UP = 20.0
"""Seconds; it takes at most five until Redis is tried again, and the machine may be slow."""


@pytest.fixture
def yard(tmp_path: Path, launch: Launch) -> WatchYard:
    """A repository in step with a town on a server that it has alone."""
    return WatchYard.make(tmp_path, launch(), plan_text(*IDS))


def server_of(yard: WatchYard) -> RedisServer:
    return yard.shell.server


def hang(server: RedisServer) -> None:
    assert server.process is not None
    server.process.send_signal(signal.SIGSTOP)


def go_on(server: RedisServer) -> None:
    assert server.process is not None
    server.process.send_signal(signal.SIGCONT)


def go_away(yard: WatchYard, watchman: Watchman, away: Callable[[], object]) -> None:
    """Let Redis go away and save twice; that is told once."""
    mark = watchman.mark()
    yard.save(says("t0", "Before"))
    yard.wait_in_step()
    away()
    yard.save(says("t1", "Meanwhile"))
    assert watchman.wait("offline", mark)["message"]
    yard.save(says("t2", "Meanwhile, too"))


def come_back(yard: WatchYard, watchman: Watchman, back: Callable[[], object]) -> None:
    """Let Redis come back: what was saved meanwhile is there soon, and that it is back is told."""
    mark = watchman.mark()
    back()
    watchman.wait("online", mark, CATCH_UP)
    yard.wait_in_step(CATCH_UP)
    assert (yard.says("t1"), yard.says("t2")) == ("Meanwhile", "Meanwhile, too")
    yard.save(says("t3", "After it"))
    yard.wait_in_step()


def check_told_once(watchman: Watchman) -> None:
    told = watchman.told()
    assert (told.count("offline"), told.count("online")) == (1, 1), watchman.news
    assert set(told) <= {"started", "synced", "offline", "online", "stopped"}


@pytest.mark.parametrize("keeps", [True, False], ids=["with its data", "empty"])
def test_a_server_that_is_started_again_gets_what_was_saved_meanwhile(
    yard: WatchYard, keeps: bool
) -> None:
    server = server_of(yard)

    def stop() -> None:
        with server.connect() as connection:
            connection.execute("SAVE")
        server.stop()
        if not keeps:
            (server.directory / "dump.rdb").unlink()

    with yard.watched() as watchman:
        go_away(yard, watchman, stop)
        come_back(yard, watchman, server.start)
    check_told_once(watchman)
    yard.assert_in_step()


def test_a_server_that_comes_back_as_it_was_an_hour_ago_is_healed(yard: WatchYard) -> None:
    server = server_of(yard)
    with server.connect() as connection:
        connection.execute("SAVE")
    with yard.watched() as watchman:
        go_away(yard, watchman, server.stop)
        come_back(yard, watchman, server.start)
    assert yard.says("t0") == "Before"
    check_told_once(watchman)
    yard.assert_in_step()


def test_a_server_that_hangs_is_told_once_and_caught_up_with(yard: WatchYard) -> None:
    server = server_of(yard)
    with yard.watched() as watchman:
        go_away(yard, watchman, lambda: hang(server))
        come_back(yard, watchman, lambda: go_on(server))
    check_told_once(watchman)
    yard.assert_in_step()


def test_while_redis_is_away_the_watcher_costs_next_to_nothing(yard: WatchYard) -> None:
    with yard.watched() as watchman:
        go_away(yard, watchman, server_of(yard).stop)
        before, start = watchman.needs(), monotonic()
        wait_until(lambda: monotonic() - start > 4, "time to pass")
        after = watchman.needs()
        assert after.cpu - before.cpu < 0.05 * (monotonic() - start), (before, after)
        assert after.files <= before.files + 2
    assert watchman.told().count("offline") == 1


def test_a_flush_is_healed_at_once_and_no_trouble(yard: WatchYard) -> None:
    with yard.watched() as watchman:
        with server_of(yard).connect() as connection:
            connection.execute("FLUSHALL")
        yard.wait_in_step(CATCH_UP)
    assert set(watchman.told()) == {"started", "synced", "stopped"}
    yard.assert_in_step()


def test_connections_that_are_cut_are_made_again_without_a_word(yard: WatchYard) -> None:
    with yard.watched() as watchman:
        for number in range(5):
            with server_of(yard).connect() as connection:
                connection.execute("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            yard.save(says("t4", f"Cut {number}"))
            yard.wait_in_step()
        with server_of(yard).connect() as connection:
            connection.execute("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            wait_until(lambda: listeners(connection) == 1, "it to listen again", CATCH_UP)
    assert set(watchman.told()) == {"started", "synced", "stopped"}


def listeners(connection: Connection) -> int:
    reply = connection.execute("CLIENT", "LIST")
    assert isinstance(reply, bytes)
    return reply.count(b"name=tt-watch")


@pytest.mark.parametrize("redis_binary", ENGINES_HERE, indirect=True)
def test_a_failover_is_followed_to_the_new_primary(
    watched: Watched, launch_redis: Launch, tmp_path: Path
) -> None:
    port = free_port()
    replica = launch_redis("--port", str(port), "--replicaof", f"127.0.0.1 {watched.primary_port}")
    url = f"redis+sentinel://127.0.0.1:{watched.sentinel_port}/main"
    yard = WatchYard.make(tmp_path, watched.primary, plan_text(*IDS), env={"REDIS_URL": url})
    with watched.sentinel.connect() as connection:
        wait_until(lambda: knows_replica(connection), "the Sentinel to know the replica")
        with yard.watched() as watchman:
            yard.save(says("t0", "Before"))
            yard.wait_in_step()
            with replica.connect() as made:
                wait_until(lambda: is_said(made, "here-main", b"Before"), "it to be replicated")
            connection.execute("SENTINEL", "FAILOVER", "main")
            yard.save(says("t1", "Meanwhile"))
            wait_until(lambda: is_primary(replica), "the failover", LIMIT_SECONDS)
            yard.shell.server = replica
            yard.wait_in_step(LIMIT_SECONDS)
            yard.save(says("t2", "After it"))
            yard.wait_in_step()
    assert watchman.told().count("offline") == watchman.told().count("online")
    yard.assert_in_step()


def knows_replica(connection: Connection) -> bool:
    found = connection.execute("SENTINEL", "REPLICAS", "main")
    return isinstance(found, list) and len(found) == 1


def is_primary(server: RedisServer) -> bool:
    try:
        with server.connect() as connection:
            role = connection.execute("ROLE")
    except StoreError:  # a failover cuts connections
        return False
    return isinstance(role, list) and role[0] == b"master"


@pytest.mark.parametrize("redis_binary", ENGINES_HERE, indirect=True)
def test_a_town_in_a_cluster_is_watched(cluster_ports: list[int], tmp_path: Path) -> None:
    url = f"redis+cluster://:hunter2@127.0.0.1:{cluster_ports[0]}"
    town = "{here}-main"
    nobody = RedisServer("", tmp_path)  # everything goes by the address
    yard = WatchYard.make(
        tmp_path, nobody, plan_text(*IDS), env={"REDIS_URL": url, "TT_NAME": town}
    )
    with open_connection(Address.parse(url), town=town) as connection, yard.watched() as watchman:
        yard.save(says("t0", "In a cluster"))
        wait_until(lambda: is_said(connection, town, b"In a cluster"), "the save", LIMIT_SECONDS)
        connection.execute("DEL", f"tt:{town}:plan")
        wait_until(lambda: connection.execute("EXISTS", f"tt:{town}:plan") == 1, "it to be healed")
    assert set(watchman.told()) == {"started", "synced", "stopped"}


def is_said(connection: Connection, town: str, words: bytes) -> bool:
    names = texts(connection, "KEYS", f"tt:{town}:task:*")
    return words in [connection.execute("HGET", name, "description") for name in names]


def test_the_built_in_server_may_be_stopped_and_started(tmp_path: Path) -> None:
    home = Path(os.environ["TT_HOME"])
    nobody = RedisServer("", home / "redis")
    yard = WatchYard.make(tmp_path, nobody, plan_text(*IDS), env={"REDIS_URL": "embedded"})
    with yard.watched() as watchman:
        yard.tt("redis", "stop")
        yard.save(says("t0", "Meanwhile"))
        yard.tt("redis", "start")
        with connect_embedded(home, timeout=LIMIT_SECONDS) as connection:
            wait_until(lambda: is_said(connection, "here-main", b"Meanwhile"), "it", CATCH_UP)
    assert set(watchman.told()) <= {"started", "synced", "offline", "online", "stopped"}


def test_a_built_in_server_that_was_stopped_stays_so_until_the_next_save(tmp_path: Path) -> None:
    home = Path(os.environ["TT_HOME"])
    yard = WatchYard.make(
        tmp_path, RedisServer("", home / "redis"), plan_text(*IDS), env={"REDIS_URL": "embedded"}
    )
    with yard.watched() as watchman:
        yard.tt("redis", "stop")
        watchman.wait("offline", seconds=CATCH_UP)
        assert connect_running(home, timeout=LIMIT_SECONDS) is None
        yard.save(says("t0", "Meanwhile"))
        watchman.wait("online", seconds=CATCH_UP)
        with connect_embedded(home, timeout=LIMIT_SECONDS) as connection:
            wait_until(lambda: is_said(connection, "here-main", b"Meanwhile"), "it", CATCH_UP)


def test_a_password_that_was_changed_is_told_and_one_put_right_is_used(
    tmp_path: Path, launch: Launch
) -> None:
    server = launch()
    home = Path(os.environ["TT_HOME"])
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text(f'[redis]\nurl = "{server.url}"\n')
    yard = WatchYard.make(tmp_path, server, plan_text(*IDS), env={"REDIS_URL": ""})
    with server.connect() as admin, yard.watched() as watchman:
        admin.execute("CONFIG", "SET", "requirepass", "new")
        admin.execute("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        yard.save(says("t0", "Meanwhile"))
        assert "password" in watchman.wait("offline")["message"]
        (home / "config.toml").write_text(f'[redis]\nurl = "{server.url}?password=new"\n')
        watchman.wait("online", seconds=CATCH_UP)
        wait_until(lambda: is_said(admin, "here-main", b"Meanwhile"), "the save", CATCH_UP)
    check_told_once(watchman)
