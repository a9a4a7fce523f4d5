"""A scratch repository for the demonstration, made with GitPython; it knows no user's settings."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_AUTHOR: Final = ("demo", "demo@localhost")


class ScratchRepository:
    """A new Git repository with one identity of its own, in an empty directory."""

    def __init__(self, top: Path) -> None:
        from git import Repo  # slow to import, and only the demonstration needs it

        self._repo = Repo.init(top, initial_branch="main")
        with self._repo.config_writer() as settings:
            settings.set_value("user", "name", _AUTHOR[0])
            settings.set_value("user", "email", _AUTHOR[1])
            settings.set_value("commit", "gpgsign", "false")

    def commit(self, path: str, message: str) -> None:
        """Stage one path and commit it."""
        self._repo.index.add([path])
        self._repo.index.commit(message)

    def diff(self, path: str) -> str:
        """Return what the file in the worktree has that HEAD has not, as Git writes it."""
        return str(self._repo.git.diff("--no-color", "--unified=0", "HEAD", "--", path))

    def close(self) -> None:
        """Let go of the processes that GitPython keeps."""
        self._repo.close()
