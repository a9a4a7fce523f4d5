"""Parents and children as a tree, and how far groups are.

A group is a parent that does no work of its own: it has no agent, or is tagged `epic`. A parent
with an agent is the stage before its children and counts like any other task.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from tt.core.model import Plan, Task

DEEPEST: Final = 12
"""Levels a tree shows apart; a chain of thousands of stages would else be all indentation."""


class Progress(NamedTuple):
    """What a group's work amounts to: tasks by status, groups themselves not counted."""

    by_status: Mapping[str, int]

    @property
    def done(self) -> int:
        """How many are completed."""
        return self.by_status.get("completed", 0)

    @property
    def total(self) -> int:
        """How many there are, without the cancelled ones."""
        return sum(self.by_status.values()) - self.by_status.get("cancelled", 0)


class Row(NamedTuple):
    """One line of the tree. `last` says, from the outermost level inwards, where lines end; what
    is deeper than DEEPEST has the `last` of the level above.

    `context` marks a task that is there only because one below it was selected.
    """

    task: Task
    last: tuple[bool, ...]
    progress: Progress | None = None
    context: bool = False


def children(plan: Plan) -> dict[str, list[Task]]:
    """Map each parent's id to its children in the file's order; "" to the tasks at the top."""
    below: dict[str, list[Task]] = {"": []}
    for task in plan.tasks.values():
        parent = task.parent if task.parent in plan.tasks else ""
        below.setdefault(parent or "", []).append(task)
    return below


def is_group(task: Task, below: Mapping[str, Sequence[Task]]) -> bool:
    """Say whether a task only holds others together."""
    return task.id in below and (task.agent is None or "epic" in task.tags)


def groups(plan: Plan) -> dict[str, Progress]:
    """Map each group's id to its progress, in the file's order."""
    below = children(plan)
    counts: dict[str, Counter[str]] = {}
    for task, _ in reversed(list(_walk(below))):
        own = counts.setdefault(task.id, Counter())
        for child in below.get(task.id, ()):
            own.update(counts[child.id])
            if not is_group(child, below):
                own[child.status] += 1
    return {
        task.id: Progress(counts[task.id])
        for task in plan.tasks.values()
        if task.id in counts and is_group(task, below)
    }


def tree(plan: Plan, selected: Sequence[Task] | None = None) -> list[Row]:
    """Lay the plan out as a tree; with `selected`, those tasks and the ones above them."""
    below = children(plan)
    progress = groups(plan)
    shown = None if selected is None else {task.id for task in selected}
    if shown is not None:
        below = _only(below, _with_parents(plan, shown))
    return [
        Row(task, last, progress.get(task.id), context=shown is not None and task.id not in shown)
        for task, last in _walk(below)
    ]


def _with_parents(plan: Plan, shown: set[str]) -> set[str]:
    kept = set(shown)
    for identifier in shown:
        parent = plan.tasks[identifier].parent
        while parent in plan.tasks and parent not in kept:
            kept.add(str(parent))
            parent = plan.tasks[str(parent)].parent
    return kept


def _only(below: Mapping[str, Sequence[Task]], kept: set[str]) -> dict[str, list[Task]]:
    return {
        parent: [task for task in tasks if task.id in kept]
        for parent, tasks in below.items()
        if not parent or parent in kept
    }


def _walk(below: Mapping[str, Sequence[Task]]) -> Iterator[tuple[Task, tuple[bool, ...]]]:
    """Go depth first without recursion: a chain of stages may be thousands long."""
    stack: list[tuple[Task, tuple[bool, ...]]] = [
        (task, (index == 0,)) for index, task in enumerate(reversed(below[""]))
    ]
    while stack:
        task, last = stack.pop()
        yield task, last
        nested = reversed(below.get(task.id, ()))
        stack += [(child, (*last, index == 0)[:DEEPEST]) for index, child in enumerate(nested)]
