"""Repositories whose plan is merged by the driver, as `tt hooks install` sets it up."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.support.git_repos import git, init

PROGRAM = (
    f"PYTHONPATH={shlex.quote(str(Path(__file__).parents[2]))} {shlex.quote(sys.executable)} -m tt"
)
DRIVER = f"{PROGRAM} merge-driver %O %A %B %P %L"


class Done(NamedTuple):
    """How a Git command ended."""

    code: int
    out: str
    err: str


class Driven:
    """A repository with one plan, and branches `base`, `ours` and `theirs` to bring together."""

    def __init__(self, top: Path, path: str = "tasks.toml") -> None:
        self.top = init(top)
        self.path = path
        git(top, "config", "merge.tt.driver", DRIVER)
        self.write(".gitattributes", f"/{path} merge=tt\n")
        git(top, "add", ".")

    @property
    def file(self) -> Path:
        """The plan."""
        return self.top / self.path

    def write(self, name: str, content: str | bytes) -> None:
        """Write a file as it is."""
        path = self.top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, content: str | bytes | None, message: str = "edit") -> str:
        """Commit the plan (None: without it) and return the commit."""
        if content is None:
            git(self.top, "rm", "-q", "--ignore-unmatch", "--", self.path)
        else:
            self.write(self.path, content)
            git(self.top, "add", "--", self.path)
        git(self.top, "commit", "-q", "--allow-empty", "-m", message)
        return git(self.top, "rev-parse", "HEAD")

    def fork(self, base: str | bytes | None, ours: str | bytes, theirs: str | bytes) -> None:
        """Make branches `ours` and `theirs` of one base, each with its plan; be on `ours`."""
        self.commit(base, "base")
        git(self.top, "branch", "base")
        git(self.top, "switch", "-q", "-c", "theirs")
        self.commit(theirs, "theirs")
        git(self.top, "switch", "-q", "-c", "ours", "base")
        self.commit(ours, "ours")

    def git(self, *arguments: str, where: Path | None = None) -> Done:
        """Run Git, whatever its exit code is."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=where or self.top,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env={**os.environ, "GIT_EDITOR": "true"},
        )
        return Done(done.returncode, done.stdout, done.stderr)

    @property
    def text(self) -> str:
        """The plan in the worktree."""
        return self.file.read_bytes().decode()

    def staged(self) -> list[str]:
        """The stages that the index has of the plan: ["0"] where it is merged."""
        lines = git(self.top, "ls-files", "--stage", "--", self.path).splitlines()
        return [line.split()[2] for line in lines]

    def status(self) -> str:
        """What `git status` says in short."""
        return git(self.top, "status", "--porcelain")
