"""What a process that syncs again and again hears of its town, whichever connection tells it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tt.errors import StoreError, TrackingError

if TYPE_CHECKING:
    from tt.adapters.redis.tracking import Tracking


class Hearing:
    """Listens to one town at a time, as far as its server can tell of changes.

    A connection that was lost counts as a change of everything.
    """

    def __init__(self) -> None:
        """Begin with nobody listening."""
        self._tracking: Tracking | None = None
        self._place = ("", "")
        self._is_deaf = False
        self._told: frozenset[str] = frozenset()
        self._is_lost = False

    @property
    def filenos(self) -> tuple[int, ...]:
        """The descriptors on which the server tells of changes."""
        return self._tracking.filenos if self._tracking else ()

    def listen(
        self, place: tuple[str, str], ready: Callable[[], object], track: Callable[[], Tracking]
    ) -> None:
        """Listen at an address to a town, before anything there is read. Raises StoreError.

        `ready` makes sure that there is a server, and `track` begins to listen to it; where it
        cannot tell, that is not asked again until it was away.
        """
        if self._place != place:
            self.hang_up()
            self._place, self._is_deaf = place, False
        if self._tracking is not None:
            return
        try:
            ready()
        except StoreError:
            self._is_deaf = False  # it may come back as another
            raise
        if self._is_deaf:
            return
        try:
            self._tracking = track()
        except TrackingError:
            self._is_deaf = True

    def heard(self) -> bool:
        """Take in what was told; say whether there was anything. Raises StoreError."""
        if self._tracking is None:
            return False
        try:
            heard = self._tracking.heard()
        except StoreError:
            self.hang_up()
            raise
        self._told |= heard.uuids
        self._is_lost |= heard.lost
        return bool(heard)

    def all_heard(self) -> tuple[frozenset[str] | None, bool]:
        """Return the uuids that were told of since the last time, and whether anything may have
        changed beside them; None where nobody listens. Raises StoreError."""
        self.heard()
        told, lost = self._told, self._is_lost
        self._told, self._is_lost = frozenset(), False
        return (None if self._tracking is None else told), lost

    def is_listening(self) -> bool:
        """Make sure that the server would tell. Raises StoreError where it does not any more."""
        if self._tracking is None:
            return False
        try:
            self._tracking.ping()
        except StoreError:
            self.hang_up()
            raise
        return True

    def hang_up(self) -> None:
        """Listen no more, until somebody says where."""
        if self._tracking is not None:
            self._tracking.close()
            self._tracking = None
            self._is_lost = True
