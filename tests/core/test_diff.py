"""The vocabulary of change: what differs, how to apply it, how to take it back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.support.plans import descendants, plan, plans, task
from tt.core.diff import Added, Edited, Removed, apply, diff, diff_fields, invert, with_field
from tt.core.model import META_ID
from tt.core.values import ABSENT, Literal

pairs = plans(valid=False).flatmap(
    lambda before: st.tuples(st.just(before), descendants(before, valid=False))
)


@given(plans(valid=False), plans(valid=False))
def test_applying_the_difference_of_any_two_plans_makes_the_one_of_the_other(before, after) -> None:
    assert apply(before, diff(before, after)) == after


@given(pairs)
def test_the_inverse_changes_backwards_give_back_what_was(pair) -> None:
    before, after = pair
    changes = diff(before, after)
    assert apply(after, [invert(change) for change in reversed(changes)]) == before
    assert [invert(invert(change)) for change in changes] == changes


@given(plans(valid=False))
def test_a_plan_does_not_differ_from_itself(one) -> None:
    assert diff(one, one) == []
    assert diff(one, apply(one, [])) == []


@given(pairs)
def test_no_change_is_listed_that_changes_nothing(pair) -> None:
    before, after = pair
    for change in diff(before, after):
        assert apply(before, [change]) != before


def test_changes_are_named_field_by_field() -> None:
    before = plan(task("a", agent="dev", tags=["x"]), task("b"), meta={"description": "old"})
    after = plan(task("a", status="running", agent="dev"), task("c"), meta={"default_agent": "dev"})
    assert diff(before, after) == [
        Edited(META_ID, "default_agent", ABSENT, "dev"),
        Edited(META_ID, "description", "old", ABSENT),
        Edited("a", "status", "pending", "running"),
        Edited("a", "tags", ["x"], ABSENT),
        Added(task("c")),
        Removed(task("b")),
    ]


def test_another_order_of_tasks_or_keys_is_no_change() -> None:
    one = plan(task("a", priority=1, notes="n"), task("b"))
    other = plan(task("b"), task("a", notes="n", priority=1))
    assert diff(one, other) == []


def test_values_of_different_types_differ() -> None:
    before, after = {"n": 1, "b": "true"}, {"n": Literal("1.0"), "b": Literal("true")}
    assert [edit.field for edit in diff_fields("a", before, after)] == ["n", "b"]


def test_an_edit_of_a_task_that_is_gone_makes_no_task() -> None:
    assert apply(plan(), [Edited("a", "agent", ABSENT, "dev")]) == plan()
    assert apply(plan(), [Removed(task("a"))]) == plan()


def test_applying_leaves_its_inputs_alone() -> None:
    before = plan(task("a", agent="dev"), meta={"m": 1})
    apply(
        before, [Edited("a", "agent", "dev", ABSENT), Edited(META_ID, "m", 1, 2), Added(task("b"))]
    )
    assert before == plan(task("a", agent="dev"), meta={"m": 1})
    assert with_field(before.meta, "m", ABSENT) == {}
    assert before.meta == {"m": 1}
