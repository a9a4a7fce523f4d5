"""`tt towns` and `tt towns --prune`, with real Git and the built-in Redis."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Ran
from tests.support.git_repos import git
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.home import ServerHome

Tt = Callable[..., Ran]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def redis(tt: Tt, project: Path, own_home: Path) -> Iterator[Connection]:
    """The built-in server, where `main`, `old` and `busy` have towns and only `main` is left."""
    tt("init")
    git(project, "add", ".")
    git(project, "commit", "-qm", "A town")
    tt("sync")
    for name in ("old", "busy"):
        gone(tt, project, name)
    with Connection.open(ServerHome(own_home / ".tt").address) as connection:
        set_state(connection, "shop-busy", "running")
        yield connection


def gone(tt: Tt, project: Path, branch: str, back: str = "main") -> None:
    """Sync a new branch, and delete it again."""
    git(project, "switch", "-qc", branch)
    assert tt("sync").code == 0
    git(project, "switch", "-q", back)
    git(project, "branch", "-qD", branch)


def set_state(redis: Connection, town: str, state: str) -> None:
    keys = redis.execute("KEYS", f"tt:{town}:task:*")
    assert isinstance(keys, list)
    redis.execute("HSET", keys[0], "state", state)  # type: ignore[arg-type]


def names(tt: Tt) -> list[str]:
    return [town["name"] for town in tt("towns", "--json").data["towns"]]


def bases(project: Path) -> list[str]:
    return git(project, "for-each-ref", "--format=%(refname)", "refs/worktree").split()


def test_towns_of_gone_branches_are_removed_and_busy_ones_stay(
    tt: Tt, project: Path, redis: Connection
) -> None:
    ran = tt("towns", "--prune", "--yes")
    assert (ran.code, ran.err) == (0, "")
    stays = "it stays: 1 of its tasks is assigned or running"
    assert ran.lines == [
        f"= shop-busy  3 tasks, branch busy is gone; {stays}",
        "- shop-old  3 tasks, branch old is gone",
        "Removed 1 town.",
    ]
    assert names(tt) == ["shop-busy", "shop-main"]
    assert bases(project) == [f"refs/worktree/tt/shop-{name}" for name in ("busy", "main")]
    assert redis.execute("KEYS", "tt:shop-old:*") == []
    assert tt("towns", "--prune", "--yes").lines[-1].startswith("= shop-busy")


@pytest.mark.parametrize("how", [(), ("--dry-run",), ("--dry-run", "--yes"), ("--json",)])
def test_nothing_is_removed_unless_somebody_says_yes(
    tt: Tt, project: Path, redis: Connection, how: tuple[str, ...]
) -> None:
    before = names(tt), bases(project)
    ran = tt("towns", "--prune", *how)
    assert ran.code == 0
    if "--json" in how:
        assert ran.data["dry_run"] is True
        assert [one["why"] == "" for one in ran.data["towns"]] == [False, True]
    else:
        assert ran.lines[-1] == "Nothing was removed; with --yes 1 town would be."
    assert (names(tt), bases(project)) == before


@pytest.mark.parametrize(("said", "left"), [("n", 3), ("", 3), ("y", 2)])
def test_on_a_terminal_it_asks(
    tt: Tt, project: Path, redis: Connection, said: str, left: int
) -> None:
    outer, inner = pty.openpty()
    try:
        os.write(outer, f"{said}\n".encode())
        ended = subprocess.run(
            [sys.executable, "-m", "tt", "towns", "--prune"],
            env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=inner, capture_output=True,
            text=True, check=True, timeout=60,
        )  # fmt: skip
    finally:
        os.close(outer)
        os.close(inner)
    assert "Remove it from Redis? [y/N]" in ended.stderr
    assert "Remove it" not in ended.stdout
    assert len(names(tt)) == left


def test_programs_are_told_what_was_removed(tt: Tt, redis: Connection) -> None:
    data = tt("towns", "--prune", "--yes", "--json").data
    assert [town["name"] for town in data["removed"]] == ["shop-old"]
    assert data["dry_run"] is False


@pytest.mark.parametrize("where", ["branch", "worktree", "remote", "unborn"])
def test_a_town_whose_branch_is_anywhere_stays(
    tt: Tt, project: Path, tmp_path: Path, redis: Connection, where: str
) -> None:
    if where == "branch":
        git(project, "branch", "old")
    elif where == "worktree":
        git(project, "worktree", "add", "-q", "-b", "old", str(tmp_path / "linked"))
    elif where == "remote":
        git(project, "update-ref", "refs/remotes/team/fork/old", "HEAD")
    else:
        git(project, "worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
        git(tmp_path / "linked", "switch", "-q", "--orphan", "old")
    assert tt("towns", "--prune", "--yes").lines[-1].startswith("= shop-busy")
    assert "shop-old" in names(tt)


def test_towns_of_other_repositories_are_left_alone(
    tt: Tt, project: Path, redis: Connection
) -> None:
    redis.execute("HSET", "tt:shop-old:plan", "repo", "somebody else")
    redis.execute("HDEL", "tt:shop-busy:plan", "repo")
    ran = tt("towns", "--prune", "--yes")
    assert ran.lines == ["No town of this repository has lost its branch."]
    refused = tt("towns", "--prune", "--yes", "shop-old")
    assert refused.code == 1
    assert "`shop-old` is not removed: it is not this repository's." in refused.err
    assert len(names(tt)) == 3


def test_a_town_that_this_clone_never_synced_may_be_a_teammates(
    tt: Tt, project: Path, tmp_path: Path, redis: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(project, "clone", "-q", str(project), str(tmp_path / "mine"))
    monkeypatch.chdir(tmp_path / "mine")
    kept = tt("towns", "--prune", "--yes")
    assert "- " not in kept.out
    assert "this clone never synced it, another may" in kept.out
    named = tt("towns", "--prune", "--yes", "shop-old")
    assert (named.code, named.lines[-1]) == (0, "Removed 1 town.")
    assert names(tt) == ["shop-busy", "shop-main"]


def test_a_base_of_another_worktree_of_this_clone_counts(
    tt: Tt, project: Path, tmp_path: Path, redis: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked = tmp_path / "linked"
    git(project, "worktree", "add", "-q", "-b", "side", str(linked))
    monkeypatch.chdir(linked)
    assert tt("towns", "--prune", "--yes").lines[-1] == "Removed 1 town."
    assert "shop-old" not in names(tt)
    gone(tt, linked, "late", back="side")
    monkeypatch.chdir(project)
    assert tt("towns", "--prune", "--yes").lines[-1] == "Removed 1 town."
    assert "shop-late" not in names(tt)


def test_without_an_identity_from_init_an_owned_town_is_this_clones(tt: Tt, project: Path) -> None:
    tt("sync")
    gone(tt, project, "old")
    git(project, "update-ref", "-d", "refs/worktree/tt/shop-old")
    assert tt("towns", "--prune", "--yes").lines[-1] == "Removed 1 town."


def test_what_is_named_is_judged_alone_and_has_to_be_removable(
    tt: Tt, project: Path, redis: Connection
) -> None:
    for name, why in (
        ("shop-main", "it is the town of this worktree"),
        ("shop-odl", "there is none of that name"),
    ):
        refused = tt("towns", "--prune", "--yes", name)
        assert refused.code == 1
        assert f"`{name}` is not removed: {why}." in refused.err
    busy = tt("towns", "--prune", "--yes", "shop-busy")
    assert busy.code == 1
    assert "1 of its tasks is assigned or running" in busy.out
    assert len(names(tt)) == 3


def test_a_town_with_a_name_of_its_own_does_not_go_with_one_branch(
    tt: Tt, project: Path, redis: Connection
) -> None:
    git(project, "switch", "-qc", "brief")
    tt("--name", "everything", "sync")
    git(project, "switch", "-q", "main")
    git(project, "branch", "-qD", "brief")
    ran = tt("towns", "--prune", "--yes")
    assert "= everything  3 tasks, branch brief is gone; it stays: it has a name of its own" in (
        ran.out
    )
    assert "everything" in names(tt)
    fixed = tt("--name", "everything", "towns", "--prune", "--yes")
    assert "everything" not in fixed.out


def test_pruning_needs_git_and_its_options_need_pruning(
    tt: Tt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert tt("towns", "--prune").code == 1
    assert tt("towns", "--yes").code == 2
    assert tt("towns", "some").code == 2
