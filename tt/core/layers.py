"""A layered layout of boxes within boxes: who waits stands to the right of what it waits for.

Each group is laid out by itself and is then one box among others in the group around it. Inside of
one, boxes stand in levels (the longest way from a beginning), in an order within their level that
crosses few lines (barycentres, a few sweeps), and what has no lines is put below in rows. Lines
over several levels keep a place free in those between. Lengths are in pixels. Pure, and linear but
for the sorting; a circle is cut where it closes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from tt.core.levels import levels
from tt.record import record

ACROSS: Final = 56.0
"""Room between two levels, for lines."""
APART: Final = 14.0
"""Room between two boxes of a level, and inside of a group's border."""
HEAD: Final = 24.0
"""Room for a group's title."""
_SWEEPS: Final = 4
_MOST_BENDS: Final = 20_000
"""Places that long lines keep free; beyond it they run straight."""


class Size(NamedTuple):
    """How large a box is."""

    width: float
    height: float


class Box(NamedTuple):
    """A box and where it is: its left upper corner."""

    x: float
    y: float
    width: float
    height: float


class Point(NamedTuple):
    """A point on a line."""

    x: float
    y: float


@record
class Drawing:
    """Where everything is. `lines` are points from the right side of what comes before to the left
    side of what waits, in the order of the edges that were given."""

    size: Size
    boxes: Mapping[str, Box]
    lines: Sequence[Sequence[Point]]


def lay_out(
    sizes: Mapping[str, Size],
    inside: Mapping[str, Sequence[str]],
    edges: Sequence[tuple[str, str]],
    titles: Mapping[str, float],
) -> Drawing:
    """Lay out boxes of given `sizes`. `inside` maps each group to what is in it, inner groups after
    those around them, with "" first for the whole; `titles` are the widths of groups' titles."""
    around = {one: group for group, members in inside.items() for one in members}
    lifted = _lift(edges, around)
    size = dict(sizes)
    places: dict[str, _Place] = {}
    for group in reversed(list(inside)):
        place = _Place(inside[group], lifted.get(group, {}), size)
        places[group] = place
        width = max(place.size.width, titles.get(group, 0.0))
        size[group] = Size(width + 2 * APART, place.size.height + 2 * APART + HEAD)
    boxes = _absolute(inside, places, size)
    lines = [_line(number, edge, boxes, around, places) for number, edge in enumerate(edges)]
    return Drawing(Size(size[""].width, size[""].height - HEAD), boxes, lines)


def _lift(
    edges: Sequence[tuple[str, str]], around: Mapping[str, str]
) -> dict[str, dict[int, tuple[str, str]]]:
    """Bring each edge up to the innermost group that has both ends in it, between its members."""
    lifted: dict[str, dict[int, tuple[str, str]]] = {}
    for number, (before, after) in enumerate(edges):
        above = dict(_ways_up(before, around))
        for group, member in _ways_up(after, around):
            if group in above:
                if above[group] != member:
                    lifted.setdefault(group, {})[number] = above[group], member
                break
    return lifted


