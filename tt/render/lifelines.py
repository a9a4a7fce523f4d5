"""The life of a plan's tasks, and who touched them last, for people and for programs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Final

from tt.core.diff import Added, Edited, Removed
from tt.core.lifeline import Blame, Commit, Deed, Entry, Log, Renamed, Step, Touch
from tt.core.model import META_ID
from tt.render.edits import edit_parts
from tt.render.jsonout import as_data, task_data
from tt.render.text import Look, clip, columns, count, pad, safe, value_text

_DEEDS: Final = 20
"""Tasks of one commit that are listed before the rest is only counted."""
_TASKS: Final = 50
"""Tasks whose fields are listed before the rest is only counted."""
_LONGEST_ID: Final = 28
_LONGEST_AUTHOR: Final = 20
_COLORS: Final = {"+": "green", "~": "yellow", "-": "red", ">": "cyan"}
_NOT_YET: Final = "not committed yet"


def log_lines(log: Log, look: Look) -> list[str]:
    """Return each commit with what it did, newest first."""
    what = safe(log.task or log.file)
    if not log.entries:
        return [f"No commit that was asked for has changed {what}."]
    lines: list[str] = []
    for entry in log.entries:
        lines += [_head(entry, log, look), *_body(entry, log, look)]
    if log.more:
        lines.append(look.paint("Older commits are not shown: `-n` asks for more.", "dim"))
    return lines


def _head(entry: Entry, log: Log, look: Look) -> str:
    commit = entry.commit
    if commit is None:
        return look.paint(_NOT_YET, "yellow")
    elsewhere = f"  in {safe(entry.file)}" if entry.file != log.path else ""
    rest = f"{minute(commit.time)}  {safe(commit.author)}  {safe(commit.subject)}{elsewhere}"
    used = columns(commit.short) + 2
    return f"{look.paint(commit.short, 'yellow')}  {look.fit(rest, used)}"


def minute(seconds: int) -> str:
    """Return a time as the clock on the wall shows it: `2026-01-31 12:05`."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def _body(entry: Entry, log: Log, look: Look) -> Iterator[str]:
    if entry.fault:
        yield look.paint(f"  passed over: {safe(entry.fault)}", "magenta")
    if entry.there is not None:
        known = (
            f"{count(entry.there, 'task')} there already" if log.task is None else "there it was"
        )
        yield look.paint(f"  history ends here, in a shallow clone: {known}", "magenta")
        yield look.paint("  `git fetch --unshallow` gets the rest.", "dim")
    shown = entry.deeds if look.all else entry.deeds[:_DEEDS]
    width = min(max((columns(_name(deed.id)) for deed in shown), default=0), _LONGEST_ID)
    for deed in shown:
        sign, what = deed_text(deed, look)
        name = "" if deed.id == log.task else f"{pad(_name(deed.id), width)}  "
        used = 4 + columns(name)
        yield f"  {look.paint(sign, _COLORS[sign])} {name}{look.fit(what, used)}".rstrip()
    if len(shown) < len(entry.deeds):
        left = f"  … and {len(entry.deeds) - len(shown):,} more (`tt -v log` lists all)"
        yield look.paint(left, "dim")


def _name(identifier: str) -> str:
    return "[meta]" if identifier == META_ID else safe(identifier)


def deed_text(deed: Deed, look: Look) -> tuple[str, str]:
    """Return a sign and what was done: `~`, `completed, was running; agent: dev → qa`."""
    first = deed.steps[0]
    if isinstance(first, Renamed):
        return ">", f"renamed, was {safe(first.was)}"
    if isinstance(first, Added | Removed):
        sign = "+" if isinstance(first, Added) else "-"
        return sign, f"{', '.join(deed.did)}: {safe(first.task.description)}"
    parts: list[str] = []
    for step in sorted(deed.steps, key=_is_no_status):
        if isinstance(step, Edited):
            parts += _edit(step, deed, look)
    return "~", "; ".join(parts)


