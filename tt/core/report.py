"""What use cases return and the command line renders: plain data, no words for terminals."""

from __future__ import annotations

from enum import StrEnum

from tt.core.diff import Change
from tt.core.model import Plan
from tt.core.values import ABSENT, MaybeValue
from tt.record import field, record


class Direction(StrEnum):
    """Which side a sync may write: `push` the store, `pull` the file, `merge` both."""

    PUSH = "push"
    PULL = "pull"
    MERGE = "merge"

    @property
    def writes_store(self) -> bool:
        """Whether Redis may be written."""
        return self is not Direction.PULL

    @property
    def writes_file(self) -> bool:
        """Whether the plan file may be written."""
        return self is not Direction.PUSH


@record
class Conflict:
    """Both sides changed one field of one task, and no rule decides; both stay as they are.

    `field` is None where the task's existence is what they disagree on: then the side that
    removed it has ABSENT, the other its description. `why` is set where the merge rules found the
    values fine and the merged plan invalid (a cycle, a parent that would be gone).
    """

    id: str
    field: str | None
    base: MaybeValue = ABSENT
    file: MaybeValue = ABSENT
    store: MaybeValue = ABSENT
    why: str = ""


@record
class Kept:
    """A status that went backwards in the file although nobody wrote it; the store's is kept."""

    id: str
    file: str
    store: str


@record
class Fault:
    """One value in Redis that could not be used: it is set aside, and everything else is synced."""

    key: str
    why: str


@record
class Duplicate:
    """A second Redis hash of one plan task, as tinytown's push makes them; `counts` is used."""

    id: str
    key: str
    status: str
    counts: str


@record
class SyncRecord:
    """One sync as its history keeps it. `time` is RFC 3339 in UTC; `name` names it for `undo`."""

    name: str
    time: str
    direction: str
    to_store: tuple[Change, ...] = ()
    to_file: tuple[Change, ...] = ()
    conflicts: int = 0
    omitted: int = 0
    """How many further changes were made than are listed (a first push of thousands)."""


@record
class SyncReport:
    """What one sync did, or with `dry_run` would do.

    `waiting_store` and `waiting_file` are the changes that the direction left out.
    """

    direction: Direction
    town: str
    file: str
    in_step: int
    to_store: tuple[Change, ...] = ()
    to_file: tuple[Change, ...] = ()
    waiting_store: tuple[Change, ...] = ()
    waiting_file: tuple[Change, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    kept: tuple[Kept, ...] = ()
    faults: tuple[Fault, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    named: tuple[str, ...] = ()
    """Ids that tasks without one were given in the file."""
    notes: tuple[str, ...] = field(default=())
    dry_run: bool = False
    partial: bool = False
    """Whether only what may have changed was looked at: `in_step` and what waits are of that."""


@record
class Committed:
    """What `tt commit` took along; `commit` is empty where there was nothing to commit."""

    file: str
    changes: tuple[Change, ...] = ()
    commit: str = ""
    subject: str = ""


@record
class UndoReport:
    """What taking a sync back changed, or `blocked`: the values in the way, and nothing changed.

    `blocked` are edits from what the sync left behind to what is there now, on either side.
    """

    record: SyncRecord
    to_store: tuple[Change, ...] = ()
    to_file: tuple[Change, ...] = ()
    blocked: tuple[Change, ...] = ()


@record
class StatusReport:
    """A plan and its town at a glance, and how they differ; nothing was written to find out.

    `plan` is the plan as a merge would leave it. `store_error` is set where Redis did not answer:
    then `plan` is the file's, and nothing is known of the drift. `to_store` is what the file has
    and Redis has not yet, `to_file` the other way round.
    """

    town: str
    branch: str
    file: str
    address: str
    plan: Plan
    store_error: str | None = None
    hint: str | None = None
    in_step: int = 0
    to_store: tuple[Change, ...] = ()
    to_file: tuple[Change, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    kept: tuple[Kept, ...] = ()
    faults: tuple[Fault, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    last: SyncRecord | None = None
