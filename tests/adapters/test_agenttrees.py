"""Agents' worktrees, with real Git: what is made, what is said of it, and what is never lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.git_repos import commit, git, repository
from tt.adapters.agenttrees import AgentTrees
from tt.adapters.gitrepo import find
from tt.app.isolating import provide
from tt.core.isolation import AgentTree, Merge
from tt.errors import TTError


def trees(top: Path, folder: str = "") -> AgentTrees:
    found = find(top)
    assert found is not None
    found.close()
    return AgentTrees(found, folder)


def made(top: Path, agent: str = "dev") -> Path:
    return Path(trees(top).add(agent).path)


def look(top: Path, agent: str = "dev") -> AgentTree:
    found = trees(top).find(agent)
    assert found is not None
    return found


def test_a_worktree_is_beside_the_repository_on_a_branch_of_its_own(tmp_path: Path) -> None:
    top = repository(tmp_path / "shop")
    tree = trees(top).add("dev")
    assert tree == AgentTree("dev", str(tmp_path / "shop-dev"), "tt/dev", merge=Merge.NOTHING)
    assert git(Path(tree.path), "symbolic-ref", "HEAD") == "refs/heads/tt/dev"


def test_from_another_worktree_it_is_beside_the_main_one(tmp_path: Path) -> None:
    top = repository(tmp_path / "shop")
    git(top, "worktree", "add", "--quiet", str(tmp_path / "deep" / "other"))
    assert trees(tmp_path / "deep" / "other").place("dev") == tmp_path / "shop-dev"


def test_the_settings_may_say_where_worktrees_are_made(tmp_path: Path) -> None:
    top = repository(tmp_path / "shop")
    assert trees(top, "../agents").place("dev") == tmp_path / "agents" / "dev"


def test_an_agent_gets_its_worktree_once(tmp_path: Path) -> None:
    top = repository(tmp_path / "shop")
    first, second = provide(trees(top), "dev"), provide(trees(top), "dev")
    assert (first.made, second.made, first.tree) == (True, False, second.tree)


def test_a_branch_that_is_there_is_gone_on_with(tmp_path: Path) -> None:
    top = repository(tmp_path / "shop")
    path = made(top)
    commit(path, "a.txt", "a")
    git(top, "worktree", "remove", str(path))
    assert provide(trees(top), "dev").tree.ahead == 1


def test_a_worktree_that_somebody_deleted_is_made_anew(tmp_path: Path) -> None:
    top = repository(tmp_path / "shop")
    path = made(top)
    commit(path, "a.txt", "a")
    path.rename(tmp_path / "away")
    assert look(top).missing
    tree = provide(trees(top), "dev").tree
    assert (tree.missing, tree.ahead, (path / "a.txt").read_text()) == (False, 1, "a")


def test_what_stands_in_the_way_is_left_alone(tmp_path: Path) -> None:
    top = repository(tmp_path / "shop")
    (tmp_path / "shop-dev").mkdir()
    (tmp_path / "shop-dev" / "mine").write_text("mine")
    with pytest.raises(TTError, match=r"Git cannot make the worktree .*already exists"):
        trees(top).add("dev")
    assert (tmp_path / "shop-dev" / "mine").read_text() == "mine"


def test_commits_are_counted_and_tried_out_without_touching_anything(tmp_path: Path) -> None:
    top = repository(tmp_path / "shop")
    path = made(top)
    commit(path, "a.txt", "a")
    before = git(top, "status", "--porcelain"), git(top, "rev-parse", "HEAD")
    tree = look(top)
    assert (tree.ahead, tree.merge, tree.is_ready) == (1, Merge.CLEAN, True)
    assert (git(top, "status", "--porcelain"), git(top, "rev-parse", "HEAD")) == before


def test_a_branch_that_conflicts_says_in_which_files(tmp_path: Path) -> None:
    top = repository(tmp_path / "shop")
    path = made(top)
    commit(path, "a b.txt", "theirs")
    commit(top, "a b.txt", "ours")
    tree = look(top)
    assert (tree.merge, tree.clashes, tree.is_ready) == (Merge.CONFLICTS, ("a b.txt",), False)


def test_uncommitted_work_is_counted_with_new_files_and_without_ignored_ones(
    tmp_path: Path,
) -> None:
    top = repository(tmp_path / "shop")
    path = made(top)
    commit(path, ".gitignore", "*.log\n")
    (path / "tasks.toml").write_text("y = 2\n")
    (path / "new").mkdir()
    (path / "new" / "file").write_text("n")
    (path / "x.log").write_text("l")
    assert (look(top).changed, look(top).is_ready) == (2, False)


@pytest.mark.skipif(os.name != "posix", reason="links")
def test_git_keeps_what_was_not_committed_whatever_it_was_asked(tmp_path: Path) -> None:
    top = repository(tmp_path / "shop")
    path = made(top)
    tree = look(top)
    (path / "late.txt").write_text("written after the look")
    with pytest.raises(TTError, match="Git keeps the worktree"):
        trees(top).remove(tree)
    assert (path / "late.txt").exists()


def test_a_merged_branch_goes_with_its_worktree(tmp_path: Path) -> None:
    top = repository(tmp_path / "shop")
    path = made(top)
    commit(path, "a.txt", "a")
    git(top, "merge", "--quiet", "tt/dev")
    assert trees(top).remove(look(top))
    assert not path.exists()
    assert git(top, "branch", "--list", "tt/*") == ""


def test_a_branch_that_was_merged_as_one_commit_has_nothing_left_and_is_kept(
    tmp_path: Path,
) -> None:
    top = repository(tmp_path / "shop")
    path = made(top)
    commit(path, "a.txt", "a")
    git(top, "merge", "--quiet", "--squash", "tt/dev")
    git(top, "commit", "--quiet", "-m", "squashed")
    tree = look(top)
    assert (tree.ahead, tree.merge, tree.has_news) == (1, Merge.NOTHING, False)
    assert not trees(top).remove(tree)
    assert git(top, "branch", "--list", "--format=%(refname:short)", "tt/*") == "tt/dev"


def test_other_worktrees_are_nobodys(tmp_path: Path) -> None:
    top = repository(tmp_path / "shop")
    git(top, "worktree", "add", "--quiet", "-b", "feature", str(tmp_path / "f"))
    made(top)
    assert [tree.agent for tree in trees(top).list()] == ["dev"]
