"""How a project reaches its Redis: the one that the settings mean, or the user's own server."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cached_property
from typing import TYPE_CHECKING, Final

from tt.errors import NoTownError, StoreError

if TYPE_CHECKING:
    from tt.adapters.redis.address import Address
    from tt.adapters.redis.connection import Connection
    from tt.adapters.redis.kept import Kept
    from tt.adapters.redis.ondemand import OnDemand
    from tt.adapters.redis.tracking import Tracking
    from tt.config.settings import Config

_HASTY: Final = 0.4
"""Seconds that a hook waits for a connection, and for each answer on it: Git goes on within one
second, whichever of the two does not come."""


class Reach:
    """The connections of one project; they are opened when they are asked for.

    A `hasty` one waits for nobody for longer than a moment, and starts no server unless `has_work`
    says that it is worth that.
    """

    def __init__(
        self,
        config: Config,
        town: Callable[[], str | None],
        *,
        hasty: bool,
        has_work: Callable[[], bool],
    ) -> None:
        """Take the settings; `town` says the name of the town, where there is one."""
        self._config, self._town = config, town
        self._hasty, self._has_work = hasty, has_work
        self.starts_server = True
        """Whether the built-in server is started where it is not up."""
        self.kept: Kept | None = None
        """What keeps the connection for a process that syncs again and again."""

    def close(self) -> None:
        """Close the connection of ours, if it was ever asked for."""
        if "connection" in self.__dict__:
            self.connection.close()

    @cached_property
    def connection(self) -> OnDemand:
        """The Redis that the settings mean; it is asked only when a command needs it."""
        from tt.adapters.redis.ondemand import OnDemand

        timeout = self._config.redis_timeout
        if self._hasty:
            timeout = min(timeout, _HASTY)
        address = self._address

        def connect() -> Connection:
            return self._connect(address, timeout)

        if self.kept is None:
            return OnDemand(address.display, connect)
        town = self._town() or ""
        return self.kept.on_demand(address.display, (address, timeout, town), town, connect)

    def track(self, town: str, *, tasks: bool) -> Tracking:
        """Listen to what happens to a town, and to its `tasks`, on a connection of its own.

        The built-in server is not started for that. Raises TrackingError where the server cannot
        tell, and StoreError.
        """
        from tt.adapters.redis.tracking import track

        timeout = self._config.redis_timeout
        return track(self._running(timeout), town, timeout, tasks=tasks)

    def listen(self, town: str, prefixes: Collection[str]) -> Tracking:
        """Listen to keys of a town that begin so after its name, such as `task:` or
        `inbox:UUID`; see `track`."""
        from tt.adapters.redis.tracking import listen

        timeout = self._config.redis_timeout
        return listen(self._running(timeout), town, prefixes, timeout)

    @property
    def _address(self) -> Address:
        """Where the settings say that Redis is; the user's own server where they do not."""
        if self._config.redis is None:
            from tt.adapters.redis.home import ServerHome

            return ServerHome(self._config.home).address
        from tt.adapters.redis.url import parse_address

        return parse_address(self._config.redis)

    def _connect(self, address: Address, timeout: float) -> Connection:
        if self._config.redis is None:
            return self._built_in(timeout)
        from tt.adapters.redis.opening import open_connection

        return open_connection(address, timeout=timeout, town=self._town())

    def _running(self, timeout: float) -> Connection:
        """Connect to what is there; the built-in server is not started."""
        if self._config.redis is not None:
            return self._connect(self._address, timeout)
        from tt.adapters.redis.opening import connect_running

        connected = connect_running(self._config.home, timeout=timeout)
        if connected is None:
            raise StoreError(
                "The built-in Redis is not running.",
                "The next edit of the plan starts it, or `tt sync`.",
            )
        return connected

    def _built_in(self, timeout: float) -> Connection:
        from tt.adapters.redis.opening import connect_embedded, connect_running

        home = self._config.home
        if not self.starts_server:
            return self._running(timeout)
        connected = connect_running(home, timeout=timeout) if self._hasty else None
        if connected is not None:
            return connected
        if not self._hasty or self._has_work():
            return connect_embedded(home, timeout=timeout)
        raise NoTownError(
            "The built-in Redis is not running, and there is nothing to sync yet.",
            "The first commit that edits the plan starts it, or `tt sync`.",
        )
