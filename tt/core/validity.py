"""Keeping a merge valid: changes that would break a plan are held back and become conflicts.

Two valid plans can merge into one whose parents go in circles, or name a task that is gone. A
change that would add such a fault to a side is taken out of that side's list, the field that closed
it is reported as a conflict, and the check starts over, until nothing new is wrong. Faults that a
side had before are its own: real plans have them, and a merge does not have to mend them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from tt.core.diff import Added, Change, Edited, Removed, apply
from tt.core.graph import Fault, faults, why
from tt.core.model import Plan
from tt.core.outcome import Outcome, Side
from tt.core.report import Conflict
from tt.core.values import ABSENT, MaybeValue
from tt.record import record

_LINKS: Final = frozenset({"parent", "depends_on"})


@record
class _Half:
    """One side of a merge: its plan, the changes it is to take, and those of the other side."""

    side: Side
    plan: Plan
    changes: list[Change]
    other_plan: Plan
    other_changes: list[Change]


def hold_back_invalid(
    outcome: Outcome, file: Plan, store: Plan, decided: Mapping[str, Side]
) -> None:
    """Take out of `outcome` what would make either side invalid, and report it as conflicts.

    `store` has a stand-in for each task that exists and cannot be used. Where a person has decided
    for the side that a change was held back from, the other side takes that side's value instead.
    """
    if not _may_break(outcome):
        return
    halves = (
        _Half(Side.FILE, file, outcome.to_file, store, outcome.to_store),
        _Half(Side.STORE, store, outcome.to_store, file, outcome.to_file),
    )
    while held := [(half, *found) for half in halves for found in _held(half.changes, half.plan)]:
        wanted = [one for one in held if decided.get(one[1].id) is one[0].side]
        for half, change, fault in wanted or [one for one in held if one[0] is held[0][0]]:
            _take_out(half, change)
            if wanted:
                _turn_round(half, change)
            else:
                _report(outcome, half, change, fault)


def _may_break(outcome: Outcome) -> bool:
    """Say whether the merged plan can have a fault that the file does not have.

    Where all that concerns the graph flows from the file to the store, the result is the file's
    graph, which was checked when it was read; so most syncs need no look at the graph.
    """
    if any(map(_links, outcome.to_file)):
        return True
    blocked = any(conflict.field in (None, *_LINKS) for conflict in outcome.conflicts)
    return blocked and any(map(_links, outcome.to_store))


def _links(change: Change) -> bool:
    return not isinstance(change, Edited) or change.field in _LINKS


def _held(changes: list[Change], plan: Plan) -> list[tuple[Change, Fault]]:
    """List those of `changes` that must be held back for the plan to stay as valid as it is."""
    if not any(map(_links, changes)):
        return []
    before = set(faults(plan))
    held: list[tuple[Change, Fault]] = []
    for fault in faults(apply(plan, changes)):
        culprit = None if fault in before else _culprit(changes, fault)
        if culprit is not None and all(culprit is not change for change, _ in held):
            held.append((culprit, fault))
    return held


def _culprit(changes: Iterable[Change], fault: Fault) -> Change | None:
    """Find the change that closed a fault: an edit of one of its links, else an arrival or exit."""
    steps = set(fault)
    touched = {task for task, _ in fault}
    other: Change | None = None
    for change in changes:
        if isinstance(change, Edited):
            if (change.id, change.field) in steps:
                return change
        elif (isinstance(change, Added) and change.id in touched) or (
            isinstance(change, Removed) and ("", change.id) in steps
        ):
            other = other or change
    return other


def _take_out(half: _Half, change: Change) -> None:
    """Leave both sides as they are in what `change` is about."""
    half.changes.remove(change)
    for other in list(half.other_changes):
        if _same_spot(change, other):
            half.other_changes.remove(other)


def _same_spot(one: Change, other: Change) -> bool:
    if isinstance(one, Edited) and isinstance(other, Edited):
        return (one.id, one.field) == (other.id, other.field)
    return one.id == other.id


def _turn_round(half: _Half, change: Change) -> None:
    """Give the other side what `half` has, in place of a change that `half` cannot take."""
    if isinstance(change, Edited):
        ours, theirs = _value(half.plan, change), _value(half.other_plan, change)
        half.other_changes.append(Edited(change.id, change.field, theirs, ours))
    elif isinstance(change, Removed):
        half.other_changes.append(Added(half.plan.tasks[change.id]))
    else:
        half.other_changes.append(Removed(half.other_plan.tasks[change.id]))


def _value(plan: Plan, edit: Edited) -> MaybeValue:
    task = plan.tasks.get(edit.id)
    return ABSENT if task is None else task.fields.get(edit.field, ABSENT)


def _report(outcome: Outcome, half: _Half, change: Change, fault: Fault) -> None:
    conflict = _conflict(half, change, why(fault))
    if not any((c.id, c.field) == (conflict.id, conflict.field) for c in outcome.conflicts):
        outcome.conflicts.append(conflict)


def _conflict(half: _Half, change: Change, why: str) -> Conflict:
    if isinstance(change, Edited):
        said, other, name = _value(half.plan, change), _value(half.other_plan, change), change.field
    else:
        said, other, name = _said(half.plan, change.id), _said(half.other_plan, change.id), None
    file, store = (said, other) if half.side is Side.FILE else (other, said)
    return Conflict(change.id, name, ABSENT, file, store, why)


def _said(plan: Plan, identifier: str) -> MaybeValue:
    task = plan.tasks.get(identifier)
    return ABSENT if task is None else task.fields.get("description", "")
