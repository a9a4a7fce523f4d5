"""One server for all end-to-end tests, empty for each of them, and a place to work in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import Place
from tests.support.redis_server import ENGINES, Launch, RedisServer, launcher, running

PLAN = """\
[meta]
description = "A plan for tests"

[[tasks]]
id = "design"
description = "Design it"
agent = "architect"
status = "pending"
tags = ["first", "paper"]

[[tasks]]
id = "build"   # the long one
description = "Build it"
status = "pending"
depends_on = ["design"]
priority = 2

[[tasks]]
id = "ship"
description = "Ship it"
status = "pending"
parent = "build"
"""


@pytest.fixture(scope="session")
def one_server() -> Iterator[RedisServer]:
    """The server that all tests of the session share. Its content is anybody's: see `server`."""
    with running(ENGINES["valkey"]()) as server:
        yield server


@pytest.fixture
def server(one_server: RedisServer) -> RedisServer:
    """A server that is empty."""
    with one_server.connect() as connection:
        connection.execute("FLUSHALL")
    return one_server


@pytest.fixture
def launch() -> Iterator[Launch]:
    """Start servers with options of the test's own; they are stopped when it ends."""
    with launcher(ENGINES["valkey"]()) as start:
        yield start


@pytest.fixture
def place(tmp_path: Path, server: RedisServer) -> Place:
    """A repository with a plan of three tasks, not pushed yet."""
    return Place.make(tmp_path / "here", server, PLAN)
