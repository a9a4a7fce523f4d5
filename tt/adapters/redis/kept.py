"""A connection that outlives its use, for a process that syncs again and again.

What opening costs (two cores): a quarter of a millisecond on a Unix socket, some 70 ms with TLS,
most of which is reading the system's authorities; and Sentinels and Clusters are asked for the way.
"""

from __future__ import annotations

from collections.abc import Callable

from tt.adapters.redis.connection import Connection
from tt.adapters.redis.keys import TownKeys
from tt.adapters.redis.ondemand import OnDemand
from tt.adapters.redis.replies import ReplyError, fatal
from tt.errors import StoreError


class Kept:
    """At most one connection that nobody uses just now, and the way that it was opened by.

    It is asked whether it is still of use before it is lent; where not, one is opened anew. No
    command is ever sent twice. One after the other may use it, in one thread.
    """

    __slots__ = ("_idle", "_way")

    def __init__(self) -> None:
        self._idle: Connection | None = None
        self._way: object = None

    def on_demand(
        self, address: str, way: object, town: str, open_it: Callable[[], Connection]
    ) -> OnDemand:
        """Return what lends the connection that `way` leads to, and gives it back when closed.

        `way` is all that `open_it` depends on, as a value.
        """

        def lend() -> Connection:
            return self._lent(way, town) or open_it()

        return OnDemand(address, lend, lambda made: self._take_back(way, made))

    def close(self) -> None:
        """Close the connection if there is one; it can be used again afterwards."""
        if self._idle is not None:
            self._idle.close()
            self._idle = None

    def _lent(self, way: object, town: str) -> Connection | None:
        idle, self._idle = self._idle, None
        if idle is None:
            return None
        if self._way == way and _serves(idle, TownKeys(town)):
            return idle
        idle.close()
        return None

    def _take_back(self, way: object, connection: Connection) -> None:
        self.close()
        self._idle, self._way = connection, way


def _serves(connection: Connection, keys: TownKeys) -> bool:
    """Say whether the server is there, is no replica now, and has the town's keys still.

    A connection that broke, or that has answers left in it, says itself that it is of no use.
    What it refuses for other reasons, it would refuse on a new connection, too.
    """
    try:
        hello, epoch = connection.pipeline([("HELLO",), ("HGET", keys.plan, "epoch")])
    except StoreError:
        return False
    is_replica = isinstance(hello, list) and (b"replica" in hello or b"slave" in hello)
    refused = fatal(epoch, connection.address) if isinstance(epoch, ReplyError) else None
    return not is_replica and (refused is None or refused.reply.code == "NOPERM")
