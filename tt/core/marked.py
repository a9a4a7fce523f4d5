"""Conflict markers in a plan, as conflicts of tasks and fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from tt.core.markers import Hunk, MergeSide, pieces
from tt.core.treemerge import Fields, Tree
from tt.core.values import ABSENT, MaybeValue
from tt.record import record

ReadTree: TypeAlias = Callable[[str], Tree | None]
"""Reads a text without markers; None where it is no plan whose tasks can be told apart."""


@record
class MarkedConflict:
    """What both sides of one pair of conflict markers say of one field.

    `field` is None where one side has the task and the other has not: then the values are ABSENT
    and a description. `line` and `last` are the lines of the markers, from 1. Where the lines mean
    the same, or nothing that could be read, `id` is "".
    """

    id: str
    field: str | None
    ours: MaybeValue
    theirs: MaybeValue
    line: int
    last: int


@record
class Resolution:
    """What deciding for one side left: the text, what was decided, and what is still open."""

    text: str
    decided: tuple[MarkedConflict, ...]
    left: tuple[MarkedConflict, ...]


def marked_conflicts(text: str, read: ReadTree) -> tuple[MarkedConflict, ...]:
    """List the conflicts between the markers of a text, in the order of the text."""
    return tuple(found for _, every in _by_hunk(text, read) for found in every)


def resolved(text: str, identifier: str, side: MergeSide, read: ReadTree) -> Resolution:
    """Take one side in every pair of markers that is about this task or table, and no other.

    A pair that is about others as well is left: its lines can only be decided together.
    """
    decided: list[MarkedConflict] = []
    left: list[MarkedConflict] = []
    told = dict(_by_hunk(text, read))
    made = []
    for piece in pieces(text):
        if not isinstance(piece, Hunk):
            made.append(piece)
        elif {found.id for found in told[piece]} == {identifier}:
            made.append(piece.side(side))
            decided += told[piece]
        else:
            made.append(piece.text)
            left += told[piece]
    return Resolution("".join(made), tuple(decided), tuple(left))


def _by_hunk(text: str, read: ReadTree) -> Iterator[tuple[Hunk, list[MarkedConflict]]]:
    """Yield each pair of markers with what it is about: the difference that taking theirs makes."""
    parts = pieces(text)
    ours = read(_taken(parts, None))
    for piece in parts:
        if not isinstance(piece, Hunk):
            continue
        theirs = read(_taken(parts, piece)) if ours is not None else None
        lines = piece.line, piece.line + piece.text.count("\n") - piece.text.endswith("\n")
        found = [] if ours is None or theirs is None else _differences(ours, theirs)
        yield piece, [MarkedConflict(*one, *lines) for one in found or [("", None, ABSENT, ABSENT)]]


def _taken(parts: Sequence[str | Hunk], theirs: Hunk | None) -> str:
    """Return the text with theirs taken in one pair of markers, and ours in all others."""
    return "".join(
        piece if isinstance(piece, str) else piece.theirs if piece is theirs else piece.ours
        for piece in parts
    )


_Difference: TypeAlias = tuple[str, str | None, MaybeValue, MaybeValue]


def _differences(ours: Tree, theirs: Tree) -> list[_Difference]:
    found: list[_Difference] = []
    for name in {**ours.tables, **theirs.tables}:
        found += _fields(name, ours.tables.get(name, {}), theirs.tables.get(name, {}))
    for identifier in {**ours.tasks, **theirs.tasks}:
        mine, other = ours.tasks.get(identifier), theirs.tasks.get(identifier)
        if mine is None or other is None:
            said = [ABSENT if task is None else task.description for task in (mine, other)]
            found.append((identifier, None, said[0], said[1]))
        else:
            found += _fields(identifier, mine.fields, other.fields)
    return found


def _fields(identifier: str, ours: Fields, theirs: Fields) -> Iterator[_Difference]:
    for name in {**ours, **theirs}:
        mine, other = ours.get(name, ABSENT), theirs.get(name, ABSENT)
        if mine != other:
            yield identifier, name, mine, other
