"""Who conducts: one leads a town by a lease in Redis, all others stand by until it is free."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Final

from tt.app.stage import Stage
from tt.core.conducted import Event, Told

_SOON: Final = 0.01
"""Seconds after the end of another's lease until it is asked for."""


class Leading:
    """The lead of one town, as far as one conductor has it. By `clock`, in seconds; the lease is
    counted from before it was asked for, so that it ends here no later than on the server."""

    def __init__(
        self, stage: Stage, lease: float, tell: Callable[[Told], None], clock: Callable[[], float]
    ) -> None:
        self._stage, self._lease, self._tell, self._clock = stage, lease, tell, clock
        self._token = secrets.token_hex(16)
        self._until: float | None = None
        self._stands_by = False
        self.due = clock()
        """When it is to be asked for, or renewed, next."""
        self.is_new = False
        """Whether it was taken just now: somebody else may have led meanwhile."""

    @property
    def holds(self) -> bool:
        """Whether it may act now."""
        return self._until is not None and self._clock() < self._until

    def take(self, now: float) -> bool:
        """Take the lead, or keep it; say whether we have it. Raises StoreError."""
        self.is_new = not self.holds
        if not self.is_new and now < self.due:
            return True
        if self._stands_by and now < self.due and not self._stage.heard().leader:
            return False
        if not self._stage.workshop.lead(self._token, self._lease):
            self._stand_by(now)
            return False
        self._until, self.due = now + self._lease, now + self._lease / 3
        if self._stands_by and self.is_new:
            self._tell(Told(Event.LEADS))
        self._stands_by = False
        return True

    def resign(self) -> None:
        """Let another one lead at once."""
        if self._until is not None:
            self._until = None
            self._stage.workshop.resign(self._token)

    def _stand_by(self, now: float) -> None:
        """Wait until the leader is gone: Redis tells, or its lease runs out."""
        if self._until is not None:
            self._tell(Told(Event.LOST_LEAD))
        elif not self._stands_by:
            self._tell(Told(Event.STANDS_BY))
        if not self._stands_by:
            self._stage.listen()
        self._stands_by, self._until = True, None
        leader = self._stage.workshop.leader()
        self.due = now + (leader.seconds if leader else 0.0) + _SOON
