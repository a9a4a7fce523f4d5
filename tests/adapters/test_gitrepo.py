from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.git_repos import commit, git, init, repository
from tt.adapters import gitproc
from tt.adapters.gitproc import GitMissingError, GitProcess, run
from tt.adapters.gitrepo import GitRepository, find
from tt.errors import TTError

PLAN = Path("tasks.toml")


def found(start: Path) -> GitRepository:
    made = find(start)
    assert made is not None
    return made


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    return repository(tmp_path / "scratch")


@pytest.fixture(autouse=True)
def no_leaks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test leaves as many open files as it found, and none of its processes."""
    started: list[int] = []

    def spawn(*arguments: Any) -> tuple[int, int, int, int]:
        made = original(*arguments)
        started.append(made[0])
        return made

    original = gitproc._spawn
    monkeypatch.setattr(gitproc, "_spawn", spawn)
    before = len(list(Path("/dev/fd").iterdir()))
    yield
    assert len(list(Path("/dev/fd").iterdir())) == before
    for pid in started:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_versions_are_those_since_the_history_was_left(scratch: Path) -> None:
    def write(content: str) -> str:
        return commit(scratch, "tasks.toml", content)

    second, third = write("x = 2\n"), write("x = 3\n")
    commit(scratch, "other", "o\n")
    git(scratch, "switch", "--quiet", "-c", "topic", second)
    write("x = 9\n")
    write("x = 2\n")
    git(scratch, "switch", "--quiet", "main")
    git(scratch, "merge", "--quiet", "-s", "ours", "-m", "merge", "topic")
    fourth = write("x = 4\n")
    with found(scratch) as made:
        since = [data.decode().strip() for data in made.versions(second, PLAN)]
        assert (since[0], since[-1]) == ("x = 2", "x = 4")
        assert sorted(since) == ["x = 2", "x = 3", "x = 4", "x = 9"]
        assert made.versions(third, PLAN)[0] == b"x = 3\n"
        assert made.versions(fourth, PLAN) == [b"x = 4\n"]
        assert made.versions("0" * 40, PLAN) == []
        assert made.versions(None, PLAN)[0] == b"x = 1\n"
        assert made.versions(None, Path("none.toml")) == []
    git(scratch, "reset", "--quiet", "--hard", second)
    with found(scratch) as made:
        assert made.versions(fourth, PLAN) == [b"x = 2\n"], "Git went back: nothing in between"
    git(scratch, "switch", "--quiet", "--orphan", "other")
    commit(scratch, "tasks.toml", "x = 7\n")
    with found(scratch) as made:
        assert made.versions(fourth, PLAN) == []


def test_a_worktree_is_found_from_a_directory_below_it(scratch: Path) -> None:
    below = scratch / "a" / "b"
    below.mkdir(parents=True)
    with found(below) as made:
        state = made.state
        assert (state.top, state.git_dir, state.common_dir) == (
            scratch,
            scratch / ".git",
            scratch / ".git",
        )
        assert (state.branch, state.head) == ("main", git(scratch, "rev-parse", "HEAD"))
        assert made.name == "scratch"
        assert made.private_dir(per_worktree=True) == scratch / ".git" / "tt"


def test_a_file_or_a_directory_to_come_is_found_by_where_it_is(scratch: Path) -> None:
    for start in (scratch / "tasks.toml", scratch / "not" / "there" / "yet"):
        with found(start) as made:
            assert made.state.top == scratch


def test_a_directory_without_git_has_no_worktree(tmp_path: Path) -> None:
    assert find(tmp_path) is None


def test_inside_the_git_directory_there_is_no_worktree(scratch: Path) -> None:
    assert find(scratch / ".git") is None
    assert find(scratch / ".git" / "refs") is None


def test_a_bare_repository_has_no_worktree(tmp_path: Path) -> None:
    assert find(init(tmp_path / "bare.git", "--bare")) is None


def test_an_unborn_branch_has_a_name_and_no_head(tmp_path: Path) -> None:
    with found(init(tmp_path / "new")) as made:
        assert (made.state.branch, made.state.head) == ("main", None)
        assert made.show("HEAD", PLAN) is None
        assert made.roots() == ()


def test_an_unborn_branch_is_known_although_a_file_is_called_head(tmp_path: Path) -> None:
    (init(tmp_path / "new") / "HEAD").write_text("no commit")
    with found(tmp_path / "new") as made:
        assert (made.state.branch, made.state.head) == ("main", None)


def test_a_branch_with_a_slash_is_whole(scratch: Path) -> None:
    git(scratch, "checkout", "--quiet", "-b", "feature/ünïcode-x")
    with found(scratch) as made:
        assert made.state.branch == "feature/ünïcode-x"


def test_a_branch_called_head_does_not_confuse(scratch: Path) -> None:
    git(scratch, "update-ref", "refs/heads/HEAD", "HEAD")
    with found(scratch) as made:
        assert made.state.branch == "main"
        assert made.state.head == git(scratch, "rev-parse", "refs/heads/main")


def test_a_detached_head_has_no_branch(scratch: Path) -> None:
    git(scratch, "checkout", "--quiet", "--detach")
    with found(scratch) as made:
        assert made.state.branch is None
        assert made.state.head == git(scratch, "rev-parse", "HEAD")


def test_a_sha256_repository_works_alike(tmp_path: Path) -> None:
    with found(repository(tmp_path / "long", "--object-format=sha256")) as made:
        assert made.state.head is not None
        assert len(made.state.head) == 64
        assert made.show("HEAD", PLAN) == b"x = 1\n"
        assert made.roots() == (made.state.head,)


def test_a_linked_worktree_has_its_own_directory_and_the_name_of_the_main_one(
    scratch: Path,
) -> None:
    linked = scratch.parent / "elsewhere"
    git(scratch, "worktree", "add", "--quiet", "-b", "other", str(linked))
    with found(linked) as made:
        state = made.state
        assert (state.top, state.common_dir, state.branch) == (linked, scratch / ".git", "other")
        assert state.git_dir == scratch / ".git" / "worktrees" / "elsewhere"
        assert made.name == "scratch"
        assert made.private_dir(per_worktree=True) == state.git_dir / "tt"
        assert made.private_dir(per_worktree=False) == scratch / ".git" / "tt"


def test_a_worktree_of_a_bare_repository_has_that_ones_name(scratch: Path, tmp_path: Path) -> None:
    git(scratch, "clone", "--quiet", "--bare", str(scratch), str(tmp_path / "shop.git"))
    git(tmp_path / "shop.git", "worktree", "add", "--quiet", str(tmp_path / "wt"), "main")
    with found(tmp_path / "wt") as made:
        assert made.name == "shop"
        assert made.show("HEAD", PLAN) == b"x = 1\n"


def test_a_submodule_is_a_repository_of_its_own(scratch: Path, tmp_path: Path) -> None:
    repository(tmp_path / "lib")
    git(
        scratch,
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        str(tmp_path / "lib"),
    )
    with found(scratch / "lib") as made:
        assert made.state.top == scratch / "lib"
        assert made.state.git_dir == scratch / ".git" / "modules" / "lib"
        assert made.name == "lib"
        assert made.show("HEAD", PLAN) == b"x = 1\n"


@pytest.mark.parametrize(
    "name", ["with space", "new\nline", "umläut", "-C", "a'b\"c", "x --tt-next"]
)
def test_any_directory_name_is_understood(tmp_path: Path, name: str) -> None:
    top = repository(tmp_path / name)
    with found(top) as made:
        assert made.state.top == top
        assert made.show("HEAD", PLAN) == b"x = 1\n"
        assert made.is_tracked(top / "tasks.toml")


@pytest.mark.parametrize(
    "name", ["a b.toml", "ä.toml", "new\nline.toml", ":(top)x", "-x", "d/e/f.toml", '"q"']
)
def test_any_file_name_is_understood(scratch: Path, name: str) -> None:
    head = commit(scratch, f"sub/{name}", "content\n")
    with found(scratch) as made:
        for revision in ("HEAD", "", head, "main"):
            assert made.show(revision, Path("sub", name)) == b"content\n"
            assert made.show(revision, scratch / "sub" / name) == b"content\n"
        assert made.is_tracked(Path("sub", name))


def test_what_is_not_there_is_none(scratch: Path) -> None:
    (scratch / "d").mkdir()
    commit(scratch, "d/f", "x")
    with found(scratch) as made:
        for revision in ("HEAD", "", "nonsense", "HEAD~9", "a b", "new\nline", "-x\n"):
            assert made.show(revision, Path("missing.toml")) is None
        assert made.show("HEAD", Path("d")) is None
        assert made.show("HEAD", Path("../outside")) is None
        assert not made.is_tracked(Path("../outside"))
        assert made.show("HEAD", PLAN) == b"x = 1\n"


def test_the_index_and_head_are_told_apart(scratch: Path) -> None:
    (scratch / "tasks.toml").write_text("x = 2\n")
    git(scratch, "add", "tasks.toml")
    (scratch / "tasks.toml").write_text("x = 3\n")
    with found(scratch) as made:
        assert (made.show("HEAD", PLAN), made.show("", PLAN)) == (b"x = 1\n", b"x = 2\n")


def test_an_index_that_changes_meanwhile_is_read_again(scratch: Path) -> None:
    with found(scratch) as made:
        assert made.show("", PLAN) == b"x = 1\n"
        (scratch / "tasks.toml").write_text("x = 2, much longer\n")
        git(scratch, "add", "tasks.toml")
        assert made.show("", PLAN) == b"x = 2, much longer\n"
        git(scratch, "rm", "--quiet", "--cached", "tasks.toml")
        assert made.show("", PLAN) is None
        assert not made.is_tracked(PLAN)


def test_commits_made_meanwhile_are_seen(scratch: Path) -> None:
    with found(scratch) as made:
        assert made.show("HEAD", PLAN) == b"x = 1\n"
        commit(scratch, content="x = 2\n")
        git(scratch, "pack-refs", "--all")
        git(scratch, "gc", "--quiet", "--prune=now")
        assert made.show("HEAD", PLAN) == b"x = 2\n"
        assert made.show("HEAD~1", PLAN) == b"x = 1\n"


def test_answers_that_nobody_took_are_not_the_next_questions(scratch: Path) -> None:
    with found(scratch) as made:
        answers = made.objects.read_all(["HEAD", "HEAD", "HEAD"])
        next(answers)
        answers.close()
        assert made.show("HEAD", PLAN) == b"x = 1\n"


def test_a_file_in_conflict_is_tracked_and_has_no_merged_content(scratch: Path) -> None:
    git(scratch, "checkout", "--quiet", "-b", "other")
    commit(scratch, content="x = 2\n")
    git(scratch, "checkout", "--quiet", "main")
    commit(scratch, content="x = 3\n")
    subprocess.run(["git", "-C", scratch, "merge", "other"], capture_output=True, check=False)
    with found(scratch) as made:
        assert made.show("", PLAN) is None
        assert made.is_tracked(PLAN)
        assert made.operation_in_progress() == "merge"


def test_a_file_that_is_only_intended_to_be_added_is_tracked(scratch: Path) -> None:
    (scratch / "new.toml").write_text("x = 1\n")
    with found(scratch) as made:
        assert not made.is_tracked(Path("new.toml"))
        git(scratch, "add", "--intent-to-add", "new.toml")
        assert made.is_tracked(Path("new.toml"))


def test_a_plan_behind_a_symlink_is_read_where_it_lies(scratch: Path, tmp_path: Path) -> None:
    commit(scratch, "plans/real.toml", "real\n")
    (scratch / "link.toml").symlink_to("plans/real.toml")
    (tmp_path / "way").symlink_to(scratch)
    with found(tmp_path / "way") as made:
        assert made.show("HEAD", tmp_path / "way" / "link.toml") == b"real\n"
        assert made.show("HEAD", Path("link.toml")) == b"real\n"


def test_a_hook_sees_the_index_of_the_commit_in_flight(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_index = scratch / ".git" / "next-index-1.lock"
    shutil.copy(scratch / ".git" / "index", own_index)
    (scratch / "tasks.toml").write_text("in flight\n")
    git(scratch, "add", "tasks.toml", GIT_INDEX_FILE=str(own_index))
    (scratch / "sub").mkdir()
    monkeypatch.chdir(scratch)
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/next-index-1.lock")
    for start in (scratch, scratch / "sub"):
        with found(start) as made:
            assert made.show("", PLAN) == b"in flight\n"
            assert made.index_file == own_index


def test_a_hook_in_a_linked_worktree_keeps_its_repository(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked = scratch.parent / "linked"
    git(scratch, "worktree", "add", "--quiet", "-b", "other", str(linked))
    git_dir = scratch / ".git" / "worktrees" / "linked"
    monkeypatch.chdir(linked)
    monkeypatch.setenv("GIT_DIR", str(git_dir))
    monkeypatch.setenv("GIT_INDEX_FILE", str(git_dir / "index"))
    with found(linked) as made:
        assert (made.state.top, made.state.git_dir) == (linked, git_dir)
        assert made.state.branch == "other"


def test_a_hooks_variables_are_not_taken_to_another_repository(
    scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = init(tmp_path / "other")
    commit(other, content="the other\n")
    inner = repository(scratch / "vendored")
    monkeypatch.chdir(scratch)
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    monkeypatch.setenv("GIT_PREFIX", "sub/")
    with found(other) as made:
        assert made.state.top == other
        assert made.show("", PLAN) == b"the other\n"
        assert "GIT_INDEX_FILE" not in made.environment
        assert "GIT_PREFIX" not in made.environment
    with found(inner) as made:
        assert made.state.top == inner
    with found(scratch) as made:
        assert made.state.git_dir == scratch / ".git"


def test_our_list_of_local_variables_is_gits(scratch: Path) -> None:
    from tt.adapters.gitfind import LOCAL_VARIABLES

    assert set(git(scratch, "rev-parse", "--local-env-vars").split()) <= LOCAL_VARIABLES


def test_reading_never_takes_the_index_lock(scratch: Path) -> None:
    with found(scratch) as made:
        assert made.environment["GIT_OPTIONAL_LOCKS"] == "0"
        assert made.environment["GIT_TERMINAL_PROMPT"] == "0"
        (scratch / ".git" / "index.lock").touch()
        assert made.show("", PLAN) == b"x = 1\n"


def test_ancestry_is_told(scratch: Path) -> None:
    first = git(scratch, "rev-parse", "HEAD")
    second = commit(scratch, content="x = 2\n")
    tree = git(scratch, "rev-parse", "HEAD^{tree}")
    with found(scratch) as made:
        assert made.is_ancestor(first, second)
        assert made.is_ancestor(second, second)
        assert not made.is_ancestor(second, first)
        for unknown in ("0" * 40, "nonsense", "", tree, "--help", "a\nb"):
            assert not made.is_ancestor(unknown, second)
            assert not made.is_ancestor(second, unknown)
            assert not made.is_ancestor(unknown, unknown)


def test_all_roots_of_head_are_told(scratch: Path) -> None:
    first = git(scratch, "rev-parse", "HEAD")
    git(scratch, "checkout", "--quiet", "--orphan", "second")
    second = commit(scratch, "other", "y")
    git(scratch, "merge", "--quiet", "--allow-unrelated-histories", "-m", "join", "main")
    with found(scratch) as made:
        assert set(made.roots()) == {first, second}


def test_a_shallow_clone_does_not_know_its_roots(scratch: Path, tmp_path: Path) -> None:
    commit(scratch, content="x = 2\n")
    git(tmp_path, "clone", "--quiet", "--depth=1", scratch.as_uri(), str(tmp_path / "shallow"))
    with found(tmp_path / "shallow") as made:
        assert made.roots() == ()


def test_configuration_is_read(scratch: Path) -> None:
    git(scratch, "config", "tt.note", "two\nlines ä")
    with found(scratch) as made:
        assert made.config("tt.note") == "two\nlines ä"
        assert made.config("tt.nothing") is None


def _start(scratch: Path, operation: str) -> None:
    """Bring the repository into the middle of an operation."""
    first = git(scratch, "rev-parse", "HEAD")
    git(scratch, "checkout", "--quiet", "-b", "other")
    commit(scratch, content="x = 2\n")
    commit(scratch, content="x = 4\n")
    patch = git(scratch, "format-patch", "-1", "--stdout")
    git(scratch, "checkout", "--quiet", "main")
    commit(scratch, content="x = 3\n")
    commands = {
        "rebase": ["rebase", "other"],
        "rebase-apply": ["rebase", "--apply", "other"],
        "am": ["am"],
        "merge": ["merge", "other"],
        "cherry-pick": ["cherry-pick", "other~1", "other"],
        "revert": ["revert", "--no-edit", first],
        "bisect": ["bisect", "start", "HEAD", first],
    }
    subprocess.run(
        ["git", "-C", scratch, *commands[operation]],
        input=patch + "\n",
        text=True,
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize(
    "operation", ["rebase", "rebase-apply", "am", "merge", "cherry-pick", "bisect"]
)
def test_an_operation_in_progress_is_named(scratch: Path, operation: str) -> None:
    with found(scratch) as made:
        assert made.operation_in_progress() is None
        _start(scratch, operation)
        assert made.operation_in_progress() == operation.removesuffix("-apply")


def test_a_revert_in_progress_is_named(scratch: Path) -> None:
    second = commit(scratch, content="x = 2\n")
    commit(scratch, content="x = 3\n")
    subprocess.run(["git", "-C", scratch, "revert", second], capture_output=True, check=False)
    with found(scratch) as made:
        assert made.operation_in_progress() == "revert"


def test_a_series_of_cherry_picks_is_in_progress_between_two_of_them(scratch: Path) -> None:
    _start(scratch, "cherry-pick")
    git(scratch, "checkout", "--theirs", "tasks.toml")
    git(scratch, "commit", "--quiet", "--all", "--message", "first")
    with found(scratch) as made:
        assert made.operation_in_progress() == "cherry-pick"


@pytest.mark.parametrize("how", ["--merge", "--apply", "merge"])
def test_edits_that_an_autostash_has_are_put_away(scratch: Path, how: str) -> None:
    start = git(scratch, "rev-parse", "HEAD").strip()
    (scratch / "other").write_text("1\n")
    git(scratch, "add", "other")
    git(scratch, "commit", "--quiet", "--message", "theirs")
    git(scratch, "branch", "theirs")
    git(scratch, "reset", "--quiet", "--hard", start)
    (scratch / "other").write_text("2\n")
    git(scratch, "add", "other")
    git(scratch, "commit", "--quiet", "--message", "ours")
    (scratch / "tasks.toml").write_text("edited = 1\n")
    with found(scratch) as made:
        assert not made.has_put_away(Path("tasks.toml"))
        verb = ["merge"] if how == "merge" else ["rebase", how]
        ended = subprocess.run(
            ["git", "-C", scratch, *verb, "--autostash", "theirs"], capture_output=True, check=False
        )
        assert ended.returncode != 0
        assert made.has_put_away(Path("tasks.toml"))
        assert not made.has_put_away(Path("other"))


def test_another_users_repository_is_refused_with_gits_own_way_out(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(TTError) as caught:
        find(scratch)
    assert str(scratch) in caught.value.message
    assert "safe.directory" in str(caught.value.hint)


def test_a_repository_of_a_newer_format_is_refused(scratch: Path) -> None:
    git(scratch, "config", "core.repositoryFormatVersion", "9")
    with pytest.raises(TTError, match="version"):
        find(scratch)


def test_a_worktree_whose_repository_is_gone_is_refused(scratch: Path) -> None:
    linked = scratch.parent / "linked"
    git(scratch, "worktree", "add", "--quiet", str(linked))
    shutil.rmtree(scratch)
    with pytest.raises(TTError, match="not a git repository"):
        find(linked)


def test_without_git_a_directory_without_a_repository_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find(tmp_path) is None


def test_without_git_a_repository_is_not_taken_for_a_plain_directory(
    scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitMissingError):
        find(scratch)


def test_a_damaged_object_is_an_error_and_not_nothing(scratch: Path) -> None:
    blob = git(scratch, "rev-parse", "HEAD:tasks.toml")
    path = scratch / ".git" / "objects" / blob[:2] / blob[2:]
    path.chmod(0o644)
    path.write_bytes(b"damage")
    with found(scratch) as made:
        with pytest.raises(TTError, match="missing or damaged"):
            made.show("HEAD", PLAN)
        assert made.show("HEAD", Path("other")) is None


def _fake_git(directory: Path, script: str) -> None:
    directory.mkdir()
    (directory / "git").write_text(f"#!/bin/sh\n{script}\n")
    (directory / "git").chmod(stat.S_IRWXU)


def test_a_git_that_never_answers_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fake_git(tmp_path / "bin", "exec sleep 60")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    started = time.monotonic()
    with pytest.raises(TTError, match="did not answer"):
        run(["-C", ".", "status"], os.environ, limit=0.2)
    assert time.monotonic() - started < 10


def test_a_git_that_says_much_and_listens_late_does_not_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = "head -c 1000000 /dev/zero >&2; head -c 1000000 /dev/zero; cat; exit 3"
    _fake_git(tmp_path / "bin", script)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    done = run(["-C", ".", "x"], os.environ, given=b"y" * 3_000_000)
    assert (done.code, len(done.out), len(done.err)) == (3, 4_000_000, 1_000_000)


def test_a_git_that_stops_listening_is_told_from_its_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fake_git(tmp_path / "bin", "exec <&-; echo 'fatal: no more.' >&2; exit 9")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    done = run(["-C", ".", "x"], os.environ, given=b"y" * 3_000_000)
    assert (done.code, done.words) == (9, "no more")


def test_a_process_is_reaped_however_it_ends(scratch: Path) -> None:
    process = GitProcess(["-C", str(scratch), "cat-file", "--batch"], os.environ)
    process.write(b"HEAD\n")
    assert b"commit" in process.line()
    process.kill()
    process.kill()
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


def test_git_works_when_the_standard_streams_are_closed(scratch: Path) -> None:
    code = (
        "import sys, pathlib\n"
        "from tt.adapters.gitrepo import find\n"
        "with find(pathlib.Path(sys.argv[1])) as made:\n"
        "    ok = made.show('HEAD', pathlib.Path('tasks.toml')) == b'x = 1\\n'\n"
        "pathlib.Path(sys.argv[2]).write_text(str(ok))\n"
    )
    out = scratch / "out"
    for closed in ("<&-", "<&- >&-", "<&- >&- 2>&-", "2>&-", ">&- 2>&-"):
        out.unlink(missing_ok=True)
        line = f'exec "$0" -c "$1" "$2" "$3" {closed}'
        environment = dict(os.environ) | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
        subprocess.run(
            ["sh", "-c", line, sys.executable, code, str(scratch), str(out)],
            check=False,
            timeout=60,
            env=environment,
        )
        assert out.read_text() == "True", closed
