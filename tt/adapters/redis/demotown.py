"""A town on a private server, written to as agents of any make write: plain HSETs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tt.adapters.redis.connection import Connection
from tt.adapters.redis.keys import TownKeys
from tt.adapters.redis.server import EmbeddedServer
from tt.core.ids import task_uuid


class DemoTown:
    """A server below `home` that lives until `stop`, and the tasks of one town on it."""

    def __init__(self, home: Path, town: str) -> None:
        """Start the server. Raises StoreError where there is none to start."""
        self._town = town
        self._server = EmbeddedServer(home)
        self._connection = Connection.open(self._server.start())

    def write(self, task: str, fields: Mapping[str, str]) -> str:
        """Set fields of a task's hash; return its key."""
        key = TownKeys(self._town).task(task_uuid(self._town, task))
        words = [word for pair in fields.items() for word in pair]
        self._connection.execute("HSET", key, *words)
        return key

    def stop(self) -> None:
        """Stop the server."""
        self._connection.close()
        self._server.stop()
