"""Merging three orders of things: what stays of them, and where what is new belongs."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from collections.abc import Set as AbstractSet
from itertools import pairwise
from typing import Any, TypeVar

from tt.core.three import Three

_K = TypeVar("_K", bound=Hashable)


def surviving(orders: Three[Sequence[_K]]) -> set[_K]:
    """Return what both sides have kept, and what either has added."""
    before, mine, others = set(orders.base), set(orders.ours), set(orders.theirs)
    return (mine & others) | (mine - before) | (others - before)


def weave(
    orders: Three[Sequence[_K]], kept: AbstractSet[_K], rank: Callable[[_K], Any]
) -> list[_K]:
    """Put the things that are `kept`, all of a side, in an order that fits both.

    It is the order of the side that moved things (ours where both did), with what only the other
    has behind what precedes it there. Where both have put something in one place, `rank` decides:
    so the order seldom depends on which side is whose. In each sequence a thing is there once.
    """
    base, ours, theirs = orders
    if _moved(base, theirs) and not _moved(base, ours):
        ours, theirs = theirs, ours
    order = [key for key in ours if key in kept]
    if all(map(_is_sorted, ([*map(rank, ours)], [*map(rank, theirs)]))):
        return sorted({*order, *(key for key in theirs if key in kept)}, key=rank)
    known, others = set(order), set(theirs)
    for before, run in _new_runs(theirs, kept, known):
        at = 0 if before is None else order.index(before) + 1
        end = at
        while end < len(order) and order[end] not in others:
            end += 1
        if end > at and rank(order[at]) < rank(run[0]):
            at = end
        order[at:at] = run
    return order


def _moved(base: Sequence[_K], side: Sequence[_K]) -> bool:
    before, now = set(base), set(side)
    return [key for key in side if key in before] != [key for key in base if key in now]


def _is_sorted(ranks: Sequence[Any]) -> bool:
    return all(one <= other for one, other in pairwise(ranks))


def _new_runs(
    side: Sequence[_K], kept: AbstractSet[_K], known: AbstractSet[_K]
) -> list[tuple[_K | None, list[_K]]]:
    """List what a side has beside what is `known`, in runs, each with what precedes it."""
    runs: list[tuple[_K | None, list[_K]]] = []
    before: _K | None = None
    is_open = False
    for key in side:
        if key in known:
            before, is_open = key, False
        elif key in kept:
            if not is_open:
                runs.append((before, []))
            runs[-1][1].append(key)
            is_open = True
    return runs
