"""Checking plan files without anything else: no Redis, no Git, nothing written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from tt.core.answers import Checked
from tt.errors import Located, PlanError, TTError

CountTasks: TypeAlias = Callable[[bytes, str], int]
"""Reads a plan's bytes and says how many tasks it has; raises PlanError, naming the file."""


def check(files: Sequence[tuple[Path, str]], count_tasks: CountTasks) -> tuple[Checked, ...]:
    """Check files, given as path and name. Raises TTError where one cannot be read."""
    return tuple(_check(path, name, count_tasks) for path, name in files)


def _check(path: Path, name: str, count_tasks: CountTasks) -> Checked:
    source = _read(path, name)
    try:
        return Checked(name, count_tasks(source, name), (), source)
    except PlanError as error:
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
