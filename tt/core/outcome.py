"""The answer of a reconcile: what each side must change, and what the two disagree on."""

from __future__ import annotations

from enum import StrEnum

from tt.core.diff import Change
from tt.core.report import Conflict, Kept
from tt.record import field, record


class Side(StrEnum):
    """One side of a conflict, as `tt resolve` names it."""

    FILE = "file"
    STORE = "store"


@record(frozen=False)
class Outcome:
    """What each side must change to agree, what they disagree on, which statuses were kept."""

    to_store: list[Change] = field(default_factory=list)
    to_file: list[Change] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
