"""What can go wrong for a user, as sentences, and the exit codes that scripts rely on."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What a `tt` process says by ending; documented in docs/commands.md, never renumbered."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    CONFLICTS = 3
    STORE = 4
    PLAN = 5
    BUG = 70
    INTERRUPTED = 130


class TTError(Exception):
    """An expected failure: `message` says what happened and to what, `hint` the safe next step.

    Both are full sentences for a person; a hint never names a command that destroys anything.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.FAILED

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(TTError):
    """The command was called in a way that cannot mean anything."""

    exit_code = ExitCode.USAGE


class StoreError(TTError):
    """Redis is unreachable or refuses: nothing was decided, nothing half-written is left."""

    exit_code = ExitCode.STORE


class PlanError(TTError):
    """The plan file is invalid, or is no plan; the message names the file, line and column."""

    exit_code = ExitCode.PLAN


class FileMovedError(TTError):
    """The file on disk is no longer what was read; the caller reads and merges again."""


class BaseMovedError(TTError):
    """The base is no longer what was read; the caller reads and merges again."""
