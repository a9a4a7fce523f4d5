"""All rows of the matrix, in the order in which they are documented."""

from __future__ import annotations

from typing import Final

from tests.matrix.arrangements import ARRANGEMENTS
from tests.matrix.commits import COMMITS
from tests.matrix.merges import MERGES
from tests.matrix.moves import MOVES
from tests.matrix.scenes import Scene

GROUPS: Final[dict[str, tuple[Scene, ...]]] = {
    "Commits": COMMITS,
    "Merges, rebases and picks": MERGES,
    "Branches, stashes, clones": MOVES,
    "Arrangements and settings": ARRANGEMENTS,
}
ROWS: Final = tuple(scene for group in GROUPS.values() for scene in group)
