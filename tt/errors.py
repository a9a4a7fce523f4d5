"""What can go wrong for a user, as sentences, and the exit codes that scripts rely on."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import ClassVar

from tt.record import record


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


class StoreRefusedError(StoreError):
    """Redis answered, and refuses what was asked: a replica, a user without the right to write."""


class TrackingError(StoreError):
    """Redis cannot tell which keys change, and would not learn to soon: it is to be asked."""


@record
class Located:
    """One fault of a plan file: line and column count from 1, columns in characters.

    `code` is stable and for programs; `hint` says what was probably meant.
    """

    line: int
    column: int
    code: str
    message: str
    hint: str | None = None


class PlanError(TTError):
    """The plan file is invalid; the message has one line for each fault, with line and column.

    `problems` are the same faults as data, in the order of the file.
    """

    exit_code = ExitCode.PLAN

    def __init__(
        self, message: str, hint: str | None = None, problems: Sequence[Located] = ()
    ) -> None:
        super().__init__(message, hint)
        self.problems = tuple(problems)


class NotAPlanError(PlanError):
    """The file is valid TOML and no plan: some other tool's `tasks.toml`, or an empty file."""


class FileMovedError(TTError):
    """The file on disk is no longer what was read; the caller reads and merges again."""


class BaseMovedError(TTError):
    """The base is no longer what was read; the caller reads and merges again."""


class NoTownError(TTError):
    """The branch has no town in Redis, and nobody did anything that makes one."""


class OtherBranchError(TTError):
    """The town has a fixed name, and follows another branch than this one."""


class LockedError(TTError):
    """Another `tt` is at work in this worktree; hooks leave the work to it."""


class WatchedError(TTError):
    """Another `tt watch` watches this plan already."""
