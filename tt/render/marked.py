"""Conflicts between markers: what each side says, and the commands that decide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from tt.core.marked import MarkedConflict, Resolution
from tt.core.values import ABSENT
from tt.render.conflicts import LIMIT, resolve_command
from tt.render.text import Look, columns, count, pad, safe, value_text


def marked_lines(conflicts: Sequence[MarkedConflict], file: str, look: Look) -> list[str]:
    """Return a block for each task or table with conflict markers."""
    mark = "⚠ " if look.symbols else ""
    number = count(len(conflicts), "conflict")
    lines = [look.paint(f"{mark}{number} of a merge in {file}", "bold", "red")]
    shown = conflicts if look.all else conflicts[:LIMIT]
    for identifier, found in groupby(shown, lambda conflict: conflict.id):
        lines += _task(identifier, list(found), look)
    if len(shown) < len(conflicts):
        lines.append(f"  … and {len(conflicts) - len(shown):,} more (tt --verbose conflicts)")
    return lines


def _task(identifier: str, found: Sequence[MarkedConflict], look: Look) -> Iterator[str]:
    if not identifier:
        for conflict in found:
            yield f"  {_lines(conflict)}: no field differs, or a side cannot be read; edit them"
        return
    yield f"  {look.paint(safe(identifier), 'bold')}"
    for conflict in found:
        yield from _field(conflict, look)
    choices = "  or  ".join(resolve_command(identifier, side) for side in ("ours", "theirs"))
    yield f"    keep one:  {look.paint(choices, 'cyan')}"


def _field(conflict: MarkedConflict, look: Look) -> Iterator[str]:
    name = "" if conflict.field is None else f"{safe(conflict.field)}  "
    gone = "(removed)" if conflict.field is None else "none"
    for side, value in (("ours", conflict.ours), ("theirs", conflict.theirs)):
        head = f"    {name}{pad(side, len('theirs'))}  "
        where = f"  ({_lines(conflict)})" if side == "ours" else ""
        room = columns(head) + len(where)
        yield head + look.fit(gone if value is ABSENT else value_text(value), room) + where


def _lines(conflict: MarkedConflict) -> str:
    return f"lines {conflict.line} to {conflict.last}"


def resolution_lines(
    identifier: str, side: str, done: Resolution, file: str, look: Look
) -> list[str]:
    """Return what was decided, and what comes next."""
    fields = ", ".join(safe(one.field or "the task") for one in done.decided)
    lines = [f"{safe(identifier)}: {fields} as {side} has it."]
    if done.left:
        return [*lines, *marked_lines(done.left, file, look)]
    return [*lines, f"No conflict is left in {file}: look at it, then `git add {file}`."]
