"""A connection that is opened by the first command: what never asks Redis never needs one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from tt.adapters.redis.commands import Arg, Command
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.replies import Reply


class OnDemand:
    """Commands for a server that is not asked yet. `address` names it without its password.

    `end` is what becomes of the connection when nobody needs it any more.
    """

    def __init__(
        self,
        address: str,
        open_it: Callable[[], Connection],
        end: Callable[[Connection], None] = Connection.close,
    ) -> None:
        self.address = address
        self._open = open_it
        self._end = end
        self._connection: Connection | None = None

    def execute(self, *args: Arg) -> Reply:
        """Send one command; see `Connection.execute`."""
        return self._opened().execute(*args)

    def pipeline(self, commands: Iterable[Command]) -> list[Reply]:
        """Send commands at one go; see `Connection.pipeline`."""
        return self._opened().pipeline(commands)

    def stream(self, commands: Iterable[Command]) -> Iterator[Reply]:
        """Send commands and yield their replies; see `Connection.stream`."""
        return self._opened().stream(commands)

    def close(self) -> None:
        """Close the connection if there is one; a later command opens another."""
        if self._connection is not None:
            self._end(self._connection)
            self._connection = None

    def _opened(self) -> Connection:
        if self._connection is None:
            self._connection = self._open()
        return self._connection
