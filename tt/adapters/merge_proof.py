"""The proof that a merged text says what the rules give, before Git gets to see it.

A text up to 64 KiB is read again as a whole. Reading a large one once more would take a third of
what a merge may take, so there the proof goes by parts, as that of an edit does (`toml_proof`):

- In texts without strings of several lines, a line that begins with `[[tasks]]` begins a task: so
  each text was cut between statements, and a unit means the same wherever it stands.
- A unit that is a side's as it stands says what it says there: that has to be the merged task.
- All else (what was merged or is in conflict, and all that is no task) is read again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from tt.adapters.merge_comments import lost_comments
from tt.core.markers import MergeSide, sided
from tt.core.three import Three
from tt.core.treemerge import MergedTree, Tree

if TYPE_CHECKING:
    from tt.adapters.merge_text import Part

WHOLE_CHARS: Final = 64 * 1024
"""Up to this length the whole text is read again."""


class Claim(NamedTuple):
    """What is to be proved: that a text made of these versions says what was merged.

    `read` reads a text without conflict markers; None where it is no plan.
    """

    texts: Three[str]
    trees: Three[Tree]
    merged: MergedTree
    read: Callable[[str], Tree | None]

    @property
    def sides(self) -> Iterator[tuple[MergeSide | None, Tree]]:
        """Yield what the text has to say: on either side of conflicts, or without any."""
        if not self.merged.conflicts:
            yield None, self.merged.ours
            return
        yield MergeSide.OURS, self.merged.ours
        yield MergeSide.THEIRS, self.merged.theirs


def proved(text: str, claim: Claim) -> bool:
    """Say whether a text says the merged plan on every side, with all comments."""
    for side, tree in claim.sides:
        if _content(claim.read(_taken(text, side))) != _content(tree):
            return False
    return _has_comments(text, claim)


def proved_by_parts(parts: Sequence[Part], claim: Claim) -> bool:
    """Say the same of the parts of a text, reading those that are new."""
    from tt.adapters.merge_units import TASK

    copied = {part.key[1]: part for part in parts if part.copied and part.key[0] == TASK}
    copied.pop(next(iter(copied), ""), None)  # so that the rest is a plan whatever is in it
    rest = "".join(part.text for part in parts if copied.get(part.key[1]) is not part)
    for side, tree in claim.sides:
        found = claim.read(_taken(rest, side))
        if found is None:
            return False
        tasks = dict(found.tasks)
        for identifier, part in copied.items():
            if identifier in tasks:
                return False
            tasks[identifier] = claim.trees[part.copied or 0].tasks[identifier]
        if _content(Tree(found.tables, tasks)) != _content(tree):
            return False
    return _has_comments("".join(part.text for part in parts), claim)


def _taken(text: str, side: MergeSide | None) -> str:
    return text if side is None else sided(text, side)


def _has_comments(text: str, claim: Claim) -> bool:
    said = "\n".join(_taken(text, side) for side, _ in claim.sides)
    return not lost_comments(claim.texts, said)


def _content(tree: Tree | None) -> object:
    if tree is None:
        return None
    return {name: fields for name, fields in tree.tables.items() if fields}, tree.tasks
