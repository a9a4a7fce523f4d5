"""A Git worktree at a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tt.record import record

if TYPE_CHECKING:
    from pathlib import Path


@record
class RepoState:
    """Where a worktree is, and where it stands.

    `branch` is None on a detached HEAD, `head` on an unborn branch.
    """

    top: Path
    git_dir: Path
    common_dir: Path
    branch: str | None
    head: str | None
