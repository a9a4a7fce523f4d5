"""A plan's text cut into units that are merged as wholes: tasks, tables, and comments between them.

Every byte of the text is in one unit or another (or in the blank lines at its end), so that units
put together again are the text. Only whole lines are looked at; what is in a task is the business
of `merge_blocks`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from tt.adapters.toml_pieces import task_starts
from tt.adapters.toml_scan import Section, sections

UnitKey: TypeAlias = tuple[str, str, int]
"""What a unit is: its kind, its id, and a number where a comment stands in the file twice."""

TASK: Final = "task"
TABLE: Final = "table"
TOP: Final = "a top"  # its name lets it be sorted before the others, as it stands
NOTE: Final = "note"

_HEADER: Final = re.compile(r"\n[ \t]*+\[(?!\[tasks\]\])")
_DIRECTIVE: Final = re.compile(r"#[:!]")
_LINES: Final = re.compile(r"[^\n]*\n")


class OddTextError(Exception):
    """A text that says a plan in a way that has no units: tasks in an array, scattered tables."""


class Unit(NamedTuple):
    """One task or table with the comments that touch it, or comments that touch nothing."""

    key: UnitKey
    blanks: str
    """The blank lines above it."""
    lead: str
    """The comment lines directly above it; of a note, all of it."""
    body: str = ""
    """Its statements, and everything between them."""
    tail: str = ""
    """The comment lines directly below it."""

    @property
    def own(self) -> str:
        """Return the unit without the blank lines above it."""
        return self.lead + self.body + self.tail

    @property
    def id(self) -> str:
        """The id by which a merge knows it: a task's, or a table's such as `[meta]`."""
        return self.key[1]


class Units(NamedTuple):
    """All of a text: `end` are the blank lines after the last unit."""

    units: Sequence[Unit]
    end: str


class _Extent(NamedTuple):
    key: UnitKey
    start: int
    end: int


def units_of(text: str, names: Sequence[str]) -> Units:
    """Cut a text, which ends with a newline, into units; `names` are its tasks' ids in order.

    Raises OddTextError where it cannot be cut.
    """
    starts = task_starts(text, len(names))
    if len(starts) != len(names):
        raise OddTextError
    bounds = [*starts, len(text)]
    extents = list(_tables(text, 0, bounds[0]))
    is_plain = '"""' not in text and "'''" not in text and not _HEADER.search(text, bounds[0])
    for name, start, end in zip(names, starts, bounds[1:], strict=True):
        key, piece = (TASK, name, 0), text[start:end]
        if is_plain or _is_plain(piece):
            extents.append(_Extent(key, start, start + _statements_end(piece)))
        else:
            extents += _runs(sections(piece)[1:], start, key)
    if len({extent.key for extent in extents}) != len(extents):
        raise OddTextError
    return _with_comments(text, extents)


def _is_plain(piece: str) -> bool:
    """Say whether a piece has no string of several lines, and no header but its first."""
    return '"""' not in piece and "'''" not in piece and not _HEADER.search(piece)


@lru_cache(1 << 14)  # most pieces are the same in all three versions
def _statements_end(piece: str) -> int:
    """Return where the last statement ends, in a text in which no string has two lines."""
    end = len(piece)
    while True:
        end = len(piece[:end].rstrip())
        line = piece.rfind("\n", 0, end) + 1
        if not piece.startswith("#", len(piece) - len(piece[line:].lstrip(" \t"))):
            return piece.find("\n", end) + 1
        end = line


def _tables(text: str, start: int, end: int) -> Iterator[_Extent]:
    """Yield what stands before the first task."""
    top, *found = sections(text[start:end])
    if top.pairs:
        if any(pair.key[0] == "tasks" for pair in top.pairs):
            raise OddTextError
        yield _Extent((TOP, "[]", 0), top.pairs[0].start, top.pairs[-1].end)
    yield from _runs(found, start, None)


def _runs(found: Sequence[Section], offset: int, task: UnitKey | None) -> Iterator[_Extent]:
    """Yield an extent for each run of sections that belong to one table."""
    last: _Extent | None = None
    for section in found:
        name = section.path[0]
        key = task if task is not None and name == "tasks" else (TABLE, f"[{name}]", 0)
        if last is not None and last.key == key:
            last = last._replace(end=offset + section.end)
            continue
        if last is not None:
            yield last
        last = _Extent(key, offset + section.start, offset + section.end)
    if last is not None:
        yield last


def _with_comments(text: str, extents: Sequence[_Extent]) -> Units:
    """Give each comment between the extents its place."""
    found: list[Unit] = []
    notes: dict[str, int] = {}
    done = 0
    for extent in (*extents, _Extent((NOTE, "", -1), len(text), len(text))):
        at_end = extent.start == len(text)
        between = text[done : extent.start]
        if "#" not in between and not at_end:
            found.append(Unit(extent.key, between, "", text[extent.start : extent.end]))
            done = extent.end
            continue
        gap = _paragraphs(between)
        if found and _is_tail(gap, at_end=at_end):
            found[-1] = found[-1]._replace(tail=gap.pop(0).text)
        last = _lead(gap, is_first=not found, at_end=at_end)
        for note in gap:
            number = notes[note.text] = notes.get(note.text, -1) + 1
            found.append(Unit((NOTE, note.text, number), *note))
        if at_end:
            return Units(found, last.blanks)
        found.append(Unit(extent.key, *last, text[extent.start : extent.end]))
        done = extent.end
    raise AssertionError("the end is an extent too")


class _Paragraph(NamedTuple):
    blanks: str
    text: str


def _is_tail(gap: Sequence[_Paragraph], *, at_end: bool) -> bool:
    """Say whether a gap begins with comments that belong to what stands above it."""
    touches = bool(gap[0].text) and not gap[0].blanks
    return touches and (at_end or len(gap) > 2 or bool(gap[-1].blanks))


def _lead(gap: list[_Paragraph], *, is_first: bool, at_end: bool) -> _Paragraph:
    """Take out of a gap what belongs to the statement below it: its blank lines and comments."""
    last = gap.pop()
    if at_end or last.blanks or not gap:
        return last
    last = gap.pop()
    end = _directives(last.text) if is_first and not gap else 0
    if not end:
        return last
    gap.append(_Paragraph(last.blanks, last.text[:end]))
    return _Paragraph("", last.text[end:])


def _paragraphs(gap: str) -> list[_Paragraph]:
    """Split blank and comment lines; the last paragraph has no text, only the blanks at the end."""
    if "#" not in gap:
        return [_Paragraph(gap, "")]
    found: list[_Paragraph] = []
    blanks = text = ""
    for line in _LINES.findall(gap):
        if line.strip():
            text += line
        elif text:
            found.append(_Paragraph(blanks, text))
            blanks, text = line, ""
        else:
            blanks += line
    if text:
        found.append(_Paragraph(blanks, text))
        blanks = ""
    return [*found, _Paragraph(blanks, "")]


def _directives(lead: str) -> int:
    """Return where the lines end that speak to editors (`#:schema …`), at the top of a file."""
    end = 0
    for line in _LINES.finditer(lead):
        if not _DIRECTIVE.match(line[0]):
            break
        end = line.end()
    return end


def joined(units: Units) -> str:
    """Put a text together again; `joined(units_of(text, names)) == text`."""
    return "".join(unit.blanks + unit.own for unit in units.units) + units.end
