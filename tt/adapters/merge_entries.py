"""One unit's lines taken apart: which of them say which field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from tt.adapters.merge_units import TASK, TOP, OddTextError, Unit
from tt.adapters.toml_scan import Key, Pair, sections

PAIRS: Final = 0
SECTIONS: Final = 1
"""The two zones of a block: its pairs come before the tables and arrays of tables in it."""


class Entry(NamedTuple):
    """The lines that say a field, or a part of one: a pair, or a section of its own.

    `text` is cut in three: what comes before the value, the value, and the rest of its line.
    """

    field: str
    number: int
    """Which of its field's entries in its zone it is."""
    zone: int
    lead: str
    text: str
    value: int = 0
    value_end: int = 0
    is_whole: bool = False
    """Whether it is a pair that says all of the field."""

    @property
    def key(self) -> tuple[str, int]:
        """By what it is known among the entries of its zone."""
        return self.field, self.number

    @property
    def place(self) -> tuple[int, str, int]:
        """By what it is known among all entries."""
        return self.zone, self.field, self.number

    @property
    def lines(self) -> str:
        """Return the entry as it stands."""
        return self.lead + self.text

    @property
    def parts(self) -> tuple[str, str, str]:
        """Return what is before the value, the value, and what comes after it."""
        return (
            self.text[: self.value],
            self.text[self.value : self.value_end],
            self.text[self.value_end :],
        )


class Block(NamedTuple):
    """A unit's lines taken apart. `head` is the header's line; a file's top has none."""

    head: str = ""
    entries: Sequence[Entry] = ()

    def of(self, name: str, zone: int | None = None) -> Sequence[Entry]:
        """List the entries of a field, all of them or those of one zone."""
        return [e for e in self.entries if e.field == name and zone in (None, e.zone)]

    def order(self, zone: int) -> Sequence[tuple[str, int]]:
        """List the keys of a zone's entries."""
        return [entry.key for entry in self.entries if entry.zone == zone]


def block_of(unit: Unit | None) -> Block:
    """Take a unit apart; none is an empty block. Raises OddTextError where it has no fields."""
    if unit is None:
        return Block()
    text = unit.body
    top, *found = sections(text)
    if unit.key[0] == TOP:
        return Block("", _numbered(_pairs(text, top.pairs, top.pairs[0].start, ("meta",))))
    head, done = "", 0
    entries: list[Entry] = []
    if len(found[0].path) == 1:
        if found[0].is_array != (unit.key[0] == TASK):
            raise OddTextError
        first = found.pop(0)
        head, done = text[: first.head_end], first.end
        entries += _pairs(text, first.pairs, first.head_end)
    for section in found:
        if len(section.path) == 1:
            raise OddTextError
        lines = text[section.start : section.end]
        entries.append(Entry(section.path[1], 0, SECTIONS, text[done : section.start], lines))
        done = section.end
    return Block(head, _numbered(entries))


def _pairs(text: str, pairs: Sequence[Pair], done: int, inner: Key = ()) -> Iterator[Entry]:
    """Yield an entry for each pair, by its first key; `inner.x` is a field of its own."""
    for pair in pairs:
        start, cut = pair.start, (pair.value - pair.start, pair.value_end - pair.start)
        lead, line = text[done:start], text[start : pair.end]
        depth = 2 if inner and pair.key[:1] == inner and len(pair.key) > 1 else 1
        whole = len(pair.key) == depth
        yield Entry(".".join(pair.key[:depth]), 0, PAIRS, lead, line, *cut, whole)
        done = pair.end


def _numbered(entries: Iterable[Entry]) -> list[Entry]:
    """Number the entries of each field, zone by zone."""
    seen: dict[tuple[int, str], int] = {}
    found = []
    for entry in entries:
        at = entry.zone, entry.field
        seen[at] = seen.get(at, -1) + 1
        found.append(entry._replace(number=seen[at]))
    return found
