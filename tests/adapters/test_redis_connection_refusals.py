"""What a server refuses, met on real servers, is one sentence with the next step."""

from __future__ import annotations

import socket
from pathlib import Path
from threading import Thread

import pytest

from tests.support.redis_server import Launch, RedisServer, free_port, wait_until
from tt.adapters.redis.address import Address
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.replies import MovedError, RefusedError, ReplyError, fatal
from tt.errors import StoreError


def refusal(url: str) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        Connection.open(Address.parse(url)).close()
    return caught.value


def test_a_server_with_a_password_asks_for_it(launch_redis: Launch) -> None:
    server = launch_redis("--requirepass", "hunter2")
    error = refusal(server.url)
    assert error.message == f"{server.url} asks for a password."
    assert "REDIS_URL" in str(error.hint)
    assert error.exit_code == 4


def test_a_wrong_password_is_refused_and_not_shown(launch_redis: Launch) -> None:
    server = launch_redis("--requirepass", "hunter2")
    error = refusal(f"{server.url}?password=hunter3&db=1")
    assert error.message == f"{server.url}?db=1 does not accept the user name or the password."
    assert "hunter" not in f"{error.message}{error.hint}{error.reply}"


def test_a_right_password_opens(launch_redis: Launch) -> None:
    server = launch_redis("--requirepass", "p@ss/wörd%\xff")
    with Connection.open(Address.parse(f"{server.url}?password=p%40ss/w%C3%B6rd%25%C3%BF")) as made:
        assert made.execute("DBSIZE") == 0


def test_a_password_where_none_is_set_is_said_to_be_one_too_many(launch_redis: Launch) -> None:
    server = launch_redis()
    error = refusal(f"{server.url}?password=hunter2")
    assert error.message == f"{server.url} has no password, and one was given."


def test_a_user_of_an_access_list_logs_in(launch_redis: Launch) -> None:
    server = launch_redis()
    with server.connect() as admin:
        admin.execute("ACL", "SETUSER", "alice", "on", ">hunter2", "~tt:*", "+@all")
        admin.execute("ACL", "SETUSER", "open", "on", "nopass", "~*", "+@all")
    with Connection.open(Address.parse(f"{server.url}?username=alice&password=hunter2")) as alice:
        assert alice.execute("ACL", "WHOAMI") == b"alice"
        assert alice.execute("SET", "tt:x", 1) == b"OK"
    with Connection.open(Address.parse(f"unix://open@{server.socket}")) as anyone:
        assert anyone.execute("ACL", "WHOAMI") == b"open"
    assert "does not accept" in refusal(f"{server.url}?username=alice&password=no").message


def test_a_user_without_a_permission_is_told_which(launch_redis: Launch) -> None:
    server = launch_redis()
    with server.connect() as admin:
        admin.execute("ACL", "SETUSER", "bob", "on", ">pw", "~tt:*", "+get")
    with Connection.open(Address.parse(f"{server.url}?username=bob&password=pw")) as bob:
        assert bob.execute("GET", "tt:x") is None
        with pytest.raises(RefusedError) as caught:
            bob.execute("SET", "tt:x", 1)
        assert "does not permit this user what tt needs: NOPERM" in caught.value.message
        with pytest.raises(RefusedError) as caught:
            bob.execute("GET", "other")
        assert "does not permit" in caught.value.message
        (reply,) = bob.pipeline([("SET", "tt:x", 1)])
        with pytest.raises(RefusedError):
            bob.check(reply)


def test_a_database_that_is_not_there_is_said_to_be(launch_redis: Launch) -> None:
    server = launch_redis("--databases", "2")
    error = refusal(f"{server.url}?db=2")
    assert error.message == f"{server.url}?db=2 has no database of that number."


def test_a_replica_refuses_writes(launch_redis: Launch) -> None:
    port = free_port()
    launch_redis("--port", str(port))
    replica = launch_redis("--replicaof", "127.0.0.1", str(port))
    with replica.connect() as connection, pytest.raises(RefusedError) as caught:
        connection.execute("SET", "k", "v")
    assert caught.value.message == f"{replica.url} is a read-only replica."


