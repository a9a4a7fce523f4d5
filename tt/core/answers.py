"""What the use cases that need no Redis return: plain data, no words for terminals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from tt.core.groups import Progress, Row
from tt.core.model import Plan, Task
from tt.errors import Located
from tt.record import record


@record
class PlanView:
    """A plan as a listing shows it: the tree's rows, and the tasks that were asked for."""

    file: str
    plan: Plan
    rows: Sequence[Row]
    tasks: Sequence[Task]
    groups: Mapping[str, Progress]


@record
class Briefing:
    """What an agent has to know of the plan in front of it; without a plan everything is zero."""

    file: str
    exists: bool
    total: int
    by_status: Mapping[str, int]
    agents: tuple[str, ...]
    groups: Mapping[str, Progress]


@record
class Step:
    """One file of a set-up, by its path below the root: made, changed, removed, or as it was."""

    file: str
    done: Literal["made", "changed", "kept", "removed"]
    what: str


@record
class Checked:
    """One plan file and what is wrong in it; `source` is what was read."""

    file: str
    tasks: int
    problems: tuple[Located, ...]
    source: bytes


@record
class TownFound:
    """A town as a look at the keys shows it; the rest is empty where no `tt` has claimed it.

    `repo` are the identities of the repository that owns it, separated by spaces.
    """

    name: str
    tasks: int
    agents: int
    branch: str
    repo: str = ""


@record
class Verdict:
    """What is to become of a town whose branch is gone: it goes, or stays for the reason `why`."""

    town: TownFound
    why: str = ""

    @property
    def goes(self) -> bool:
        """Whether nothing speaks against removing it."""
        return not self.why