def _ways_up(node: str, around: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """Yield (group, its member that is the node or holds it), from the inside outwards."""
    while node in around:
        yield around[node], node
        node = around[node]


def _absolute(
    inside: Mapping[str, Sequence[str]], places: Mapping[str, _Place], size: Mapping[str, Size]
) -> dict[str, Box]:
    boxes = {"": Box(0.0, -HEAD, *size[""])}
    for group, members in inside.items():
        outer = boxes[group]
        for one in members:
            x, y = places[group].at[one]
            boxes[one] = Box(outer.x + APART + x, outer.y + HEAD + APART + y, *size[one])
    del boxes[""]
    return boxes


def _line(
    number: int,
    edge: tuple[str, str],
    boxes: Mapping[str, Box],
    around: Mapping[str, str],
    places: Mapping[str, _Place],
) -> list[Point]:
    before, after = boxes[edge[0]], boxes[edge[1]]
    start = Point(before.x + before.width, before.y + before.height / 2)
    end = Point(after.x, after.y + after.height / 2)
    for group, _ in _ways_up(edge[1], around):
        bends = places[group].bends.get(number)
        if bends:
            outer = boxes.get(group, Box(0.0, -HEAD, 0.0, 0.0))
            x, y = outer.x + APART, outer.y + HEAD + APART
            return [start, *(Point(x + bend.x, y + bend.y) for bend in bends), end]
    return [start, end]


class _Bend(NamedTuple):
    """The place that a line keeps free in a level between its ends."""

    line: int
    level: int


class _Place:
    """The inside of one group: `at` is where each member's corner is, `bends` where lines turn."""

    def __init__(
        self,
        members: Sequence[str],
        edges: Mapping[int, tuple[str, str]],
        size: Mapping[str, Size],
    ) -> None:
        self.at: dict[str, Point] = {}
        self.bends: dict[int, list[Point]] = {}
        self._size = size
        tied = {end for edge in edges.values() for end in edge}
        bound = [one for one in members if one in tied]
        below = self._levels(bound, edges) if bound else Size(0.0, 0.0)
        self.size = self._rows([one for one in members if one not in tied], below)

    def _levels(self, nodes: Sequence[str], edges: Mapping[int, tuple[str, str]]) -> Size:
        level = levels(nodes, edges.values())
        rows: list[list[str | _Bend]] = [[] for _ in range(max(level.values()) + 1)]
        for node in nodes:
            rows[level[node]].append(node)
        links = self._links(edges, level, rows)
        _untangle(rows, links)
        return self._stand(rows)

    def _links(
        self,
        edges: Mapping[int, tuple[str, str]],
        level: Mapping[str, int],
        rows: list[list[str | _Bend]],
    ) -> list[tuple[str | _Bend, str | _Bend]]:
        """Cut edges into links from one level to the next, with bends in between."""
        links: list[tuple[str | _Bend, str | _Bend]] = []
        room = _MOST_BENDS
        for number, (before, after) in edges.items():
            between = range(level[before] + 1, level[after])
            room -= len(between)
            if room < 0 or level[after] <= level[before]:
                continue
            way: list[str | _Bend] = [before, *(_Bend(number, at) for at in between), after]
            for bend in way[1:-1]:
                rows[bend.level if isinstance(bend, _Bend) else 0].append(bend)
            links += pairwise(way)
        return links

    def _stand(self, rows: Sequence[Sequence[str | _Bend]]) -> Size:
        """Put levels side by side, each in the middle."""
        heights = [sum(self._of(one).height + APART for one in row) - APART for row in rows]
        most = max(heights)
        x = 0.0
        for row, height in zip(rows, heights, strict=True):
            width = max(self._of(one).width for one in row)
            y = (most - height) / 2
            for one in row:
                if isinstance(one, _Bend):
                    turns = self.bends.setdefault(one.line, [])
                    turns += [Point(x, y), Point(x + width, y)]
                else:
                    self.at[one] = Point(x, y)
                y += self._of(one).height + APART
            x += width + ACROSS
        for turns in self.bends.values():
            turns.sort()
        return Size(x - ACROSS, most)

    def _of(self, one: str | _Bend) -> Size:
        return Size(0.0, 0.0) if isinstance(one, _Bend) else self._size[one]

    def _rows(self, loose: Sequence[str], above: Size) -> Size:
        """Put what has no lines into rows that make about a square, below what has."""
        if not loose:
            return above
        area = sum((self._size[one].width + APART) * self._size[one].height for one in loose)
        widest = max((above.width, (area * 2) ** 0.5, *(self._size[one].width for one in loose)))
        x, y, high, right = 0.0, above.height + (APART if above.height else 0.0), 0.0, above.width
        for one in loose:
            size = self._size[one]
            if x and x + size.width > widest:
                x, y, high = 0.0, y + high + APART, 0.0
            self.at[one] = Point(x, y)
            right, high = max(right, x + size.width), max(high, size.height)
            x += size.width + APART
        return Size(right, y + high)


def _untangle(
    rows: list[list[str | _Bend]], links: Iterable[tuple[str | _Bend, str | _Bend]]
) -> None:
    """Order each level by the middle of its neighbours', to and fro; ties keep their order."""
    before: dict[str | _Bend, list[str | _Bend]] = {}
    after: dict[str | _Bend, list[str | _Bend]] = {}
    for left, right in links:
        before.setdefault(right, []).append(left)
        after.setdefault(left, []).append(right)
    for sweep in range(_SWEEPS):
        neighbours = after if sweep % 2 else before
        sequence = rows[::-1] if sweep % 2 else rows
        place = {one: index / len(sequence[0]) for index, one in enumerate(sequence[0])}
        for row in sequence[1:]:
            here = {one: index / len(row) for index, one in enumerate(row)}
            row.sort(key=lambda one: _middle(neighbours.get(one), place, here[one]))
            place |= {one: index / len(row) for index, one in enumerate(row)}


def _middle(
    neighbours: Sequence[str | _Bend] | None, place: Mapping[str | _Bend, float], own: float
) -> float:
    known = [place[one] for one in neighbours or () if one in place]
    return sum(known) / len(known) if known else own
