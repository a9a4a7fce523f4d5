"""Merging three texts of a plan so that both sides' format and comments stay.

What each field is to say has been decided before (`tt.core.treemerge`); here it is said in the
lines of the side that changed them. Units that one side left alone are the other side's, to the
byte. Conflicts stand between markers, in the lines of their field and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tt.adapters.merge_blocks import Said, Style, merged_unit
from tt.adapters.merge_comments import comment_lines, lost_comments
from tt.adapters.merge_units import NOTE, TABLE, TASK, TOP, Unit, UnitKey, Units, units_of
from tt.core.model import EMPTY, META_ID
from tt.core.three import Three, picked
from tt.core.treemerge import TOP_ID, Fields, MergedTree, Tree
from tt.core.values import UNDECIDED
from tt.core.weave import surviving, weave

_OURS, _THEIRS = 1, 2


class Version(NamedTuple):
    """One of the three: its text, which ends with a newline, what it says, its tasks in order."""

    text: str
    tree: Tree
    names: Sequence[str]
    is_open: bool = False
    """Whether it has conflict markers of its own, so that its tree leaves fields undecided."""


class Part(NamedTuple):
    """A piece of the outcome, from the blank lines above it to its end.

    `copied` is the version, by its place among the three, of which it is a whole unit as it stands.
    """

    key: UnitKey
    text: str
    copied: int | None


def merged_parts(versions: Three[Version], merged: MergedTree, style: Style) -> list[Part]:
    """Write the outcome of a merge. Raises OddTextError where a text cannot be taken apart."""
    return _TextMerge(versions, merged, style).parts()


class _TextMerge:
    """The merge of one text in the making."""

    def __init__(self, versions: Three[Version], merged: MergedTree, style: Style) -> None:
        self.trees = versions.map(lambda version: version.tree)
        self.merged, self.style = merged, style
        self.files = versions.map(lambda version: units_of(version.text, version.names))
        self.units = self.files.map(lambda file: {unit.key: unit for unit in file.units})
        self.befores = self.files.map(_befores)
        if versions.base.is_open:
            self._forget_undecided()
        self.conflicts: dict[str, set[str | None]] = {}
        for conflict in merged.conflicts:
            self.conflicts.setdefault(conflict.id, set()).add(conflict.field)

    def _forget_undecided(self) -> None:
        """Leave out of the base what its own conflict markers left open: no side has kept it."""
        for key in [*self.units.base]:
            fields = _fields(self.trees.base, key)
            if fields is not None and UNDECIDED in fields.values():
                del self.units.base[key]

    def parts(self) -> list[Part]:
        orders = self.units.map(_keys)
        kept = surviving(orders)
        written = {
            key: made
            for key in dict.fromkeys((*orders.ours, *orders.theirs))
            if (made := self._unit(key, kept))[0]
        }
        found: list[Part] = []
        before: UnitKey | None = None
        for key in weave(orders, written.keys(), rank=lambda key: key):
            text, copied = written[key]
            found.append(Part(key, self._blanks(key, before) + text, copied))
            before = key
        end = picked(self.files.map(lambda file: file.end))
        return [*found, Part((NOTE, "", -1), end, None)]

    def _unit(self, key: UnitKey, kept: set[UnitKey]) -> tuple[str, int | None]:
        """Write one unit, and say which version's it is as it stands; nothing where it is gone."""
        base, mine, other = (units.get(key) for units in self.units)
        if mine is not None and other is not None and self._is_easy(key):
            if other in (mine, base):
                return mine.own, _OURS
            if mine == base:
                return other.own, _THEIRS
        units = self.units.map(lambda units: units.get(key))
        own = units.map(lambda unit: unit.own if unit else "")
        if key[0] == NOTE:
            return (own.ours or own.theirs) if key in kept else "", None
        conflicts = self._conflicts(key)
        if None in conflicts:  # with the blank lines above it, which go where it goes
            both = (unit.blanks + unit.own if unit else "" for unit in units[1:])
            return self.style.hunk(*both), None
        if not self._stays(key):
            return comment_lines(lost_comments(own, ""), self.style.newline), None
        if not conflicts and own.theirs in (own.ours, own.base):
            return own.ours, _OURS
        if not conflicts and own.ours == own.base:
            return own.theirs, _THEIRS
        fields = self.trees.map(lambda tree: _said(tree, key))
        said = Said(fields, _said(self.merged.ours, key), conflicts)
        return merged_unit(units, said, self.style), None

    def _is_easy(self, key: UnitKey) -> bool:
        """Say whether a unit is a task without conflicts, as nearly all are."""
        return key[0] == TASK and key[1] not in self.conflicts

    def _conflicts(self, key: UnitKey) -> set[str | None]:
        """Return the fields of a unit that have conflicts; None is the unit as a whole."""
        if key[0] == TABLE and key[1][1:-1] in self.conflicts.get(TOP_ID, ()):
            return {None}  # an array of tables, which is one value
        found = self.conflicts.get(key[1], set())
        meta = self.conflicts.get(META_ID, ()) if key[0] == TOP else ()
        return found | {f"meta.{name}" for name in meta} | {"meta" for _ in meta}

    def _stays(self, key: UnitKey) -> bool:
        if key[0] == TASK:
            return key[1] in self.merged.ours.tasks
        if key in self.units.ours and key in self.units.theirs:
            return True
        name = key[1][1:-1]
        sides = (self.merged.ours, self.merged.theirs)
        return any(_fields(tree, key) or name in tree.tables.get(TOP_ID, ()) for tree in sides)

    def _blanks(self, key: UnitKey, before: UnitKey | None) -> str:
        """Return the blank lines above a unit, which may have another neighbour than it had."""
        mine, other = self.units.ours.get(key), self.units.theirs.get(key)
        same = mine is not None and other is not None and mine.blanks == other.blanks
        if mine is not None and same and self._is_easy(key) and self._follows_on_both(key, before):
            return mine.blanks
        if None in self._conflicts(key):
            return ""
        found = self.units.map(lambda units: units[key].blanks if key in units else None)
        follows = self.befores.map(lambda befores: befores.get(key, key) == before)
        as_it_was = [
            blanks
            for blanks, same in zip(found[1:], follows[1:], strict=True)
            if same and blanks is not None
        ]
        if len(as_it_was) == 2:
            return picked(found) or ""
        if as_it_was:
            return as_it_was[0]
        blanks = max(found.ours or "", found.theirs or "")
        if before is None:
            return ""
        is_first = None in (befores.get(key, key) for befores in self.befores[1:])
        return blanks or (self.style.newline if is_first or NOTE in (key[0], before[0]) else "")

    def _follows_on_both(self, key: UnitKey, before: UnitKey | None) -> bool:
        return all(befores.get(key, key) == before for befores in self.befores[1:])


def _keys(units: dict[UnitKey, Unit]) -> Sequence[UnitKey]:
    return [*units]


def _fields(tree: Tree, key: UnitKey) -> Fields | None:
    """Return what a tree says of a unit; None where it has none or the unit is a comment."""
    if key[0] == TASK:
        task = tree.tasks.get(key[1])
        return task.fields if task else None
    return tree.tables.get(key[1])


def _said(tree: Tree, key: UnitKey) -> Fields:
    """Return the fields of a unit; the top of a file may say what is in `[meta]`, as `meta.x`."""
    fields = _fields(tree, key) or EMPTY
    meta = tree.tables.get(META_ID, EMPTY)
    if key[0] != TOP or not meta:
        return fields
    inner = {f"meta.{name}": value for name, value in meta.items()}
    return {**fields, "meta": dict(meta), **inner}


def _befores(file: Units) -> dict[UnitKey, UnitKey | None]:
    """Map each unit to the one above it; the first has none."""
    keys = [unit.key for unit in file.units]
    return dict(zip(keys, [None, *keys], strict=False))
