from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.git_repos import git, repository
from tests.support.saving import until
from tt.adapters import patches, processes
from tt.adapters.inflight import InFlight, in_flight

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="/proc tells whose it is")
SLEEPER = "import sys; sys.stdin.read()"


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Here:
    """A repository, where frameworks keep patches, and what is in flight in it."""

    def __init__(self, room: Path) -> None:
        self.room, self.top = room, repository(room / "top")
        self.git_dir = self.top / ".git"
        self.environ = {"HOME": str(room / "home")}
        self.clock = Clock()
        self.flight = self.look()

    def look(self, **environ: str) -> InFlight:
        """Return what looks at it for the first time."""
        told = self.environ | environ
        return InFlight(self.git_dir, self.git_dir, self.top, told, self.clock)

    def patch(self, pid: int, directory: str = "home/.cache/pre-commit") -> Path:
        """Leave a patch of the pre-commit framework's."""
        return self.file(f"{directory}/patch{int(time.time())}-{pid}")

    def file(self, name: str) -> Path:
        path = self.room / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("diff", encoding="utf-8")
        return path

    @property
    def reason(self) -> str | None:
        return self.flight.reason()


@pytest.fixture
def here(tmp_path: Path) -> Here:
    return Here(tmp_path)


@contextmanager
def running(where: Path, name: str = "", *words: str) -> Iterator[int]:
    """Let a program run in a directory, with a command line of that name."""
    script = where.parent / (name or "program")
    script.write_text(SLEEPER, encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, str(script), *words], cwd=where, stdin=subprocess.PIPE
    ) as process:
        until(lambda: not processes.HAS_PROC or bool(processes.words_of(process.pid)[1:]))
        try:
            yield process.pid
        finally:
            process.kill()


def test_a_repository_in_which_nobody_works_is_quiet(here: Here) -> None:
    assert here.reason is None
    assert in_flight(here.git_dir, here.git_dir, here.top, here.environ) is None


def test_the_lock_of_git_is_waited_for_until_it_is_gone(here: Here) -> None:
    lock = here.file("top/.git/index.lock")
    assert here.reason == f"Git is at work: {lock} is there."
    assert in_flight(here.git_dir, here.git_dir, here.top, here.environ) is not None
    lock.unlink()
    assert here.reason is None


def test_a_lock_that_nobody_holds_counts_for_left_over_after_a_while(here: Here) -> None:
    lock = here.file("top/.git/index.lock")
    assert here.reason is not None
    here.clock.now += 20
    found = here.flight.obstacle()
    assert found is not None
    assert (found.seconds, found.is_proven) == (20, False)
    assert "is there for 20 seconds, and " in found.words
    here.clock.now += 20
    assert here.reason is None
    assert here.flight.reason(patience=60) is not None
    lock.unlink()
    here.file("top/.git/index.lock")
    assert here.reason is not None, "another lock is waited for anew"


def test_a_lock_that_looks_old_by_its_time_is_waited_for_as_well(here: Here) -> None:
    (here.git_dir / "COMMIT_EDITMSG").unlink()
    os.utime(here.file("top/.git/index.lock"), (1, 1))
    assert here.reason is not None


