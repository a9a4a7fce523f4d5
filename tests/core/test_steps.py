"""What a commit did: against one parent and against several, renamed tasks, and the words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.plans import descendants, plan, plans, task
from tt.core.diff import Added, Edited, Removed, apply, diff
from tt.core.lifeline import Renamed
from tt.core.model import META_ID, Plan
from tt.core.steps import deeds, status_word, steps, value_of
from tt.core.values import ABSENT

families = plans(valid=False).flatmap(
    lambda root: st.tuples(
        st.lists(descendants(root, valid=False), min_size=1, max_size=3),
        descendants(root, valid=False),
    )
)


def fields_of(one: Plan) -> set[tuple[str, str]]:
    found = {(identifier, name) for identifier, t in one.tasks.items() for name in t.fields}
    return found | {(META_ID, name) for name in one.meta}


def told(found: list[object]) -> set[tuple[str, str]]:
    """List the (task, field) pairs that steps say have a new value."""
    spots: set[tuple[str, str]] = set()
    for step in found:
        if isinstance(step, Edited):
            spots.add((step.id, step.field))
        elif isinstance(step, Added | Renamed):
            spots.update((step.id, name) for name in step.task.fields)
    return spots


@given(families)
def test_a_merge_counts_for_every_value_that_no_parent_has_and_for_nothing_else(family) -> None:
    parents, merged = family
    found = steps(parents, merged)
    for identifier, name in fields_of(merged).union(*map(fields_of, parents)):
        value = value_of(merged, identifier, name)
        theirs = [value_of(parent, identifier, name) for parent in parents
                  if identifier == META_ID or identifier in parent.tasks]  # fmt: skip
        new = value not in theirs and (identifier == META_ID or identifier in merged.tasks)
        if identifier == META_ID:
            new = all(value != other for other in theirs)
        assert new == ((identifier, name) in told(found)), (identifier, name)
    gone = {step.id if isinstance(step, Removed) else step.was for step in found
            if isinstance(step, Removed | Renamed)}  # fmt: skip
    everywhere = set.intersection(*(set(parent.tasks) for parent in parents))
    assert gone == everywhere - merged.tasks.keys()


@given(plans(valid=False).flatmap(lambda one: st.tuples(st.just(one), descendants(one))))
def test_with_one_parent_the_steps_lead_from_it_to_the_plan(pair) -> None:
    before, after = pair
    found = steps([before], after)
    changes = []
    for step in found:
        if isinstance(step, Renamed):
            changes += [Removed(before.tasks[step.was]), Added(step.task)]
        else:
            changes.append(step)
    assert apply(before, changes) == after
    assert steps([before, before], after) == found


def test_without_parents_everything_is_new() -> None:
    one = plan(task("a"), meta={"m": 1})
    assert steps([], one) == diff(Plan(), one)


def test_a_task_that_is_the_same_under_another_id_was_renamed() -> None:
    before, after = plan(task("a", agent="dev"), task("b")), plan(task("c", agent="dev"), task("b"))
    assert steps([before], after) == [Renamed("a", task("c", agent="dev"))]
    changed = plan(task("c", agent="ops"), task("b"))
    assert steps([before], changed) == [
        Added(task("c", agent="ops")), Removed(task("a", agent="dev")),
    ]  # fmt: skip


def test_nobody_guesses_which_of_two_equal_tasks_was_renamed() -> None:
    before, after = plan(task("a"), task("b")), plan(task("c"))
    assert steps([before], after) == [Added(task("c")), Removed(task("a")), Removed(task("b"))]
    assert len(steps([after], before)) == 3


def test_what_a_merge_took_from_either_side_is_that_sides_own() -> None:
    ours, theirs = plan(task("a", agent="x"), task("b")), plan(task("a", agent="y"))
    assert steps([ours, theirs], plan(task("a", agent="y"), task("b"))) == []
    evil = plan(task("a", agent="z"), task("b"))
    assert steps([ours, theirs], evil) == [Edited("a", "agent", "x", "z")]
    assert steps([theirs, ours], plan(task("a", agent="y"), task("b", "new"))) == [
        Edited("b", "description", "do it", "new")
    ]


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("pending", "assigned", "assigned"), ("assigned", "running", "started"),
        ("running", "completed", "completed"), ("pending", "completed", "completed"),
        ("running", "failed", "failed"), ("pending", "cancelled", "cancelled"),
        ("completed", "pending", "reopened"), ("failed", "running", "reopened"),
        ("running", "pending", "requeued"), ("running", "assigned", "assigned"),
        ("failed", "completed", "completed"),
    ],
)  # fmt: skip
def test_each_change_of_status_has_a_word(old: str, new: str, word: str) -> None:
    assert status_word(old, new) == word


def test_what_happened_to_a_task_at_once_is_one_deed() -> None:
    before = plan(task("a", "old", "running"), task("b"))
    after = plan(task("a", "new", "completed"), task("c", status="failed", agent="x"))
    assert [(deed.id, deed.did) for deed in deeds(steps([before], after))] == [
        ("a", ("completed", "edited")), ("c", ("created", "failed")), ("b", ("removed",)),
    ]  # fmt: skip


def test_a_status_of_the_plan_itself_is_a_field_like_any_other() -> None:
    found = steps([plan(meta={"status": "running"})], plan(meta={"status": "completed"}))
    assert [deed.did for deed in deeds(found)] == [("edited",)]
    assert value_of(plan(), META_ID, "x") is ABSENT
