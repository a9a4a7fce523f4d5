"""The rule for one value: a truth table, and laws that hold for every value."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.plans import maybe_values, statuses
from tt.core.merge import CLASH, goes_back, merge3, merge_status
from tt.core.model import FINISHED, progress
from tt.core.values import ABSENT, Literal, MaybeValue

A, B, C = "a", "b", "c"

TRIVIAL = {
    "nothing changed": (A, A, A, A),
    "ours changed": (A, B, A, B),
    "theirs changed": (A, A, B, B),
    "both changed to the same": (A, B, B, B),
    "both changed, differently": (A, B, C, CLASH),
    "both added the same": (ABSENT, A, A, A),
    "both added, differently": (ABSENT, A, B, CLASH),
    "ours added": (ABSENT, A, ABSENT, A),
    "ours removed": (A, ABSENT, A, ABSENT),
    "both removed": (A, ABSENT, ABSENT, ABSENT),
    "ours removed, theirs changed": (A, ABSENT, B, CLASH),
    "text and number are different": (ABSENT, "1", 1, CLASH),
    "true is not one": (ABSENT, Literal("true"), 1, CLASH),
    "an empty text is not no text": (A, "", ABSENT, CLASH),
}

LISTS = {
    "each side added": ([A], [A, B], [A, C], [A, B, C]),
    "each side added to nothing": (ABSENT, [A], [B], [A, B]),
    "one added, one removed": ([A, B], [A], [A, B, C], [A, C]),
    "each side removed another": ([A, B], [A], [B], ABSENT),
    "both removed one, one added": ([A, B], [A], [A, C], [A, C]),
    "a removal of all yields to an addition": ([A], ABSENT, [A, B], [B]),
    "what both added is there once": ([A], [A, B], [A, B, C], [A, B, C]),
    "only the order changed": ([A, B], [B, A], [A, B], [B, A]),
    "additions have an order that no side decides": ([], [C], [B], [B, C]),
    "numbers are no set": ([1], [1, 2], [1, 3], CLASH),
    "a list and a text clash": ([A], [A, B], A, CLASH),
    "a list in place of a text clashes": (A, [A], [B], CLASH),
}

TABLES = {
    "each side set another key": ({}, {"k": 1}, {"l": 2}, {"k": 1, "l": 2}),
    "each side changed another key": (
        {"k": 1, "l": 1},
        {"k": 2, "l": 1},
        {"k": 1, "l": 2},
        {"k": 2, "l": 2},
    ),
    "both changed one key, differently": ({"k": 1}, {"k": 2}, {"k": 3}, CLASH),
    "one removed a key, one changed another": (
        {"k": 1, "l": 1},
        {"l": 1},
        {"k": 1, "l": 2},
        {"l": 2},
    ),
    "one removed a key that one changed": ({"k": 1, "l": 1}, {"l": 1}, {"k": 2, "l": 1}, CLASH),
    "a table within a table": (
        {"t": {"k": 1, "l": 1}},
        {"t": {"k": 2, "l": 1}},
        {"t": {"k": 1, "l": 2}},
        {"t": {"k": 2, "l": 2}},
    ),
    "lists in it merge as sets": ({"t": [A]}, {"t": [A, B]}, {"t": [A, C]}, {"t": [A, B, C]}),
    "the last keys go": ({"k": 1, "l": 1}, {"k": 1}, {"l": 1}, {}),
    "one removed the table, one changed it": ({"k": 1}, ABSENT, {"k": 2}, CLASH),
}


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [pytest.param(*row, id=name) for name, row in (TRIVIAL | LISTS | TABLES).items()],
)
def test_a_value_merges_as_the_table_says(
    base: MaybeValue, ours: MaybeValue, theirs: MaybeValue, merged: MaybeValue
) -> None:
    assert merge3(base, ours, theirs) == merged
    assert merge3(base, theirs, ours) == merged


STATUS = {
    "only one side went on": ("pending", "running", "pending", "running"),
    "one side was reset": ("completed", "pending", "completed", "pending"),
    "finished beats running": ("pending", "completed", "running", "completed"),
    "running beats assigned": ("pending", "running", "assigned", "running"),
    "assigned beats pending": ("running", "assigned", "pending", "assigned"),
    "finished beats a reset": ("completed", "pending", "failed", "failed"),
    "two different ends clash": ("running", "completed", "failed", CLASH),
    "two different ends clash without a base": (ABSENT, "completed", "cancelled", CLASH),
    "without a base the further one wins": (ABSENT, "pending", "running", "running"),
    "both reset it": ("completed", "pending", "pending", "pending"),
}


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [pytest.param(*row, id=name) for name, row in STATUS.items()],
)
def test_a_status_merges_by_progress(
    base: MaybeValue, ours: str, theirs: str, merged: MaybeValue
) -> None:
    assert merge_status(base, ours, theirs) == merged
    assert merge_status(base, theirs, ours) == merged


def test_progress_orders_the_statuses() -> None:
    order = ["pending", "assigned", "running", "completed"]
    assert [progress(status) for status in order] == [0, 1, 2, 3]
    assert {progress(status) for status in FINISHED} == {3}


@pytest.mark.parametrize(
    ("before", "after", "back"),
    [
        ("pending", "pending", False),
        ("pending", "running", False),
        ("running", "pending", True),
        ("running", "assigned", True),
        ("assigned", "pending", True),
        ("running", "completed", False),
        ("completed", "running", True),
        ("completed", "failed", True),
        ("completed", "completed", False),
    ],
)
def test_going_back_undoes_progress_or_an_end(before: str, after: str, back: bool) -> None:
    assert goes_back(before, after) is back


# Laws


def _scalars(value: MaybeValue) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _scalars(item)
    elif isinstance(value, list):
        for item in value:
            yield from _scalars(item)
    elif value is not ABSENT:
        yield repr(value)


@given(maybe_values, maybe_values)
def test_a_side_that_left_the_base_alone_yields(base: MaybeValue, changed: MaybeValue) -> None:
    assert merge3(base, changed, base) == changed
    assert merge3(base, base, changed) == changed


@given(maybe_values, maybe_values)
def test_sides_that_agree_win(base: MaybeValue, changed: MaybeValue) -> None:
    assert merge3(base, changed, changed) == changed


@given(maybe_values, maybe_values, maybe_values)
def test_swapping_the_sides_changes_nothing(
    base: MaybeValue, ours: MaybeValue, theirs: MaybeValue
) -> None:
    assert merge3(base, ours, theirs) == merge3(base, theirs, ours)


@given(maybe_values, maybe_values, maybe_values)
def test_every_scalar_comes_from_a_side(
    base: MaybeValue, ours: MaybeValue, theirs: MaybeValue
) -> None:
    merged = merge3(base, ours, theirs)
    if merged is not CLASH:
        assert set(_scalars(merged)) <= {*_scalars(ours), *_scalars(theirs)}


@given(maybe_values, maybe_values, maybe_values)
def test_merging_the_result_again_changes_nothing(
    base: MaybeValue, ours: MaybeValue, theirs: MaybeValue
) -> None:
    merged = merge3(base, ours, theirs)
    if merged is not CLASH:
        assert merge3(base, merged, merged) == merged
        assert merge3(ours, merged, ours) == merged


_texts = st.lists(st.sampled_from("abcde"), unique=True).map(list[str])


@given(_texts, _texts, _texts)
def test_a_list_has_what_a_side_added_and_lacks_what_a_side_removed(
    base: list[str], ours: list[str], theirs: list[str]
) -> None:
    merged = merge3(list(base), list(ours), list(theirs))
    found = set() if merged is ABSENT else set(merged)  # type: ignore[arg-type]
    added = (set(ours) | set(theirs)) - set(base)
    removed = set(base) - (set(ours) & set(theirs))
    assert found == (set(base) | added) - removed


@given(st.one_of(st.just(ABSENT), statuses), statuses, statuses)
def test_a_merged_status_is_one_of_the_sides_and_behind_neither_unless_one_stood_still(
    base: str, ours: str, theirs: str
) -> None:
    merged = merge_status(base, ours, theirs)
    assert merged == merge_status(base, theirs, ours)
    if merged is CLASH:
        assert {ours, theirs} <= FINISHED
        return
    assert merged in (ours, theirs)
    if base not in (ours, theirs):
        assert progress(str(merged)) == max(progress(ours), progress(theirs))
