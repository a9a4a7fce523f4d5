"""What a merge of files comes to, as bytes and as data."""

from __future__ import annotations

from typing import NamedTuple

from tt.core.treemerge import MergeConflict


class LineMerge(NamedTuple):
    """What merging lines gave: the text, with markers where it is not clean."""

    data: bytes
    is_clean: bool


class MergedFile(NamedTuple):
    """The outcome of a merge.

    `is_clean` is False where somebody has to look: at `conflicts`, or for what `why` says.
    """

    data: bytes
    is_clean: bool = True
    conflicts: tuple[MergeConflict, ...] = ()
    why: str = ""
