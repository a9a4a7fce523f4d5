"""What a set-up did, file by file."""

from __future__ import annotations

from collections.abc import Sequence

from tt.core.answers import Step
from tt.render.text import Look, safe

_SIGNS = {
    "made": ("+", "green"),
    "changed": ("~", "yellow"),
    "removed": ("-", "red"),
    "kept": ("=", "dim"),
}


def step_lines(steps: Sequence[Step], look: Look) -> list[str]:
    """Return a line for each file."""
    width = max((len(safe(step.file)) for step in steps), default=0)
    return [
        f"{look.paint(_SIGNS[step.done][0], _SIGNS[step.done][1])} "
        f"{safe(step.file).ljust(width)}  {step.done}: {safe(step.what)}"
        for step in steps
    ]
