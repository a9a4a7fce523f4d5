"""What pulls brought into a worktree and another version of the plan does not have yet.

A commit takes along what agents did and leaves what its user left unstaged. In the file the two
look the same; the history of syncs tells them apart: it says of each change which side made it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tt.core.diff import Added, Change, Edited, Removed, diff, with_field
from tt.core.model import Plan, Task
from tt.core.outcome import Outcome
from tt.core.report import SyncRecord
from tt.core.validity import hold_back_invalid
from tt.core.values import ABSENT, MaybeValue


def pulled(behind: Plan, worktree: Plan, records: Sequence[SyncRecord]) -> list[Change]:
    """List the changes that bring to `behind` what pulls brought to `worktree`, and nothing else.

    `records` are the syncs of the worktree, newest first. A field counts as pulled when the newest
    sync that touched it wrote the file, and `behind` has a value that a pull replaced: then nobody
    wrote the one or staged the other. What would make `behind` invalid is left out.
    """
    wanted: list[Change] = []
    for change in diff(behind, worktree):
        found = _pulled(change, records)
        if found is not None:
            wanted.append(found)
    outcome = Outcome(to_file=wanted)
    hold_back_invalid(outcome, behind, worktree, {})
    return outcome.to_file


def _pulled(change: Change, records: Sequence[SyncRecord]) -> Change | None:
    if isinstance(change, Edited):
        return change if _field_came(change, records) else None
    if isinstance(change, Removed):
        return change if _removal_came(change, records) else None
    task = _task_that_came(change.id, records)
    return None if task is None else Added(task)


def _field_came(change: Edited, records: Iterable[SyncRecord]) -> bool:
    """Walk back through the pulls of a field to the value that `behind` has."""
    now = change.new
    for record in records:
        came = _edit(record.to_file, change)
        if came is None:
            if _touched(record, change, now):
                return False
        elif came.new != now:
            return False
        elif came.old == change.old:
            return True
        else:
            now = came.old
    return False


def _edit(changes: Iterable[Change], spot: Edited) -> Edited | None:
    for change in changes:
        if isinstance(change, Edited) and (change.id, change.field) == (spot.id, spot.field):
            return change
    return None


def _touched(record: SyncRecord, spot: Edited, now: MaybeValue) -> bool:
    """Say whether a sync wrote this field for a user, or may have, or made or removed its task.

    A sync that made the task in Redis with the value `now` gave it back to a Redis that had lost
    it, or it is where the task began and there is nothing before it.
    """
    if record.omitted:
        return True
    if any(not isinstance(change, Edited) and change.id == spot.id for change in record.to_file):
        return True
    return any(change.id == spot.id and _wrote(change, spot, now) for change in record.to_store)


def _wrote(change: Change, spot: Edited, now: MaybeValue) -> bool:
    if isinstance(change, Added):
        return change.task.fields.get(spot.field, ABSENT) != now
    return isinstance(change, Removed) or change.field == spot.field


def _removal_came(change: Removed, records: Iterable[SyncRecord]) -> bool:
    """Say whether a pull removed the task, which has not been edited since."""
    for record in records:
        for came in (*record.to_file, *record.to_store):
            if came.id == change.id:
                return came == change and any(came is one for one in record.to_file)
    return False


def _task_that_came(identifier: str, records: Sequence[SyncRecord]) -> Task | None:
    """Return a task as pulls made it: without what its user edited since.

    One that a sync made in Redis after that was lost there, and given back.
    """
    task: Task | None = None
    for record in reversed(records):
        for change in record.to_file:
            if change.id == identifier:
                task = _after(task, change)
        if any(
            change.id == identifier and isinstance(change, Removed) for change in record.to_store
        ):
            task = None
    return task


def _after(task: Task | None, change: Change) -> Task | None:
    if isinstance(change, Added):
        return change.task
    if isinstance(change, Removed) or task is None:
        return None
    return Task(task.id, with_field(task.fields, change.field, change.new))
