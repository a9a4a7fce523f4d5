"""The one vocabulary of change: what differs between two plans, and how to apply it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from tt.core.model import META_ID, Plan, Task
from tt.core.values import ABSENT, MaybeValue, Value
from tt.record import record


@record
class Added:
    """A task that was not there before."""

    task: Task

    @property
    def id(self) -> str:
        """The plan id of the task."""
        return self.task.id


@record
class Removed:
    """A task that is no longer there; it is kept whole, so that it can come back."""

    task: Task

    @property
    def id(self) -> str:
        """The plan id of the task."""
        return self.task.id


@record
class Edited:
    """One field of one task, or of `[meta]` (id META_ID); ABSENT means that there is none."""

    id: str
    field: str
    old: MaybeValue
    new: MaybeValue


Change: TypeAlias = Added | Removed | Edited


def diff_fields(
    identifier: str, before: Mapping[str, Value], after: Mapping[str, Value]
) -> list[Edited]:
    """List the fields that differ, in the order of `after`, then those that are gone."""
    if before == after:
        return []
    edits = [
        Edited(identifier, name, before.get(name, ABSENT), value)
        for name, value in after.items()
        if before.get(name, ABSENT) != value
    ]
    edits += [
        Edited(identifier, name, old, ABSENT) for name, old in before.items() if name not in after
    ]
    return edits


def diff(before: Plan, after: Plan) -> list[Change]:
    """List what turns `before` into `after`; `apply(before, diff(before, after)) == after`."""
    changes: list[Change] = list(diff_fields(META_ID, before.meta, after.meta))
    for task in after.tasks.values():
        old = before.tasks.get(task.id)
        if old is None:
            changes.append(Added(task))
        elif old is not task:
            changes += diff_fields(task.id, old.fields, task.fields)
    changes += [Removed(task) for task in before.tasks.values() if task.id not in after.tasks]
    return changes


def with_field(fields: Mapping[str, Value], name: str, value: MaybeValue) -> dict[str, Value]:
    """Return a copy of `fields` in which `name` has `value`, or is gone for ABSENT."""
    changed = dict(fields)
    if value is ABSENT:
        changed.pop(name, None)
    else:
        changed[name] = value
    return changed


def apply(plan: Plan, changes: Iterable[Change]) -> Plan:
    """Return `plan` with `changes` made; an edit of a task that is not there makes no task."""
    meta = plan.meta
    tasks = dict(plan.tasks)
    for change in changes:
        if isinstance(change, Added):
            tasks[change.id] = change.task
        elif isinstance(change, Removed):
            tasks.pop(change.id, None)
        elif change.id == META_ID:
            meta = with_field(meta, change.field, change.new)
        elif (task := tasks.get(change.id)) is not None:
            tasks[change.id] = Task(task.id, with_field(task.fields, change.field, change.new))
    return Plan(meta, tasks)


def invert(change: Change) -> Change:
    """Return the change that takes `change` back."""
    if isinstance(change, Added):
        return Removed(change.task)
    if isinstance(change, Removed):
        return Added(change.task)
    return Edited(change.id, change.field, change.new, change.old)
