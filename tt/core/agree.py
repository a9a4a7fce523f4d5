"""Moving the base to what both sides agree on, and only there.

Whatever was written, the base moves field by field to what file and store both say: so a direction,
a lost race or a crash needs no case of its own. The next run sees what is still different.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tt.core.base import Base
from tt.core.model import EMPTY, META_ID, Plan, Task
from tt.core.report import Conflict
from tt.core.trees import StoreView, differing
from tt.core.values import ABSENT, UNDECIDED, Value


def agree(
    base: Base,
    file: Plan,
    store: StoreView,
    conflicts: Iterable[Conflict] = (),
    among: frozenset[str] | None = None,
) -> Base:
    """Move the base to what both sides now say, field by field, and leave it where they differ.

    `file` and `store` are the sides after everything was written that was. Where `conflicts` stand
    on a value that one side shares with the base, the base becomes UNDECIDED, so that the same
    disagreement is seen again however the store's standing changes. A removal is agreed on when
    neither side has the task and a tombstone says so; that it was is remembered even where the
    store loses the tombstone, until both sides have the task again. Tasks that need no change are
    the same objects as in `base`.
    """
    tasks = dict(base.tasks)
    for identifier in sorted(differing(base, file, store) if among is None else among):
        task, stored = file.tasks.get(identifier), store.tasks.get(identifier)
        if task is not None and stored is not None:
            tasks[identifier] = _agreed_task(base.tasks.get(identifier), task, stored)
        elif task is None and _is_gone(identifier, store):
            tasks.pop(identifier, None)
    meta = _agreed_fields(base.meta, file.meta, store.meta)
    for conflict in conflicts:
        if conflict.id == META_ID:
            meta = _undecided(meta, conflict)
        else:
            _keep_undecided(tasks, conflict, base)
    gone = _agreed_removals(base, file, store)
    return Base(
        meta=meta,
        tasks=tasks,
        deleted=base.deleted if gone == base.deleted else gone,
        uuids=base.uuids,
        seq=base.seq,
        epoch=base.epoch,
        head=base.head,
        repo=base.repo,
        version=base.version,
    )


def _agreed_removals(base: Base, file: Plan, store: StoreView) -> frozenset[str]:
    now = {
        identifier
        for identifier in store.tombstones
        if identifier not in store.tasks and identifier not in file.tasks
    }
    still = {
        identifier
        for identifier in base.deleted
        if identifier not in file.tasks or identifier not in store.tasks
    }
    return frozenset(now | still)


def _is_gone(identifier: str, store: StoreView) -> bool:
    """Say whether a task that the file removed needs no more to be done: a tombstone stands."""
    there = identifier in store.tasks or identifier in store.aside
    return not there and identifier in store.tombstones


def _agreed_task(old: Task | None, task: Task, stored: Task) -> Task:
    if task.fields == stored.fields:
        return old if old is not None and old.fields == task.fields else task
    before = old.fields if old else EMPTY
    agreed = _agreed_fields(before, task.fields, stored.fields)
    return old if old is not None and agreed == old.fields else Task(task.id, agreed)


def _agreed_fields(
    base: Mapping[str, Value], file: Mapping[str, Value], store: Mapping[str, Value]
) -> Mapping[str, Value]:
    if file == store:
        return base if base == file else file
    agreed = dict(base)
    for name in {*base, *file, *store}:
        value = file.get(name, ABSENT)
        if value != store.get(name, ABSENT):
            continue
        if value is ABSENT:
            agreed.pop(name, None)
        else:
            agreed[name] = value
    return base if agreed == base else agreed


def _keep_undecided(tasks: dict[str, Task], conflict: Conflict, base: Base) -> None:
    task = tasks.get(conflict.id)
    if task is None:
        if conflict.store is not ABSENT and conflict.id in base.deleted:
            tasks[conflict.id] = Task(conflict.id, {"description": UNDECIDED})
    elif not conflict.why or _was_to_heal(task, conflict):
        fields = _undecided(task.fields, conflict)
        if fields is not task.fields:
            tasks[conflict.id] = Task(task.id, fields)


def _was_to_heal(task: Task, conflict: Conflict) -> bool:
    """Say whether the store was to get back a field that it cannot take as its plan now is.

    In a store that can be trusted again, its lack of that value would look like an edit.
    """
    name = conflict.field
    return name is not None and task.fields.get(name, ABSENT) == conflict.file


def _undecided(fields: Mapping[str, Value], conflict: Conflict) -> Mapping[str, Value]:
    name = conflict.field or "description"
    before = fields.get(name, ABSENT)
    if conflict.field is None or before in (conflict.file, conflict.store):
        return {**fields, name: UNDECIDED}
    return fields


def in_step(file: Plan, store: StoreView, among: Iterable[str] | None = None) -> int:
    """Count the tasks that both sides have and say the same of; all that are not `among` do."""
    apart = 0
    for identifier in file.tasks if among is None else among:
        task, stored = file.tasks.get(identifier), store.tasks.get(identifier)
        if task is not None and (stored is None or stored.fields != task.fields):
            apart += 1
    return len(file.tasks) - apart
