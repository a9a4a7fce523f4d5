"""Checking plan files without anything else: no Redis, no Git, nothing written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from tt.core.answers import Checked
from tt.errors import Located, NotAPlanError, PlanError, TTError

CountTasks: TypeAlias = Callable[[bytes, str], int]
"""Reads a plan's bytes and says how many tasks it has; raises PlanError, naming the file."""


def check(
    files: Sequence[tuple[Path, str]], count_tasks: CountTasks, *, only: Path | None = None
) -> tuple[Checked, ...]:
    """Check files, given as path and name. Raises TTError where one cannot be read.

    With `only`, files that are no plans are passed over: `tasks.toml` is a common name. The one at
    `only` has to be a plan all the same, or a slip that makes it none would go unnoticed.
    """
    found = (_check(path, name, count_tasks, _may_differ(path, only)) for path, name in files)
    return tuple(one for one in found if one is not None)


def _may_differ(path: Path, only: Path | None) -> bool:
    return only is not None and path.resolve() != only.resolve()


def _check(path: Path, name: str, count_tasks: CountTasks, may_differ: bool) -> Checked | None:
    source = _read(path, name)
    try:
        return Checked(name, count_tasks(source, name), (), source)
    except PlanError as error:
        if may_differ and isinstance(error, NotAPlanError):
            return None
        return Checked(name, 0, error.problems or (_whole(name, error),), source)


def _whole(name: str, error: PlanError) -> Located:
    """Say of a file as a whole what is wrong with it, in the form of a problem at its start."""
    message = error.message.removeprefix(f"{name}: ").removeprefix(f"{name} is ").rstrip(".")
    hint = error.hint and error.hint[0].lower() + error.hint[1:].rstrip(".")
    return Located(1, 1, "file", message, hint)


def _read(path: Path, name: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise TTError(f"There is no {name}.", "`tt plan --init` begins a plan.") from error
    except OSError as error:
        raise TTError(f"{name} cannot be read: {error.strerror}.") from error
