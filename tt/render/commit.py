"""What `tt commit` did."""

from __future__ import annotations

from typing import Final

from tt.core.report import Committed
from tt.render.changes import change_lines
from tt.render.text import Look, safe

_SHORT: Final = 10


def committed_lines(done: Committed, look: Look) -> list[str]:
    """Return the commit and what is in it."""
    if not done.commit:
        return [f"Nothing to commit: {safe(done.file)} has all that Redis has."]
    head = f"[{done.commit[:_SHORT]}] {safe(done.subject)}"
    return [head, *change_lines(done.changes, look, more=" (git show)")]
