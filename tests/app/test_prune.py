"""Which towns may go, decided on plain data."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tt.app.prune import Estate, judge, prune
from tt.core.answers import TownFound
from tt.errors import TTError

GONE = TownFound("shop-old", 3, 0, "old", "me and-my-root")


def estate(
    *towns: TownFound, busy: Callable[[str], int] = lambda _: 0, known: bool = True
) -> tuple[Estate, list[str]]:
    """Make an estate on which `main` is the only branch, and a list of what is done to it."""
    done: list[str] = []

    def remove(name: str) -> int:
        done.append(f"remove {name}")
        return 1

    made = Estate(
        here="shop-main",
        owners=frozenset({"me", "another name of mine"}),
        towns=towns,
        exists=lambda branch: branch == "main",
        suffix=lambda branch: f"-{branch}",
        busy=busy,
        known=lambda _: known,
        remove=remove,
        forget=lambda name: done.append(f"forget {name}"),
    )
    return made, done


def test_a_town_that_got_work_after_the_list_was_shown_stays() -> None:
    asked = iter([0, 1])
    made, done = estate(GONE, busy=lambda _: next(asked))
    verdicts = judge(made)
    assert [verdict.goes for verdict in verdicts] == [True]
    assert prune(made, verdicts) == ()
    assert done == []


def test_a_base_goes_after_its_town() -> None:
    made, done = estate(GONE)
    assert prune(made, judge(made)) == (GONE,)
    assert done == ["remove shop-old", "forget shop-old"]


@pytest.mark.parametrize(
    "town",
    [
        TownFound("shop-main", 1, 0, "gone", "me"),
        TownFound("shop-side", 1, 0, "main", "me"),
        TownFound("shop-", 1, 0, "", "me"),
        TownFound("shop-old", 1, 0, "old", ""),
        TownFound("shop-old", 1, 0, "old", "me2 somebody"),
    ],
)
def test_what_is_no_town_of_ours_without_a_branch_is_not_even_listed(town: TownFound) -> None:
    made, _ = estate(town)
    assert judge(made) == ()
    with pytest.raises(TTError, match="is not removed: "):
        judge(made, [town.name])


def test_a_name_that_is_given_overrides_doubt_and_no_work() -> None:
    made, _ = estate(GONE, known=False)
    assert [verdict.goes for verdict in judge(made)] == [False]
    assert [verdict.goes for verdict in judge(made, ["shop-old"])] == [True]
    made, _ = estate(GONE, known=False, busy=lambda _: 2)
    (verdict,) = judge(made, ["shop-old"])
    assert verdict.why == "2 of its tasks are assigned or running"
