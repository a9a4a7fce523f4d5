"""From a place in a plan to line and column in its text, for messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tt.adapters.toml_pieces import task_starts
from tt.adapters.toml_scan import items, sections, value_end
from tt.adapters.toml_view import INLINE, below, exact, headed, level_of, table
from tt.core.problem import Place


def locate(text: str, place: Place, count: int) -> tuple[int, int]:
    """Return line and column, both from 1, of a place in a text that has `count` tasks.

    A key's place is its value; a table's is its header. What is not there is where it would be.
    """
    return next(positions(text, [offset_of(text, place, task_offsets(text, count))]))


def positions(text: str, offsets: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Turn offsets, in rising order, into lines and columns in one walk through the text."""
    line, done = 1, 0
    for offset in offsets:
        line += text.count("\n", done, offset)
        done = offset
        yield line, offset - text.rfind("\n", 0, offset)


def task_offsets(text: str, count: int) -> list[int]:
    """Return where each task begins: its header's line, or its inline table."""
    starts = task_starts(text, count)
    if starts or not count:
        return starts
    pairs = sections(text)[0].pairs
    array = next((pair for pair in pairs if pair.key == ("tasks",)), None)
    if array is None or text[array.value] != "[":
        return []
    return [item.pair.value for item in items(text, array.value)[0]]


def offset_of(text: str, place: Place, offsets: list[int]) -> int:
    """Return the offset of a place; `offsets` are those of the tasks."""
    if place[:1] == ("meta",):
        return _within(text, "meta", place[1:])
    if place[:1] != ("tasks",) or len(place) < 2 or not isinstance(place[1], int):
        return 0
    index = place[1]
    if index >= len(offsets):
        return 0
    start = offsets[index]
    end = offsets[index + 1] if index + 1 < len(offsets) else len(text)
    if text[start] == "{":
        return start + _within(text[start : value_end(text, start)], INLINE, place[2:])
    return start + _within(text[start:end], "tasks", place[2:])


def _within(text: str, root: str, path: Place) -> int:
    if not path:
        level = table(text, root)
        if level.heads and not level.heads[0].lead:
            return text.find("[", level.heads[0].section.start)
        return level.spots[0].pair.key_start if level.spots else 0
    level, rest = level_of(text, root, path)
    if (spot := exact(level, rest) or below(level, rest)) is not None:
        return spot.pair.value
    if (head := headed(level, rest)) is not None:
        return text.find("[", head.section.start)
    return _within(text, root, path[:-1])
