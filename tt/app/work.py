"""What is to be written in a round of a sync, and how both sides stand after it."""

from __future__ import annotations

from tt.core.base import Base
from tt.core.diff import Change
from tt.core.report import Direction, Fault
from tt.core.trees import StoreView
from tt.ports import Snapshot
from tt.record import record


@record
class Work:
    """What is to be written: each side's changes, as far as the direction goes.

    `done_store` and `done_file` are what earlier rounds of the same sync have written already; they
    belong into its record.
    """

    direction: Direction
    to_store: tuple[Change, ...] = ()
    to_file: tuple[Change, ...] = ()
    done_store: tuple[Change, ...] = ()
    done_file: tuple[Change, ...] = ()
    label: str = ""
    """What the history calls it; the direction's name where it is empty."""
    keep_file: bool = False
    """Whether the file must stay as it is, to the byte: without the ids that were made for it."""

    @classmethod
    def of(cls, direction: Direction, to_store: list[Change], to_file: list[Change]) -> Work:
        """Keep of both sides' changes what the direction may write."""
        return cls(
            direction,
            tuple(to_store) if direction.writes_store else (),
            tuple(to_file) if direction.writes_file else (),
        )


@record
class Settled:
    """Both sides after a round of writing, and all that was written in it and before.

    `overtaken`: another writer got to a task, the file or the base first; what was written stands,
    and the caller looks again. `noted`: the base and its history have it already. `healing` is the
    epoch that was given to a store that lost writes. `faults` are values that could not be written.
    `base` is the newest base after it, `seq` and `epoch` the town's.
    """

    snapshot: Snapshot | None
    store: StoreView
    to_store: tuple[Change, ...] = ()
    to_file: tuple[Change, ...] = ()
    faults: tuple[Fault, ...] = ()
    overtaken: bool = False
    noted: bool = False
    healing: str = ""
    base: Base | None = None
    seq: int = 0
    epoch: str = ""
