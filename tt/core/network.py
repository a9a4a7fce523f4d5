"""What waits for what in a plan, as a graph: tasks, the groups around them, and arrows.

Unlike what a task is held up by (`readiness`), an arrow is drawn as somebody wrote it: to a group
where a group is named, once, and not to each of its tasks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from tt.core.groups import Progress, children, groups, is_group
from tt.core.model import Plan, Task
from tt.record import field, record

_NOTHING: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({})
_NOBODY: Final[Mapping[str, str]] = MappingProxyType({})


class Because(StrEnum):
    """Why one task waits for another: it says so, or the other is the stage before it."""

    DEPENDS = "depends_on"
    STAGE = "parent"


@record
class Edge:
    """`after` waits for `before`; both are in the network."""

    before: str
    after: str
    because: Because = Because.DEPENDS


@record
class Network:
    """A plan, or a part of it, as a graph.

    `tasks` are those with work of their own, in the plan's order. `groups` come with their
    progress, outer ones first; `around` maps a task or group to the group that it is in. `lost`
    maps a task to what it waits for and nobody has. `hidden` counts the plan's other tasks.
    `holders` are the names of agents by the id of what they have, where that is known.
    """

    title: str
    tasks: Mapping[str, Task]
    groups: Mapping[str, Task]
    around: Mapping[str, str]
    edges: tuple[Edge, ...]
    progress: Mapping[str, Progress]
    default_agent: str = ""
    lost: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NOTHING)
    hidden: int = 0
    holders: Mapping[str, str] = field(default_factory=lambda: _NOBODY)

    def members(self) -> dict[str, list[str]]:
        """Map each group, and "" for what is in none, to what is right inside of it, in order."""
        inside: dict[str, list[str]] = {"": [], **{group: [] for group in self.groups}}
        for identifier in (*self.groups, *self.tasks):
            inside[self.around.get(identifier, "")].append(identifier)
        return inside

    def agent(self, task: Task) -> str:
        """Return who does a task, or is to do it; empty for a group and where nobody is named."""
        if task.id in self.groups:
            return task.agent or ""
        return self.holders.get(task.id) or task.agent or self.default_agent

    def arrows(self) -> list[Edge]:
        """Return the edges but for those that no box can show: between a group and what is in it,
        and from a task to itself. A sound plan has none."""
        return [edge for edge in self.edges if not self._nested(edge.before, edge.after)]

    def _nested(self, one: str, other: str) -> bool:
        return one == other or other in self._outwards(one) or one in self._outwards(other)

    def _outwards(self, identifier: str) -> Iterator[str]:
        at = self.around.get(identifier)
        while at is not None:
            yield at
            at = self.around.get(at)

    def named(self, identifier: str) -> Task:
        """Return the group or task of an id that is in it."""
        return self.groups.get(identifier) or self.tasks[identifier]


def network(
    plan: Plan,
    selected: Iterable[Task] | None = None,
    holders: Mapping[str, str] = _NOBODY,
) -> Network:
    """Draw a plan's graph; with `selected`, of those tasks and the groups around them."""
    below = children(plan)
    held = {task.id for task in plan.tasks.values() if is_group(task, below)}
    around = _around(plan, held)
    shown = plan.tasks if selected is None else _with_groups(selected, around)
    outer_first = _outer_first(held, around)
    progress = groups(plan)
    title = plan.meta.get("description")
    return Network(
        title=title if isinstance(title, str) else "",
        tasks={
            name: task for name, task in plan.tasks.items() if name in shown and name not in held
        },
        groups={name: plan.tasks[name] for name in outer_first if name in shown},
        around={name: group for name, group in around.items() if name in shown},
        edges=tuple(_edges(plan, shown, held)),
        progress={name: progress.get(name, Progress({})) for name in outer_first},
        default_agent=plan.default_agent or "",
        lost=_lost(plan, shown),
        hidden=len(plan.tasks) - len(shown),
        holders=holders,
    )


def _around(plan: Plan, held: Collection[str]) -> dict[str, str]:
    """Map tasks to the nearest group above them; groups in a circle are in none."""
    found: dict[str, str] = {}
    known: dict[str, str | None] = {}
    for task in plan.tasks.values():
        group = _above(plan, task, held, known)
        if group is not None:
            found[task.id] = group
    return _without_circles(found)


def _above(
    plan: Plan, task: Task, held: Collection[str], known: dict[str, str | None]
) -> str | None:
    """Return the nearest group above a task, without recursion."""
    path: dict[str, None] = {}
    at: Task | None = task
    group: str | None = None
    while at is not None and at.id not in path:
        if at.id in known:
            group = known[at.id]
            break
        path[at.id] = None
        if at.parent in held:
            group = at.parent
            break
        at = plan.tasks.get(at.parent) if at.parent else None
    known |= dict.fromkeys(path, group)
    return group


def _without_circles(around: Mapping[str, str]) -> dict[str, str]:
    sound: set[str] = set()
    found = dict(around)
    for start in around:
        path: dict[str, None] = {}
        at: str | None = start
        while at is not None and at not in sound:
            if at in path:
                del found[at]
                break
            path[at] = None
            at = found.get(at)
        sound.update(path)
    return found


def _outer_first(held: Iterable[str], around: Mapping[str, str]) -> list[str]:
    inside: dict[str, list[str]] = {}
    for group in held:
        inside.setdefault(around.get(group, ""), []).append(group)
    found: list[str] = []
    todo = [""]
    while todo:
        here = sorted(inside.get(todo.pop(), ()))
        found += here
        todo += here
    return found


def _with_groups(selected: Iterable[Task], around: Mapping[str, str]) -> dict[str, None]:
    shown: dict[str, None] = {}
    for task in selected:
        at: str | None = task.id
        while at is not None and at not in shown:
            shown[at] = None
            at = around.get(at)
    return shown


def _edges(plan: Plan, shown: Collection[str], held: Collection[str]) -> Iterator[Edge]:
    """Yield each arrow once; the stage before a task first."""
    for task in plan.tasks.values():
        if task.id not in shown:
            continue
        stage = task.parent if task.parent not in held else None
        if stage is not None and stage in shown:
            yield Edge(stage, task.id, Because.STAGE)
        for name in dict.fromkeys(task.depends_on):
            if name in shown and name != stage:
                yield Edge(name, task.id)


def _lost(plan: Plan, shown: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Find what tasks name and no task is: a store may hold such; a file cannot."""
    found = {}
    for task in plan.tasks.values():
        if task.id in shown:
            named = (*task.depends_on, *((task.parent,) if task.parent else ()))
            if gone := tuple(name for name in named if name not in plan.tasks):
                found[task.id] = gone
    return found
