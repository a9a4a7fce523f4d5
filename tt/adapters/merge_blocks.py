"""Merging one task's or table's lines, field by field, with each side's format and comments."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from tt.adapters.merge_comments import comment_lines, lost_comments, merged_lines
from tt.adapters.merge_entries import PAIRS, SECTIONS, Entry, block_of
from tt.adapters.merge_units import TASK, TOP, OddTextError, Unit
from tt.adapters.toml_write import ORDER, key_text
from tt.core.markers import hunk
from tt.core.three import Three, picked
from tt.core.treemerge import Fields
from tt.core.values import ABSENT, MaybeValue
from tt.core.weave import weave


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
        found = [*self._woven(made, PAIRS), *self._woven(made, SECTIONS)]
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
        for zone in (PAIRS, SECTIONS):
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
        if found.theirs in (found.ours, found.base):  # as it is with nearly all fields
            return list(found.ours)
        if found.ours == found.base:
            return list(found.theirs)
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
