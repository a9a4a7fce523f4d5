"""Three trees, one answer: what file and store must each change, and what they disagree on.

`reconcile(base, file, store)` is a pure function; it decides, others write. The rules are the table
in docs/design.md section 4. What a merge would break is held back: two valid plans can merge into
one with a cycle or a missing parent; the change that closed it becomes a conflict, and both sides
stay valid.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from tt.core.base import Base
from tt.core.diff import Added, Edited, Removed
from tt.core.merge import CLASH, goes_back, merge3, merge_status
from tt.core.model import EMPTY, META_ID, Plan, Task, progress
from tt.core.outcome import Outcome, Side
from tt.core.report import Conflict, Kept
from tt.core.trees import StoreView, Terms, Trust, differing
from tt.core.validity import hold_back_invalid
from tt.core.values import ABSENT, UNDECIDED, MaybeValue, Value
from tt.record import replace


def complete(stored: Task, base: Task | None, file: Task | None) -> Task:
    """Fill in what a hash of another tool does not say: as the base has it, else the file."""
    known = base or file
    if known is None:
        return stored
    fields = decided_fields(known.fields)
    if file is not None and len(fields) < len(known.fields):
        undecided = known.fields.keys() - fields.keys()
        fields |= {name: value for name, value in file.fields.items() if name in undecided}
    return Task(stored.id, {**fields, **stored.fields})


def decided_fields(fields: Mapping[str, Value]) -> dict[str, Value]:
    """Return of a base's fields those that both sides have agreed on."""
    return {name: value for name, value in fields.items() if value != UNDECIDED}


def _whole(old: Task) -> Task:
    """Return a base's task as a plan can hold it: a base may know less than all of a task."""
    return Task(old.id, {"description": "", "status": "pending", **decided_fields(old.fields)})


def doubtful(
    base: Base, file: Plan, store: StoreView, among: frozenset[str] | None = None
) -> list[str]:
    """List the ids of which Git may have brought an old version back: a caller must look.

    These are statuses that went backwards since the base, and tasks that are in the file again
    after both sides had agreed on their removal.
    """
    found = []
    for task in _some(file.tasks, differing(base, file, store) if among is None else among):
        old = base.tasks.get(task.id)
        if old is None:
            if task.id in base.deleted and task.id in store.tombstones:
                found.append(task.id)
        elif _went_back(old.fields.get("status", ABSENT), task.status):
            found.append(task.id)
    return found


def _some(tasks: Mapping[str, Task], among: frozenset[str]) -> Iterator[Task]:
    """Yield the tasks of these ids, in the order in which they stand."""
    return (task for identifier, task in tasks.items() if identifier in among)


def _went_back(before: MaybeValue, after: str) -> bool:
    return isinstance(before, str) and goes_back(before, after)


def reconcile(
    base: Base,
    file: Plan,
    store: StoreView,
    terms: Terms | None = None,
    among: frozenset[str] | None = None,
) -> Outcome:
    """Decide what file and store must each change, given what they last agreed on.

    The same inputs give the same answer. What is in `to_store` and `to_file` leaves each side as
    valid as it was; applying both and reconciling again gives nothing but the same conflicts.
    """
    terms = terms or Terms()
    merge = _Merge(base, file, store, terms)
    merge.fields(META_ID, base.meta, file.meta, store.meta)
    among = differing(base, file, store) if among is None else among
    for task in _some(file.tasks, among):
        merge.in_file(task)
    for task in (*_some(store.tasks, among), *_some(base.tasks, among)):
        if task.id not in file.tasks:
            merge.not_in_file(task.id)
    hold_back_invalid(merge.outcome, file, _as_plan(store), terms.decided)
    return merge.outcome


def _as_plan(store: StoreView) -> Plan:
    """Return the store's plan, with a stand-in for each task that is there but cannot be used."""
    if not store.aside:
        return Plan(store.meta, store.tasks)
    stand_ins = {identifier: Task(identifier, EMPTY) for identifier in store.aside}
    return Plan(store.meta, {**stand_ins, **store.tasks})


