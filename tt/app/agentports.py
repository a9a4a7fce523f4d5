"""What an agent needs of the machine that it runs on, as protocols."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

INBOX: Final = "inbox"
"""There may be messages."""
STOP: Final = "stop"
"""Somebody may have asked it to stop."""
SELF: Final = "agent"
"""Somebody may have changed what the town knows of it."""
EVERYTHING: Final = frozenset({INBOX, STOP, SELF})


class Running(Protocol):
    """A program that was started, with all that descends from it."""

    @property
    def fileno(self) -> int:
        """What to wait on for its output; -1 where none will come."""
        ...

    @property
    def due(self) -> float | None:
        """When to `poll` at the latest."""
        ...

    @property
    def survivors(self) -> tuple[int, ...]:
        """Processes that could not be ended, once all is over."""
        ...

    def last_lines(self) -> str:
        """Return the end of what it printed."""
        ...

    def pump(self) -> bool:
        """Take in what it has printed."""
        ...

    def poll(self) -> int | None:
        """Return its exit code once nothing is left of it."""
        ...

    def stop(self) -> None:
        """Ask it to end, and see to it after a grace."""
        ...

    def freeze(self) -> None:
        """Let it stand still."""
        ...

    def thaw(self) -> None:
        """Let it go on."""
        ...


class Workbench(Protocol):
    """Where an agent's program runs."""

    def begin(self, prompt: str, number: int, more: Mapping[str, str]) -> Running:
        """Start it with a prompt, as round `number`; `more` are variables of its environment.

        Raises TTError where it cannot be started.
        """
        ...


class Ears(Protocol):
    """How an agent hears that there is something to look at."""

    @property
    def due(self) -> float:
        """When `heard` wants to be called again at the latest."""
        ...

    def heard(self) -> frozenset[str]:
        """Return what may have changed since: INBOX, STOP, SELF. Raises StoreError."""
        ...

    def close(self) -> None:
        """Hear nothing until `heard` is asked again, which begins anew: everything may have
        changed."""
        ...


class Journal(Protocol):
    """Where an agent says what it does."""

    def __call__(self, line: str, *, activity: bool = False) -> str:
        """Say one line, and return it as it was said; `activity` is for the town to see, too."""
        ...
