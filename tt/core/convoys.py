"""Groups as convoys: work that belongs together, until it has landed and is closed.

A group is open while some of its tasks are not done, landed when all are and it does not say so
itself yet (the conductor closes it), and closed when it says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from tt.core.groups import Progress, children, groups
from tt.core.model import Plan, Task
from tt.core.readiness import Shape, Stand, Standing, is_root
from tt.record import record


class Convoy(StrEnum):
    """How far a group is."""

    OPEN = "open"
    LANDED = "landed"
    CLOSED = "closed"


@record
class Worker:
    """Who has a task, or is to have it, and which. Where it is not known, `agent` is empty."""

    agent: str
    task: str
    status: str


@record
class Epic:
    """One group. `workers` are at its tasks; `ready` are those that could be begun; `waits_for` is
    what holds others up: tasks outside of it that are not done, and whatever failed, was cancelled
    or is not there at all. `parent` is what it is in itself."""

    id: str
    description: str
    convoy: Convoy
    status: str
    progress: Progress
    workers: tuple[Worker, ...] = ()
    ready: tuple[str, ...] = ()
    waits_for: tuple[str, ...] = ()
    parent: str = ""


def epics(plan: Plan, holders: Mapping[str, str]) -> list[Epic]:
    """List a plan's groups in its order. `holders` are agents' names by the id of what they have,
    as far as they are known; a task under way without one is for its own agent."""
    stands = Shape(plan).stands(plan.tasks)
    below = children(plan)
    return [
        _epic(plan.tasks[name], progress, _all_below(name, below), stands, _Names(plan, holders))
        for name, progress in groups(plan).items()
    ]


class _Names(NamedTuple):
    """Who has a task, as far as that is known."""

    plan: Plan
    holders: Mapping[str, str]

    def of(self, task: Task) -> str:
        return self.holders.get(task.id) or task.agent or self.plan.default_agent or ""


def _all_below(name: str, below: Mapping[str, Iterable[Task]]) -> dict[str, Task]:
    """Return all tasks below a group, those of inner groups and of later stages too."""
    found: dict[str, Task] = {}
    todo = list(below.get(name, ()))[::-1]
    while todo:
        task = todo.pop()
        if task.id not in found:
            found[task.id] = task
            todo += list(below.get(task.id, ()))[::-1]
    return found


def _epic(
    group: Task,
    progress: Progress,
    inside: Mapping[str, Task],
    stands: Mapping[str, Stand],
    names: _Names,
) -> Epic:
    return Epic(
        group.id,
        group.description,
        _CONVOYS.get(stands[group.id].standing, Convoy.CLOSED),
        group.status,
        progress,
        tuple(
            Worker(names.of(task), name, task.status)
            for name, task in inside.items()
            if stands[name].standing is Standing.UNDER_WAY
        ),
        tuple(name for name in inside if stands[name].standing is Standing.READY),
        tuple(dict.fromkeys(_obstacles(group.id, inside, stands))),
        group.parent or "",
    )


def _obstacles(
    group: str, inside: Mapping[str, Task], stands: Mapping[str, Stand]
) -> Iterator[str]:
    """Yield what holds up tasks of a group and will not come from the group itself."""
    for name, task in inside.items():
        stand = stands[name]
        if task.status == "failed":
            yield name
        if stand.standing is Standing.WAITING:
            yield from (
                other
                for other in stand.waits_for
                if (other not in inside and other != group) or is_root(stands.get(other))
            )


_CONVOYS: Final = {Standing.OPEN: Convoy.OPEN, Standing.LANDED: Convoy.LANDED}
