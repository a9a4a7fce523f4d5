"""A plan file with the conflict markers of a merge in it: seeing them, and deciding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tt.adapters.merge_files import tree_in
from tt.adapters.planfile_disk import read_bytes
from tt.adapters.planfile_write import replace_bytes
from tt.adapters.toml_read import bytes_of, parsed, text_of
from tt.core.marked import MarkedConflict, Resolution, marked_conflicts, resolved
from tt.core.markers import Hunk, MergeSide, has_markers, pieces

if TYPE_CHECKING:
    from pathlib import Path


class MarkedPlanFile:
    """The `MarkedFile` port of `tt.app.marked` over a path. A symlink is followed."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._name = name

    @property
    def name(self) -> str:
        """How messages call the file."""
        return self._name

    def conflicts(self) -> tuple[MarkedConflict, ...]:
        """List what is between conflict markers; nothing where there are none, or no file."""
        data = read_bytes(self._path, self._name)
        text = None if data is None else marked_text(data)
        return () if text is None else marked_conflicts(text, tree_in)

    def resolve(self, identifier: str, side: MergeSide) -> Resolution:
        """Take one side's lines for one task or table, and leave every other byte as it is.

        Raises FileMovedError where the file is changed meanwhile, TTError where it cannot be
        written; then it is as it was.
        """
        data = read_bytes(self._path, self._name) or b""
        text = text_of(data)
        made = resolved(text, identifier, side, tree_in)
        if made.text != text:
            replace_bytes(self._path, self._name, data, bytes_of(made.text, data))
        return made


def marked_text(data: bytes) -> str | None:
    """Return a file's text if it has conflict markers: a text in a plan may look like some."""
    try:
        text = text_of(data)
        if not has_markers(text) or not any(isinstance(piece, Hunk) for piece in pieces(text)):
            return None
        parsed(text)
    except UnicodeDecodeError:
        return None
    except (ValueError, RecursionError):
        return text
    return None
