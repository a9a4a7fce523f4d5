"""Reading and staging one path of an index, and commits of it apart from the index: on real Git."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.git_repos import commit, git, init, repository
from tt.adapters.gitcommit import GitCommitter
from tt.adapters.gitindex import GitIndex
from tt.adapters.gitrepo import GitRepository, find
from tt.errors import TTError
from tt.ports import Staged

PLAN = Path("tasks.toml")
OTHER = "other.txt"


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    made = repository(tmp_path / "scratch")
    commit(made, OTHER, "other\n")
    (made / OTHER).write_text("unstaged\n", encoding="utf-8")
    return made


@pytest.fixture
def found(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitRepository]:
    monkeypatch.chdir(scratch)
    made = find(scratch)
    assert made is not None
    with made:
        yield made


def _read(index: GitIndex) -> Staged:
    staged = index.read(PLAN)
    assert staged is not None
    return staged


def _entries(where: Path) -> dict[str, str]:
    """Every entry of the index, by path."""
    lines = git(where, "ls-files", "--stage").splitlines()
    return {line.split("\t")[1]: line.split("\t")[0] for line in lines}


def test_what_is_staged_is_read_with_its_mode(scratch: Path, found: GitRepository) -> None:
    (scratch / PLAN).write_text("unstaged = 1\n", encoding="utf-8")
    staged = _read(GitIndex(found))
    assert (staged.mode, staged.data) == ("100644", b"x = 1\n")
    assert staged.oid == git(scratch, "rev-parse", ":tasks.toml")


@pytest.mark.parametrize("how", ["absent", "intent", "link", "conflict"])
def test_what_is_no_file_to_be_committed_is_not_read(
    scratch: Path, found: GitRepository, how: str
) -> None:
    if how == "conflict":
        blob = git(scratch, "rev-parse", "HEAD:tasks.toml")
        git(scratch, "rm", "--cached", "--quiet", "tasks.toml")
        lines = "".join(f"100644 {blob} {n}\ttasks.toml\n" for n in (1, 2, 3))
        git(scratch, "update-index", "--index-info", given=lines)
    else:
        git(scratch, "rm", "--cached", "--quiet", "tasks.toml")
    if how == "intent":
        git(scratch, "add", "--intent-to-add", "tasks.toml")
        assert _read(GitIndex(found)).data == b""  # it reads as an empty file: no plan
        return
    if how == "link":
        (scratch / PLAN).unlink()
        (scratch / "tasks.toml").symlink_to("nowhere/else.toml")
        git(scratch, "add", "tasks.toml")
    assert GitIndex(found).read(PLAN) is None


def test_a_file_is_staged_and_nothing_else(scratch: Path, found: GitRepository) -> None:
    index, before = GitIndex(found), _entries(scratch)
    staged = _read(index)
    (scratch / PLAN).write_bytes(b"x = 2\n")
    index.stage_file(PLAN, staged, b"x = 2\n")
    after = _entries(scratch)
    assert git(scratch, "show", ":tasks.toml") == "x = 2"
    assert {name: entry for name, entry in after.items() if name != "tasks.toml"} == {
        OTHER: before[OTHER]
    }
    assert git(scratch, "diff-files", "--name-only") == OTHER, "the index knows its time stamps"


def test_other_bytes_than_the_file_has_are_staged(scratch: Path, found: GitRepository) -> None:
    index = GitIndex(found)
    (scratch / PLAN).write_bytes(b"unstaged = 1\n")
    index.stage(PLAN, _read(index), b"x = 3\n")
    assert git(scratch, "show", ":tasks.toml") == "x = 3"
    assert (scratch / PLAN).read_bytes() == b"unstaged = 1\n"


def test_a_save_in_between_is_not_staged(
    scratch: Path, found: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = GitIndex(found)
    staged = _read(index)
    (scratch / PLAN).write_bytes(b"saved by somebody = 1\n")
    index.stage_file(PLAN, staged, b"x = 2\n")
    assert git(scratch, "show", ":tasks.toml") == "x = 2"
    assert (scratch / PLAN).read_bytes() == b"saved by somebody = 1\n"


def test_a_mode_that_was_not_staged_is_not_staged(scratch: Path, found: GitRepository) -> None:
    index = GitIndex(found)
    staged = _read(index)
    (scratch / PLAN).write_bytes(b"x = 2\n")
    (scratch / PLAN).chmod(0o755)
    index.stage_file(PLAN, staged, b"x = 2\n")
    assert _entries(scratch)["tasks.toml"].startswith("100644 ")
    assert git(scratch, "show", ":tasks.toml") == "x = 2"


def test_line_endings_are_staged_as_git_stores_them(scratch: Path, found: GitRepository) -> None:
    (scratch / ".gitattributes").write_text("tasks.toml text eol=crlf\n", encoding="utf-8")
    index = GitIndex(found)
    staged = _read(index)
    assert index.holds(staged, PLAN, b"x = 1\r\n")
    assert not index.holds(staged, PLAN, b"x = 1\r\ny = 2\r\n")
    (scratch / PLAN).write_bytes(b"x = 2\r\n")
    index.stage_file(PLAN, staged, b"x = 2\r\n")
    assert _read(index).data == b"x = 2\n"


def test_another_git_that_holds_the_lock_for_a_moment_is_waited_for(
    scratch: Path, found: GitRepository
) -> None:
    index = GitIndex(found)
    staged, lock = _read(index), scratch / ".git" / "index.lock"
    lock.touch()
    freed = threading.Timer(0.1, lock.unlink)
    freed.start()
    index.stage(PLAN, staged, b"x = 4\n")
    freed.join()
    assert git(scratch, "show", ":tasks.toml") == "x = 4"


def test_a_lock_that_stays_is_said_and_left(scratch: Path, found: GitRepository) -> None:
    index = GitIndex(found)
    staged, lock = _read(index), scratch / ".git" / "index.lock"
    lock.touch()
    begun = time.monotonic()
    with pytest.raises(TTError, match=r"tasks\.toml could not be staged: .*index\.lock"):
        index.stage(PLAN, staged, b"x = 4\n")
    assert time.monotonic() - begun < 30
    assert lock.exists()


@pytest.mark.parametrize(
    ("name", "temporary"),
    [
        (".git/index", False),
        (".git/index.lock", False),
        (".git/next-index-123.lock", True),
        ("elsewhere", True),
    ],
)
def test_an_index_that_is_thrown_away_is_told_from_the_real_one(
    scratch: Path, monkeypatch: pytest.MonkeyPatch, name: str, *, temporary: bool
) -> None:
    monkeypatch.chdir(scratch)
    monkeypatch.setenv("GIT_INDEX_FILE", name)
    made = find(scratch)
    assert made is not None
    with made:
        assert GitIndex(made).is_temporary is temporary


def test_the_index_of_a_linked_worktree_is_its_own(scratch: Path, tmp_path: Path) -> None:
    git(scratch, "worktree", "add", "--quiet", str(tmp_path / "linked"))
    made = find(tmp_path / "linked")
    assert made is not None
    with made:
        index = GitIndex(made)
        assert not index.is_temporary
        index.stage(PLAN, _read(index), b"x = 5\n")
    assert git(tmp_path / "linked", "show", ":tasks.toml") == "x = 5"
    assert git(scratch, "show", ":tasks.toml") == "x = 1"


def test_a_commit_has_the_plan_alone_and_the_index_stays(
    scratch: Path, found: GitRepository
) -> None:
    (scratch / "new.txt").write_text("staged\n", encoding="utf-8")
    git(scratch, "add", "new.txt")
    index, head = _entries(scratch), git(scratch, "rev-parse", "HEAD")
    committer = GitCommitter(found)
    before = committer.committed(PLAN)
    assert before is not None
    made = committer.commit(PLAN, before, b"x = 9\n", "Say nine\n\nAnd more.")
    assert git(scratch, "rev-parse", "HEAD", "HEAD^").split() == [made, head]
    assert git(scratch, "diff-tree", "--name-only", "-r", head, made) == "tasks.toml"
    assert git(scratch, "show", f"{made}:tasks.toml") == "x = 9"
    assert git(scratch, "log", "-1", "--format=%B").strip() == "Say nine\n\nAnd more."
    assert _entries(scratch) == index
    assert [path.name for path in (scratch / ".git" / "tt").iterdir()] == []


def test_the_users_hooks_may_refuse_a_commit(scratch: Path, found: GitRepository) -> None:
    hook = scratch / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'not on a Friday' >&2\nexit 1\n", encoding="utf-8")
    hook.chmod(hook.stat().st_mode | stat.S_IXUSR)
    committer, head = GitCommitter(found), git(scratch, "rev-parse", "HEAD")
    before = committer.committed(PLAN)
    assert before is not None
    with pytest.raises(TTError, match="not on a Friday"):
        committer.commit(PLAN, before, b"x = 9\n", "Say nine")
    assert git(scratch, "rev-parse", "HEAD") == head
    assert [path.name for path in (scratch / ".git" / "tt").iterdir()] == []


def test_a_commit_of_somebody_else_at_the_same_moment_is_not_taken_back(
    scratch: Path, found: GitRepository
) -> None:
    """A hook of the user's commits in between, as another process would."""
    hook = scratch / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    theirs = "HEAD^{tree} -p HEAD -m theirs"
    hook.write_text(
        f"#!/bin/sh\nunset GIT_INDEX_FILE\ngit update-ref HEAD $(git commit-tree {theirs})\n",
        encoding="utf-8",
    )
    hook.chmod(hook.stat().st_mode | stat.S_IXUSR)
    committer = GitCommitter(found)
    before = committer.committed(PLAN)
    assert before is not None
    with pytest.raises(TTError):
        committer.commit(PLAN, before, b"x = 9\n", "Say nine")
    assert git(scratch, "log", "-1", "--format=%s") == "theirs"


