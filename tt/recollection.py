"""What a process keeps of one worktree from sync to sync, whichever branch is checked out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tt.adapters.planfile_memory import PlanMemory
from tt.app.memory import Memory

if TYPE_CHECKING:
    from tt.adapters.base_git_objects import Layout


class Recollection:
    """For `Project.recollection` of each project that is opened on the worktree."""

    def __init__(self) -> None:
        """Begin with nothing remembered."""
        self.plan = PlanMemory()
        self._town = ""
        self._memory = Memory()
        self._layouts: dict[str, Layout] = {}

    def memory(self, town: str) -> Memory:
        """Return what is known of a town; of one town at a time."""
        self._turn_to(town)
        return self._memory

    def layouts(self, town: str) -> dict[str, Layout]:
        """Return how the newest base of a town is stored."""
        self._turn_to(town)
        return self._layouts

    def _turn_to(self, town: str) -> None:
        if town != self._town:
            self._town, self._memory, self._layouts = town, Memory(), {}
