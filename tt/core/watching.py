"""What a watcher sees happen, and what it has to tell."""

from __future__ import annotations

from enum import StrEnum


class Happening(StrEnum):
    """Something happened around a plan; what it was is for a look to find out.

    `SAVED`: its name got other content, another file, or none. `WRITING`: a program has written to
    it and not closed it yet. `GIT`: a file changed by which Git says where the worktree stands.
    """

    SAVED = "saved"
    WRITING = "writing"
    GIT = "git"
