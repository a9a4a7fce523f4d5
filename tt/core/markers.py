"""Conflict markers in a text: written as Git writes them, and read whoever wrote them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

DEFAULT_SIZE: Final = 7
"""How many characters a marker has, unless the attribute `conflict-marker-size` says otherwise."""

_START: Final = r"(<{7,})(?: [^\n]*)?\r?\n?\Z"


class MergeSide(StrEnum):
    """One side of a merge, as Git and `tt resolve` call it."""

    OURS = "ours"
    THEIRS = "theirs"


class Hunk(NamedTuple):
    """One conflict: both sides' lines, without the markers. `line` is where it begins, from 1.

    `text` is all of it as it stands, markers included.
    """

    ours: str
    theirs: str
    text: str
    line: int

    def side(self, side: MergeSide) -> str:
        """Return one side's lines."""
        return self.ours if side is MergeSide.OURS else self.theirs


Piece = str | Hunk


def hunk(ours: str, theirs: str, size: int = DEFAULT_SIZE, newline: str = "\n") -> str:
    """Write two versions of some lines as a conflict."""
    return (
        f"{'<' * size} ours{newline}{ours}{'=' * size}{newline}{theirs}{'>' * size} theirs{newline}"
    )


def has_markers(text: str) -> bool:
    """Say whether there may be a conflict in a text; `pieces` says whether there is."""
    mark = "<" * DEFAULT_SIZE
    return text.startswith(mark) or f"\n{mark}" in text


def pieces(text: str) -> list[Piece]:
    """Split a text into what is settled and its conflicts; together they are the text.

    Markers of a length of 7 or more count; a conflict's four kinds have the same length, so that
    one within a side of another one (of a base that was itself merged) is that side's text. What
    does not close is no conflict.
    """
    if not has_markers(text):
        return [text] if text else []
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    found: list[Piece] = []
    settled: list[str] = []
    at = 0
    while at < len(lines):
        size = _size(lines[at])
        end = _end(lines, at, size) if size else None
        if end is None:
            settled.append(lines[at])
            at += 1
            continue
        if settled:
            found.append("".join(settled))
            settled = []
        found.append(_hunk(lines, at, end, size))
        at = end + 1
    return [*found, "".join(settled)] if "".join(settled) else found


def _size(line: str) -> int:
    start = re.match(_START, line) if line.startswith("<" * DEFAULT_SIZE) else None
    return len(start[1]) if start else 0


def _is_mark(line: str, char: str, size: int) -> bool:
    return line.startswith(char * size) and line[size : size + 1] in ("", " ", "\r", "\n")


def _end(lines: Sequence[str], start: int, size: int) -> int | None:
    """Return where a conflict ends that begins at `start`; None where it does not."""
    has_middle = False
    for at in range(start + 1, len(lines)):
        if _is_mark(lines[at], "=", size):
            has_middle = True
        elif _is_mark(lines[at], ">", size):
            return at if has_middle else None
        elif _is_mark(lines[at], "<", size):
            return None
    return None


def _hunk(lines: Sequence[str], start: int, end: int, size: int) -> Hunk:
    middle = next(at for at in range(start, end) if _is_mark(lines[at], "=", size))
    base = (at for at in range(start, middle) if _is_mark(lines[at], "|", size))
    ours = lines[start + 1 : next(base, middle)]
    text = "".join(lines[start : end + 1])
    return Hunk("".join(ours), "".join(lines[middle + 1 : end]), text, start + 1)


def hunks(text: str) -> Iterator[Hunk]:
    """Yield the conflicts of a text."""
    return (piece for piece in pieces(text) if isinstance(piece, Hunk))


def sided(text: str, side: MergeSide) -> str:
    """Return a text as it was on one side, conflicts within conflicts included."""
    while True:
        found = pieces(text)
        if not any(isinstance(piece, Hunk) for piece in found):
            return text
        text = "".join(p.side(side) if isinstance(p, Hunk) else p for p in found)
