"""Worktrees of agents' own: each on a branch of its own, to be merged when it is ready."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from tt.record import record

BRANCHES: Final = "tt/"
"""What the branches of agents begin with."""


class Merge(StrEnum):
    """What would become of merging a branch. `NOTHING`: all of it is in already; `UNKNOWN`: this
    Git cannot tell without doing it."""

    NOTHING = "nothing"
    CLEAN = "clean"
    CONFLICTS = "conflicts"
    UNKNOWN = "unknown"


@record
class AgentTree:
    """An agent's worktree. `ahead` are the commits that HEAD of the plan's own worktree lacks,
    `changed` the files with uncommitted work, new ones too; `clashes` the files in which merging
    would conflict. A worktree that is `missing` was removed by other means; its branch is there.
    """

    agent: str
    path: str
    branch: str
    ahead: int = 0
    changed: int = 0
    merge: Merge = Merge.UNKNOWN
    clashes: tuple[str, ...] = ()
    missing: bool = False
    locked: bool = False

    @property
    def is_ready(self) -> bool:
        """Whether there is something to merge, all of it committed, and nothing in the way."""
        return self.ahead > 0 and not self.changed and self.merge in _READY

    @property
    def has_news(self) -> bool:
        """Whether removing it would lose something."""
        return self.changed > 0 or (self.ahead > 0 and self.merge is not Merge.NOTHING)


_READY: Final = frozenset({Merge.CLEAN, Merge.UNKNOWN})


def agent_of_branch(branch: str) -> str:
    """Return whose branch it is; empty where it is no agent's."""
    return branch.removeprefix(BRANCHES) if branch.startswith(BRANCHES) else ""
