"""What a watcher says: each thing once, until it is over or another."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from tt.core.report import Conflict, SyncReport
from tt.core.watching import Event, News
from tt.errors import TTError

_OVER: Final = {
    Event.OFFLINE: Event.ONLINE,
    Event.INVALID: Event.VALID,
    Event.ABSENT: Event.BACK,
    Event.WAITING: Event.RESUMED,
    Event.REFUSED: Event.RESUMED,
}


class Telling:
    """The news of one plan. `file` is how they call it; `tell` gets them."""

    def __init__(self, file: str, tell: Callable[[News], None]) -> None:
        """Begin with nothing told."""
        self._file, self._tell = file, tell
        self._trouble: tuple[object, ...] = ()
        self._town = ""
        self._conflicts: tuple[Conflict, ...] = ()
        self._shown: tuple[object, ...] = ()
        """What the last report says of what still stands: it is no news the next time."""
        self._said: set[tuple[Event, str]] = set()
        self._waits: set[str] = set()
        """What was waited for since all was well: Git goes from one to the other and back."""

    @property
    def trouble(self) -> object:
        """The event that keeps the plan from being synced; None where nothing does."""
        return self._trouble[0] if self._trouble else None

    def troubled(self, event: Event, error: TTError, sign: str = "") -> None:
        """Say what keeps the plan from being synced, anew where the `sign` is another one."""
        trouble = (event, error.message, sign)
        if trouble == self._trouble or self._is_known_wait(event, error.message):
            return
        self._trouble = trouble
        self._tell(News(event, self._file, error.message, error.hint or ""))

    def _is_known_wait(self, event: Event, message: str) -> bool:
        """Say whether that was told already, but for numbers and what stands behind a colon."""
        if event is not Event.WAITING:
            return False
        if self.trouble is not event:
            self._waits.clear()
        what = re.split(r"[:\d]", message, maxsplit=1)[0]
        known = what in self._waits
        self._waits.add(what)
        return known

    def over(self) -> None:
        """Say that what was in the way is not any more."""
        event = self.trouble
        self._trouble = ()
        if isinstance(event, Event) and event in _OVER:
            self._conflicts = ()  # those that still stand keep the plan from being in step
            self._tell(News(_OVER[event], self._file))

    def synced(self, report: SyncReport) -> None:
        """Say what a sync did, and what it found that was not so the last time."""
        stands = (report.faults, report.kept)
        is_other = report.town != self._town
        news = is_other or (stands != self._shown and any(stands))
        news = news or report.conflicts != self._conflicts
        self._town, self._shown, self._conflicts = report.town, stands, report.conflicts
        if news or report.to_store or report.to_file:
            where = f"the town {report.town}" if is_other else ""
            self._tell(News(Event.SYNCED, self._file, where, report=report))

    def once(self, event: Event, message: str) -> None:
        """Say something that does not end."""
        if (event, message) not in self._said:
            self._said.add((event, message))
            self._tell(News(event, self._file, message))
