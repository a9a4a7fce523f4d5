"""What the Git hooks say: nothing where nothing happened, else one line for each thing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tt.core.diff import Added, Change, Edited
from tt.core.model import META_ID
from tt.core.report import Conflict, SyncReport
from tt.errors import PlanError, TTError
from tt.render.changes import tally
from tt.render.text import count, safe

_SHOWN: Final = 4
"""How many tasks a line names; it is read in passing."""


def commit_lines(staged: Sequence[Change], file: str) -> list[str]:
    """Say what a commit takes along from Redis."""
    if not staged:
        return []
    return [f"tt: this commit takes along from Redis: {named(staged)} ({safe(file)})"]


def push_lines(report: SyncReport) -> list[str]:
    """Say what a push brought to Redis."""
    if not report.to_store:
        return []
    return [f"tt: pushed {safe(report.file)} to Redis: {tally(report.to_store)}"]


def conflict_lines(conflicts: Sequence[Conflict], file: str) -> list[str]:
    """Say in one line what file and Redis disagree on."""
    if not conflicts:
        return []
    names = [f"{_name(one.id)} ({safe(one.field or 'deleted')})" for one in conflicts[:_SHOWN]]
    what = count(len(conflicts), "conflict")
    about = _some(names, len(conflicts))
    return [f"tt: {what} between {safe(file)} and Redis: {about}; `tt conflicts` shows more"]


def framework_lines(changes: Sequence[Change], file: str) -> list[str]:
    """Say what the file has now, and how the commit goes on."""
    if not changes:
        return []
    return [
        f"tt: {safe(file)} now has from Redis: {named(changes)}",
        f"    `git add {safe(file)}` and commit again.",
    ]


def push_warning(changes: Sequence[Change], file: str) -> list[str]:
    """Say what Redis has and a pushed commit does not."""
    if not changes:
        return []
    tasks = count(len({change.id for change in changes}), "task")
    ahead = f"tt: Redis is ahead of what you push in {tasks} of {safe(file)}"
    return [f"{ahead}: {named(changes)}; `tt commit` commits it"]


def trouble_line(error: TTError, after: str = "") -> str:
    """Say in one line what kept a hook from its work, and what to do."""
    words = [error.message.split("\n")[0], after, (error.hint or "").split("\n")[0]]
    return "tt: " + " ".join(safe(word) for word in words if word)


def invalid_lines(error: PlanError) -> list[str]:
    """Say what is wrong with the plan that was to be committed."""
    first, *rest = [safe(line) for line in error.message.split("\n")]
    return [f"tt: {first}", *(f"    {line}" for line in rest)]


def named(changes: Sequence[Change]) -> str:
    """Name what changes, a few of them: `lint completed, docs agent`."""
    names = [_change(change) for change in changes[:_SHOWN]]
    return _some(names, len(changes))


def _some(names: Sequence[str], total: int) -> str:
    more = f" and {total - len(names)} more" if total > len(names) else ""
    return ", ".join(names) + more


def _change(change: Change) -> str:
    name = _name(change.id)
    if not isinstance(change, Edited):
        return f"{name} {'added' if isinstance(change, Added) else 'removed'}"
    if change.field == "status" and isinstance(change.new, str):
        return f"{name} {safe(change.new)}"
    return f"{name} ({safe(change.field)})"


def _name(identifier: str) -> str:
    return "[meta]" if identifier == META_ID else safe(identifier)
