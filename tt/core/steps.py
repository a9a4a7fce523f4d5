"""What a commit did to a plan: its changes against all its parents, and a word for each deed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from tt.core.diff import Added, Change, Edited, Removed, diff
from tt.core.lifeline import Deed, Renamed, Step
from tt.core.model import FINISHED, META_ID, Plan, progress
from tt.core.values import ABSENT, MaybeValue

_DONE: Final = {
    "assigned": "assigned",
    "running": "started",
    "completed": "completed",
    "failed": "failed",
    "cancelled": "cancelled",
}


def steps(parents: Sequence[Plan], plan: Plan) -> list[Step]:
    """List what `plan` has as none of its parents has it; without parents, everything.

    What a merge took from one of them is that parent's own. A task that none of them has and whose
    fields are those of exactly one that all of them had is that task, renamed.
    """
    first, *others = parents or [Plan()]
    changes: Iterable[Change] = diff(first, plan)
    if others:
        changes = _merged(first, others, plan)
    return _with_renames(list(changes))


def _merged(first: Plan, others: Sequence[Plan], plan: Plan) -> Iterator[Change]:
    """Yield what differs from all parents; where the first has no such task, as seen by another."""
    for change in diff(first, plan):
        if isinstance(change, Edited):
            if all(_differs(other, change.id, change.field, change.new) for other in others):
                yield change
        elif isinstance(change, Removed):
            if all(change.id in other.tasks for other in others):
                yield change
        else:
            yield from _arrived(change, others)


def _arrived(change: Added, others: Sequence[Plan]) -> Iterator[Change]:
    having = [other for other in others if change.id in other.tasks]
    if not having:
        yield change
        return
    only = Plan(tasks={change.id: change.task})
    old = Plan(tasks={change.id: having[0].tasks[change.id]})
    for edit in diff(old, only):
        if isinstance(edit, Edited) and all(
            _differs(other, edit.id, edit.field, edit.new) for other in having
        ):
            yield edit


def _differs(plan: Plan, identifier: str, field: str, value: MaybeValue) -> bool:
    task = plan.tasks.get(identifier)
    if identifier != META_ID and task is None:
        return True
    return value_of(plan, identifier, field) != value


def value_of(plan: Plan, identifier: str, field: str) -> MaybeValue:
    """Return a field of a task, or of `[meta]`; ABSENT where there is none."""
    if identifier == META_ID:
        return plan.meta.get(field, ABSENT)
    task = plan.tasks.get(identifier)
    return ABSENT if task is None else task.fields.get(field, ABSENT)


def _with_renames(changes: list[Change]) -> list[Step]:
    gone = [change for change in changes if isinstance(change, Removed)]
    new = [change for change in changes if isinstance(change, Added)]
    if not gone or not new:
        return list(changes)
    renamed: dict[str, Renamed] = {}
    for added in new:
        twins = [removed for removed in gone if removed.task.fields == added.task.fields]
        rivals = [other for other in new if other.task.fields == added.task.fields]
        if len(twins) == len(rivals) == 1:
            renamed[added.id] = Renamed(twins[0].id, added.task)
    forgotten = {step.was for step in renamed.values()}
    return [
        renamed.get(change.id, change)
        for change in changes
        if not (isinstance(change, Removed) and change.id in forgotten)
    ]


def deeds(found: Iterable[Step]) -> list[Deed]:
    """Sum up what was done, task by task, in the order of the steps."""
    by_task: dict[str, list[Step]] = {}
    for step in found:
        by_task.setdefault(step.id, []).append(step)
    return [Deed(id_, _words(done), tuple(done)) for id_, done in by_task.items()]


def _words(done: Sequence[Step]) -> tuple[str, ...]:
    words: list[str] = []
    for step in done:
        word = _word(step)
        words += [word] if word not in words else []
        if isinstance(step, Added) and step.task.status in _DONE:
            words.append(_DONE[step.task.status])
    return tuple(sorted(words, key=lambda word: word == "edited"))


def _word(step: Step) -> str:
    if isinstance(step, Added):
        return "created"
    if isinstance(step, Removed):
        return "removed"
    if isinstance(step, Renamed):
        return "renamed"
    if step.field != "status" or step.id == META_ID:
        return "edited"
    return status_word(str(step.old), str(step.new))


def status_word(old: str, new: str) -> str:
    """Say what a change of status means: `completed`, `started`, `reopened`, `requeued`, …"""
    if old in FINISHED and new not in FINISHED:
        return "reopened"
    if new == "pending" and progress(old) > 0:
        return "requeued"
    return _DONE.get(new, "edited")
