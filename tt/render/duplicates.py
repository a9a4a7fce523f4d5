"""Copies of tasks in Redis, as lines."""

from __future__ import annotations

from collections.abc import Sequence

from tt.core.report import Duplicate
from tt.render.text import Look, count, safe


def dedupe_lines(
    found: Sequence[Duplicate], removed: int, look: Look, *, dry_run: bool
) -> list[str]:
    """Return what copies there were, and what became of them."""
    if not found:
        return ["Every task is in Redis once."]
    copies = count(len(found), "copy", "copies")
    head = f"Would remove {copies}:" if dry_run else f"Removed {removed:,} of {copies}:"
    lines = [f"  - {safe(one.id)}  {safe(one.status)}  {safe(one.key)}" for one in found]
    return [head, *(look.paint(line, "dim") for line in lines)]
