"""What one row of the matrix is: a start, the user's commands, and what has to be there then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from tests.matrix.versions import START
from tests.matrix.world import Place, Sides, World
from tests.support.hooked import Step

CONDITIONS: Final[Mapping[str, str]] = {
    "unchanged": "Redis unchanged",
    "changed": "changed",
    "unreachable": "not reached",
    "flushed": "flushed",
}
HERE: Final = Place()
Told: TypeAlias = tuple[str, str, str, str]
"""For each condition the versions in HEAD, index, file, Redis and base, as in `e e ea ea ea`."""

Make: TypeAlias = Callable[[World], None]


def nothing(_: World) -> None:
    """Prepare nothing more."""


@dataclass(frozen=True)
class Scene:
    """One row.

    `start` makes the world, which is made once for all rows that begin so; `prepare` goes on from
    there, with no hook of ours. `agents` are the edits that Redis gets where it is changed. `hooks`
    are those of ours that Git runs, in this order. `codes` are the exit codes of the steps where
    one is not 0.
    """

    title: str
    start: Make
    steps: tuple[Step, ...]
    told: Told
    hooks: str = ""
    prepare: Make = nothing
    place: Place = HERE
    agents: str = "a"
    codes: tuple[int, ...] = ()
    before: str = START
    env: Mapping[str, str] = field(default_factory=dict)

    def expected(self, condition: str) -> Sides:
        """Return what has to be there in a condition."""
        return Sides(*self.told[list(CONDITIONS).index(condition)].split())


def shell(line: str, **env: str) -> Step:
    """Name a line of shell, for what the user does between two Git commands."""
    return Step(("sh", "-c", line), None, env, "")


PLAIN: Final[Told] = ("· · · · ·", "a a a a a", "· · · a ·", "· · · · ·")
"""A commit of other things takes along what agents did."""
EDIT: Final[Told] = ("e e e e e", "ea ea ea ea ea", "e e e a ·", "e e e e e")
"""The same, with an edit of the plan that is all staged."""
PUSHED: Final[Told] = ("e e e e e", "e e e ea e", "e e e a ·", "e e e e e")
"""An edit is pushed, and nothing is pulled."""
