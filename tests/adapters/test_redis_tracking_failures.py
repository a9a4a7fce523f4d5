"""Listening that fails: servers that go, hang, or cannot tell; each is a sentence, and in time."""

from __future__ import annotations

import select
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest

from tests.support.listening import SECONDS, heard, wait_for_news
from tests.support.peers import greet, peer, until_hung_up
from tests.support.redis_server import Launch, RedisServer, free_port, wait_until
from tt.adapters.redis.address import Address
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.heard import Heard
from tt.adapters.redis.replies import LostError, RefusedError, SilentError
from tt.adapters.redis.tracking import CLIENT_NAME, Tracking, track
from tt.errors import StoreError, TrackingError

UUID = "0a1b2c3d-0000-4000-8000-000000000001"
KEY = f"tt:town:task:{UUID}"


def listen(server: RedisServer, timeout: float = SECONDS) -> Tracking:
    return track(server.connect(), "town", timeout, tasks=True)


def test_a_server_that_stops_is_heard_at_once(launch_redis: Launch) -> None:
    server = launch_redis()
    with listen(server) as tracking:
        server.stop()
        wait_for_news(tracking)
        with pytest.raises(LostError) as caught:
            tracking.heard()
    assert f"The connection to {server.url} was lost" in caught.value.message
    assert "Nothing is lost" in str(caught.value.hint)


def test_what_was_told_before_the_end_does_not_hide_the_end(launch_redis: Launch) -> None:
    server = launch_redis()
    with server.connect() as made, listen(server) as tracking:
        made.execute("HSET", KEY, "f", 1)
        server.stop()
        with pytest.raises(LostError):
            tracking.heard()


def test_a_server_that_stopped_is_found_by_a_ping(launch_redis: Launch) -> None:
    server = launch_redis()
    with listen(server) as tracking:
        server.stop()
        with pytest.raises(LostError):
            tracking.ping()


def test_a_hung_server_is_found_by_a_ping_within_its_timeout(launch_redis: Launch) -> None:
    server = launch_redis()
    with listen(server, 0.3) as tracking:
        assert server.process is not None
        server.process.send_signal(signal.SIGSTOP)
        assert tracking.heard() == Heard()
        began = monotonic()
        with pytest.raises(SilentError) as caught:
            tracking.ping()
        assert 0.2 < monotonic() - began < 2
    assert caught.value.message == f"{server.url} is connected and does not answer in time."


