"""One table of a plan as it is spread over a TOML text: by headers, dotted keys, inline tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

from tt.adapters.toml_scan import Key, Pair, Section, items, sections

Path: TypeAlias = tuple[str | int, ...]
"""A place seen from the table: keys, and indexes of arrays."""

INLINE: Final = ""
"""The root that stands for "the whole text is the table, in braces"."""


class Spot(NamedTuple):
    """A pair, with the path that it sets, seen from the level it was found on."""

    path: Path
    pair: Pair


class Head(NamedTuple):
    """A section that says something of the table.

    `path` is where it stands in the table; `lead` are the key parts that its pairs have before
    what the table knows (`("meta",)` for `meta.x = 1` in the root section).
    """

    path: Path
    section: Section
    lead: Key = ()


class Level(NamedTuple):
    """The lines of the whole table, or one inline table or array within it.

    `opening` is None for lines, else where the bracket stands.
    """

    spots: Sequence[Spot]
    heads: Sequence[Head] = ()
    opening: int | None = None


def table(text: str, root: str) -> Level:
    """Find everything that a text says of the table `root`.

    `tasks` is for a text that has one `[[tasks]]` header, with what follows up to the next.
    """
    if root == INLINE:
        return Level([Spot((), Pair((), 0, 0, 0, 0, len(text), len(text)))])
    heads = list(_heads(sections(text), root))
    return Level([spot for head in heads for spot in _spots(head)], heads)


def _heads(found: Iterable[Section], root: str) -> Iterator[Head]:
    counts: dict[Path, int] = {}
    for section in found:
        if section.path[:1] == (root,):
            yield Head(_indexed(section, counts), section)
        elif not section.path and any(pair.key[0] == root for pair in section.pairs):
            yield Head((), section, (root,))


def _indexed(section: Section, counts: dict[Path, int]) -> Path:
    """Return a header's path in the table, with the indexes of the arrays of tables on its way."""
    path: Path = ()
    parts = section.path[1:]
    for depth, part in enumerate(parts, start=1):
        path += (part,)
        if section.is_array and depth == len(parts):
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path += (counts[path],)
    return path


def _spots(head: Head) -> Iterator[Spot]:
    skip = len(head.lead)
    for pair in head.section.pairs:
        if pair.key[:skip] == head.lead:
            yield Spot(head.path + pair.key[skip:], pair)


def level_of(text: str, root: str, path: Path) -> tuple[Level, Path]:
    """Return the level on which `path` is set or would be, and the rest of the path seen from it.

    Goes into inline tables and arrays as long as one holds the path.
    """
    level = table(text, root)
    while True:
        outer = next((spot for spot in level.spots if _is_within(text, spot, path)), None)
        if outer is None:
            return level, path
        path = path[len(outer.path) :]
        level = inside(text, outer.pair.value)


def _is_within(text: str, spot: Spot, path: Path) -> bool:
    depth = len(spot.path)
    return depth < len(path) and path[:depth] == spot.path and text[spot.pair.value] in "[{"


def inside(text: str, opening: int) -> Level:
    """Return the level of the inline table or array whose bracket stands at `opening`."""
    found = items(text, opening)[0]
    array = text[opening] == "["
    spots = [
        Spot((index,) if array else item.pair.key, item.pair) for index, item in enumerate(found)
    ]
    return Level(spots, opening=opening)


def exact(level: Level, path: Path) -> Spot | None:
    """Return the pair that sets just this path."""
    return next((spot for spot in level.spots if spot.path == path), None)


def below(level: Level, path: Path) -> Spot | None:
    """Return the first pair that sets this path or something under it."""
    return next((spot for spot in level.spots if spot.path[: len(path)] == path), None)


def headed(level: Level, path: Path) -> Head | None:
    """Return the first section whose header stands at this path or under it."""
    return next((head for head in level.heads if head.path[: len(path)] == path), None)
