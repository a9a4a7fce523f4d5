"""A graph as lines of text can show it: one node after another, lanes beside them for what waits.

As in `git log --graph`, a lane belongs to one node that is still to come, and everything that it
waits for joins it. A group comes below its tasks, which join its lane. There are at most `most`
lanes; an arrow that finds none is told in words, so that no plan makes lines of any length.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from tt.core.levels import levels
from tt.core.network import Network

MOST: Final = 12
"""Lanes that a terminal has room for, beside ids and descriptions."""
_WIDEST: Final = 6
"""New lanes that one node may begin; where more come after it, each of them says so in words."""


class Knot(NamedTuple):
    """A line with a node on it. `lanes` says which are open; `joins` is the lane that the node
    joins from beside it, None where it stands on one of its own, or on none; `begins` says that
    it is the first to join. `untold` are those it waits for that have no lane to it."""

    node: str
    at: int
    lanes: tuple[bool, ...]
    joins: int | None = None
    begins: bool = False
    untold: tuple[str, ...] = ()


class Turn(NamedTuple):
    """A line between nodes: the lane `start` goes on to the lanes `to`; of these `begun` are new.
    It goes straight on, too, where `to` has it."""

    start: int
    to: tuple[int, ...]
    begun: frozenset[int]
    lanes: tuple[bool, ...]


class Strands(NamedTuple):
    """All lines of a graph, and how many levels its tasks are on."""

    lines: Sequence[Knot | Turn]
    levels: int


def strands(found: Network, most: int = MOST) -> Strands:
    """Arrange a graph in lines."""
    after = _reduced(found)
    pairs = [(before, then) for before, nexts in after.items() for then in nexts]
    level = levels(after, pairs)
    weaver = _Weaver(after, level, most)
    lines = [line for node in _in_order(after, level) for line in weaver.lines(node)]
    return Strands(lines, len({level[task] for task in found.tasks}))


def _reduced(found: Network) -> dict[str, list[str]]:
    """Map each node to those that come after it, a group among them after its tasks.

    What waits for a group comes after it; a group's own waits are those of its first tasks, and
    its last ones are what it waits for.
    """
    inside = found.members()
    leads, led = _within(found)
    after: dict[str, dict[str, None]] = {node: {} for node in (*found.groups, *found.tasks)}
    for edge in found.edges:
        for first in _first(edge.after, inside, led):
            after[edge.before][first] = None
    for group in found.groups:
        for one in inside[group]:
            if one not in leads:
                after[one][group] = None
    return {node: list(nexts) for node, nexts in after.items()}


def _within(found: Network) -> tuple[set[str], set[str]]:
    """Return what leads to another in the same group, and what is led to."""
    leads, led = set(), set()
    for edge in found.edges:
        if found.around.get(edge.before) == found.around.get(edge.after):
            leads.add(edge.before)
            led.add(edge.after)
    return leads, led


def _first(node: str, inside: Mapping[str, Sequence[str]], led: set[str]) -> list[str]:
    """Return what a node begins with: itself, or a group's tasks that wait for none of its own."""
    found, todo = [], [node]
    while todo:
        at = todo.pop()
        begin = [one for one in inside.get(at, ()) if one not in led]
        if begin:
            todo += reversed(begin)
        else:
            found.append(at)
    return found


def _in_order(after: Mapping[str, Sequence[str]], level: Mapping[str, int]) -> Iterator[str]:
    """Yield nodes so that each comes after what it waits for, and soon after the last of it."""
    waits = dict.fromkeys(after, 0)
    for node, nexts in after.items():
        for then in nexts:
            waits[then] += level[then] > level[node]
    todo = [node for node in reversed(list(after)) if not waits[node]]
    while todo:
        node = todo.pop()
        yield node
        ready = []
        for then in after[node]:
            waits[then] -= level[then] > level[node]
            if not waits[then] and level[then] > level[node]:
                ready.append(then)
        todo += reversed(ready)


class _Weaver:
    """The lanes while nodes come one after another."""

    def __init__(
        self, after: Mapping[str, Sequence[str]], level: Mapping[str, int], most: int
    ) -> None:
        self._after, self._level, self._most = after, level, most
        self._lanes: list[str | None] = []
        self._untold: dict[str, list[str]] = {}
        self._comes: dict[str, int] = dict.fromkeys(after, 0)
        for node, nexts in after.items():
            for then in nexts:
                self._comes[then] += 1
                if level[then] <= level[node]:  # it closes a circle
                    self._untold.setdefault(then, []).append(node)

    def lines(self, node: str) -> Iterator[Knot | Turn]:
        """Yield the lines of the node that is next."""
        level = self._level
        nexts = [then for then in self._after[node] if level[then] > level[node]]
        untold = tuple(self._untold.pop(node, ()))
        own = self._lane_of(node)
        if own is None and len(nexts) == 1 and self._comes[nexts[0]] > 1:
            yield self._beside(node, nexts[0], untold)
            return
        at = self._free() if own is None else own
        self._set(at, None)
        yield Knot(node, at, self._open(), untold=untold)
        if nexts:
            yield from self._turn(node, at, nexts)

    def _beside(self, node: str, then: str, untold: tuple[str, ...]) -> Knot:
        """Let a node that has no lane join the only one that goes on from it."""
        lane, begins = self._lane_of(then), False
        if lane is None:
            lane = self._free()
            begins = lane < self._most
            if begins:
                self._set(lane, then)
        if lane >= self._most:
            self._untold.setdefault(then, []).append(node)
            return Knot(node, lane, self._open(), untold=untold)
        opened = self._open()
        return Knot(node, max(len(opened), lane + 1), opened, lane, begins, untold)

    def _turn(self, node: str, at: int, nexts: Sequence[str]) -> Iterator[Turn]:
        known = {then: lane for then in nexts if (lane := self._lane_of(then)) is not None}
        fresh = [then for then in nexts if then not in known]
        to, begun = list(known.values()), set()
        for number, then in enumerate(fresh):
            lane = at if number == 0 else self._free()
            if lane >= self._most or len(fresh) > _WIDEST:
                self._untold.setdefault(then, []).append(node)
                continue
            self._set(lane, then)
            to.append(lane)
            begun.add(lane)
        if to:
            yield Turn(at, tuple(sorted(to)), frozenset(begun), self._open())

    def _lane_of(self, node: str) -> int | None:
        return self._lanes.index(node) if node in self._lanes else None

    def _free(self) -> int:
        return self._lanes.index(None) if None in self._lanes else len(self._lanes)

    def _set(self, lane: int, node: str | None) -> None:
        if lane >= self._most:
            return
        self._lanes += [None] * (lane + 1 - len(self._lanes))
        self._lanes[lane] = node
        while self._lanes and self._lanes[-1] is None:
            self._lanes.pop()

    def _open(self) -> tuple[bool, ...]:
        return tuple(lane is not None for lane in self._lanes)