def test_a_commit_made_from_an_older_head_is_taken_back(
    scratch: Path, found: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its tree would undo what the commit in between did."""
    committer = GitCommitter(found)
    before = committer.committed(PLAN)
    original = GitCommitter._with

    def with_race(self: GitCommitter, index: Path, *arguments: str, given: bytes = b"") -> str:
        if arguments[0] == "commit":
            git(scratch, "commit", "--quiet", "-am", "theirs")
        return original(self, index, *arguments, given=given)

    monkeypatch.setattr(GitCommitter, "_with", with_race)
    assert before is not None
    with pytest.raises(TTError, match="at the same moment"):
        committer.commit(PLAN, before, b"x = 9\n", "Say nine")
    assert git(scratch, "log", "-1", "--format=%s") == "theirs"
    assert git(scratch, "show", f"HEAD:{OTHER}") == "unstaged"


def test_a_plan_that_is_not_committed_is_none(tmp_path: Path) -> None:
    made = find(init(tmp_path / "empty"))
    assert made is not None
    with made:
        assert GitCommitter(made).committed(PLAN) is None
        commit(tmp_path / "empty", OTHER)
        assert GitCommitter(made).committed(PLAN) is None


def test_no_variable_of_another_repository_reaches_the_index(
    scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hook's GIT_INDEX_FILE is for the repository of its directory."""
    other = repository(tmp_path / "other")
    monkeypatch.chdir(scratch)
    monkeypatch.setenv("GIT_DIR", str(scratch / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(scratch / ".git" / "next-index-1.lock"))
    made = find(other)
    assert made is not None
    with made:
        index = GitIndex(made)
        assert not index.is_temporary
        index.stage(PLAN, _read(index), b"x = 6\n")
    for name in ("GIT_DIR", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name)
    assert git(other, "show", ":tasks.toml") == "x = 6"
    assert git(scratch, "show", ":tasks.toml") == "x = 1"
    assert os.listdir(scratch / ".git").count("next-index-1.lock") == 0  # noqa: PTH208  names
