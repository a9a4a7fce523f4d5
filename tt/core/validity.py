"""Keeping a merge valid: changes that would break a plan are held back and become conflicts.

Two valid plans can merge into one whose parents go in circles, or name a task that is gone. A
change that would add such a fault to a side is taken out of that side's list, the field that closed
it is reported as a conflict, and the check starts over, until nothing new is wrong. Faults that a
side had before are its own: real plans have them, and a merge does not have to mend them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from tt.core.diff import Added, Change, Edited, Removed, apply
from tt.core.graph import cycles, missing_links
from tt.core.model import Plan
from tt.core.outcome import Outcome, Side
from tt.core.report import Conflict
from tt.core.values import ABSENT, MaybeValue

_LINKS: Final = frozenset({"parent", "depends_on"})
_Fault: TypeAlias = tuple[tuple[str, str], ...]
"""The (task, field) steps that are at fault; for a missing task, one step and ("", its id)."""


def hold_back_invalid(
    outcome: Outcome, file: Plan, store: Plan, decided: Mapping[str, Side]
) -> None:
    """Take out of `outcome` what would make either side invalid, and report it as conflicts."""
    if not _may_break(outcome):
        return
    while True:
        held_in_file = _held(outcome.to_file, file)
        held_in_store = _held(outcome.to_store, store)
        if not held_in_file and not held_in_store:
            return
        for change, fault in held_in_file:
            outcome.to_file.remove(change)
            _settle(outcome, change, fault, decided, in_file=True)
        for change, fault in held_in_store:
            outcome.to_store.remove(change)
            _settle(outcome, change, fault, decided, in_file=False)


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


def _held(changes: list[Change], plan: Plan) -> list[tuple[Change, _Fault]]:
    """List those of `changes` that must be held back for the plan to stay as valid as it is."""
    if not any(map(_links, changes)):
        return []
    before = set(_faults(plan))
    held: list[tuple[Change, _Fault]] = []
    for fault in _faults(apply(plan, changes)):
        culprit = None if fault in before else _culprit(changes, fault)
        if culprit is not None and all(culprit is not change for change, _ in held):
            held.append((culprit, fault))
    return held


def _faults(plan: Plan) -> Iterator[_Fault]:
    for task, name, wanted in missing_links(plan):
        yield ((task, name), ("", wanted))
    for cycle in cycles(plan):
        start = cycle.index(min(cycle))
        yield tuple(cycle[start:] + cycle[:start])


def _culprit(changes: Iterable[Change], fault: _Fault) -> Change | None:
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


def _settle(
    outcome: Outcome,
    change: Change,
    fault: _Fault,
    decided: Mapping[str, Side],
    *,
    in_file: bool,
) -> None:
    """Report a held change as a conflict, or, where a person decided, go the other way."""
    kept_side = Side.FILE if in_file else Side.STORE
    if isinstance(change, Edited) and decided.get(change.id) is kept_side:
        back = Edited(change.id, change.field, change.new, change.old)
        (outcome.to_store if in_file else outcome.to_file).append(back)
        return
    conflict = _conflict(change, fault, in_file=in_file)
    if not any((c.id, c.field) == (conflict.id, conflict.field) for c in outcome.conflicts):
        outcome.conflicts.append(conflict)


def _conflict(change: Change, fault: _Fault, *, in_file: bool) -> Conflict:
    why = _why(fault)
    if isinstance(change, Edited):
        file, store = (change.old, change.new) if in_file else (change.new, change.old)
        return Conflict(change.id, change.field, ABSENT, file, store, why)
    said = change.task.fields.get("description", "")
    has_it = in_file is isinstance(change, Removed)
    sides: tuple[MaybeValue, MaybeValue] = (said, ABSENT) if has_it else (ABSENT, said)
    return Conflict(change.id, None, ABSENT, *sides, why)


def _why(fault: _Fault) -> str:
    if fault[-1][0] == "":
        (task, name), (_, wanted) = fault
        return f"`{task}` would name `{wanted}`, which is gone, in its `{name}`"
    around = " → ".join(f"`{task}`" for task, _ in (*fault, fault[0]))
    return f"these tasks would wait for each other: {around}"