def test_a_server_that_talks_and_never_answers_is_found_by_a_ping(tmp_path: Path) -> None:
    def chatter(accepted: socket.socket) -> None:
        greet_listener(accepted)
        while True:
            accepted.sendall(b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nx\r\n")
            time.sleep(0.01)

    with (
        peer(tmp_path, chatter) as address,
        track(Connection.open(address), "town", 0.3, tasks=True) as tracking,
    ):
        began = monotonic()
        with pytest.raises(SilentError):
            tracking.ping()
        assert monotonic() - began < 2


def test_listening_begins_again_after_a_restart(launch_redis: Launch) -> None:
    server = launch_redis()
    with listen(server) as tracking:
        server.stop()
        with pytest.raises(StoreError):
            tracking.ping()
    server.start()
    with server.connect() as made, listen(server) as tracking:
        made.execute("HSET", KEY, "f", 1)
        assert heard(tracking) == Heard(frozenset({UUID}))


def test_a_listener_that_is_killed_hears_of_it(launch_redis: Launch) -> None:
    server = launch_redis()
    with server.connect() as made, listen(server) as tracking:
        made.execute("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        wait_for_news(tracking)
        with pytest.raises(LostError):
            tracking.heard()


def test_a_listener_that_sleeps_for_too_long_is_cut_off_and_hears_of_it(
    launch_redis: Launch,
) -> None:
    server = launch_redis("--client-output-buffer-limit", "normal", "64kb", "0", "0")
    with server.connect() as made, listen(server) as tracking:
        key = "tt:town:task:" + "x" * 100_000
        wait_until(
            lambda: bool(made.execute("HSET", key, "f", 1) in (0, 1) and not listeners(made)),
            "the server to cut the listener off",
        )
        with pytest.raises(LostError):
            tracking.heard()


def listeners(connection: Connection) -> int:
    clients = connection.execute("CLIENT", "LIST")
    assert isinstance(clients, bytes)
    return clients.decode().count(f" name={CLIENT_NAME} ")


def test_more_at_once_than_can_be_held_ends_the_listening(launch_redis: Launch) -> None:
    server = launch_redis()
    script = "for i = 1, 120000 do redis.call('SET', KEYS[1] .. string.format('%060d', i), 1) end"
    with server.connect() as made, listen(server) as tracking:
        made.execute("EVAL", script, 1, "tt:town:task:")

        def is_over() -> bool:
            try:
                tracking.heard()
            except LostError as error:
                return "the server tells too much at once" in error.message
            return False

        wait_until(is_over, "the end")


def test_a_listener_that_is_closed_says_so(launch_redis: Launch) -> None:
    server = launch_redis()
    with server.connect() as made:
        tracking = listen(server)
        assert len(tracking.filenos) == 1
        tracking.close()
        tracking.close()
        assert tracking.filenos == ()
        for use in (tracking.heard, tracking.ping):
            with pytest.raises(LostError) as caught:
                use()
            assert "is closed" in caught.value.message
        wait_until(lambda: not listeners(made), "the server to see that nobody listens")


def test_a_connection_that_listens_serves_for_nothing_else(launch_redis: Launch) -> None:
    server = launch_redis()
    made = server.connect()
    with track(made, "town", SECONDS, tasks=True), pytest.raises(LostError):
        made.execute("PING")


def test_a_primary_that_became_a_replica_is_found_by_a_ping(launch_redis: Launch) -> None:
    server = launch_redis()
    with server.connect() as made, listen(server) as tracking:
        tracking.ping()
        made.execute("REPLICAOF", "127.0.0.1", free_port())
        with pytest.raises(RefusedError) as caught:
            tracking.ping()
        assert "is a read-only replica" in caught.value.message
        with listen(server) as again:
            again.ping()
            made.execute("REPLICAOF", "NO", "ONE")
            again.ping()


def test_a_user_who_may_not_listen_is_told_what_to_permit(launch_redis: Launch) -> None:
    server = launch_redis()
    with server.connect() as admin:
        admin.execute("ACL", "SETUSER", "bob", "on", ">pw", "~tt:*", "+@all", "-client|tracking")
        bob = Address.parse(f"{server.url}?username=bob&password=pw")
        with pytest.raises(TrackingError) as caught:
            track(Connection.open(bob), "town", SECONDS, tasks=True)
        assert "does not permit this user to hear which keys change: NOPERM" in str(caught.value)
        assert "+client|tracking" in str(caught.value.hint)
        assert not listeners(admin)
        admin.execute("ACL", "SETUSER", "bob", "+client|tracking")
        with track(Connection.open(bob), "town", SECONDS, tasks=True) as tracking:
            admin.execute("HSET", KEY, "f", 1)
            assert heard(tracking) == Heard(frozenset({UUID}))
            admin.execute("ACL", "DELUSER", "bob")
            wait_for_news(tracking)
            with pytest.raises(LostError):
                tracking.heard()


def test_a_user_who_may_only_listen_is_pinged_all_the_same(launch_redis: Launch) -> None:
    server = launch_redis()
    with server.connect() as admin:
        admin.execute("ACL", "SETUSER", "ear", "on", ">pw", "~tt:*", "+client|tracking")
        ear = Address.parse(f"{server.url}?username=ear&password=pw")
        with track(Connection.open(ear), "town", SECONDS, tasks=True) as tracking:
            tracking.ping()
            assert tracking.heard() == Heard()


HELLO = b"%3\r\n$5\r\nproto\r\n:3\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$2\r\nid\r\n:1\r\n"
OLD = {
    "neither command": b"-ERR unknown command `HELLO`\r\n$-1\r\n-ERR Unknown subcommand\r\n",
    "no RESP3": b"-NOPROTO unsupported protocol version\r\n$-1\r\n-ERR in RESP3 only\r\n",
    "no tracking": HELLO + b"$-1\r\n-ERR unknown subcommand 'TRACKING'\r\n",
    "no broadcast": HELLO + b"$-1\r\n-ERR syntax error\r\n",
    "RESP2 by another name": b"*2\r\n$5\r\nproto\r\n:2\r\n$-1\r\n+OK\r\n",
    "an empty greeting": b"+OK\r\n$-1\r\n+OK\r\n",
}


@pytest.mark.parametrize("lacks", OLD)
def test_a_server_that_cannot_tell_says_so_and_is_let_go(tmp_path: Path, lacks: str) -> None:
    ends: list[bytes] = []

    def old(accepted: socket.socket) -> None:
        greet(accepted)
        accepted.recv(1 << 16)
        accepted.sendall(OLD[lacks])
        ends.append(accepted.recv(1 << 16))

    with peer(tmp_path, old) as address:
        with pytest.raises(TrackingError) as caught:
            track(Connection.open(address), "town", SECONDS, tasks=True)
        assert caught.value.message.startswith(f"{address} cannot tell which keys change")
        assert "asked from time to time" in str(caught.value.hint)
        wait_until(lambda: ends == [b""], "the connection to be closed")


def test_a_server_that_is_still_loading_is_not_taken_for_an_old_one(tmp_path: Path) -> None:
    def loading(accepted: socket.socket) -> None:
        greet(accepted)
        accepted.recv(1 << 16)
        accepted.sendall(HELLO + b"-LOADING Redis is loading the dataset in memory\r\n+OK\r\n")

    with peer(tmp_path, loading) as address, pytest.raises(RefusedError) as caught:
        track(Connection.open(address), "town", SECONDS, tasks=True)
    assert "is still loading its data" in caught.value.message


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"", "was lost"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak the Redis protocol"),
    ],
)
def test_a_greeting_that_breaks_off_is_no_old_server(
    tmp_path: Path, answer: bytes, said: str
) -> None:
    def breaking(accepted: socket.socket) -> None:
        greet(accepted)
        accepted.recv(1 << 16)
        accepted.sendall(answer)

    with peer(tmp_path, breaking) as address, pytest.raises(StoreError) as caught:
        track(Connection.open(address), "town", SECONDS, tasks=True)
    assert said in caught.value.message
    assert not isinstance(caught.value, TrackingError)


