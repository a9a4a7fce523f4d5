"""The journal in memory: the twin of the one in a file, for tests and dry runs."""

from __future__ import annotations

from collections.abc import Sequence

from tt.core.begun import Begun


class MemoryJournal:
    """A `Journal` that forgets everything at the end of the process."""

    def __init__(self) -> None:
        self._notes: list[tuple[str, Begun]] = []

    def begin(self, version: str, begun: Begun) -> None:
        """Note a sync that goes on from this version of the base."""
        self._notes.append((version, begun))

    def begun(self, version: str) -> Sequence[Begun]:
        """List what was noted since this version of the base, oldest first."""
        return [begun for noted, begun in self._notes if noted == version]

    def end(self) -> None:
        """Forget it all: the base knows."""
        self._notes.clear()
