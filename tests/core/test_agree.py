"""Laws of syncing as a whole: the base moves only to what both sides have, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.plans import (
    Trees,
    applied,
    as_plan,
    base,
    descendants,
    plan,
    plans,
    store,
    stores,
    task,
    trees,
)
from tt.app.storing import after
from tt.core.agree import agree
from tt.core.base import Base
from tt.core.diff import Added, Change, Edited, apply
from tt.core.model import META_ID, Plan
from tt.core.outcome import Outcome
from tt.core.reconcile import doubtful, reconcile
from tt.core.trees import StoreView, Terms, Trust
from tt.core.values import ABSENT, MaybeValue

trusts = st.sampled_from(list(Trust))


def _terms(draw: st.DrawFn, found: Trees, trust: Trust = Trust.CURRENT) -> Terms:
    doubts = doubtful(*found)
    wishes = draw(st.sets(st.sampled_from(doubts))) if doubts else set()
    return Terms(trust=trust, wishes=frozenset(wishes))


@st.composite
def runs(draw: st.DrawFn) -> tuple[Trees, Terms]:
    """Draw three trees and the terms of a reconcile, with all its kinds of trust and wishes."""
    found = draw(trees())
    return found, _terms(draw, found, draw(trusts))


def _spots(outcome: Outcome) -> set[tuple[str, str | None]]:
    return {(conflict.id, conflict.field) for conflict in outcome.conflicts}


def _agreed(found: Trees, terms: Terms, outcome: Outcome, file: Plan, stored: StoreView) -> Base:
    conflicts = outcome.conflicts if terms.trust is not Trust.CURRENT else ()
    return agree(found[0], file, stored, conflicts)


def _value(one: Plan, identifier: str, name: str) -> MaybeValue:
    if identifier == META_ID:
        return one.meta.get(name, ABSENT)
    found = one.tasks.get(identifier)
    return ABSENT if found is None else found.fields.get(name, ABSENT)


@given(runs())
def test_after_both_sides_were_written_there_is_nothing_but_the_same_conflicts(run) -> None:
    found, terms = run
    outcome = reconcile(*found, terms)
    file, stored = applied(outcome, *found[1:])
    agreed = _agreed(found, terms, outcome, file, stored)
    again = reconcile(agreed, file, stored)
    assert (again.to_store, again.to_file, again.kept) == ([], [], [])
    assert _spots(again) == _spots(outcome)
    assert agree(agreed, file, stored) == agreed


@given(runs(), st.data())
def test_a_run_that_was_interrupted_ends_as_one_that_was_not(run, data: st.DataObject) -> None:
    found, terms = run
    known, file, stored = found
    outcome = reconcile(*found, terms)
    wanted = applied(outcome, file, stored)
    done = [change for change in outcome.to_store if data.draw(st.booleans())]
    between = after(stored, done)
    if len(done) == len(outcome.to_store) and data.draw(st.booleans()):
        file = apply(file, outcome.to_file)  # the file is written only after all of the store
    again = reconcile(known, file, between, terms)
    ended = applied(again, file, between)
    assert (ended[0], as_plan(ended[1])) == (wanted[0], as_plan(wanted[1]))
    assert _spots(again) == _spots(outcome)


@given(runs())
def test_the_base_moves_only_to_what_both_sides_have(run) -> None:
    (known, file, stored), terms = run
    outcome = reconcile(known, file, stored, terms)
    for sides in ((file, stored), applied(outcome, file, stored)):
        agreed = agree(known, *sides)
        for identifier in {*agreed.tasks, *known.tasks}:
            now, then = agreed.tasks.get(identifier), known.tasks.get(identifier)
            if now == then:
                continue
            if now is None:
                assert identifier not in sides[0].tasks
                assert identifier not in sides[1].tasks
                assert identifier in sides[1].tombstones
                continue
            for name in now.fields:
                if then is None or then.fields.get(name, ABSENT) != now.fields[name]:
                    assert now.fields[name] == _value(sides[0], identifier, name)
                    assert now.fields[name] == _value(as_plan(sides[1]), identifier, name)


@given(runs())
def test_every_change_says_truly_what_was_there_before(run) -> None:
    """So that a value that goes is in the report that took it."""
    found, terms = run
    outcome = reconcile(*found, terms)
    _check_olds(found[1], outcome.to_file)
    _check_olds(as_plan(found[2]), outcome.to_store, absent=True)


def _check_olds(side: Plan, changes: Iterable[Change], *, absent: bool = False) -> None:
    spots = set()
    for change in changes:
        if isinstance(change, Edited):
            assert change.old == _value(side, change.id, change.field)
            assert change.new != change.old
            spot = (change.id, change.field)
        else:
            spot = (change.id, "")
            before = side.tasks.get(change.id)
            if isinstance(change, Added):
                assert before is None
            else:
                assert before == change.task or (absent and before is None)
        assert spot not in spots, "one spot is changed once"
        spots.add(spot)


@given(runs())
def test_an_edit_of_one_side_reaches_the_other_or_is_reported(run) -> None:
    (known, file, stored), terms = run
    if terms.trust is not Trust.CURRENT:
        return
    outcome = reconcile(known, file, stored, terms)
    after_file, after_store = applied(outcome, file, stored)
    told = {conflict.id for conflict in outcome.conflicts} | {kept.id for kept in outcome.kept}
    for identifier, old in known.tasks.items():
        if identifier in told or identifier not in file.tasks or identifier not in stored.tasks:
            continue
        for name in {*file.tasks[identifier].fields, *stored.tasks[identifier].fields}:
            before = old.fields.get(name, ABSENT)
            ours = _value(file, identifier, name)
            theirs = _value(as_plan(stored), identifier, name)
            if before == theirs:
                assert _value(as_plan(after_store), identifier, name) == ours
            elif before == ours:
                assert _value(after_file, identifier, name) == theirs


@given(runs(), st.booleans())
def test_a_push_and_a_pull_do_what_a_merge_does_where_there_is_no_conflict(run, pull_first) -> None:
    found, terms = run
    if terms.trust is not Trust.CURRENT:
        return
    known, file, stored = found
    outcome = reconcile(*found, terms)
    if outcome.conflicts:
        return
    merged = applied(outcome, file, stored)
    for pull in (pull_first, not pull_first):
        half = reconcile(known, file, stored, terms)
        if pull:
            file = apply(file, half.to_file)
        else:
            stored = after(stored, half.to_store)
        known = agree(known, file, stored)
    assert (file, as_plan(stored)) == (merged[0], as_plan(merged[1]))


@given(trees())
def test_no_status_goes_back_that_nobody_set_back(found: Trees) -> None:
    known, file, stored = found
    outcome = reconcile(*found)
    kept = {one.id: one for one in outcome.kept}
    for identifier in doubtful(*found):
        if identifier not in known.tasks or identifier not in stored.tasks:
            continue
        if stored.tasks[identifier].status != file.tasks[identifier].status:
            assert kept[identifier].file == file.tasks[identifier].status
    edits = [one for one in outcome.to_store if isinstance(one, Edited) and one.field == "status"]
    for edit in edits:
        assert edit.id not in doubtful(*found)


@st.composite
def _clones(draw: st.DrawFn) -> tuple[list[Base], list[Plan], StoreView]:
    """Draw two clones that once agreed with a store, and what became of all three."""
    before = draw(plans())
    known = Base(meta=before.meta, tasks=before.tasks)
    files = [draw(descendants(before)), draw(descendants(before))]
    return [known, known], files, draw(stores(before))


@given(_clones())
def test_clones_of_one_store_come_to_the_same_plan_but_for_conflicts(drawn) -> None:
    bases, files, stored = drawn
    for _ in range(6):
        outcomes = []
        for which in (0, 1):
            found = (bases[which], files[which], stored)
            outcome = reconcile(*found, Terms(wishes=frozenset(doubtful(*found))))
            files[which], stored = applied(outcome, files[which], stored)
            bases[which] = agree(bases[which], files[which], stored)
            outcomes.append(outcome)
        if not any(outcome.to_file or outcome.to_store for outcome in outcomes):
            break
    else:
        pytest.fail("the clones never come to rest")
    for file, outcome in zip(files, outcomes, strict=True):
        open_spots = _spots(outcome)
        for identifier in {*file.tasks, *stored.tasks}:
            if (identifier, None) in open_spots:
                continue
            ours, theirs = file.tasks[identifier], stored.tasks[identifier]
            for name in {*ours.fields, *theirs.fields}:
                if (identifier, name) not in open_spots:
                    assert ours.fields.get(name, ABSENT) == theirs.fields.get(name, ABSENT)


def test_tasks_that_need_no_change_are_the_same_objects() -> None:
    """The base store writes only what is not."""
    one, two, three = task("a"), task("b"), task("c")
    known = base(one, two, three)
    file = plan(task("a"), task("b", "new"), task("c", "x"))
    stored = store(task("a"), task("b", "new"), task("c", "y"))
    agreed = agree(known, file, stored)
    assert agreed.tasks["a"] is one
    assert agreed.tasks["b"] == task("b", "new")
    assert agreed.tasks["c"] is three


def test_fields_are_agreed_on_one_by_one() -> None:
    file = plan(task("a", "ours", agent="dev"))
    stored = store(task("a", "theirs", agent="dev"))
    assert agree(base(), file, stored).tasks["a"].fields == {"status": "pending", "agent": "dev"}


def test_a_field_that_both_sides_removed_is_gone_from_the_base() -> None:
    agreed = agree(base(task("a", agent="dev")), plan(task("a", "x")), store(task("a", "y")))
    assert agreed.tasks["a"] == task("a")


def test_a_task_that_only_one_side_has_is_not_agreed_on() -> None:
    assert agree(base(), plan(task("a")), store(task("b"))).tasks == {}


def test_a_removal_that_only_one_side_made_is_not_agreed_on() -> None:
    known = base(task("a"), task("b"))
    agreed = agree(known, plan(task("a")), store(task("b"), stones=[task("a")]))
    assert agreed.tasks == known.tasks
    assert agreed.deleted == frozenset()


def test_what_says_where_both_stand_is_kept() -> None:
    known = Base(seq=3, epoch="e", head="h", repo="r", version="v", uuids={"a": "u"})
    agreed = agree(known, plan(), store())
    assert agreed == known
    assert agreed.version == "v"
