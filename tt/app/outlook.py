"""What a watcher needs of the worktree that it watches, and of the Redis that wakes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tt.app.look import View
from tt.core.report import SyncReport
from tt.core.watching import Stamp
from tt.record import record


@record
class Synced:
    """What a sync did, and which bytes the plan had after it, as their digest."""

    report: SyncReport
    digest: str


class Outlook(Protocol):
    """One plan in one worktree. What may have moved since is found out anew at each call."""

    @property
    def file(self) -> str:
        """How messages call the plan."""
        ...

    @property
    def two_way(self) -> bool:
        """Whether the file gets what Redis has."""
        ...

    def stamp(self) -> Stamp:
        """Return the plan's stamp, at the cost of a few calls of the system."""
        ...

    def digest(self) -> str:
        """Return the digest of the plan's bytes; of none where there is no file."""
        ...

    def in_the_way(self) -> str | None:
        """Say why a sync must wait: a Git command at work, no branch; None where nothing is."""
        ...

    def sync(self, checked: Callable[[View], View], *, by_git: bool, is_edited: bool) -> Synced:
        """Sync. `checked` sees what it would do, and may raise to end it. Raises TTError.

        `by_git`: Git was at work, and Redis had nothing to say. A plan that is HEAD's then is one
        that Git has put back, for a stash or a reset, and is left as it is.
        `is_edited`: the plan was, or may have been; only then a server that is down is started.
        What wakes us is listening before both sides are read: nothing that changes is missed.
        """
        ...

    def look_out(self) -> str | None:
        """See that events come where the plan is now; say why they do not, where they do not."""
        ...

    def heard(self) -> bool:
        """Say whether Redis told of a change that concerns us. Raises StoreError."""
        ...

    def is_listening(self) -> bool:
        """Say whether Redis tells us of changes. Raises StoreError where it does not any more."""
        ...
