"""One thing that is wrong with a plan, and where."""

from __future__ import annotations

from typing import TypeAlias

from tt.record import record

Place: TypeAlias = tuple[str | int, ...]
"""Where in the document: `("tasks", 3, "status")` is the status of the fourth task."""


@record
class Problem:
    """A fault of a plan. `code` is stable and for programs, `also` a second place it refers to."""

    code: str
    message: str
    place: Place
    hint: str | None = None
    also: Place | None = None
