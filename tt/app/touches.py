"""Who touched each field of a plan last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from tt.app.lifelines import unknown_task
from tt.app.past import Past, past_of
from tt.core.lifeline import Blame, Commit, Renamed, Touch, Version
from tt.core.model import META_ID, Plan
from tt.core.steps import steps, value_of
from tt.core.values import Value
from tt.errors import PlanError, TTError
from tt.ports import History

_Spot: TypeAlias = tuple[str, str]
"""A task's id now, and the name of a field."""
_Open: TypeAlias = dict[str, set[_Spot]]
"""Whose origin is still looked for, by the id that the task has at the version in question."""


def blame(history: History, now: Version, task: str | None, file: str) -> Blame:
    """Say which commit made each field what it is now.

    `now` is the worktree's version; where it has none, or it cannot be read, the last commit's is
    taken. Raises TTError where there is no such task in the plan, PlanError where there is no plan.
    """
    past = past_of(history)
    last = past.last()
    plan = _plan_now(past, last, now)
    if plan is None:
        raise PlanError(f"There is no {file} here.", "Make one with `tt plan --init`.")
    if task is not None and task not in plan.tasks and task != META_ID:
        raise _not_there(task, past, plan)
    ids = [META_ID, *plan.tasks] if task is None else [task]
    wanted = {one: {(one, name) for name in _fields(plan, one)} for one in ids}
    made = _origins(past, plan, last, wanted)
    touched = [
        (one, tuple(Touch(one, *item, made.get((one, item[0]))) for item in fields.items()))
        for one in ids
        if (fields := _fields(plan, one))
    ]
    return Blame(file, tuple(touched), now.fault)


def _plan_now(past: Past, last: Sequence[Commit], now: Version) -> Plan | None:
    if now.plan is not None:
        return now.plan
    return past.version(last[0]).plan if last else None


def _fields(plan: Plan, identifier: str) -> dict[str, Value]:
    return dict(plan.meta if identifier == META_ID else plan.tasks[identifier].fields)


def _not_there(task: str, past: Past, plan: Plan) -> TTError:
    met = set(plan.tasks)
    for commit in past.commits:
        met.update(past.plan(commit).tasks)
        if task in met:
            return TTError(
                f"`{task}` is not in the plan any more.",
                f"`tt log {task}` tells what became of it.",
            )
    return unknown_task(task, met)


def _origins(past: Past, now: Plan, last: Sequence[Commit], wanted: _Open) -> dict[_Spot, Commit]:
    """Walk back and find for each field the commit that has its value from none of its parents."""
    made: dict[_Spot, Commit] = {}
    passed, _ = _passed_on(now, past.plans(last), wanted)
    open_ = {commit.id: part for commit, part in zip(last, passed, strict=True)}
    for commit in past.commits:
        here = open_.pop(commit.id, None)
        if here:
            parents = past.before(commit)
            passed, own = _passed_on(past.plan(commit), past.plans(parents), here)
            made |= dict.fromkeys(own, commit)
            for parent, part in zip(parents, passed, strict=True):
                open_[parent.id] = _joined(open_.get(parent.id), part)
        if not any(open_.values()):
            break
        past.forget(commit)
    return made


def _joined(one: _Open | None, other: _Open) -> _Open:
    if one is None:
        return other
    return {key: one.get(key, set()) | other.get(key, set()) for key in one.keys() | other}


def _passed_on(
    plan: Plan, parents: Sequence[Plan], wanted: _Open
) -> tuple[list[_Open], list[_Spot]]:
    """Give each field to the first parent that has its value; return also what none of them has."""
    found = steps(parents, plan)
    was = {step.id: step.was for step in found if isinstance(step, Renamed)}
    given: list[_Open] = [{} for _ in parents]
    if len(parents) == 1:  # what it did not touch, nearly everything, goes on as it is
        touched = {step.id for step in found} & wanted.keys()
        if not touched:
            return [wanted], []
        given = [{key: spots for key, spots in wanted.items() if key not in touched}]
        wanted = {key: wanted[key] for key in touched}
    own: list[_Spot] = []
    for identifier, spots in wanted.items():
        before, left = was.get(identifier, identifier), spots
        for parent, part in zip(parents, given, strict=True):
            same = _same(plan, identifier, parent, before, left)
            if same:
                part[before] = part.get(before, set()) | same
                left = left - same
        own += left
    return given, own


def _same(plan: Plan, identifier: str, parent: Plan, before: str, spots: set[_Spot]) -> set[_Spot]:
    """Return the fields that have the same value in both; most tasks are even the same object."""
    if identifier != META_ID and parent.tasks.get(before) is plan.tasks[identifier]:
        return spots
    return {
        spot
        for spot in spots
        if value_of(parent, before, spot[1]) == value_of(plan, identifier, spot[1])
    }
