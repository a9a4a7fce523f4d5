"""How far each node of a graph is from a beginning; pure, linear, and without recursion."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TypeVar

_Node = TypeVar("_Node", bound=Hashable)


def levels(nodes: Iterable[_Node], edges: Iterable[tuple[_Node, _Node]]) -> dict[_Node, int]:
    """Give each node its level: 0 where it waits for nothing, else one more than the highest of
    what it waits for. Edges that close a circle are left out."""
    after: dict[_Node, list[_Node]] = {node: [] for node in nodes}
    waits = dict.fromkeys(after, 0)
    for before, then in edges:
        if before != then and before in after and then in after:
            after[before].append(then)
            waits[then] += 1
    level: dict[_Node, int] = {}
    found = dict.fromkeys(after, 0)
    left = iter(after)
    todo = [node for node in after if not waits[node]]
    while len(level) < len(after):
        if not todo:
            todo.append(next(node for node in left if node not in level))
        node = todo.pop()
        level[node] = found[node]
        for then in after[node]:
            waits[then] -= 1
            if then not in level:
                found[then] = max(found[then], level[node] + 1)
                if not waits[then]:
                    todo.append(then)
    return level