def test_a_replica_that_has_lost_its_primary_says_so(launch_redis: Launch) -> None:
    nobody = str(free_port())
    replica = launch_redis("--replicaof", "127.0.0.1", nobody, "--replica-serve-stale-data", "no")
    with pytest.raises(RefusedError) as caught, replica.connect() as connection:
        connection.execute("GET", "k")
    assert caught.value.message == f"{replica.url} is a replica that has lost its primary."


def test_a_server_out_of_memory_says_so_for_each_write(launch_redis: Launch) -> None:
    server = launch_redis("--maxmemory", "1mb", "--maxmemory-policy", "noeviction")
    with server.connect() as connection:
        replies = connection.pipeline(("SET", f"k{number}", "x" * 1000) for number in range(3000))
        failed = [reply for reply in replies if isinstance(reply, ReplyError)]
        assert failed
        with pytest.raises(RefusedError) as caught:
            connection.check(failed[0])
        assert "has no memory left" in caught.value.message
        assert connection.execute("DBSIZE") == len(replies) - len(failed)


def test_a_server_that_loads_its_data_says_so(launch_redis: Launch) -> None:
    server = launch_redis().start_loading(5_000)
    error = refusal(server.url)
    assert error.message == f"{server.url} is still loading its data."
    assert error.reply.code == "LOADING"


def test_a_server_that_cannot_save_refuses_writes(launch_redis: Launch, tmp_path: Path) -> None:
    server = launch_redis()
    with server.connect() as connection:
        connection.execute("CONFIG", "SET", "save", "3600 1")
        connection.execute("SET", "k", "v")
        (server.directory / "dump.rdb").mkdir()  # nothing can be renamed over it
        connection.execute("BGSAVE")

        def has_failed() -> bool:
            info = connection.execute("INFO", "persistence")
            return isinstance(info, bytes) and b"rdb_last_bgsave_status:err" in info

        wait_until(has_failed, "the save to fail")
        with pytest.raises(RefusedError) as caught:
            connection.execute("SET", "k", "w")
        assert "cannot save to disk: MISCONF" in caught.value.message


def test_a_server_busy_with_a_script_says_so(launch_redis: Launch) -> None:
    server = launch_redis("--lua-time-limit", "10")

    def spin() -> None:
        with server.connect(30) as connection, pytest.raises(RefusedError):
            connection.execute("EVAL", "while true do end", 0)

    spinning = Thread(target=spin)
    spinning.start()

    def is_busy() -> bool:
        try:
            Connection.open(server.address).close()
        except RefusedError as error:
            return error.message == f"{server.url} is busy with a script of some client."
        return False

    try:
        wait_until(is_busy, "the script to be noticed")
    finally:
        kill_script(server)
        spinning.join()


def kill_script(server: RedisServer) -> None:
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(server.socket))
        raw.sendall(b"SCRIPT KILL\r\n")
        assert raw.recv(100) == b"+OK\r\n"


def test_a_server_whose_connections_are_all_in_use_says_so(launch_redis: Launch) -> None:
    server = launch_redis("--maxclients", "1")
    with server.connect():
        error = refusal(server.url)
    assert error.message == f"{server.url} has no connection free: all are in use."


@pytest.mark.parametrize("line", ["MOVED 1 h:1", "ASK 1 h:1", "TRYAGAIN Multiple keys"])
def test_a_town_that_is_elsewhere_is_worth_a_second_way(line: str) -> None:
    assert isinstance(fatal(ReplyError.parse(line), "here"), MovedError)


@pytest.mark.parametrize("line", ["WRONGTYPE x", "NOSCRIPT x", "ERR x", "EXECABORT x", ""])
def test_an_error_of_one_command_is_not_fatal(line: str) -> None:
    assert fatal(ReplyError.parse(line), "here") is None


def test_what_a_server_says_cannot_reach_the_terminal_as_it_is() -> None:
    error = fatal(ReplyError.parse("NOPERM \x1b[31m" + "x" * 1000), "here")
    assert isinstance(error, StoreError)
    assert "\x1b" not in error.message
    assert len(error.message) < 300
