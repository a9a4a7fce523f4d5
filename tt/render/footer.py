"""Lines at the foot of a terminal that change in place, with what was said above them.

Only sequences that every terminal knows are used. A picture is written in one go, line over line:
nothing flickers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TextIO

_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"
_LINE: Final = "\x1b[2K"
_DOWN: Final = "\x1b[J"


class Line(NamedTuple):
    """One line as it is written, and how many columns of the terminal it takes."""

    text: str
    columns: int


class Footer:
    """The lowest lines of one terminal. To be closed."""

    def __init__(self, out: TextIO, size: Callable[[], tuple[int, int]]) -> None:
        """Write to `out`; `size` returns its columns and lines."""
        self._out, self._size = out, size
        self._shown: Sequence[Line] = ()
        self._write(_HIDE)

    def draw(self, lines: Sequence[Line]) -> None:
        """Show these lines in the place of those that are there, as many as fit."""
        start, fewer = self._start(), len(lines) < self._rows
        self._shown = lines[: max(self._size()[1] - 1, 1)]
        self._write(start + self._picture() + (_DOWN if fewer else ""))

    def say(self, lines: Sequence[str]) -> None:
        """Write lines that stay, above the others."""
        said = "".join(f"{line}\n" for line in lines)
        self._write(f"{self._start()}{_DOWN}{said}{self._picture()}")

    def close(self) -> None:
        """Leave only what was said."""
        self._write(f"{self._start()}{_DOWN}{_SHOW}")
        self._shown = ()

    def _picture(self) -> str:
        return "\n".join(f"{_LINE}{line.text}" for line in self._shown)

    @property
    def _rows(self) -> int:
        """How many rows the lines take: a terminal that became narrower since has broken them."""
        width = max(self._size()[0], 1)
        return sum(max(-(-line.columns // width), 1) for line in self._shown)

    def _start(self) -> str:
        """Return what leads to the beginning of the first line."""
        rows = self._rows
        return f"\r\x1b[{rows - 1}A" if rows > 1 else "\r" * rows

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()
