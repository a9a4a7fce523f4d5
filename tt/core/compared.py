"""Two versions of a plan side by side, of which each may be missing or be readable in part."""

from __future__ import annotations

from tt.core.diff import Change, Edited, diff
from tt.core.model import Plan
from tt.record import field, record


@record
class Partial:
    """What can be read of a version, and what cannot.

    `faults` are sentences without a full stop. `hidden` are the tasks of which nothing is known
    (with None), and the single fields of tasks that could not be understood.
    """

    plan: Plan = field(default_factory=Plan)
    faults: tuple[str, ...] = ()
    hidden: frozenset[tuple[str, str | None]] = frozenset()


@record
class End:
    """One end of a comparison: `name` is how it is called, `file` the plan's path there.

    `exists` is False where it has no plan: then `read` is empty.
    """

    name: str
    file: str
    read: Partial = field(default_factory=Partial)
    exists: bool = True


@record
class Comparison:
    """What leads from one end to the other. `more` tells of changes that were not asked for."""

    old: End
    new: End
    changes: tuple[Change, ...]
    more: str = ""


def compare(old: End, new: End, more: str = "") -> Comparison:
    """List what changed, leaving out what is unknown at either end."""
    hidden = old.read.hidden | new.read.hidden
    changes = diff(old.read.plan, new.read.plan)
    return Comparison(
        old, new, tuple(change for change in changes if not _is_hidden(change, hidden)), more
    )


def _is_hidden(change: Change, hidden: frozenset[tuple[str, str | None]]) -> bool:
    if (change.id, None) in hidden:
        return True
    return isinstance(change, Edited) and (change.id, change.field) in hidden
