"""A save from an editor that had loaded the plan before Redis wrote into it.

Such a save says again what pulls have replaced since; taken for edits, agents' work would be undone
by somebody who never saw it. The history of syncs tells it from a person who changes things back:
an old buffer takes back *everything* that came since it was loaded, and keeps nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from tt.core.base import Base
from tt.core.diff import Added, Change, Edited, with_field
from tt.core.merge import goes_back
from tt.core.model import META_ID, Plan, Task
from tt.core.report import SyncRecord
from tt.core.values import ABSENT, MaybeValue
from tt.record import replace

RESTORED: Final = "restore"
"""What the history calls a sync that brought back what an old buffer had taken back."""

Spot: TypeAlias = tuple[str, str | None]
"""A field of a task; None stands for the task itself."""
Said: TypeAlias = "MaybeValue | Task"
_Sides: TypeAlias = tuple[Said, Said]
"""What a spot said before the pulls, and after."""


def taken_back(base: Base, file: Plan, records: Iterable[SyncRecord]) -> dict[Spot, Said]:
    """Return what an old buffer took back, with what was there before the pulls.

    `records` are the syncs of the worktree, newest first. A single thing may be what a person
    changed back; who does it again after it was restored means it. A status does not go back this
    way at all: `tt reopen` says that on purpose.
    """
    came: dict[Spot, _Sides] = {}
    found: dict[Spot, Said] = {}
    restored: set[Spot] = set()
    for record in records:
        pulled = dict(map(_sides, record.to_file))
        came = came | {
            spot: (old, came.get(spot, (old, new))[1]) for spot, (old, new) in pulled.items()
        }
        if record.omitted or any(
            _has(file, spot, new) for spot, (old, new) in came.items() if old != new
        ):
            break  # the file knows of this pull
        if record.direction == RESTORED:
            restored.update(pulled)
        found.update(
            {spot: old for spot, (old, new) in came.items() if _has(file, spot, old) and old != new}
        )
        if record.to_store:
            break  # this save was made by somebody who had seen what came before
    return {} if _is_meant(base, found, restored) else found


def _is_meant(base: Base, found: Mapping[Spot, Said], restored: set[Spot]) -> bool:
    """Say whether a person changed one thing back, and insists on it."""
    if len(found) != 1:
        return False
    (((identifier, field), said),) = found.items()
    task = base.tasks.get(identifier)
    if field == "status" and isinstance(said, str) and task is not None:
        return not goes_back(task.status, said)
    return (identifier, field) in restored


def _sides(change: Change) -> tuple[Spot, _Sides]:
    if isinstance(change, Edited):
        return (change.id, change.field), (change.old, change.new)
    if isinstance(change, Added):
        return (change.id, None), (ABSENT, change.task)
    return (change.id, None), (change.task, ABSENT)


def _has(file: Plan, spot: Spot, said: Said) -> bool:
    """Say whether the file says this of a spot; of a whole task only whether there is one."""
    identifier, field = spot
    task = file.tasks.get(identifier)
    if field is None:
        return (task is None) == (said is ABSENT)
    if identifier == META_ID:
        return file.meta.get(field, ABSENT) == said
    return task is not None and task.fields.get(field, ABSENT) == said


def as_loaded(base: Base, found: Mapping[Spot, Said]) -> Base:
    """Return the base that an old buffer goes out from: what it takes back is no edit of it."""
    tasks, meta, deleted = dict(base.tasks), base.meta, set(base.deleted)
    for (identifier, field), said in found.items():
        if field is None:
            if isinstance(said, Task):
                tasks[identifier] = said
                deleted.discard(identifier)
            else:
                tasks.pop(identifier, None)
        elif not isinstance(said, Task) and identifier == META_ID:
            meta = with_field(meta, field, said)
        elif not isinstance(said, Task) and identifier in tasks:
            fields = with_field(tasks[identifier].fields, field, said)
            tasks[identifier] = Task(identifier, fields)
    return replace(base, meta=meta, tasks=tasks, deleted=frozenset(deleted))