@linux_only
def test_a_lock_is_waited_for_as_long_as_a_git_works_there(here: Here, tmp_path: Path) -> None:
    here.file("top/.git/index.lock")
    with subprocess.Popen(
        ["git", "-C", str(here.top), "hash-object", "--stdin"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    ) as process:
        until(lambda: processes.works_in(process.pid, str(here.top)))
        assert here.reason is not None
        here.clock.now += 3600
        assert here.reason is not None
        found = here.flight.obstacle()
        assert found is not None
        assert found.is_proven
        process.kill()
    here.clock.now += 2
    assert here.reason is None


@linux_only
def test_a_git_that_only_reads_for_an_editor_holds_no_lock(here: Here) -> None:
    here.file("top/.git/index.lock")
    with subprocess.Popen(
        ["git", "-C", str(here.top), "cat-file", "--batch"], stdin=subprocess.PIPE
    ) as process:
        until(lambda: processes.works_in(process.pid, str(here.top)))
        assert here.reason is not None
        here.clock.now += 3600
        assert here.reason is None
        process.kill()


@contextmanager
def waiting_git(here: Here, *words: str) -> Iterator[None]:
    """Let a Git command wait for its input in the worktree."""
    command = ["git", "-C", str(here.top), *words]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        until(lambda: processes.works_in(process.pid, str(here.top)))
        yield
        process.kill()


@linux_only
def test_a_git_that_has_written_the_index_is_waited_for_until_it_has_ended(here: Here) -> None:
    assert here.reason is None
    with waiting_git(here, "hash-object", "--stdin"):
        assert here.reason is None, "it has not written anything"
        os.utime(here.git_dir / "index")
        assert here.reason == "Git is at work: it has written its index, and has not ended."
    assert here.reason is None


@linux_only
def test_a_git_that_goes_on_for_long_is_not_waited_for(here: Here) -> None:
    with waiting_git(here, "hash-object", "--stdin"):
        os.utime(here.git_dir / "index")
        assert here.reason is not None
        here.clock.now += 4
        assert here.reason is None


@linux_only
def test_a_pager_is_not_waited_for(here: Here) -> None:
    with waiting_git(here, "log", "--stdin"):
        os.utime(here.git_dir / "index")
        assert here.reason is None


def test_without_proc_git_gets_a_moment_to_end(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "HAS_PROC", False)
    os.utime(here.git_dir / "index")
    assert here.reason is not None
    here.clock.now += 0.5
    assert here.reason is None


def test_a_commit_that_waits_for_its_message_is_not_waited_for(here: Here) -> None:
    """The real thing: `git commit --all` has the lock while the editor is open."""
    ready, done = here.room / "ready", here.room / "done"
    editor = here.room / "editor"
    editor.write_text(
        f'#!/bin/sh\ntouch "{ready}"\nwhile [ ! -e "{done}" ]; do sleep 0.01; done\n'
        'echo message >"$1"\n'
    )
    editor.chmod(0o755)
    (here.top / "tasks.toml").write_text("x = 2\n")
    with subprocess.Popen(
        ["git", "commit", "--quiet", "--all"],
        cwd=here.top,
        env=os.environ | {"GIT_EDITOR": str(editor)},
    ) as process:
        try:
            until(ready.exists)
            assert (here.git_dir / "index.lock").exists()
            assert here.reason is None
        finally:
            done.touch()
    assert process.returncode == 0
    assert git(here.top, "log", "-1", "--format=%s") == "message"


def test_a_message_from_before_a_clock_was_set_back_says_nothing(here: Here) -> None:
    message = here.file("top/.git/COMMIT_EDITMSG")
    here.file("top/.git/index.lock")
    later = time.time() + 3600
    os.utime(message, (later, later))
    assert here.reason is not None


def test_the_message_of_the_commit_before_says_nothing(here: Here) -> None:
    here.file("top/.git/COMMIT_EDITMSG")
    lock = here.file("top/.git/index.lock")
    later = time.time() + 1
    os.utime(lock, (later, later))
    assert here.reason is not None


def test_a_patch_counts_while_its_process_works_here(here: Here) -> None:
    with running(here.top, "pre-commit") as pid:
        patch = here.patch(pid)
        expected = f"pre-commit runs hooks, and has put unstaged edits away in {patch}."
        assert here.reason == expected
        assert here.reason == expected
        here.clock.now += 3600
        assert here.reason == expected
    assert here.reason is None


@pytest.mark.parametrize(
    ("environ", "directory"),
    [
        ({"PRE_COMMIT_HOME": "{room}/own"}, "own"),
        ({"PRE_COMMIT_HOME": "own"}, "top/own"),
        ({"XDG_CACHE_HOME": "{room}/cache"}, "cache/pre-commit"),
        ({"PRE_COMMIT_HOME": "", "XDG_CACHE_HOME": ""}, "home/.cache/pre-commit"),
    ],
)
def test_the_patches_are_where_the_framework_was_told(
    here: Here, environ: dict[str, str], directory: str
) -> None:
    told = {name: text.format(room=here.room) for name, text in environ.items()}
    with running(here.top, "pre-commit") as pid:
        here.patch(pid, directory)
        assert here.look(**told).reason() is not None


@pytest.mark.parametrize(
    ("environ", "directory"),
    [
        ({}, "home/.cache/prek/patches"),
        ({"PREK_HOME": "{room}/own"}, "own/patches"),
        ({"XDG_CACHE_HOME": "{room}/cache"}, "cache/prek/patches"),
    ],
)
def test_the_patches_of_prek_are_known(here: Here, environ: dict[str, str], directory: str) -> None:
    told = {name: text.format(room=here.room) for name, text in environ.items()}
    with running(here.top, "prek") as pid:
        here.file(f"{directory}/{time.time_ns() // 1_000_000}-{pid}.patch")
        reason = here.look(**told).reason()
        assert reason is not None
        assert reason.startswith("prek runs hooks")


@linux_only
def test_a_patch_of_a_process_in_another_worktree_does_not_count(here: Here) -> None:
    git(here.top, "worktree", "add", "-q", "../other")
    with running(here.room / "other", "pre-commit") as pid:
        here.patch(pid)
        assert here.reason is None


@linux_only
def test_a_process_that_got_the_number_of_a_dead_one_does_not_count(here: Here) -> None:
    with running(here.top, "editor") as pid:
        an_hour_ago = time.time() - 3600
        os.utime(here.patch(pid), (an_hour_ago, an_hour_ago))
        assert here.reason is None


@linux_only
def test_a_process_of_an_unknown_name_that_is_older_than_its_patch_counts(here: Here) -> None:
    with running(here.top, "our-own-build-of-it") as pid:
        here.patch(pid)
        assert here.reason is not None


@linux_only
def test_a_clock_that_jumped_ahead_does_not_hide_the_framework(here: Here) -> None:
    with running(here.top, "pre-commit") as pid:
        before = time.time() - 100 * 24 * 3600
        os.utime(here.patch(pid), (before, before))
        assert here.reason is not None


def test_a_patch_with_our_own_number_does_not_count(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(here.top)
    here.patch(os.getpid())
    assert here.reason is None


def test_thousands_of_old_patches_are_read_once(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    for number in range(3000):
        here.file(f"home/.cache/pre-commit/patch{number}-{dead.pid}")
    directory = here.room / "home/.cache/pre-commit"
    before = time.time() - 100
    os.utime(directory, (before, before))
    read: list[str] = []
    real = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: read.append(path) or real(path))
    for _ in range(100):
        assert here.reason is None
    assert read.count(str(directory)) == 1
    with running(here.top, "pre-commit") as pid:
        here.patch(pid)
        assert here.reason is not None, "a new one is seen all the same"


def test_a_patch_is_seen_although_the_directory_has_the_same_time_as_before(here: Here) -> None:
    """Filesystems count time in ticks: what is written within one leaves no trace."""
    directory = here.patch(2**22 + 1).parent
    now = time.time()
    os.utime(directory, (now, now))
    assert here.reason is None
    with running(here.top, "pre-commit") as pid:
        here.patch(pid)
        os.utime(directory, (now, now))
        assert here.reason is not None


def test_without_proc_a_live_process_is_enough(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "HAS_PROC", False)
    flight = here.look()
    with running(here.room, "anything") as pid:
        here.patch(pid)
        found = flight.obstacle()
        assert found is not None
        assert not found.is_proven
        here.clock.now += 3600
        assert flight.reason() is None, "that number may be another's by now"
    assert flight.obstacle() is None


def test_without_proc_a_patch_without_a_number_is_waited_for_and_then_left_over(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "HAS_PROC", False)
    flight = here.look()
    here.file("top/.git/lint-staged_unstaged.patch")
    assert flight.reason() is not None
    here.clock.now += 3600
    assert flight.reason() is None


@linux_only
@pytest.mark.parametrize(
    ("tool", "name"),
    [
        ("lefthook", "top/.git/info/lefthook-unstaged.patch"),
        ("lint-staged", "top/.git/lint-staged_unstaged.patch"),
    ],
)
def test_a_patch_without_a_number_counts_while_its_program_works_here(
    here: Here, tool: str, name: str
) -> None:
    here.file(name)
    assert here.reason is None, "left over"
    with running(here.top, tool) as _:
        assert here.reason is None, "and not looked at again before it changes"
        here.file(name)
        assert here.reason is not None
        assert here.reason.startswith(f"{tool} runs hooks")
    assert here.reason is None


@linux_only
def test_an_editor_that_has_a_configuration_open_is_no_hook(here: Here) -> None:
    here.file("top/.git/info/lefthook-unstaged.patch")
    with running(here.top, "vim", "lefthook.yml"):
        assert here.reason is None


@linux_only
def test_lefthook_of_another_worktree_does_not_count_although_the_patch_is_shared(
    here: Here,
) -> None:
    git(here.top, "worktree", "add", "-q", "../other")
    here.file("top/.git/info/lefthook-unstaged.patch")
    with running(here.room / "other", "lefthook"):
        assert here.reason is None
        private = here.git_dir / "worktrees" / "other"
        other = InFlight(private, here.git_dir, here.room / "other", here.environ)
        assert other.reason() is not None


def test_asking_costs_next_to_nothing(here: Here) -> None:
    assert here.reason is None
    before = time.process_time()
    for _ in range(1000):
        assert here.reason is None
    assert time.process_time() - before < 0.2


def test_names_of_programs_are_found_behind_interpreters() -> None:
    found = processes.programs_in
    assert "pre-commit" in found(["/usr/bin/python3", "/venv/bin/pre-commit", "run"])
    assert "pre_commit" in found(["python", "-mpre_commit", "hook-impl"])
    assert "lint-staged" in found(["node", "/x/node_modules/lint-staged/bin/lint-staged.js"])
    assert "lefthook" in found(["/usr/local/bin/lefthook", "run", "pre-commit"])
    assert not found([""])


def test_gone_processes_and_odd_numbers_are_nobody() -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    for pid in (dead.pid, 2**40):
        assert not processes.is_running(pid)
        assert not processes.works_in(pid, "/")
        assert not processes.words_of(pid)
        assert not processes.is_older_than(pid, "/")
    assert patches.known_patches("/none", "/none", "/none", {})[0].kept() is None
