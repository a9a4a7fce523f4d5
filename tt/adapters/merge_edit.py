"""The outcome of a merge edited into our text, for plans that are not written in blocks of lines.

Loaded only where a plan is written so: comments of theirs are added at the end.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from tt.adapters.toml_edit import edit_plan
from tt.adapters.toml_read import bytes_of, text_of
from tt.adapters.toml_write import newline_of
from tt.core.diff import diff
from tt.core.markers import hunk

if TYPE_CHECKING:
    from tt.core.document import Reading
    from tt.core.treemerge import MergedTree


def edited_text(data: bytes, reading: Reading, merged: MergedTree, size: int) -> bytes | None:
    """Edit our file into the outcome; None where that cannot be done."""
    try:
        ours = edit_plan(data, reading, diff(reading.plan, merged.ours.plan), {})
        if not merged.conflicts:
            return ours
        theirs = edit_plan(data, reading, diff(reading.plan, merged.theirs.plan), {})
    except RuntimeError:
        return None
    return bytes_of(_marked(text_of(ours), text_of(theirs), size), data)


def _marked(one: str, other: str, size: int) -> str:
    """Put markers around the lines in which two texts differ."""
    ours, theirs = _lines(one), _lines(other)
    newline = newline_of(one)
    parts: list[str] = []
    steps = SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes()
    for tag, i1, i2, j1, j2 in steps:
        if tag == "equal":
            parts += ours[i1:i2]
        else:
            parts.append(hunk("".join(ours[i1:i2]), "".join(theirs[j1:j2]), size, newline))
    return "".join(parts)


def _lines(text: str) -> list[str]:
    """Split a text into lines; the last one is ended, too, since markers may follow it."""
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += newline_of(text)
    return lines
