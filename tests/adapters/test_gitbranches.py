"""Which branches there are: a list that Git cannot give is not an empty one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.git_repos import git, repository
from tt.adapters.gitbranches import read_branches
from tt.adapters.gitrepo import find
from tt.errors import TTError


def test_branches_are_there_wherever_they_are(tmp_path: Path) -> None:
    top = repository(tmp_path / "here")
    git(top, "branch", "team/own")
    git(top, "update-ref", "refs/remotes/fork/one/team/theirs", "HEAD")
    git(top, "tag", "v1")
    found = find(top)
    assert found is not None
    with found:
        branches = read_branches(found)
    assert all(map(branches.has, ("main", "team/own", "team/theirs")))
    assert not any(map(branches.has, ("v1", "own", "theirs/", "fork", "")))


def test_the_branch_of_a_repository_without_a_commit_is_there(tmp_path: Path) -> None:
    top = tmp_path / "new"
    git(tmp_path, "init", "-q", "-b", "first", str(top))
    found = find(top)
    assert found is not None
    with found:
        assert read_branches(found).has("first")


def test_refs_that_git_cannot_read_are_no_empty_list(tmp_path: Path) -> None:
    top = repository(tmp_path / "here")
    found = find(top)
    assert found is not None
    (top / ".git" / "packed-refs").write_text("this is no line of packed refs\n")
    with found, pytest.raises(TTError, match="cannot list the branches"):
        read_branches(found)
