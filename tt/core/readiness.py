"""What can be begun, and what everything else waits for.

A task waits for what it depends on and, where its parent is a stage with work of its own, for that.
A parent that only holds tasks together asks nothing of them, but what it waits for they wait for,
too; it is done when they are. A failed or cancelled task holds up what waits for it, and nothing
else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
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

    def __init__(self, plan: Plan, aside: Collection[str] = ()) -> None:
        """Work it out; linear in the plan's size.

        Where there are tasks `aside` that cannot be read, no group is done by itself: any of them
        may be in it.
        """
        self._aside = tuple(sorted(aside))
        below = children(plan)
        self.groups = frozenset(task.id for task in plan.tasks.values() if is_group(task, below))
        self.inside = {group: tuple(task.id for task in below[group]) for group in self.groups}
        self._inside_out = _inside_out(below, self.groups)
        asked = _Asked(plan, self.groups)
        self.asked = {
            task.id: names
            for task in plan.tasks.values()
            if task.id not in self.groups and (names := asked.of(task))
        }

    def done(self, tasks: Mapping[str, Task]) -> frozenset[str]:
        """Return the tasks that nobody has to wait for: completed ones, and groups of such.

        A group of which every task was cancelled holds nothing together any more, and is not done;
        to the group around it, it is as if cancelled.
        """
        return frozenset(self._done_and_void(tasks)[0])

    def _done_and_void(self, tasks: Mapping[str, Task]) -> tuple[set[str], set[str]]:
        # `status` as a property would take two thirds of the time of a step.
        done = {name for name, task in tasks.items() if task.fields["status"] == "completed"}
        void: set[str] = set()
        for group in () if self._aside else self._inside_out:
            left = self._left(group, tasks, void)
            if not left:
                void.add(group)
            elif done.issuperset(left):
                done.add(group)
        return done, void

    def _left(self, group: str, tasks: Mapping[str, Task], void: Collection[str]) -> list[str]:
        return [
            one
            for one in self.inside[group]
            if one not in void and tasks[one].status != "cancelled"
        ]

    def ready(self, tasks: Mapping[str, Task], done: frozenset[str]) -> list[Task]:
        """List the tasks that can be begun now, in the plan's order."""
        asked, groups = self.asked, self.groups
        return [
            task
            for identifier, task in tasks.items()
            if task.fields["status"] == "pending"
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
        done, void = self._done_and_void(tasks)
        return {
            identifier: self._group(task, tasks, done, void)
            if identifier in self.groups
            else self._stand(task, done)
            for identifier, task in tasks.items()
        }

    def _stand(self, task: Task, done: Collection[str]) -> Stand:
        if task.status == "completed":
            return _DONE
        if task.status in _OVER:
            return _OVER_
        if task.status != "pending":
            return _UNDER_WAY
        waits_for = tuple(name for name in self.asked.get(task.id, ()) if name not in done)
        return Stand(Standing.WAITING, waits_for) if waits_for else _READY

    def _group(
        self, task: Task, tasks: Mapping[str, Task], done: Collection[str], void: Collection[str]
    ) -> Stand:
        if task.status == "completed":
            return _DONE
        if task.status in _OVER:
            return _OVER_
        if task.id in done:
            return _LANDED
        left = [one for one in self._left(task.id, tasks, void) if one not in done]
        return Stand(Standing.OPEN, (*left, *self._aside))


_DONE: Final = Stand(Standing.DONE)
_OVER_: Final = Stand(Standing.OVER)
_READY: Final = Stand(Standing.READY)
_LANDED: Final = Stand(Standing.LANDED)
_UNDER_WAY: Final = Stand(Standing.UNDER_WAY)


def is_root(stand: Stand | None) -> bool:
    """Say whether a task that is waited for will never be done by itself: it is over, it is not in
    the plan at all, or it is a group of which every task was cancelled."""
    if stand is None or stand.standing is Standing.OVER:
        return True
    return stand.standing is Standing.OPEN and not stand.waits_for


def behind(
    found: Mapping[str, Stand], starts: Iterable[str], most: int
) -> dict[str, tuple[str, ...]]:
    """Map each task that waits, however indirectly, for some of `starts` to the first `most` ones.

    Ids that no task has may be among `starts`. Linear in the plan's size, times `most`.
    """
    waiting: dict[str, list[str]] = {}
    for identifier, stand in found.items():
        for name in stand.waits_for:
            waiting.setdefault(name, []).append(identifier)
    reached: dict[str, dict[str, None]] = {}
    for start in starts:
        todo = list(waiting.get(start, ()))
        while todo:
            at = todo.pop()
            known = reached.setdefault(at, {})
            if start not in known and len(known) < most:
                known[start] = None
                todo += waiting.get(at, ())
    return {identifier: tuple(known) for identifier, known in reached.items()}


def _inside_out(below: Mapping[str, Sequence[Task]], groups: Collection[str]) -> list[str]:
    """Sort groups so that those inside of others come before them.

    Groups that hold each other in a circle are left out: they are never done by themselves.
    """
    outer_first: list[str] = []
    todo = [""]
    while todo:
        inside = [task.id for task in below.get(todo.pop(), ())]
        outer_first += [identifier for identifier in inside if identifier in groups]
        todo += inside
    return outer_first[::-1]


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
        path: dict[str, None] = {}
        at: str | None = parent
        while at is not None and at not in self._known and at not in path:
            if at not in self._groups:
                self._known[at] = (at,)  # a stage; or none at all, and then nothing can be begun
                break
            path[at] = None
            at = self._plan.tasks[at].parent
        asked = self._known.get(at, ()) if at is not None else ()
        for group in reversed(path):
            asked = _unique(tuple(self._plan.tasks[group].depends_on), asked)
            self._known[group] = asked
        return asked


def _unique(first: tuple[str, ...], then: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *then))) if first and then else first or then
