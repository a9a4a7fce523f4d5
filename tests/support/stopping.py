"""Ending the agents that a test has started, whatever became of it."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

from tests.support.commands import hash_of, texts
from tests.support.redis_server import RedisServer, wait_until
from tt.adapters.lives import born_of


def stop_agents(server: RedisServer) -> None:
    """End the process of every agent of every town of a server; those are on this machine."""
    with server.connect() as connection:
        names = [name.decode() for name in texts(connection, "KEYS", "tt:*:agent:*")]
    agents = [name for name in names if ":events:" not in name]
    for found in (hash_of(server, name) for name in agents):
        pid, born = int(found.get("run:pid", "0")), found.get("run:born", "")
        for number in (signal.SIGTERM, signal.SIGKILL):
            if pid and born_of(pid) == born:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
                with suppress(AssertionError):
                    wait_until(lambda p=pid, b=born: born_of(p) != b, "its end", 10)  # type: ignore[misc]
