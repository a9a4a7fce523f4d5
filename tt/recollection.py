"""What a process keeps of one worktree from sync to sync, whichever branch is checked out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tt.adapters.planfile_memory import PlanMemory
from tt.app.memory import Memory

if TYPE_CHECKING:
    from tt.adapters.base_git import GitBaseMemory


class Recollection:
    """For `Project.recollection` of each project that is opened on the worktree."""

    def __init__(self) -> None:
        """Begin with nothing remembered."""
        self.plan = PlanMemory()
        self._town = ""
        self._memory = Memory()
        self._base: GitBaseMemory | None = None

    def memory(self, town: str) -> Memory:
        """Return what is known of a town; of one town at a time."""
        self._turn_to(town)
        return self._memory

    def base(self, town: str) -> GitBaseMemory:
        """Return what is known of a town's bases in Git."""
        from tt.adapters.base_git import GitBaseMemory  # not everybody has Git

        self._turn_to(town)
        self._base = self._base or GitBaseMemory()
        return self._base

    def _turn_to(self, town: str) -> None:
        if town != self._town:
            self._town, self._memory, self._base = town, Memory(), None
