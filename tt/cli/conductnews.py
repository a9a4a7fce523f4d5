"""What becomes of a conductor's words: a moving tree, plain lines or JSON; and always its log."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from tt.adapters.private import make_private_directory
from tt.cli.calm import calm_terminal
from tt.cli.screen import Flags, OutputError, say
from tt.core.conducted import Told
from tt.core.ledger import Ledger
from tt.core.times import rfc3339
from tt.errors import StoreError, TTError
from tt.render.conductlines import told_json, told_lines
from tt.render.text import Look

if TYPE_CHECKING:
    from tt.render.conductview import View
    from tt.workports import Workshop

LARGEST: Final = 1_000_000
"""Bytes after which a log is put aside at the next start; one old one is kept."""
_FRAME: Final = 0.1
"""Seconds between two pictures at least."""
_SPARING: Final = 10.0
"""Drawing takes at most one part in so many of the time, however large the plan."""
_SECOND: Final = 1.0
_NEVER: Final = float("inf")
_PLAIN: Final = Look()


class Newsroom:
    """Says what happens, to whoever reads. To be closed."""

    def __init__(self, flags: Flags, workshop: Workshop, log: Path, *, as_json: bool) -> None:
        """Write to the log as well. Raises TTError where that cannot be opened."""
        self._look, self._as_json, self._workshop = flags.look, as_json, workshop
        self._log = _open(log)
        self._is_live = not as_json and self._look.symbols and os.environ.get("TERM") != "dumb"
        self._view: View | None = None
        self._is_stale = True
        self._next = self._drawn_at = 0.0
        self._pause = _FRAME
        self._calm: Callable[[], None] = _nothing

    @property
    def _now_look(self) -> Look:
        """How lines look on a terminal that may have become wider or narrower."""
        return self._look if self._view is None else self._look._replace(width=self._view.width)

    def _resized(self) -> None:
        self._next = min(self._next, self._drawn_at + self._pause)

    def tell(self, told: Told) -> None:
        """Say one thing that happened. Raises OutputError."""
        self._is_stale, self._next = True, min(self._next, self._drawn_at + self._pause)
        plain = told_lines(told, _PLAIN)
        self.note(plain)
        clock = f"{time.strftime('%H:%M:%S')}  "
        if self._as_json:
            say([told_json(told, rfc3339(time.time_ns()))])
            return
        lines = told_lines(told, self._now_look, len(clock))
        self.say([clock + lines[0], *(" " * len(clock) + line for line in lines[1:])])

    def say(self, lines: list[str]) -> None:
        """Say lines that stay. Raises OutputError."""
        if self._view is None:
            say(lines)
            return
        with _output():
            self._view.say(lines)

    def note(self, lines: list[str]) -> None:
        """Write lines into the log; one that cannot be written is lost, and ends nothing."""
        now = time.strftime("%Y-%m-%d %H:%M:%S%z")
        with suppress(OSError):
            text = "".join(f"{now}  {line}\n" for line in lines)
            os.write(self._log, text.encode("utf-8", "backslashreplace"))

    @property
    def due(self) -> float:
        """When the picture is to be drawn next, by the monotonic clock."""
        return self._next if self._is_live else _NEVER

    def show(self, ledger: Ledger | None) -> None:
        """Draw the picture where it is time to."""
        now = time.monotonic()
        if not self._is_live or now < self._next:
            return
        self._next = now + _SECOND
        if ledger is None or not ledger.tasks:
            return
        if self._view is None:
            from tt.render.conductview import View

            self._calm = calm_terminal(self._resized)
            self._view = View(sys.stdout, self._look, self._activity)
        with _output():
            if self._is_stale or not self._view.fits:
                self._view.lay_out(ledger)
            self._is_stale = False
            self._view.draw(ledger, time.time())
        self._pause = max(_FRAME, _SPARING * (time.monotonic() - now))
        self._drawn_at = time.monotonic()

    def leave(self) -> None:
        """Take the picture away; what was said stays."""
        self._is_live = False
        if self._view is not None:
            with suppress(OSError):
                self._view.close()
            self._view = None
            self._calm()

    def close(self) -> None:
        """Leave the terminal as it was, with all that was said."""
        self.leave()
        os.close(self._log)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _activity(self, agent: str) -> str:
        """Return the last line of what an agent's program prints: about its rounds we know."""
        with suppress(StoreError):
            line = next(iter(self._workshop.activity(agent)), "")
            return "" if line.startswith(("Round ", "Stopped: ")) else line
        return ""


def _nothing() -> None:
    return


@contextmanager
def _output() -> Iterator[None]:
    """Tell what fails on standard output from what fails elsewhere."""
    try:
        yield
    except OSError as error:
        raise OutputError(error.errno, error.strerror) from error


def _open(path: Path) -> int:
    try:
        make_private_directory(path.parent)
        with suppress(FileNotFoundError):
            if path.stat().st_size > LARGEST:
                path.replace(path.with_name(f"{path.name}.1"))
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError as error:
        raise TTError(f"The log {path} cannot be written: {error.strerror}.") from error
