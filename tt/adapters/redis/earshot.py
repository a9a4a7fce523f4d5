"""How one agent hears of what concerns it: by the server, or by asking every second."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Final

from tt.adapters.redis.heard import Heard
from tt.adapters.redis.tracking import Tracking
from tt.errors import StoreError, TrackingError

KINDS: Final = ("inbox", "urgent", "stop", "agent")
_ALL: Final = frozenset({"inbox", "stop", "agent"})
_EVERY: Final = 1.0
_PING: Final = 15.0
_NEVER: Final = float("inf")


def prefixes_of(uuid: str) -> list[str]:
    """Return what an agent listens for."""
    return [f"{kind}:{uuid}" for kind in KINDS]


class Earshot:
    """The ears of one agent; to be closed. Where the server cannot tell, `say` is told so, once."""

    def __init__(
        self, uuid: str, listen: Callable[[], Tracking], say: Callable[[str], object]
    ) -> None:
        self._uuid, self._listen, self._say = uuid, listen, say
        self._tracking: Tracking | None = None
        self._is_deaf = False
        self._next = 0.0

    @property
    def filenos(self) -> tuple[int, ...]:
        """What to wait on."""
        return self._tracking.filenos if self._tracking is not None else ()

    @property
    def due(self) -> float:
        """When to call `heard` at the latest."""
        return self._next

    def heard(self) -> frozenset[str]:
        """Return what may have changed: `inbox`, `stop`, `agent`. Raises StoreError."""
        if self._tracking is not None:
            return self._take(self._tracking)
        if not self._is_deaf:
            return self._begin()
        if monotonic() < self._next:
            return frozenset()
        self._next = monotonic() + _EVERY
        return _ALL

    def close(self) -> None:
        """Hear nothing, until `heard` is asked again; once or more often."""
        if self._tracking is not None:
            self._tracking.close()
            self._tracking = None

    def _begin(self) -> frozenset[str]:
        try:
            self._tracking = self._listen()
            self._next = monotonic() + _PING
        except TrackingError as error:
            self._is_deaf, self._next = True, monotonic() + _EVERY
            self._say(f"{error.message} It is asked every second.")
        return _ALL

    def _take(self, tracking: Tracking) -> frozenset[str]:
        try:
            if monotonic() >= self._next:
                tracking.ping()
                self._next = monotonic() + _PING
            heard = tracking.heard()
        except StoreError:
            self.close()
            raise
        return self._mine(heard) if heard else frozenset()

    def _mine(self, heard: Heard) -> frozenset[str]:
        if heard.lost:
            return _ALL
        kinds = {kind for kind, uuids in heard.keys.items() if self._uuid in uuids}
        return frozenset({"inbox" if kind == "urgent" else kind for kind in kinds})
