"""What the use cases that need no Redis return: plain data, no words for terminals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tt.core.groups import Progress, Row
from tt.core.model import Plan, Task
from tt.errors import Located


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan as a listing shows it: the tree's rows, and the tasks that were asked for."""

    file: str
    plan: Plan
    rows: Sequence[Row]
    tasks: Sequence[Task]
    groups: Mapping[str, Progress]


@dataclass(frozen=True, slots=True)
class Briefing:
    """What an agent has to know of the plan in front of it; without a plan everything is zero."""

    file: str
    exists: bool
    total: int
    by_status: Mapping[str, int]
    agents: tuple[str, ...]
    groups: Mapping[str, Progress]


@dataclass(frozen=True, slots=True)
class Step:
    """One file of a set-up, by its path below the root: made, changed, or right already."""

    file: str
    done: Literal["made", "changed", "kept"]
    what: str


@dataclass(frozen=True, slots=True)
class Checked:
    """One plan file and what is wrong in it; `source` is what was read."""

    file: str
    tasks: int
    problems: tuple[Located, ...]
    source: bytes


@dataclass(frozen=True, slots=True)
class TownFound:
    """A town as a look at the keys shows it; `branch` is empty where no `tt` has claimed it."""

    name: str
    tasks: int
    agents: int
    branch: str
