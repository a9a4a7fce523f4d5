"""Agents' worktrees in words: how each stands, and what can be pasted to merge it."""

from __future__ import annotations

import pytest

from tt.core.isolation import AgentTree, Merge
from tt.render.isolation import merge_lines, standing, tree_lines
from tt.render.text import Look


def tree(agent: str = "dev", **facts: object) -> AgentTree:
    return AgentTree(agent, f"/w/{agent}", f"tt/{agent}", **facts)  # type: ignore[arg-type]  # a test's short hand


@pytest.mark.parametrize(
    ("facts", "words", "ready", "news"),
    [
        ({}, "has nothing new", False, False),
        ({"ahead": 2, "merge": Merge.CLEAN}, "is ready to merge (2 commits)", True, True),
        ({"ahead": 1, "merge": Merge.NOTHING}, "is merged", False, False),
        ({"changed": 1}, "has uncommitted work in 1 file", False, True),
        ({"ahead": 1, "changed": 3, "merge": Merge.CLEAN}, "has uncommitted work in 3 files", False,
         True),
        ({"ahead": 1, "merge": Merge.CONFLICTS, "clashes": ("a", "b", "c", "d")},
         "conflicts (1 commit): a, b, c and 1 more", False, True),
        ({"ahead": 1, "merge": Merge.UNKNOWN},
         "is ready to merge (1 commit, whether it conflicts this Git cannot tell)", True, True),
        ({"missing": True}, "is gone", False, False),
        ({"missing": True, "ahead": 1, "merge": Merge.CLEAN},
         "is gone, but its branch has 1 commit", True, True),
    ],
)  # fmt: skip
def test_each_worktree_says_how_it_stands(
    facts: dict[str, object], words: str, ready: bool, news: bool
) -> None:
    found = tree(**facts)
    assert (standing(found), found.is_ready, found.has_news) == (words, ready, news)


def test_only_branches_with_something_new_are_told_at_the_end() -> None:
    assert merge_lines([tree()], Look()) == []
    trees = [tree(), tree("ops", ahead=1, merge=Merge.CLEAN), tree("qa", changed=2)]
    assert merge_lines(trees, Look()) == [
        "Branches of agents:",
        "    tt/ops is ready to merge (1 commit): `git merge tt/ops`",
        "    tt/qa has uncommitted work in 2 files: /w/qa",
    ]


def test_a_branch_with_an_odd_name_can_be_pasted_without_harm() -> None:
    (_, line) = merge_lines([tree("a;$(b)\x1b[2J", ahead=1, merge=Merge.CLEAN)], Look())
    assert line.endswith("`git merge 'tt/a;$(b)�[2J'`")


def test_worktrees_stand_in_columns() -> None:
    assert tree_lines([tree("a"), tree("long")], Look()) == [
        "a     tt/a     has nothing new  /w/a",
        "long  tt/long  has nothing new  /w/long",
    ]
