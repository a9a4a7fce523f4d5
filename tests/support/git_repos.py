"""Scratch repositories for tests; identity and configuration are the conftest's, never a user's."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def git(where: Path, *arguments: str, given: str | None = None, **environment: str) -> str:
    """Run Git in a directory and return what it prints; a failure fails the test."""
    done = subprocess.run(
        ["git", "-C", str(where), *arguments],
        input=given,
        stdin=subprocess.DEVNULL if given is None else None,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        check=False,
        timeout=60,
        env=dict(os.environ) | environment,
    )
    assert done.returncode == 0, f"git {arguments}: {done.stderr}"
    return done.stdout.removesuffix("\n")


def init(path: Path, *options: str) -> Path:
    """Make a repository without any commit."""
    path.mkdir(parents=True, exist_ok=True)
    git(path, "init", "--quiet", "--initial-branch=main", *options)
    return path


def commit(repository: Path, name: str = "tasks.toml", content: str = "x = 1\n") -> str:
    """Write a file and commit it; return the commit."""
    (repository / name).parent.mkdir(parents=True, exist_ok=True)
    (repository / name).write_text(content, encoding="utf-8")
    git(repository, "add", "--", name)
    git(repository, "commit", "--quiet", "--message", f"Write {content!r}")
    return git(repository, "rev-parse", "HEAD")


def repository(path: Path, *options: str) -> Path:
    """Make a repository with one commit of `tasks.toml`."""
    commit(init(path, *options))
    return path
