"""What a command was called with, and how it answers: as text that fits its reader, or as JSON."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from tt.bootstrap import Project
    from tt.render.text import Look


TOWN_DIR: Final = "TT_TOWN_DIR"
"""The variable by which an agent's program, wherever it runs, finds the plan that it works for."""


class Flags(NamedTuple):
    """The options that stand before the command. `color` is None where nobody said."""

    town: str = "."
    name: str | None = None
    redis: str | None = None
    verbose: bool = False
    color: bool | None = None
    command: str = "tt"

    def project(self) -> Project:
        """Open the project that the flags lead to."""
        from tt.bootstrap import open_project

        return open_project(self.town, self.settings, self.command)

    @property
    def settings(self) -> dict[str, str | None]:
        """The flags that are settings, by the setting's name."""
        return {"name": self.name, "redis.url": self.redis}

    @property
    def look(self) -> Look:
        """How standard output may look: plain unless it is a terminal."""
        from tt.render.text import Look

        terminal = sys.stdout is not None and sys.stdout.isatty()
        color = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        if self.color is not None:
            color = self.color
        return Look(color, terminal, _width() if terminal else 0, self.verbose)


def _width() -> int:
    from shutil import get_terminal_size

    return get_terminal_size().columns


class OutputError(OSError):
    """Standard output takes no more: its reader has left, or the disk behind it is full."""


def say(lines: Iterable[str]) -> None:
    """Write a result to standard output. Raises OutputError."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()
    except OSError as error:
        raise OutputError(error.errno, error.strerror) from error


def warn(lines: Iterable[str]) -> None:
    """Write what is no result to standard error, if anybody still listens there."""
    if sys.stderr is not None:
        with suppress(OSError):
            sys.stderr.write("".join(f"{line}\n" for line in lines))


def answer(
    flags: Flags, report: object, lines: Callable[[Look], list[str]], *, as_json: bool
) -> None:
    """Give a report to whoever asked: a program gets JSON, a person gets `lines`."""
    if as_json:
        say_json(report)
    else:
        say(lines(flags.look))


def say_json(report: object) -> None:
    """Give a report to a program."""
    from tt.render.jsonout import envelope

    say([envelope(report)])


def examples(*lines: str) -> str:
    """Return the examples that end a command's help."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
