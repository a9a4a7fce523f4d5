"""Orders of things merged three ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tt.core.three import Three, picked
from tt.core.weave import surviving, weave


def woven(base: str, ours: str, theirs: str) -> str:
    orders = Three(list(base), list(ours), list(theirs))
    return "".join(weave(orders, surviving(orders), rank=lambda key: key))


TABLE = {
    "theirs came in between": ("zx", "zx", "zyx", "zyx"),
    "theirs came first": ("zx", "zx", "yzx", "yzx"),
    "ours came last, theirs in between": ("zx", "zxa", "zyx", "zyxa"),
    "each removed another": ("zyx", "zx", "zy", "z"),
    "both came to one place: by rank": ("zx", "zcx", "zbx", "zbcx"),
    "runs stay together": ("zx", "zcax", "zbdx", "zbdcax"),
    "the side that moved things has its way": ("zyx", "zyx", "xzy", "xzy"),
    "ours where both moved": ("zyx", "xyz", "yxz", "xyz"),
    "a neighbour that is gone is looked past": ("zyx", "zx", "zyax", "zax"),
    "sorted sides stay sorted": ("ad", "acd", "abd", "abcd"),
    "sorted runs are merged": ("ag", "acfg", "abdg", "abcdfg"),
}


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "result"), [pytest.param(*row, id=n) for n, row in TABLE.items()]
)
def test_an_order_is_merged_as_the_table_says(
    base: str, ours: str, theirs: str, result: str
) -> None:
    assert woven(base, ours, theirs) == result


@pytest.mark.parametrize(("base", "ours", "theirs", "_"), TABLE.values())
def test_the_order_seldom_depends_on_whose_side_is_whose(
    base: str, ours: str, theirs: str, _: str
) -> None:
    if (base, ours, theirs) != ("zyx", "xyz", "yxz"):
        assert woven(base, ours, theirs) == woven(base, theirs, ours)


_orders = st.lists(st.sampled_from("abcdefgh"), unique=True).map("".join)


@given(_orders, _orders, _orders)
def test_all_that_is_kept_is_there_once(base: str, ours: str, theirs: str) -> None:
    found = woven(base, ours, theirs)
    assert sorted(found) == sorted(surviving(Three(list(base), list(ours), list(theirs))))


@given(_orders, _orders)
def test_one_side_alone_decides_where_the_other_changed_nothing(base: str, ours: str) -> None:
    assert woven(base, ours, base) == ours
    assert woven(base, base, ours) == ours


def test_of_two_that_mean_the_same_the_changed_one_is_picked() -> None:
    assert picked(Three("a", "a", "b")) == "b"
    assert picked(Three("a", "b", "a")) == "b"
    assert picked(Three("a", "b", "c")) == "b"
