"""Hook frameworks as they are: whenever they have edits put away, this is seen, and its end is."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest

from tests.support.git_repos import commit, git, init
from tests.support.saving import content_of, until
from tests.support.tools import missing
from tt.adapters.inflight import InFlight

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc tells whose a patch is")

_PATH: Final = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
_OPTIONAL: Final = ("lint-staged",)
"""Programs that come with another language's packages: they are not required anywhere."""

_LOCAL: Final = """\
repos:
- repo: local
  hooks:
  - {{id: slow, name: slow, language: system, entry: {entry}, pass_filenames: false}}
"""
_CONFIGS: Final = {
    "pre-commit": (".pre-commit-config.yaml", _LOCAL),
    "prek": (".pre-commit-config.yaml", _LOCAL),
    "lefthook": ("lefthook.yml", "pre-commit:\n  jobs: [{{name: slow, run: {entry}}}]\n"),
    "lint-staged": (".lintstagedrc.json", '{{"*": "{entry}"}}'),
}

STAGED, EDITED = "x = 2\n", "x = 2\ny = 3\n"


class Worktree:
    """A worktree with a slow hook of a framework's, which says when it runs and waits to end."""

    def __init__(self, tool: str, room: Path) -> None:
        found = shutil.which(tool, path=_PATH)
        if found is None:
            if tool in _OPTIONAL:
                pytest.skip(f"`{tool}` is not installed")
            missing(f"`{tool}` is not installed")
        self.tool, self.room, self.top = tool, room, init(room / "top")
        self.plan = self.top / "tasks.toml"
        self.ready, self.done = room / "ready", room / "done"
        self.environ = os.environ | {
            "PATH": _PATH,
            "XDG_CACHE_HOME": str(room / "cache"),
            "LEFTHOOK_OUTPUT": "false",
        }
        self._lay_down(found)

    def _lay_down(self, program: str) -> None:
        slow = self.room / "slow"
        slow.write_text(
            f'#!/bin/sh\ntouch "{self.ready}"\nwhile [ ! -e "{self.done}" ]; do sleep 0.01; done\n'
        )
        slow.chmod(0o755)
        name, config = _CONFIGS[self.tool]
        commit(self.top)
        commit(self.top, name, config.format(entry=slow))
        if self.tool == "lint-staged":
            hook = self.top / ".git" / "hooks" / "pre-commit"
            hook.write_text(f"#!/bin/sh\nexec {shlex.quote(program)}\n")
            hook.chmod(0o755)
        else:
            command = [program, "install"]
            subprocess.run(command, cwd=self.top, env=self.environ, check=True, capture_output=True)

    @contextmanager
    def committing(self) -> Iterator[subprocess.Popen[bytes]]:
        """Commit while the plan has edits that are staged and edits that are not."""
        self.plan.write_text(STAGED)
        git(self.top, "add", "--all")
        self.plan.write_text(EDITED)
        with subprocess.Popen(
            ["git", "commit", "--message", "another"],
            cwd=self.top,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                yield process
            finally:
                self.done.touch()


@pytest.fixture(params=list(_CONFIGS))
def worktree(request: pytest.FixtureRequest, tmp_path: Path) -> Worktree:
    return Worktree(request.param, tmp_path)


def test_edits_that_are_put_away_are_never_taken_for_undone(worktree: Worktree) -> None:
    git_dir = worktree.top / ".git"
    flight = InFlight(git_dir, git_dir, worktree.top, worktree.environ)
    assert flight.reason() is None

    def is_safe() -> bool:
        """Look at the plan between two looks at what is in flight, as a sync does."""
        before, content, after = flight.reason(), content_of(worktree.plan), flight.reason()
        assert content == EDITED or before or after, "the edits are away, and nobody says so"
        return True

    with worktree.committing() as process:
        until(lambda: is_safe() and worktree.ready.exists(), 60)
        assert worktree.plan.read_text() == STAGED
        found = flight.obstacle()
        assert found is not None
        assert found.is_proven
        assert found.words.startswith(f"{worktree.tool} runs hooks, and has put unstaged edits ")
        worktree.done.touch()
        until(lambda: is_safe() and process.poll() is not None, 60)
    assert process.returncode == 0
    assert worktree.plan.read_text() == EDITED
    assert flight.reason() is None
    assert InFlight(git_dir, git_dir, worktree.top, worktree.environ).reason() is None


def test_a_framework_that_was_killed_is_not_waited_for(worktree: Worktree) -> None:
    git_dir = worktree.top / ".git"
    flight = InFlight(git_dir, git_dir, worktree.top, worktree.environ)
    with worktree.committing() as process:
        until(worktree.ready.exists, 60)
        found = flight.obstacle()
        assert found is not None
        kill_below(process.pid)
    until(lambda: flight.reason() is None)
    assert InFlight(git_dir, git_dir, worktree.top, worktree.environ).reason() is None


def kill_below(pid: int) -> None:
    """Kill a process with all that it has started."""
    with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for child in map(int, children):
            kill_below(child)
        os.kill(pid, 9)
