"""Merges that would break a plan are held back and become conflicts on the field that closed it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.plans import (
    Trees,
    applied,
    as_plan,
    base,
    plan,
    store,
    task,
    trees,
)
from tt.core.agree import agree
from tt.core.diff import Added, Edited, Removed
from tt.core.graph import cycles, missing_links
from tt.core.model import Plan
from tt.core.outcome import Outcome, Side
from tt.core.reconcile import reconcile
from tt.core.trees import Terms, Trust
from tt.core.values import ABSENT

A, B, C = task("a"), task("b"), task("c")


def _with(one, **fields):
    return task(one.id, **{**one.fields, **fields})


def test_two_parents_that_would_go_in_circles_are_both_held_back() -> None:
    sides = base(A, B), plan(_with(A, parent="b"), B), store(A, _with(B, parent="a"))
    outcome = reconcile(*sides)
    assert (outcome.to_store, outcome.to_file) == ([], [])
    assert [(c.id, c.field, c.file, c.store) for c in outcome.conflicts] == [
        ("b", "parent", ABSENT, "a"),
        ("a", "parent", "b", ABSENT),
    ]
    assert "wait for each other" in outcome.conflicts[0].why


@pytest.mark.parametrize("identifier", ["a", "b"])
def test_one_decision_ends_a_circle_in_one_run(identifier: str) -> None:
    sides = base(A, B), plan(_with(A, parent="b"), B), store(A, _with(B, parent="a"))
    kept = Side.STORE if identifier == "a" else Side.FILE
    outcome = reconcile(*sides, Terms(decided={identifier: kept}))
    assert outcome.conflicts == []
    file, stored = applied(outcome, *sides[1:])
    assert file.tasks == stored.tasks
    assert file.tasks[identifier].parent is None
    assert cycles(file) == []


def test_a_value_that_cannot_be_healed_stays_a_conflict_when_the_store_is_trusted_again() -> None:
    waits, known = _with(B, depends_on=["a"]), base(A, _with(B, depends_on=["a"]))
    sides = plan(A, waits), store(_with(A, depends_on=["b"]), B)
    outcome = reconcile(known, *sides, Terms(trust=Trust.REWOUND))
    agreed = agree(known, *sides, outcome.conflicts)
    again = reconcile(agreed, *sides)
    assert (again.to_file, again.to_store) == ([], [])
    assert {(c.id, c.field) for c in again.conflicts} == {("a", "depends_on"), ("b", "depends_on")}


def test_a_decision_for_what_would_be_invalid_stays_a_conflict() -> None:
    sides = base(A, B), plan(_with(A, parent="b"), B), store(A, _with(B, parent="a"))
    outcome = reconcile(*sides, Terms(decided={"b": Side.STORE}))
    assert {c.id for c in outcome.conflicts} == {"a", "b"}
    assert (outcome.to_store, outcome.to_file) == ([], [])


def test_a_circle_of_parent_and_dependency_is_held_back() -> None:
    sides = base(A, B), plan(_with(A, depends_on=["b"]), B), store(A, _with(B, parent="a"))
    outcome = reconcile(*sides)
    assert {(c.id, c.field) for c in outcome.conflicts} == {("a", "depends_on"), ("b", "parent")}


def test_what_has_nothing_to_do_with_the_circle_is_synced() -> None:
    outcome = reconcile(
        base(A, B, C),
        plan(_with(A, parent="b"), B, _with(C, agent="dev")),
        store(A, _with(B, parent="a", status="running"), C),
    )
    assert outcome.to_store == [Edited("c", "agent", ABSENT, "dev")]
    assert outcome.to_file == [Edited("b", "status", "pending", "running")]


def test_a_parent_that_the_file_removed_stays_while_the_store_has_a_new_child() -> None:
    child = task("child", parent="a")
    sides = base(A), plan(), store(A, child)
    outcome = reconcile(*sides)
    assert (outcome.to_store, outcome.to_file) == ([], [])
    assert [(c.id, c.field, c.file, c.store) for c in outcome.conflicts] == [
        ("child", None, ABSENT, "do it"),
        ("a", None, ABSENT, "do it"),
    ]
    assert "`a`, which is gone" in outcome.conflicts[0].why


@pytest.mark.parametrize(("identifier", "side"), [("child", Side.FILE), ("a", Side.STORE)])
def test_a_decision_between_parent_and_child_ends_both_conflicts(
    identifier: str, side: Side
) -> None:
    child = task("child", parent="a")
    sides = base(A), plan(), store(A, child)
    outcome = reconcile(*sides, Terms(decided={identifier: side}))
    assert outcome.conflicts == []
    file, stored = applied(outcome, *sides[1:])
    assert file.tasks == stored.tasks
    assert set(file.tasks) == (set() if identifier == "child" else {"a", "child"})


def test_a_parent_that_the_store_removed_stays_while_the_file_has_a_new_child() -> None:
    child = task("child", parent="a")
    sides = base(A), plan(A, child), store(stones=[A])
    outcome = reconcile(*sides)
    assert (outcome.to_store, outcome.to_file) == ([], [])
    assert {c.id for c in outcome.conflicts} == {"a", "child"}
    back = reconcile(*sides, Terms(decided={"a": Side.FILE}))
    assert back.conflicts == []
    assert {change.id for change in back.to_store} == {"a", "child"}


def test_tasks_below_a_held_one_are_held_too() -> None:
    child, grandchild = task("child", parent="a"), task("grandchild", parent="child")
    outcome = reconcile(base(A), plan(A, child, grandchild), store(stones=[A]))
    assert {c.id for c in outcome.conflicts} == {"a", "child", "grandchild"}
    assert (outcome.to_store, outcome.to_file) == ([], [])


def test_dependencies_that_cannot_be_merged_are_left_as_they_are_on_both_sides() -> None:
    outcome = reconcile(
        base(A, B, C),
        plan(_with(A, depends_on=["c"]), B, C),
        store(_with(A, depends_on=["b"]), B, _with(C, parent="a")),
    )
    assert outcome.to_file == []
    assert Edited("a", "depends_on", ["b"], ["b", "c"]) not in outcome.to_store
    assert {(c.id, c.field, str(c.file), str(c.store)) for c in outcome.conflicts} == {
        ("a", "depends_on", "['c']", "['b']"),
        ("c", "parent", "Absent.ABSENT", "a"),
    }


def test_what_is_held_back_from_one_side_is_not_made_on_the_other() -> None:
    """The store has the circle already, so that a merged list would be no news there."""
    outcome = reconcile(
        base(A, B, C),
        plan(_with(A, depends_on=["b"]), B, C),
        store(_with(A, depends_on=["c"]), B, _with(C, parent="a")),
    )
    assert [(c.id, c.field, c.file, c.store) for c in outcome.conflicts] == [
        ("a", "depends_on", ["b"], ["c"])
    ]
    assert outcome.to_store == []
    assert outcome.to_file == [Edited("c", "parent", ABSENT, "a")]


def test_a_change_for_the_store_alone_is_held_back_where_a_conflict_keeps_its_other_half() -> None:
    """The file is valid, and nothing flows into it: only what stays behind closes the circle."""
    before = base(A, _with(B, parent="c"), C)
    file = plan(_with(A, parent="b"), B, C)
    stored = store(A, _with(B, parent="a"), C)
    outcome = reconcile(before, file, stored)
    assert ("b", "parent") in {(c.id, c.field) for c in outcome.conflicts}
    assert cycles(as_plan(applied(outcome, file, stored)[1])) == []


def test_faults_that_a_side_had_before_are_its_own() -> None:
    orphan = task("b", parent="gone")
    outcome = reconcile(base(A, orphan), plan(A, orphan), store(task("a", "new"), orphan, C))
    assert outcome.conflicts == []
    assert outcome.to_file == [Edited("a", "description", "do it", "new"), Added(C)]


def test_a_field_with_an_old_fault_can_be_edited_on() -> None:
    odd, more = task("b", depends_on=["gone"]), task("b", depends_on=["gone", "a"])
    outcome = reconcile(base(A, odd), plan(A, odd), store(A, more))
    assert outcome.conflicts == []
    assert outcome.to_file == [Edited("b", "depends_on", ["gone"], ["gone", "a"])]


def test_a_store_with_an_orphan_does_not_make_the_file_invalid() -> None:
    outcome = reconcile(base(), plan(A), store(A, task("b", parent="gone"), C))
    assert outcome.to_file == [Added(C)]
    assert [(c.id, c.field) for c in outcome.conflicts] == [("b", None)]
    decided = reconcile(
        base(), plan(A), store(A, task("b", parent="gone"), C), Terms(decided={"b": Side.FILE})
    )
    assert decided.to_store == [Removed(task("b", parent="gone"))]
    assert decided.conflicts == []


# Laws


def _faults(one: Plan) -> set[object]:
    around = {frozenset(step for step in cycle) for cycle in cycles(one)}
    return {*missing_links(one), *around}


@given(trees(), st.sampled_from(list(Trust)))
def test_a_merge_adds_no_fault_to_either_side(found: Trees, trust: Trust) -> None:
    _, file, stored = found
    outcome = reconcile(*found, Terms(trust=trust))
    after_file, after_store = applied(outcome, file, stored)
    assert _faults(after_file) <= _faults(file)
    assert _faults(as_plan(after_store)) <= _faults(as_plan(stored))


@given(trees(), st.sampled_from(list(Trust)))
def test_what_is_held_back_stays_as_it_is_on_both_sides(found: Trees, trust: Trust) -> None:
    _, file, stored = found
    outcome = reconcile(*found, Terms(trust=trust))
    after_file, after_store = applied(outcome, file, stored)
    for conflict in outcome.conflicts:
        if conflict.field is None:
            assert after_file.tasks.get(conflict.id) == file.tasks.get(conflict.id)
            assert after_store.tasks.get(conflict.id) == stored.tasks.get(conflict.id)


@given(trees())
def test_a_merge_of_valid_plans_leaves_both_sides_the_same_but_for_conflicts(found: Trees) -> None:
    before, file, stored = found
    outcome = reconcile(*found)
    after_file, after_store = applied(outcome, file, stored)
    if not outcome.conflicts:
        assert after_file == as_plan(after_store)
        agreed = agree(before, after_file, after_store)
        assert reconcile(agreed, after_file, after_store) == Outcome()
