"""The writes of a sync, as data: each is compare-and-set on one key, and executed by others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from tt.adapters.redis.codec import Hash
from tt.core.model import Task
from tt.core.report import Fault
from tt.record import field, record


@record
class Create:
    """Make the hash of `task`, unless the key exists. `now` are nanoseconds since 1970.

    It is encoded only when it is sent: so the server works while the next ones are encoded.
    """

    task: Task
    now: int

    @property
    def id(self) -> str:
        """The plan id."""
        return self.task.id


@record
class Patch:
    """Set the fields of `new` (None: take away) in a hash that is there and has `old`."""

    id: str
    key: str
    old: Mapping[str, str | None]
    new: Mapping[str, str | None]


@record
class Delete:
    """Delete a hash that is exactly `old`; one that is gone already is as good."""

    id: str
    key: str
    old: Hash


Write: TypeAlias = Create | Patch | Delete


@record(frozen=False)
class Planned:
    """The writes of one sync. `buried` are new tombstones by plan id, to be written first; `freed`
    are old ones, as they were read, that hashes override or are about to. `lost` are the ids whose
    compare-and-set was lost: at first those that have no hash to edit."""

    writes: list[Write] = field(default_factory=list)
    buried: dict[str, str] = field(default_factory=dict)
    freed: dict[str, str] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.writes or self.buried)

    def stones_to_free(self) -> dict[str, str]:
        """Return the tombstones of tasks that have a hash after all: made now, or not deleted."""
        kept = {plan_id: text for plan_id, text in self.buried.items() if plan_id in self.lost}
        return self.freed | kept