class _Merge:
    """One reconcile in the making: its inputs, and the outcome that its methods add to."""

    __slots__ = ("_seen", "base", "file", "outcome", "store", "terms")

    def __init__(self, base: Base, file: Plan, store: StoreView, terms: Terms) -> None:
        self.base, self.file, self.store, self.terms = base, file, store, terms
        self.outcome = Outcome()
        self._seen: set[str] = set()

    def in_file(self, task: Task) -> None:
        stored = self.store.tasks.get(task.id)
        if stored is None:
            if task.id not in self.store.aside:
                self._only_in_file(task)
            return
        old = self.base.tasks.get(task.id)
        if stored.fields == task.fields:
            return
        self.fields(task.id, old.fields if old else EMPTY, task.fields, stored.fields)

    def _only_in_file(self, task: Task) -> None:
        old = self.base.tasks.get(task.id)
        tombstone = self.store.tombstones.get(task.id)
        if tombstone is None or (old is not None and self.terms.trust is Trust.REWOUND):
            self._add(task, self._healed(task, old))
        elif old is None and task.id in self.base.deleted:
            self._made_again(task, tombstone)
        elif self._untouched(task, old or tombstone) and self.terms.trust is Trust.CURRENT:
            self.outcome.to_file.append(Removed(task))
        else:
            self._presence(task.id, old, task, None)

    def _untouched(self, task: Task, old: Task) -> bool:
        """Say whether the file left the task as it was, or Git brought an old status back."""
        if task.fields == old.fields:
            return True
        without = {**task.fields, "status": old.fields.get("status", "")}
        went_back = _went_back(old.fields.get("status", ABSENT), task.status)
        return without == dict(old.fields) and went_back and task.id not in self.terms.wishes

    def _healed(self, task: Task, old: Task | None) -> Task:
        """Return the file's task for a store that lost it; an old status does not undo progress."""
        before = old.fields.get("status", ABSENT) if old is not None else ABSENT
        if not _went_back(before, task.status) or task.id in self.terms.wishes or self.terms.reset:
            return task
        return Task(task.id, {**task.fields, "status": str(before)})

    def _made_again(self, task: Task, tombstone: Task) -> None:
        if task.id not in self.terms.wishes:
            self._presence(task.id, None, task, None)
            return
        self._add(task, _with_progress(task, tombstone))

    def _add(self, task: Task, made: Task) -> None:
        """Make the file's task in the store as `made`, which may be further along."""
        self.outcome.to_store.append(Added(made))
        if made is not task:
            change = Edited(task.id, "status", task.status, made.status)
            self.outcome.to_file.append(change)

    def not_in_file(self, identifier: str) -> None:
        if identifier in self._seen or identifier in self.store.aside:
            return
        self._seen.add(identifier)
        old = self.base.tasks.get(identifier)
        stored = self.store.tasks.get(identifier)
        if old is None:
            if stored is not None:
                self._only_in_store(stored)
        elif stored is None:
            if identifier not in self.store.tombstones:
                self.outcome.to_store.append(Removed(_whole(old)))
        elif self._may_remove(stored, old):
            self.outcome.to_store.append(Removed(stored))
        else:
            self._presence(identifier, old, None, stored)

    def _only_in_store(self, stored: Task) -> None:
        """Take in a task that is new; one whose removal was agreed on may be back by a loss."""
        if stored.id not in self.base.deleted or self.terms.trust is Trust.CURRENT:
            self.outcome.to_file.append(Added(stored))
        elif self.terms.trust is Trust.REWOUND:
            self.outcome.to_store.append(Removed(stored))
        else:
            self._presence(stored.id, None, None, stored)

    def _may_remove(self, stored: Task, old: Task) -> bool:
        if stored.fields == old.fields:
            return True
        before = old.fields.get("status", "pending")
        behind = isinstance(before, str) and progress(stored.status) <= progress(before)
        return self.terms.trust is Trust.REWOUND and behind

    def fields(
        self,
        identifier: str,
        base: Mapping[str, Value],
        file: Mapping[str, Value],
        store: Mapping[str, Value],
    ) -> None:
        for name in _names(file, store):
            ours, theirs = file.get(name, ABSENT), store.get(name, ABSENT)
            if ours == theirs:
                continue
            before = base.get(name, ABSENT)
            if name == "status" and identifier != META_ID:
                self._status(identifier, before, str(ours), str(theirs))
            else:
                self._field(identifier, name, before, ours, theirs)

    def _trust(self, identifier: str) -> Trust:
        """Say how the store stands in what it says of one task."""
        if self.terms.trust is Trust.CURRENT and identifier in self.store.remade:
            return Trust.REPLACED
        return self.terms.trust

    def _field(
        self, identifier: str, name: str, before: MaybeValue, ours: MaybeValue, theirs: MaybeValue
    ) -> None:
        trust = self._trust(identifier)
        if trust is Trust.REWOUND and before is not ABSENT:
            self._set(identifier, name, ours, theirs, ours)
        elif trust is Trust.REPLACED and before is not ABSENT and ours == before:
            self._conflict(Conflict(identifier, name, before, ours, theirs))
        else:
            merged = merge3(before, ours, theirs)
            if merged is CLASH:
                self._conflict(Conflict(identifier, name, before, ours, theirs))
            else:
                self._set(identifier, name, ours, theirs, merged)

    def _status(self, identifier: str, before: MaybeValue, ours: str, theirs: str) -> None:
        if self.terms.reset:
            self._set(identifier, "status", ours, theirs, ours)
        elif _went_back(before, ours) and identifier not in self.terms.wishes:
            self.outcome.kept.append(Kept(identifier, ours, theirs))
            ours_as_agreed = str(before)
            self._merge_status(identifier, before, ours_as_agreed, theirs, ours)
        else:
            self._merge_status(identifier, before, ours, theirs, ours)

    def _merge_status(
        self, identifier: str, before: MaybeValue, ours: str, theirs: str, in_file: str
    ) -> None:
        """Merge `ours` with `theirs`; `in_file` is what the file says, counting or not."""
        if self._trust(identifier) is not Trust.CURRENT and before == ours:
            before = ABSENT  # a store that went back is not one that changed: only progress counts
        merged = merge_status(before, ours, theirs)
        if merged is not CLASH:
            self._set(identifier, "status", in_file, theirs, str(merged))
        elif self.terms.trust is Trust.REWOUND:
            self._set(identifier, "status", in_file, theirs, ours)
        else:
            self._conflict(Conflict(identifier, "status", before, in_file, theirs))

    def _set(
        self, identifier: str, name: str, ours: MaybeValue, theirs: MaybeValue, merged: MaybeValue
    ) -> None:
        if merged != theirs:
            self.outcome.to_store.append(Edited(identifier, name, theirs, merged))
        if merged != ours:
            self.outcome.to_file.append(Edited(identifier, name, ours, merged))

    def _conflict(self, conflict: Conflict) -> None:
        side = self.terms.decided.get(conflict.id)
        if side is None:
            known = conflict.base != UNDECIDED
            self.outcome.conflicts.append(conflict if known else replace(conflict, base=ABSENT))
            return
        winner = conflict.file if side is Side.FILE else conflict.store
        assert conflict.field is not None  # noqa: S101  presence has a method of its own
        self._set(conflict.id, conflict.field, conflict.file, conflict.store, winner)

    def _presence(
        self, identifier: str, old: Task | None, task: Task | None, stored: Task | None
    ) -> None:
        """Settle, or report, that one side has the task and the other removed it."""
        side = self.terms.decided.get(identifier)
        if side is None:
            self.outcome.conflicts.append(
                Conflict(identifier, None, _said(old), _said(task), _said(stored))
            )
        elif side is Side.FILE:
            self.outcome.to_store.append(Added(task) if task else Removed(cast("Task", stored)))
        else:
            self.outcome.to_file.append(Added(stored) if stored else Removed(cast("Task", task)))


def _names(*sides: Mapping[str, Value]) -> Iterable[str]:
    first, *others = sides
    names = list(first)
    for other in others:
        names += [name for name in other if name not in first]
    return names


def _with_progress(task: Task, other: Task) -> Task:
    status = other.fields.get("status", "pending")
    if not isinstance(status, str) or progress(status) <= progress(task.status):
        return task
    return Task(task.id, {**task.fields, "status": status})


def _said(task: Task | None) -> MaybeValue:
    said = ABSENT if task is None else task.fields.get("description", "")
    return ABSENT if said == UNDECIDED else said
