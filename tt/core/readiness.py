"""What can be begun, and what everything else waits for.

A task waits for what it depends on and, where its parent is a stage with work of its own, for that.
A parent that only holds tasks together asks nothing of them, but what it waits for they wait for,
too; it is done when they are. A failed or cancelled task holds up what waits for it, and nothing
else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final

from tt.core.groups import children, is_group
from tt.core.model import Plan, Task
from tt.record import record

_OVER: Final = frozenset({"failed", "cancelled"})


class Standing(StrEnum):
    """How a task stands. `LANDED` is a group all of whose tasks are done, and which is not yet."""

    READY = "ready"
    WAITING = "waiting"
    UNDER_WAY = "under way"
    OPEN = "open"
    LANDED = "landed"
    DONE = "done"
    OVER = "over"


@record
class Stand:
    """How one task stands. `waits_for` are the ids it waits for, those that it names itself first;
    ids that no task has are among them."""

    standing: Standing
    waits_for: tuple[str, ...] = ()


class Shape:
    """How a plan hangs together: which tasks are groups, and what each task has to wait for.

    It depends on parents, agents, tags and dependencies alone, so that it serves as long as only
    statuses change; each question then costs a glance at each task.
    """

    def __init__(self, plan: Plan) -> None:
        """Work it out; linear in the plan's size."""
        below = children(plan)
        self.groups = frozenset(task.id for task in plan.tasks.values() if is_group(task, below))
        self.inside = {group: tuple(task.id for task in below[group]) for group in self.groups}
        self._inside_out = _inside_out(plan, self.groups)
        asked = _Asked(plan, self.groups)
        self.asked = {
            task.id: names
            for task in plan.tasks.values()
            if task.id not in self.groups and (names := asked.of(task))
        }

    def done(self, tasks: Mapping[str, Task]) -> frozenset[str]:
        """Return the tasks that nobody has to wait for: completed ones, and groups of such.

        A group of which every task was cancelled holds nothing together any more, and is not done.
        """
        done = {identifier for identifier, task in tasks.items() if task.status == "completed"}
        for group in self._inside_out:
            left = [one for one in self.inside[group] if tasks[one].status != "cancelled"]
            if left and done.issuperset(left):
                done.add(group)
        return frozenset(done)

    def ready(self, tasks: Mapping[str, Task], done: frozenset[str]) -> list[Task]:
        """List the tasks that can be begun now, in the plan's order."""
        asked, groups = self.asked, self.groups
        return [
            task
            for identifier, task in tasks.items()
            if task.status == "pending"
            and (identifier not in asked or done.issuperset(asked[identifier]))
            and identifier not in groups
        ]

    def landed(self, tasks: Mapping[str, Task], done: frozenset[str]) -> list[Task]:
        """List the groups that are done and do not say so yet, inner ones first."""
        return [
            tasks[group]
            for group in self._inside_out
            if group in done and tasks[group].status not in ("completed", *_OVER)
        ]

    def stands(self, tasks: Mapping[str, Task]) -> dict[str, Stand]:
        """Say of every task how it stands, in the plan's order."""
        done = self.done(tasks)
        return {identifier: self._stand(task, tasks, done) for identifier, task in tasks.items()}

    def _stand(self, task: Task, tasks: Mapping[str, Task], done: frozenset[str]) -> Stand:
        if task.status == "completed":
            return _DONE
        if task.status in _OVER:
            return _OVER_
        if task.id in self.groups:
            return self._group(task, tasks, done)
        if task.status != "pending":
            return _UNDER_WAY
        waits_for = tuple(name for name in self.asked.get(task.id, ()) if name not in done)
        return Stand(Standing.WAITING, waits_for) if waits_for else _READY

    def _group(self, task: Task, tasks: Mapping[str, Task], done: frozenset[str]) -> Stand:
        if task.id in done:
            return _LANDED
        inside = (one for one in self.inside[task.id] if one not in done)
        return Stand(
            Standing.OPEN, tuple(one for one in inside if tasks[one].status != "cancelled")
        )


_DONE: Final = Stand(Standing.DONE)
_OVER_: Final = Stand(Standing.OVER)
_READY: Final = Stand(Standing.READY)
_LANDED: Final = Stand(Standing.LANDED)
_UNDER_WAY: Final = Stand(Standing.UNDER_WAY)


def causes(found: Mapping[str, Stand], identifier: str) -> tuple[str, ...]:
    """Return the tasks at the root of a wait: those that are over, or are not in the plan at all.

    Without any, all that is waited for can still be done.
    """
    roots: dict[str, None] = {}
    seen: set[str] = set()
    todo = [identifier]
    while todo:
        at = todo.pop()
        if at in seen:
            continue
        seen.add(at)
        stand = found.get(at)
        if stand is None or (stand.standing is Standing.OVER and at != identifier):
            roots[at] = None
        else:
            todo += reversed(stand.waits_for)
    return tuple(roots)


def above(plan: Plan, identifier: str) -> Iterator[Task]:
    """Yield a task's parent, that one's parent, and so on; none twice."""
    seen = {identifier}
    parent = plan.tasks[identifier].parent
    while parent is not None and parent not in seen and parent in plan.tasks:
        seen.add(parent)
        task = plan.tasks[parent]
        yield task
        parent = task.parent


def _inside_out(plan: Plan, groups: Iterable[str]) -> list[str]:
    """Sort groups so that those inside of others come before them."""
    depths = {group: sum(1 for _ in above(plan, group)) for group in groups}
    return sorted(depths, key=lambda group: -depths[group])


class _Asked:
    """What has to be done before a task, through the groups it is in."""

    def __init__(self, plan: Plan, groups: frozenset[str]) -> None:
        self._plan, self._groups = plan, groups
        self._known: dict[str, tuple[str, ...]] = {}

    def of(self, task: Task) -> tuple[str, ...]:
        """Return the ids, those that the task itself names first."""
        own = tuple(task.depends_on) if "depends_on" in task.fields else ()
        parent = task.parent
        return own if parent is None else _unique(own, self._by_parent(parent))

    def _by_parent(self, parent: str) -> tuple[str, ...]:
        """Return what a task waits for because of its parent, without recursion."""
        path: list[str] = []
        at: str | None = parent
        while at is not None and at not in self._known and at not in path:
            if at not in self._groups:
                self._known[at] = (at,)  # a stage; or none at all, and then nothing can be begun
                break
            path.append(at)
            at = self._plan.tasks[at].parent
        asked = self._known.get(at, ()) if at is not None else ()
        for group in reversed(path):
            asked = _unique(tuple(self._plan.tasks[group].depends_on), asked)
            self._known[group] = asked
        return asked


def _unique(first: tuple[str, ...], then: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *then))) if first and then else first or then
