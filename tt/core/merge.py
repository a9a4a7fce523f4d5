"""Merging one value three ways: the whole rule, in one place.

The trivial rule is every merge's: equal sides agree, and a side that left the base alone yields to
the one that changed it. Where both changed, differently, three kinds of value still have an answer:
lists merge as sets, tables key by key, statuses by progress. All else is a conflict. Swapping the
sides never changes the result.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, TypeAlias, cast

from tt.core.model import FINISHED, progress
from tt.core.values import ABSENT, MaybeValue, Value


class Clash(Enum):
    """The type of `CLASH`: no rule decides."""

    CLASH = "clash"


CLASH: Final = Clash.CLASH
Merged: TypeAlias = "MaybeValue | Clash"


def merge3(base: MaybeValue, ours: MaybeValue, theirs: MaybeValue) -> Merged:
    """Merge two descendants of one value; ABSENT is a value like any other, CLASH has no answer."""
    if ours == theirs:
        return ours
    if theirs == base:
        return ours
    if ours == base:
        return theirs
    if _all_lists(base, ours, theirs):
        return _merge_lists(_texts(base), _texts(ours), _texts(theirs))
    if isinstance(ours, dict) and isinstance(theirs, dict) and isinstance(base, dict):
        return _merge_tables(base, ours, theirs)
    return CLASH


def merge_status(base: MaybeValue, ours: str, theirs: str) -> str | Clash:
    """Merge two statuses: what is further along wins, and two different ends clash."""
    if theirs in (ours, base):
        return ours
    if ours == base:
        return theirs
    if progress(ours) == progress(theirs):
        return CLASH
    return max(ours, theirs, key=progress)


def goes_back(before: str, after: str) -> bool:
    """Say whether a status undoes progress: to an earlier state, or away from a finished one."""
    if before == after:
        return False
    return before in FINISHED or progress(after) < progress(before)


def _all_lists(base: MaybeValue, ours: MaybeValue, theirs: MaybeValue) -> bool:
    """Say whether all are lists of texts; no list is an empty one, but one side must be a list."""
    sides = (ours, theirs)
    return any(isinstance(side, list) for side in sides) and all(
        side is ABSENT or (isinstance(side, list) and all(isinstance(item, str) for item in side))
        for side in (base, *sides)
    )


def _texts(value: MaybeValue) -> list[str]:
    return [] if value is ABSENT else cast("list[str]", value)


def _merge_lists(base: list[str], ours: list[str], theirs: list[str]) -> MaybeValue:
    """Merge as sets: the base's survivors in the base's order, then what either side added.

    What both sides added in the same relative order would be nicer kept, but an order that depends
    on the side would make two clones disagree for ever; so additions are sorted.
    """
    kept = [item for item in base if item in ours and item in theirs]
    added = sorted({item for item in (*ours, *theirs) if item not in base})
    return cast("list[Value]", [*kept, *added]) or ABSENT


def _merge_tables(
    base: dict[str, Value], ours: dict[str, Value], theirs: dict[str, Value]
) -> Merged:
    merged: dict[str, Value] = {}
    for key in dict.fromkeys((*base, *sorted({*ours, *theirs} - base.keys()))):
        value = merge3(base.get(key, ABSENT), ours.get(key, ABSENT), theirs.get(key, ABSENT))
        if value is CLASH:
            return CLASH
        if value is not ABSENT:
            merged[key] = value
    return merged
