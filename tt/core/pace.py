"""When a watcher looks: happenings in, a deadline out; all times are seconds of one clock."""

from __future__ import annotations

from typing import Final

from tt.core.watching import Happening

LONGEST: Final = 2.0
"""Seconds after which a plan that is saved again and again is looked at all the same."""

PATIENCE: Final = 10.0
"""Seconds for which a program that has written and says nothing more may keep the file open."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0


class Pace:
    """The deadline of the next look; None where there is nothing to look at.

    What happens puts it off until all is over, for `longest` at most. `looked` is called after a
    look and before what happened during it is told: so nothing that happens is ever missed.
    `debounce` and `longest` may be changed.
    """

    __slots__ = ("_due", "_pause", "_since", "_writing", "debounce", "longest")

    def __init__(self, debounce: float) -> None:
        """Look `debounce` seconds after the last of several happenings."""
        self.debounce = debounce
        self.longest = LONGEST
        self._due: float | None = None
        self._since: float | None = None
        self._writing = False
        self._pause = _FIRST_PAUSE

    @property
    def due(self) -> float | None:
        """When to look next."""
        return self._due

    def happened(self, what: Happening, now: float) -> None:
        """Put the look off until what happens is over."""
        self._pause = _FIRST_PAUSE
        if self._since is None or self._writing or what is Happening.WRITING:
            self._since = now  # nobody waits for a file that is still being written
        if what is not Happening.GIT:
            self._writing = what is Happening.WRITING
        self._due = now + PATIENCE if self._writing else self._soon(self._since, now)

    def _soon(self, since: float, now: float) -> float:
        return max(min(now + self.debounce, since + self.longest), now)

    def wake(self, when: float) -> None:
        """Look at `when` at the latest, unless a file is being written."""
        if not self._writing and (self._due is None or when < self._due):
            self._due = when

    def put_off(self, when: float) -> None:
        """Look again at `when`: this look could not be."""
        self._due = when

    def hold(self, now: float) -> None:
        """Look again after a pause, which grows as long as nothing happens."""
        self._due = now + self._pause
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)

    def looked(self) -> None:
        """Have nothing to look at: all that has happened so far was seen."""
        self._due = self._since = None
        self._writing = False
        self._pause = _FIRST_PAUSE
