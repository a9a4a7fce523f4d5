"""Merging whole plans: the rules by task, the faults that a merge would add, and laws."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.plans import descendants, plan, plans, task
from tt.core.graph import faults
from tt.core.model import META_ID, Plan, Task
from tt.core.treemerge import MergeConflict, MergedTree, Tree, agreed, conflicting_ids, merge_trees
from tt.core.values import ABSENT


def tree(*tasks: Task, **tables: Mapping[str, object]) -> Tree:
    named = {f"[{name}]": fields for name, fields in tables.items()}
    return Tree(named, {one.id: one for one in tasks})  # type: ignore[arg-type]


def of(made: Plan) -> Tree:
    return Tree({META_ID: made.meta}, made.tasks)


def swapped(merged: MergedTree) -> set[tuple[object, ...]]:
    return {
        (c.id, c.field, repr(c.base), repr(c.theirs), repr(c.ours), c.why) for c in merged.conflicts
    }


def told(merged: MergedTree) -> set[tuple[object, ...]]:
    return {
        (c.id, c.field, repr(c.base), repr(c.ours), repr(c.theirs), c.why) for c in merged.conflicts
    }


A = task("a")
A_DEV, A_OPS = task("a", agent="dev"), task("a", agent="ops")
A_X = task("a", tags=["x"])
B = task("b", "other")

PRESENCE: dict[str, tuple[list[Task], list[Task], list[Task], list[Task]]] = {
    "nothing changed": ([A], [A], [A], [A]),
    "ours added": ([], [A], [], [A]),
    "both added the same": ([], [A], [A], [A]),
    "both added, each another field": ([], [A_DEV], [A_X], [task("a", agent="dev", tags=["x"])]),
    "both added another": ([], [A], [B], [A, B]),
    "ours removed": ([A, B], [B], [A, B], [B]),
    "both removed": ([A], [], [], []),
    "ours edited": ([A], [A_DEV], [A], [A_DEV]),
    "one edited, one removed another": ([A, B], [A_DEV, B], [A], [A_DEV]),
}  # fmt: skip


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [pytest.param(*row, id=name) for name, row in PRESENCE.items()],
)
def test_tasks_come_stay_and_go_as_the_table_says(
    base: list[Task], ours: list[Task], theirs: list[Task], merged: list[Task]
) -> None:
    for one, other in ((ours, theirs), (theirs, ours)):
        found = merge_trees(tree(*base), tree(*one), tree(*other))
        assert found.conflicts == ()
        assert found.ours == found.theirs
        assert dict(found.ours.tasks) == {each.id: each for each in merged}


def test_a_task_that_one_side_edited_and_the_other_removed_is_a_conflict_of_its_existence() -> None:
    merged = merge_trees(tree(A), tree(A_DEV), tree())
    assert merged.conflicts == (MergeConflict("a", None, "do it", "do it", ABSENT),)
    assert dict(merged.ours.tasks) == {"a": A_DEV}
    assert dict(merged.theirs.tasks) == {}


def test_two_conflicting_fields_of_one_task_are_two_conflicts_and_the_rest_is_merged() -> None:
    ours = task("a", "ours", agent="dev", tags=["x"])
    theirs = task("a", "theirs", agent="ops", parent="b")
    merged = merge_trees(tree(A, B), tree(ours, B), tree(theirs, B))
    assert [(c.field, c.ours, c.theirs) for c in merged.conflicts] == [
        ("description", "ours", "theirs"),
        ("agent", "dev", "ops"),
    ]
    assert merged.ours.tasks["a"] == task("a", "ours", agent="dev", tags=["x"], parent="b")
    assert merged.theirs.tasks["a"] == task("a", "theirs", agent="ops", tags=["x"], parent="b")
    assert conflicting_ids(merged.conflicts) == ["a"]


def test_a_status_merges_by_progress_and_two_ends_are_a_conflict() -> None:
    run, done, failed = (task("a", status=s) for s in ("running", "completed", "failed"))
    assert merge_trees(tree(A), tree(run), tree(done)).ours.tasks["a"] == done
    assert merge_trees(tree(A), tree(done), tree(run)).ours.tasks["a"] == done
    assert [c.field for c in merge_trees(tree(A), tree(done), tree(failed)).conflicts] == ["status"]


def test_a_status_that_one_side_took_back_is_taken_back() -> None:
    done, again = task("a", status="completed"), task("a", status="pending")
    assert merge_trees(tree(done), tree(again), tree(done)).ours.tasks["a"] == again


def test_tables_merge_key_by_key_and_meta_is_one_of_them() -> None:
    base = tree(meta={"description": "x"}, other={"k": 1})
    ours = tree(meta={"description": "y"}, other={"k": 1, "l": 2})
    theirs = tree(meta={"description": "x", "default_agent": "dev"}, other={"k": 3})
    merged = merge_trees(base, ours, theirs)
    assert merged.conflicts == ()
    assert merged.ours.tables["[meta]"] == {"description": "y", "default_agent": "dev"}
    assert merged.ours.tables["[other]"] == {"k": 3, "l": 2}


def test_a_status_in_another_table_has_no_progress() -> None:
    base, ours, theirs = (
        tree(other={"status": status}) for status in ("pending", "running", "completed")
    )
    assert [(c.id, c.field) for c in merge_trees(base, ours, theirs).conflicts] == [
        ("[other]", "status")
    ]


# What the merge itself would break


def test_faults_that_a_side_has_are_its_own() -> None:
    lost = task("a", parent="nowhere")
    merged = merge_trees(tree(B), tree(B, lost), tree(task("b", "other", agent="dev")))
    assert merged.conflicts == ()
    assert merged.ours.tasks["a"] == lost


def test_a_parent_that_one_side_removed_and_the_other_began_to_need_is_a_conflict() -> None:
    child = task("c", parent="a")
    merged = merge_trees(tree(A, B), tree(A, B, child), tree(B))
    assert {(c.id, c.field) for c in merged.conflicts} == {("a", None), ("c", "parent")}
    assert all("is gone" in c.why for c in merged.conflicts)
    assert merged.ours.tasks == {"a": A, "b": B, "c": child}
    assert merged.theirs.tasks == {"b": B, "c": task("c")}


def test_a_dependency_that_is_gone_keeps_the_rest_of_its_list_on_both_sides() -> None:
    base = task("c", depends_on=["b"])
    ours, theirs = task("c", depends_on=["b", "a"]), task("c", depends_on=["b", "d"])
    merged = merge_trees(tree(A, B, base), tree(A, B, ours), tree(B, task("d"), theirs))
    assert merged.ours.tasks["c"].depends_on == ["b", "a", "d"]
    assert merged.theirs.tasks["c"].depends_on == ["b", "d"]


def test_a_cycle_that_neither_side_has_is_a_conflict_of_the_links_that_close_it() -> None:
    ours = [task("a", parent="b"), B]
    theirs = [A, task("b", "other", parent="a")]
    merged = merge_trees(tree(A, B), tree(*ours), tree(*theirs))
    assert {(c.id, c.field, c.ours, c.theirs) for c in merged.conflicts} == {
        ("a", "parent", "b", ABSENT),
        ("b", "parent", ABSENT, "a"),
    }
    assert dict(merged.ours.tasks) == {one.id: one for one in ours}
    assert dict(merged.theirs.tasks) == {one.id: one for one in theirs}


def test_a_cycle_through_lists_takes_out_only_the_links_that_close_it() -> None:
    ours = [task("a", depends_on=["b", "c"]), B, task("c")]
    theirs = [A, task("b", "other", depends_on=["a", "c"]), task("c")]
    merged = merge_trees(tree(A, B, task("c")), tree(*ours), tree(*theirs))
    assert merged.ours.tasks["b"].depends_on == ["c"]
    assert merged.theirs.tasks["a"].depends_on == ["c"]
    assert {(c.id, c.field) for c in merged.conflicts} == {("a", "depends_on"), ("b", "depends_on")}


# A base with conflicts of its own


def test_what_the_readings_of_a_base_differ_in_is_agreed_on_by_nobody() -> None:
    base = agreed(tree(A_DEV, B), tree(A_OPS))
    assert merge_trees(base, tree(A_DEV, B), tree(A_DEV, B)).conflicts == ()
    found = merge_trees(base, tree(A_DEV, B), tree(A_OPS, B)).conflicts
    assert [(c.id, c.field, c.base, c.ours, c.theirs) for c in found] == [
        ("a", "agent", ABSENT, "dev", "ops")
    ]
    gone = merge_trees(base, tree(A_DEV, B), tree(A_DEV)).conflicts
    assert [(c.id, c.field) for c in gone] == [("b", None)]


def test_a_list_that_a_base_left_open_merges_as_a_set() -> None:
    base = agreed(tree(task("a", tags=["x"])), tree(task("a", tags=["y"])))
    merged = merge_trees(base, tree(task("a", tags=["x"])), tree(task("a", tags=["y", "z"])))
    assert merged.conflicts == ()
    assert merged.ours.tasks["a"].tags == ["x", "y", "z"]


def test_a_field_that_a_base_left_open_and_one_side_dropped_is_a_conflict() -> None:
    base = agreed(tree(A_DEV), tree(A_OPS))
    found = merge_trees(base, tree(A), tree(A_OPS)).conflicts
    assert [(c.field, c.ours, c.theirs) for c in found] == [("agent", ABSENT, "ops")]


# Laws

trees = st.booleans().flatmap(lambda valid: plans(valid=valid))


@st.composite
def threes(draw: st.DrawFn) -> tuple[Tree, Tree, Tree]:
    base = draw(trees)
    return of(base), of(draw(descendants(base))), of(draw(descendants(base)))


def same(one: Tree, other: Tree) -> bool:
    return one.plan == other.plan


@given(threes())
def test_a_side_that_changed_nothing_yields_to_the_other(three: tuple[Tree, Tree, Tree]) -> None:
    base, ours, _ = three
    for merged in (merge_trees(base, ours, base), merge_trees(base, base, ours)):
        assert merged.conflicts == ()
        assert same(merged.ours, ours)
        assert same(merged.theirs, ours)


@given(threes())
def test_swapping_the_sides_swaps_the_sides_of_conflicts_and_nothing_else(
    three: tuple[Tree, Tree, Tree],
) -> None:
    base, ours, theirs = three
    one, other = merge_trees(base, ours, theirs), merge_trees(base, theirs, ours)
    assert told(one) == swapped(other)
    assert same(one.ours, other.theirs)
    assert same(one.theirs, other.ours)


@given(threes())
def test_both_outcomes_differ_in_the_conflicts_and_nowhere_else(
    three: tuple[Tree, Tree, Tree],
) -> None:
    merged = merge_trees(*three)
    whole = {c.id for c in merged.conflicts if c.field is None}
    for identifier in {**merged.ours.tasks, **merged.theirs.tasks}:
        mine, other = (t.tasks.get(identifier) for t in (merged.ours, merged.theirs))
        if identifier in whole:
            assert (mine is None) != (other is None)
            continue
        assert mine is not None
        assert other is not None
        apart = {
            name for name in {**mine.fields, **other.fields}
            if mine.fields.get(name) != other.fields.get(name)
        }  # fmt: skip
        assert apart == {c.field for c in merged.conflicts if c.id == identifier}


@given(threes())
def test_no_choice_of_a_side_has_a_fault_that_no_side_has_unless_the_other_choice_mends_it(
    three: tuple[Tree, Tree, Tree],
) -> None:
    merged = merge_trees(*three)
    known = {*faults(three[1].plan), *faults(three[2].plan)}
    assert not set(faults(merged.ours.plan)) & set(faults(merged.theirs.plan)) - known


def test_the_empty_plan_is_a_base_like_any_other() -> None:
    merged = merge_trees(Tree(), of(plan(A)), of(plan(B)))
    assert {*merged.ours.tasks} == {"a", "b"}
