"""Edits of one table in a TOML text: each changes the bytes of one value, or adds or cuts lines.

A text is edited by one small change after the other, and looked at anew for each, so no offset
is ever stale. The texts are short: one task's block, or what holds `[meta]`.
"""

from __future__ import annotations

from collections.abc import Sequence

from tt.adapters.toml_items import spliced, with_items, without_items
from tt.adapters.toml_lines import lead_start, with_line, without_lines
from tt.adapters.toml_scan import sections
from tt.adapters.toml_view import Head, Level, Path, Spot, below, exact, headed, level_of
from tt.adapters.toml_write import ORDER, key_text, newline_of, value_text
from tt.core.values import ABSENT, MaybeValue, Value


def changed(text: str, root: str, path: Path, old: MaybeValue, new: MaybeValue) -> str:
    """Return the text with `path` of the table `root` set to `new`, or cut out for ABSENT.

    `old` is what the path says now. Where both are tables, only the leaves that differ are
    touched, and where both are lists, only the items.
    """
    if new is ABSENT:
        return _cut(text, root, path)
    level, rest = level_of(text, root, path)
    spot = exact(level, rest)
    if isinstance(old, dict) and isinstance(new, dict) and (new or _stands(text, level, rest)):
        return _changed_table(text, root, path, old, new)
    if _same_tables(old, new) and (spot is not None or headed(level, rest) is not None):
        return _changed_tables(text, root, path, old, new)
    if spot is not None:
        return _changed_value(text, spot, old, new)
    return _added(_cut(text, root, path), root, path, new)


def _changed_value(text: str, spot: Spot, old: MaybeValue, new: Value) -> str:
    start, end = spot.pair.value, spot.pair.value_end
    written = text[start:end]
    if isinstance(new, list) and written[0] == "[":
        # What stands there may be an empty list although `old` is ABSENT: the two mean the same.
        from tt.adapters.toml_list import list_spliced  # what compares lists is slow to import

        return list_spliced(text, start, old if isinstance(old, list) else [], new)
    return spliced(text, [(start, end, value_text(new, written, newline_of(text)))])


def _stands(text: str, level: Level, rest: Path) -> bool:
    """Say whether a table would still be there without its keys: it has a header or braces."""
    spot = exact(level, rest)
    braces = spot is not None and text[spot.pair.value] == "{"
    return braces or any(head.path == rest for head in level.heads)


def _changed_table(
    text: str, root: str, path: Path, old: dict[str, Value], new: dict[str, Value]
) -> str:
    for key in [key for key in old if key not in new]:
        text = _cut(text, root, (*path, key))
    for key, value in new.items():
        if key not in old:
            text = _added(text, root, (*path, key), value)
        elif old[key] != value:
            text = changed(text, root, (*path, key), old[key], value)
    return text


def _same_tables(old: MaybeValue, new: MaybeValue) -> bool:
    """Say whether both are lists of equally many tables."""
    if not (isinstance(old, list) and isinstance(new, list) and len(old) == len(new)):
        return False
    return all(isinstance(item, dict) for item in (*old, *new))


def _changed_tables(text: str, root: str, path: Path, old: MaybeValue, new: MaybeValue) -> str:
    """Change tables of an array of tables, each in its place."""
    assert isinstance(old, list)  # noqa: S101  `_same_tables` has seen to it
    assert isinstance(new, list)  # noqa: S101
    for index, (before, after) in enumerate(zip(old, new, strict=True)):
        if before != after:
            text = changed(text, root, (*path, index), before, after)
    return text


def _cut(text: str, root: str, path: Path) -> str:
    """Cut out everything that sets `path` or something under it."""
    while True:
        level, rest = level_of(text, root, path)
        if (spot := below(level, rest)) is not None:
            text = _without_spot(text, level, spot)
        elif (head := headed(level, rest)) is not None:
            text = _without_section(text, head)
        else:
            return text


def _without_section(text: str, head: Head) -> str:
    found = sections(text)
    place = found.index(head.section)
    start = lead_start(text, head.section.start, found[place - 1].end)
    return without_lines(text, start, head.section.end)


def _without_spot(text: str, level: Level, spot: Spot) -> str:
    if level.opening is None:
        return text[: spot.pair.start] + text[spot.pair.end :]
    return without_items(text, level.opening, [level.spots.index(spot)])


def _added(text: str, root: str, path: Path, value: Value) -> str:
    """Set a path that nothing sets, in its place among the keys that are there."""
    level, rest = level_of(text, root, path)
    ranked = len(path) == 1
    if level.opening is not None:
        at = _position(level.spots, rest, ranked=ranked)
        return with_items(text, level.opening, at, [f"{key_text(rest)} = {value_text(value)}"])
    head = _holder(level, rest)
    spots = [spot for spot in level.spots if spot.pair in head.section.pairs]
    at = max(_position(spots, rest, ranked=ranked), 1 if head.lead else 0)
    key = key_text((*head.lead, *rest[len(head.path) :]))
    return with_line(text, head.section, spots[at - 1].pair if at else None, key, value_text(value))


def _holder(level: Level, path: Path) -> Head:
    """Return the section that is nearest to a path: a key of it can set the path."""
    above = [
        head
        for head in level.heads
        if len(head.path) < len(path) and head.path == path[: len(head.path)]
    ]
    return max(above, key=lambda head: len(head.path))


def _position(spots: Sequence[Spot], path: Path, *, ranked: bool) -> int:
    """Say after how many of the pairs a new one goes.

    A key of the table itself goes after those that `tt` would write before it; a key within goes
    after its nearest relatives.
    """
    if ranked and path[0] in ORDER:
        before = ORDER[: ORDER.index(path[0])]
        places = [at for at, spot in enumerate(spots, start=1) if spot.path[0] in before]
        return max(places, default=0)
    nearest = max((_common(spot.path, path) for spot in spots), default=0)
    places = [at for at, spot in enumerate(spots, start=1) if _common(spot.path, path) == nearest]
    return max(places, default=0)


def _common(one: Path, other: Path) -> int:
    """Count the steps that two paths have in common."""
    steps = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(steps) if a != b), min(len(one), len(other)))