def greet_listener(accepted: socket.socket) -> None:
    """Answer what a listener begins with."""
    greet(accepted)
    accepted.recv(1 << 16)
    accepted.sendall(HELLO + b"$-1\r\n+OK\r\n")


def told(*parts: bytes) -> Callable[[socket.socket], None]:
    """Make a peer that tells a listener these bytes, each on its own, and then nothing."""

    def talk(accepted: socket.socket) -> None:
        greet_listener(accepted)
        for part in parts:
            accepted.sendall(part)
        until_hung_up(accepted)

    return talk


def test_garbage_in_between_is_said_to_be_no_redis(tmp_path: Path) -> None:
    with (
        peer(tmp_path, told(b"what?\r\n")) as address,
        track(Connection.open(address), "town", SECONDS, tasks=True) as tracking,
    ):
        with pytest.raises(StoreError) as caught:
            tracking.ping()
        assert "does not speak the Redis protocol" in caught.value.message


def test_what_else_a_server_may_push_is_passed_over(tmp_path: Path) -> None:
    other = b">2\r\n$6\r\nmoving\r\n:1\r\n-ERR what\r\n:7\r\n>1\r\n$10\r\ninvalidate\r\n>0\r\n"
    other += b">2\r\n$10\r\ninvalidate\r\n*2\r\n:1\r\n$1\r\nx\r\n"
    ours = b">2\r\n$10\r\ninvalidate\r\n*1\r\n$%d\r\n%s\r\n" % (len(KEY), KEY.encode())
    with (
        peer(tmp_path, told(other + ours)) as address,
        track(Connection.open(address), "town", SECONDS, tasks=True) as tracking,
    ):
        assert heard(tracking) == Heard(frozenset({UUID}))


def test_many_messages_are_heard_that_together_are_more_than_can_be_held(tmp_path: Path) -> None:
    large = b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1000000\r\n%s\r\n" % (b"x" * 1_000_000)
    ours = b">2\r\n$10\r\ninvalidate\r\n*1\r\n$%d\r\n%s\r\n" % (len(KEY), KEY.encode())
    with (
        peer(tmp_path, told(*[large] * 12, ours)) as address,
        track(Connection.open(address), "town", SECONDS, tasks=True) as tracking,
    ):
        assert heard(tracking) == Heard(frozenset({UUID}))


def test_a_message_that_is_cut_in_two_is_heard_when_it_is_whole(tmp_path: Path) -> None:
    whole = b">2\r\n$10\r\ninvalidate\r\n*1\r\n$%d\r\n%s\r\n" % (len(KEY), KEY.encode())
    with (
        peer(tmp_path, told(*(whole[at : at + 1] for at in range(len(whole))))) as address,
        track(Connection.open(address), "town", SECONDS, tasks=True) as tracking,
    ):
        assert heard(tracking) == Heard(frozenset({UUID}))


def test_tcp_connections_are_kept_alive(launch_redis: Launch) -> None:
    port = free_port()
    launch_redis("--port", str(port))
    made = Connection.open(Address.parse(f"redis://127.0.0.1:{port}"))
    with track(made, "town", SECONDS, tasks=True) as tracking:
        with socket.socket(fileno=socket.dup(tracking.filenos[0])) as copy:
            assert copy.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert not select.select(tracking.filenos, [], [], 0)[0]
