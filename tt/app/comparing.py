"""What changed between two versions of the plan, by task and field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tt.core.compared import Comparison, End, compare
from tt.errors import UsageError
from tt.ports import Ends

_HEAD: Final = "HEAD"


def difference(ends: Ends, words: Sequence[str], *, staged: bool = False) -> Comparison:
    """Compare what `words` name, as Git understands them: `A`, `A B`, `A..B` and `A...B`.

    One commit is compared with the worktree, or with the index where `staged`. Without any the
    index is compared with the worktree, or HEAD with the index where `staged`.
    """
    if not words and not staged:
        index = ends.index()
        waiting = compare(ends.at(_HEAD), index).changes
        more = "What is staged is not in this: `tt diff --staged` shows it." if waiting else ""
        return compare(index, ends.worktree(), more)
    old, new = _ends(ends, words, staged=staged)
    return compare(old, new)


def _ends(ends: Ends, words: Sequence[str], *, staged: bool) -> tuple[End, End]:
    if len(words) > 2 or (staged and (len(words) > 1 or ".." in "".join(words))):
        raise UsageError(
            "That is more than two versions to compare.", "`tt diff --help` has examples."
        )
    if staged:
        return ends.at(words[0] if words else _HEAD), ends.index()
    if len(words) == 2:
        return ends.at(words[0]), ends.at(words[1])
    word = words[0]
    for dots in ("...", ".."):
        one, found, other = word.partition(dots)
        if found:
            one, other = one or _HEAD, other or _HEAD
            old = ends.fork(one, other) if dots == "..." else ends.at(one)
            return old, ends.at(other)
    return ends.at(word), ends.worktree()
