"""What changed between two versions of a plan, task by task and field by field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from tt.core.compared import Comparison, End
from tt.core.diff import Added, Change, Edited
from tt.core.model import META_ID, Task
from tt.render.changes import tally
from tt.render.edits import edit_parts
from tt.render.jsonout import as_data
from tt.render.text import Look, columns, count, safe, value_text

_TASKS: Final = 50
"""Tasks that are listed before the rest is only counted."""
_COLORS: Final = {"+": "green", "~": "yellow", "-": "red"}


def difference_lines(found: Comparison, look: Look) -> list[str]:
    """Return a headline, each task that changed with its fields, and what else is to be known."""
    by_task: dict[str, list[Change]] = {}
    for change in found.changes:
        by_task.setdefault(change.id, []).append(change)
    shown = list(by_task.items())[: None if look.all else _TASKS]
    lines = [_headline(found, look)]
    for identifier, changes in shown:
        lines += _task_lines(identifier, changes, found.new, look)
    if len(shown) < len(by_task):
        left = count(len(by_task) - len(shown), "more task")
        lines.append(look.paint(f"… and {left}; `tt -v diff` lists all.", "dim"))
    return [*lines, *_notes(found, look)]


def _headline(found: Comparison, look: Look) -> str:
    file = safe(found.new.file)
    if found.old.file != found.new.file:
        file = f"{safe(found.old.file)} → {file}"
    what = _tally(found.changes)
    return look.paint(f"{file}: {safe(found.old.name)} → {safe(found.new.name)}: {what}", "bold")


def _tally(changes: Sequence[Change]) -> str:
    """Count the tasks; what the plan says of itself is none."""
    tasks = [change for change in changes if change.id != META_ID]
    parts = [tally(tasks), "[meta]" if len(tasks) < len(changes) else ""]
    return ", ".join(part for part in parts if part) or "no change"


def _task_lines(identifier: str, changes: list[Change], new: End, look: Look) -> Iterator[str]:
    first = changes[0]
    if isinstance(first, Edited):
        task = new.read.plan.tasks.get(identifier)
        yield _title("~", identifier, "" if task is None else task.description, look)
        for edit in changes:
            if isinstance(edit, Edited):
                yield from (f"    {look.fit(part, 4)}" for part in edit_parts(edit, look))
    else:
        sign = "+" if isinstance(first, Added) else "-"
        yield _title(sign, identifier, first.task.description, look)
        if isinstance(first, Added):
            yield f"    {look.fit(_fields(first.task), 4)}"


def _title(sign: str, identifier: str, description: str, look: Look) -> str:
    name = "[meta]" if identifier == META_ID else safe(identifier)
    rest = look.fit(safe(description), columns(name) + 4)
    return f"{look.paint(sign, _COLORS[sign])} {look.paint(name, 'bold')}  {rest}".rstrip()


def _fields(task: Task) -> str:
    shown = ((name, value) for name, value in task.fields.items() if name != "description")
    return ", ".join(f"{safe(name)}: {value_text(value)}" for name, value in shown)


def _notes(found: Comparison, look: Look) -> Iterator[str]:
    for end in (found.old, found.new):
        name = safe(end.name)
        for fault in end.read.faults:
            yield look.paint(f"{name}: {safe(fault)}.", "yellow")
        if not end.exists and not end.read.faults:
            yield look.paint(f"{name}: there is no {safe(end.file)}.", "yellow")
        if end.exists and end.read.faults:
            yield look.paint("    What can be read is compared, the rest is left out.", "dim")
    if found.more:
        yield look.paint(found.more, "dim")


def difference_data(found: Comparison) -> dict[str, object]:
    """Return a comparison for programs."""
    return {
        "old": _end_data(found.old),
        "new": _end_data(found.new),
        "changes": as_data(found.changes),
        "staged_changes": bool(found.more),
    }


def _end_data(end: End) -> dict[str, object]:
    faults = list(end.read.faults)
    return {"name": end.name, "file": end.file, "exists": end.exists, "faults": faults}
