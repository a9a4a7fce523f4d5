"""What a sync has begun: the changes that it was about to carry from one side to the other.

Store, file and base are written one after the other. Where a sync is killed between two of them,
one side has the other's value and the base does not know that both have had it; a field that is
changed once more before the next sync would then conflict with itself. So each sync notes first
what it is to carry over. What the side that it was for says now came across: it is agreed on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from tt.core.base import Base
from tt.core.diff import Added, Change, Edited, Removed, with_field
from tt.core.model import EMPTY, META_ID, Plan, Task
from tt.core.trees import StoreView
from tt.core.values import ABSENT, Value
from tt.record import record, replace


@record
class Begun:
    """What is carried from the file into the store, and from the store into the file."""

    to_store: tuple[Change, ...] = ()
    to_file: tuple[Change, ...] = ()

    def __add__(self, other: Begun) -> Begun:
        """Return both, one after the other."""
        return Begun(self.to_store + other.to_store, self.to_file + other.to_file)


def begin(to_store: Sequence[Change], to_file: Sequence[Change]) -> Begun:
    """Return of the changes to write what one side has already.

    What is new to both, as a list that was merged, comes across only once both are written.
    """
    return Begun(tuple(_carried(to_store, to_file)), tuple(_carried(to_file, to_store)))


def _carried(changes: Iterable[Change], others: Iterable[Change]) -> Iterator[Change]:
    """Yield the changes without what the side that they come from gets itself."""
    new = {(other.id, other.field) for other in others if isinstance(other, Edited)}
    for change in changes:
        if isinstance(change, Added):
            fields = change.task.fields.items()
            kept = {name: value for name, value in fields if (change.id, name) not in new}
            yield Added(Task(change.id, kept)) if len(kept) < len(fields) else change
        elif not isinstance(change, Edited) or (change.id, change.field) not in new:
            yield change


def across(begun: Iterable[Begun], file: Plan, store: StoreView) -> Begun:
    """Return what has come across: what the side that it was for says now, or lacks now."""
    stored = Plan(store.meta, store.tasks)
    removed = store.tombstones.keys() - store.tasks.keys() - store.aside
    found = Begun()
    for one in begun:
        to_store = tuple(_said(one.to_store, stored, removed.__contains__))
        to_file = tuple(_said(one.to_file, file, lambda name: name not in file.tasks))
        found += Begun(to_store, to_file)
    return found


def _said(
    changes: Iterable[Change], there: Plan, is_gone: Callable[[str], bool]
) -> Iterator[Change]:
    """Yield what a side says by now; of a task that was added, the fields that it has so."""
    for change in changes:
        task = there.tasks.get(change.id)
        if isinstance(change, Removed):
            if is_gone(change.id):
                yield change
        elif isinstance(change, Edited):
            fields = there.meta if change.id == META_ID else task.fields if task else None
            if fields is not None and fields.get(change.field, ABSENT) == change.new:
                yield change
        elif task is not None:
            same = {
                name: value
                for name, value in change.task.fields.items()
                if task.fields.get(name, ABSENT) == value
            }
            yield Added(Task(change.id, same))


def take_up(base: Base, came: Begun) -> Base:
    """Move the base to what came across since it was saved, by syncs that did not get to save it.

    Its standing (counter, epoch, HEAD) stays: they noted none.
    """
    meta, tasks, deleted = base.meta, dict(base.tasks), set(base.deleted)
    for change in (*came.to_store, *came.to_file):
        before = tasks[change.id].fields if change.id in tasks else EMPTY
        if isinstance(change, Removed):
            tasks.pop(change.id, None)
            deleted.add(change.id)
        elif change.id == META_ID and isinstance(change, Edited):
            meta = with_field(meta, change.field, change.new)
        else:
            tasks[change.id] = Task(change.id, _with(before, change))
            deleted.discard(change.id)
    return replace(base, meta=meta, tasks=tasks, deleted=frozenset(deleted))


def _with(fields: Mapping[str, Value], change: Added | Edited) -> Mapping[str, Value]:
    if isinstance(change, Added):
        return {**fields, **change.task.fields}
    return with_field(fields, change.field, change.new)
