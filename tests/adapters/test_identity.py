from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.git_repos import commit, git, init, repository
from tests.support.permissions import needs_permissions
from tt.adapters.gitrepo import GitRepository, find
from tt.adapters.identity import cached_roots, identities, private_id
from tt.errors import TTError


def found(start: Path) -> GitRepository:
    made = find(start)
    assert made is not None
    return made


def test_a_repository_goes_by_its_roots_and_a_private_id(tmp_path: Path) -> None:
    scratch = repository(tmp_path / "scratch")
    root = git(scratch, "rev-parse", "HEAD")
    with found(scratch) as made:
        first = identities(made)
        assert first[0] == root
        assert len(first) == 2
        assert identities(made) == first
    assert (scratch / ".git" / "tt" / "repo").stat().st_mode & 0o777 == 0o600


def test_all_worktrees_have_one_id_and_a_clone_has_another(tmp_path: Path) -> None:
    scratch = repository(tmp_path / "scratch")
    git(scratch, "worktree", "add", "--quiet", "-b", "other", str(tmp_path / "linked"))
    git(scratch, "clone", "--quiet", str(scratch), str(tmp_path / "clone"))
    known = []
    for name in ("scratch", "linked", "clone"):
        with found(tmp_path / name) as made:
            known.append(identities(made))
    here, linked, clone = known
    assert here == linked
    assert here[0] == clone[0]
    assert here[1] != clone[1]


def test_an_unborn_and_a_shallow_repository_have_the_private_id_only(tmp_path: Path) -> None:
    scratch = repository(tmp_path / "scratch")
    commit(scratch, content="x = 2\n")
    git(tmp_path, "clone", "--quiet", "--depth=1", scratch.as_uri(), str(tmp_path / "shallow"))
    init(tmp_path / "new")
    for name in ("shallow", "new"):
        with found(tmp_path / name) as made:
            assert len(identities(made)) == 1


def test_processes_that_make_the_id_at_once_agree(tmp_path: Path) -> None:
    code = "import sys, pathlib; from tt.adapters.identity import private_id\n"
    code += "print(private_id(pathlib.Path(sys.argv[1])))"
    environment = dict(os.environ) | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    command = [sys.executable, "-c", code, str(tmp_path / "tt")]
    processes = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    ids = {process.communicate(timeout=60)[0] for process in processes}
    assert len(ids) == 1
    assert ids == {private_id(tmp_path / "tt") + "\n"}
    assert [path.name for path in (tmp_path / "tt").iterdir()] == ["repo"]


@pytest.mark.parametrize("content", ["", "short\n", "z" * 32])
def test_a_damaged_id_is_an_error_and_stays(tmp_path: Path, content: str) -> None:
    (tmp_path / "repo").write_text(content)
    with pytest.raises(TTError, match="damaged"):
        private_id(tmp_path)
    assert (tmp_path / "repo").read_text() == content


def test_the_roots_are_walked_once_while_history_grows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = repository(tmp_path / "scratch")
    root = git(scratch, "rev-parse", "HEAD")
    with found(scratch) as made:
        assert cached_roots(made) == (root,)
    commit(scratch, content="x = 2\n")
    monkeypatch.setattr(GitRepository, "roots", lambda _: pytest.fail("walked again"))
    with found(scratch) as made:
        assert cached_roots(made) == (root,)


def test_the_roots_of_an_unrelated_branch_are_its_own(tmp_path: Path) -> None:
    scratch = repository(tmp_path / "scratch")
    with found(scratch) as made:
        cached_roots(made)
    git(scratch, "checkout", "--quiet", "--orphan", "second")
    second = commit(scratch, "other", "y")
    with found(scratch) as made:
        assert cached_roots(made) == (second,)


def test_a_file_in_the_way_of_the_id_is_an_error_and_the_roots_are_known(tmp_path: Path) -> None:
    scratch = repository(tmp_path / "scratch")
    (scratch / ".git" / "tt").write_text("in the way")
    with found(scratch) as made:
        assert cached_roots(made) == (git(scratch, "rev-parse", "HEAD"),)
        with pytest.raises(TTError, match="cannot be kept"):
            identities(made)


@needs_permissions
def test_in_a_read_only_git_directory_the_roots_are_the_identity(tmp_path: Path) -> None:
    scratch = repository(tmp_path / "scratch")
    (scratch / ".git").chmod(0o500)
    try:
        with found(scratch) as made:
            assert identities(made) == (git(scratch, "rev-parse", "HEAD"),)
    finally:
        (scratch / ".git").chmod(0o700)