def _is_no_status(step: Step) -> bool:
    """Order the status first: it is what people look for."""
    return not (isinstance(step, Edited) and step.field == "status")


def _edit(edit: Edited, deed: Deed, look: Look) -> list[str]:
    if edit.field == "status" and edit.id != META_ID and deed.did[0] != "edited":
        return [f"{deed.did[0]}, was {safe(str(edit.old))}"]
    return edit_parts(edit, look)


def blame_lines(blame: Blame, look: Look) -> list[str]:
    """Return for each task its fields, each with the commit that made it what it is."""
    shown = blame.tasks if look.all else blame.tasks[:_TASKS]
    touches = [touch for _, found in shown for touch in found]
    widths = _widths(touches)
    lines = []
    if blame.fault:
        lines.append(
            look.paint(f"What is in the worktree was passed over: {safe(blame.fault)}", "magenta")
        )
    for identifier, found in shown:
        lines.append(look.paint(_name(identifier), "bold"))
        lines += [_touch(touch, widths, look) for touch in found]
    if len(shown) < len(blame.tasks):
        left = count(len(blame.tasks) - len(shown), "more task")
        lines.append(look.paint(f"… and {left}; `tt -v blame` lists all.", "dim"))
    return lines or [f"There is nothing in {safe(blame.file)}."]


def _widths(touches: Sequence[Touch]) -> tuple[int, int]:
    who = max((columns(_who(touch)) for touch in touches), default=0)
    return who, min(max((columns(safe(touch.field)) for touch in touches), default=0), _LONGEST_ID)


def _who(touch: Touch) -> str:
    commit = touch.commit
    if commit is None:
        return _NOT_YET
    author = pad(clip(safe(commit.author), _LONGEST_AUTHOR), 0)
    return f"{'^' if commit.ends else ''}{commit.short}  {minute(commit.time)[:10]}  {author}"


def _touch(touch: Touch, widths: tuple[int, int], look: Look) -> str:
    who, width = pad(_who(touch), widths[0]), widths[1]
    value = (
        look.fit(value_text(touch.value), widths[0] + width + 6)
        if not look.all
        else (value_text(touch.value))
    )
    color = "yellow" if touch.commit is None else "dim"
    return f"  {look.paint(who, color)}  {pad(safe(touch.field), width)}  {value}"


def log_data(log: Log) -> dict[str, object]:
    """Return a log for programs."""
    return {
        "file": log.file,
        "task": log.task,
        "entries": [_entry_data(entry) for entry in log.entries],
        "more": log.more,
    }


def _entry_data(entry: Entry) -> dict[str, object]:
    return {
        "commit": _commit_data(entry.commit),
        "file": entry.file,
        "tasks": [
            {"id": deed.id, "did": list(deed.did), "changes": [_step_data(s) for s in deed.steps]}
            for deed in entry.deeds
        ],
        "fault": entry.fault or None,
        "there_already": entry.there,
    }


def _step_data(step: Step) -> object:
    if isinstance(step, Renamed):
        return {
            "change": "renamed", "id": step.id, "was": step.was, "task": task_data(step.task)
        }  # fmt: skip
    return as_data(step)


def _commit_data(commit: Commit | None) -> dict[str, object] | None:
    """Return a commit with its author's time as RFC 3339, in UTC; None is "not yet"."""
    if commit is None:
        return None
    return {
        "id": commit.id,
        "short": commit.short,
        "author": commit.author,
        "email": commit.email,
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(commit.time)),
        "subject": commit.subject,
        "history_ends": commit.ends,
    }


def blame_data(blame: Blame) -> dict[str, object]:
    """Return last touches for programs, all of them."""
    fields = [
        {
            "task": touch.task,
            "field": touch.field,
            "value": as_data(touch.value),
            "commit": _commit_data(touch.commit),
        }
        for _, touches in blame.tasks
        for touch in touches
    ]
    return {"file": blame.file, "fields": fields, "fault": blame.fault or None}
