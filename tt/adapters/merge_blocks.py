"""Merging one task's or table's lines, field by field, with each side's format and comments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

from tt.adapters.merge_comments import comment_lines, lost_comments, merged_lines
from tt.adapters.merge_units import TASK, TOP, OddTextError, Unit
from tt.adapters.toml_scan import Key, Pair, sections
from tt.adapters.toml_write import ORDER, key_text
from tt.core.markers import hunk
from tt.core.three import Three, picked
from tt.core.treemerge import Fields
from tt.core.values import ABSENT, MaybeValue
from tt.core.weave import weave

_PAIRS: Final = 0
_SECTIONS: Final = 1


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
        entries.append(Entry(section.path[1], 0, _SECTIONS, text[done : section.start], lines))
        done = section.end
    return Block(head, _numbered(entries))


def _pairs(text: str, pairs: Sequence[Pair], done: int, inner: Key = ()) -> Iterator[Entry]:
    """Yield an entry for each pair, by its first key; `inner.x` is a field of its own."""
    for pair in pairs:
        start, cut = pair.start, (pair.value - pair.start, pair.value_end - pair.start)
        lead, line = text[done:start], text[start : pair.end]
        depth = 2 if inner and pair.key[:1] == inner and len(pair.key) > 1 else 1
        whole = len(pair.key) == depth
        yield Entry(".".join(pair.key[:depth]), 0, _PAIRS, lead, line, *cut, whole)
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


class Said(NamedTuple):
    """What the three versions say of one task or table, and what comes of it."""

    fields: Three[Fields]
    merged: Fields
    conflicts: AbstractSet[str | None] = frozenset()


class Style(NamedTuple):
    """How the outcome is written: its line ending, and the length of conflict markers."""

    newline: str
    size: int

    def hunk(self, ours: str, theirs: str) -> str:
        """Write two versions of some lines as a conflict."""
        return hunk(ours, theirs, self.size, self.newline)


def merged_unit(units: Three[Unit | None], said: Said, style: Style) -> str:
    """Merge a unit that both sides have changed, or that has conflicts in its fields."""
    merge = _BlockMerge(units, said, style)
    lead = merged_lines(units.map(lambda unit: unit.lead if unit else ""))
    tail = merged_lines(units.map(lambda unit: unit.tail if unit else ""))
    text = lead + merge.text() + tail
    lost = lost_comments(units.map(lambda unit: unit.own if unit else ""), merge.readable(text))
    return text + comment_lines(lost, style.newline)


class _BlockMerge:
    """The merge of one block in the making."""

    def __init__(self, units: Three[Unit | None], said: Said, style: Style) -> None:
        unit = units.ours or units.theirs
        assert unit is not None  # noqa: S101  somebody has it
        self.unit, self.said, self.style = unit, said, style
        self.blocks = units.map(block_of)
        self.hunks: list[tuple[str, str]] = []

    def text(self) -> str:
        made: list[Entry] = []
        both = (*self.blocks.ours.entries, *self.blocks.theirs.entries)
        for name in dict.fromkeys(entry.field for entry in both):
            made += self._clash(name) if name in self.said.conflicts else self._field(name)
        found = [*self._woven(made, _PAIRS), *self._woven(made, _SECTIONS)]
        return self._head(has_body=bool(found)) + "".join(entry.lines for entry in found)

    def readable(self, text: str) -> str:
        """Return a merged text without conflict markers, both sides' lines in it."""
        for marked, plain in self.hunks:
            text = text.replace(marked, plain, 1)
        return text

    def _head(self, *, has_body: bool) -> str:
        heads = self.blocks.map(lambda block: block.head)
        if has_body and not (heads.ours and heads.theirs):
            return heads.ours or heads.theirs
        return picked(heads)

    def _woven(self, made: Sequence[Entry], zone: int) -> list[Entry]:
        """Put what was merged in the order in which the sides have it."""
        found = {entry.key: entry for entry in made if entry.zone == zone}
        orders = self.blocks.map(lambda block: block.order(zone))
        return [found[key] for key in weave(orders, found.keys(), rank=_rank)]

    def _clash(self, name: str) -> list[Entry]:
        """Write both sides' lines of a field between conflict markers."""
        made = []
        for zone in (_PAIRS, _SECTIONS):
            found = Three(*(block.of(name, zone) for block in self.blocks))
            if not (found.ours or found.theirs):
                continue
            ours, theirs = _without_lead(found.ours), _without_lead(found.theirs)
            self.hunks.append((self.style.hunk(ours, theirs), ours + theirs))
            lead = merged_lines(found.map(_lead))
            made.append(Entry(name, 0, zone, lead, self.hunks[-1][0]))
        return made

    def _field(self, name: str) -> list[Entry]:
        found = self.blocks.map(lambda block: block.of(name))
        pairs = found.map(lambda entries: entries[0] if _is_pair(entries) else None)
        if pairs.ours and pairs.theirs:
            made = [self._pair(name, pairs.base, pairs.ours, pairs.theirs)]
        else:
            made = self._entries(name, found)
        return self._with_comments(made, found)

    def _pair(self, name: str, base: Entry | None, ours: Entry, theirs: Entry) -> Entry:
        """Merge a pair part by part: one side's value may come with the other's comment."""
        old = base.parts if base else ("", "", self.style.newline)
        parts = zip(old, ours.parts, theirs.parts, strict=True)
        before, value, after = (picked(Three(*part)) for part in parts)
        said, merged = self._values(name)
        if said.ours != said.theirs:
            value = (theirs if merged == said.theirs else ours).parts[1]
        text = before + value + after
        if merged not in said[1:]:
            text = self._composed(name, text, said.ours)
        lead = merged_lines(Three(base.lead if base else "", ours.lead, theirs.lead))
        return ours._replace(text=text, lead=lead)

    def _entries(self, name: str, found: Three[Sequence[Entry]]) -> list[Entry]:
        """Take one side's lines of a field that is spread over several, or that one side lacks."""
        said, merged = self._values(name)
        texts = found.map(lambda entries: [entry.text for entry in entries])
        if texts.ours == texts.base:
            chosen = found.theirs
        elif texts.theirs == texts.base or merged == said.ours:
            chosen = found.ours
        elif merged == said.theirs:
            chosen = found.theirs
        else:
            return self._composed_entries(name, found, said)
        return [entry._replace(lead=_merged_lead(entry, found)) for entry in chosen]

    def _composed_entries(
        self, name: str, found: Three[Sequence[Entry]], said: Three[MaybeValue]
    ) -> list[Entry]:
        chosen, now = (found.ours, said.ours) if found.ours else (found.theirs, said.theirs)
        if len({entry.zone for entry in chosen}) != 1:
            raise OddTextError
        text = self._composed(name, "".join(entry.lines for entry in chosen), now)
        return [chosen[0]._replace(lead="", text=text)]

    def _values(self, name: str) -> tuple[Three[MaybeValue], MaybeValue]:
        """Return what the versions say of a field, and what the outcome does."""
        said = self.said.fields.map(lambda fields: fields.get(name, ABSENT))
        return said, self.said.merged.get(name, ABSENT)

    def _composed(self, name: str, lines: str, said: MaybeValue) -> str:
        """Make the lines of a field say what both sides' values merge into."""
        if self.unit.key[0] == TOP:
            raise OddTextError
        from tt.adapters.toml_table import changed  # few merges need it

        is_task = self.unit.key[0] == TASK
        root = "tasks" if is_task else self.unit.id[1:-1]
        newline = self.style.newline
        head = f"[[tasks]]{newline}" if is_task else f"[{key_text((root,))}]{newline}"
        merged = self.said.merged.get(name, ABSENT)
        return changed(head + lines, root, (name,), said, merged)[len(head) :]

    def _with_comments(self, made: list[Entry], found: Three[Sequence[Entry]]) -> list[Entry]:
        """Put comments above a field that would get lost with the value they stood in."""
        if not made:
            return made
        texts = found.map(lambda entries: "".join(entry.lines for entry in entries))
        first = made[0]
        indent = first.text[: len(first.text) - len(first.text.lstrip(" \t"))]
        lost = lost_comments(texts, "".join(entry.lines for entry in made))
        lines = comment_lines(lost, self.style.newline, indent)
        return [first._replace(lead=first.lead + lines), *made[1:]]


def _is_pair(entries: Sequence[Entry]) -> bool:
    return len(entries) == 1 and entries[0].is_whole


def _lead(entries: Sequence[Entry]) -> str:
    return entries[0].lead if entries else ""


def _merged_lead(entry: Entry, found: Three[Sequence[Entry]]) -> str:
    """Merge what the sides have above an entry."""

    def lead(entries: Sequence[Entry]) -> str:
        return next((one.lead for one in entries if one.place == entry.place), "")

    return merged_lines(found.map(lead))


def _without_lead(entries: Sequence[Entry]) -> str:
    return "".join(entry.lines for entry in entries)[len(_lead(entries)) :]


def _rank(key: tuple[str, int]) -> tuple[int, str, int]:
    """Order fields that both sides added in one place: as `tt` writes them, then by name."""
    name, number = key
    return (ORDER.index(name) if name in ORDER else len(ORDER), name, number)
