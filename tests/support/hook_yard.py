"""A repository to install hooks in, with a `tt` that does nothing but note how it was called."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from tests.support.commands import Ended, run_inside
from tests.support.git_repos import commit, git, init

FAKE: Final = """\
#!/bin/sh
{ echo "$* pid=$TT_GIT_PID"; [ "$2" != pre-push ] || cat; } >>"$TT_TEST_CALLS"
exit "${TT_TEST_CODE:-0}"
"""
LIMIT_SECONDS: Final = 60.0


class Ran(NamedTuple):
    """How a Git command ended, and everything that it and its hooks said."""

    code: int
    out: str


@dataclass(frozen=True)
class Yard:
    """A worktree, the fake `tt` below `bin`, and the file in which that notes its calls."""

    top: Path
    room: Path

    @classmethod
    def make(cls, room: Path) -> Yard:
        """Make a repository with one commit below `room`, and the fake `tt` beside it."""
        yard = cls(init(room / "here"), room)
        commit(yard.top)
        return yard.with_program()

    def with_program(self) -> Yard:
        """Lay down the fake `tt`."""
        write_script(self.program, FAKE)
        return self

    @property
    def program(self) -> Path:
        """The fake `tt`."""
        return self.room / "bin" / "tt"

    @property
    def hooks(self) -> Path:
        """The directory in which Git looks for hooks."""
        words = ("rev-parse", "--path-format=absolute", "--git-path", "hooks")
        return Path(git(self.top, *words))

    @property
    def environment(self) -> dict[str, str]:
        """The environment of every command here."""
        path = f"{self.program.parent}{os.pathsep}{os.environ['PATH']}"
        return {**os.environ, "PATH": path, "TT_TEST_CALLS": str(self.room / "calls")}

    def at(self, top: Path) -> Yard:
        """Return the same in another worktree."""
        return Yard(top, self.room)

    def hook(self, event: str, text: str | bytes, mode: int = 0o755) -> Path:
        """Write a hook of the user's."""
        return write_script(self.hooks / event, text, mode)

    def tt(self, *arguments: str, code: int = 0, **env: str) -> Ended:
        """Run the real `tt`, which takes the fake one for itself."""
        before, sys.argv = sys.argv, [str(self.program)]
        try:
            ended = run_inside([*arguments], self.top, {**self.environment, **env})
        finally:
            sys.argv = before
        assert ended.code == code, ended
        return ended

    def git(self, *arguments: str, **env: str) -> Ran:
        """Run Git as a user does, hooks and all, to whatever end."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.top,
            env={**self.environment, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
            timeout=LIMIT_SECONDS,
        )
        return Ran(done.returncode, done.stdout)

    def commit(self, **env: str) -> Ran:
        """Make a commit without a change."""
        return self.git("commit", "--allow-empty", "--quiet", "--message", "x", **env)

    def calls(self) -> list[str]:
        """Return how the fake `tt` was called since the last time, without process ids."""
        return [line.partition(" pid=")[0] for line in self.raw_calls()]

    def raw_calls(self) -> list[str]:
        """Return what the fake `tt` noted since the last time."""
        notes = self.room / "calls"
        lines = notes.read_text().splitlines() if notes.exists() else []
        notes.unlink(missing_ok=True)
        return lines

    def hooked(self) -> set[str]:
        """Return the events that `tt hooks status` says are reached."""
        ended = self.tt("hooks", "status", "--json", code=self.tt_status_code())
        return {hook["event"] for hook in ended.data["hooks"] if hook["reached"]}

    def tt_status_code(self) -> int:
        """Return the exit code of `tt hooks status`, whichever it is."""
        before, sys.argv = sys.argv, [str(self.program)]
        try:
            return run_inside(["hooks", "status"], self.top, self.environment).code
        finally:
            sys.argv = before


def path_without_tt() -> str:
    """Return the PATH without the directories in which there is a `tt`."""
    places = os.environ["PATH"].split(os.pathsep)
    return os.pathsep.join(place for place in places if not Path(place, "tt").exists())


def write_script(path: Path, text: str | bytes, mode: int = 0o755) -> Path:
    """Write a file that can be run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(mode)
    return path


def everything_below(*places: Path) -> Mapping[str, tuple[str, object]]:
    """Note all files below some places: content, mode, and where symlinks lead."""
    found: dict[str, tuple[str, object]] = {}
    for place in places:
        for path in sorted([place, *place.rglob("*")] if place.is_dir() else [place]):
            found[str(path)] = _noted(path)
    return found


def _noted(path: Path) -> tuple[str, object]:
    if path.is_symlink():
        return "link", str(path.readlink())
    if not path.exists():
        return "nothing", None
    mode = oct(stat.S_IMODE(path.stat().st_mode))
    return mode, None if path.is_dir() else path.read_bytes()


def installed_state(top: Path) -> Mapping[str, tuple[str, object]]:
    """Note everything that installing hooks may change in a repository."""
    common = Path(git(top, "rev-parse", "--path-format=absolute", "--git-common-dir"))
    hooks = Path(git(top, "rev-parse", "--path-format=absolute", "--git-path", "hooks"))
    return everything_below(
        hooks, common / "hooks", common / "tt", common / "config", common / "info",
        top / ".gitattributes",
    )  # fmt: skip
