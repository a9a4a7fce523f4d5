"""Conflicts: what each side says, and the commands that decide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from tt.core.report import Conflict
from tt.core.values import ABSENT
from tt.render.text import Look, columns, count, pad, safe, value_text

LIMIT: Final = 20


def conflict_lines(conflicts: Sequence[Conflict], file: str, look: Look) -> list[str]:
    """Return a block for each conflict; nothing where there is none."""
    if not conflicts:
        return []
    number = count(len(conflicts), "conflict")
    mark = "⚠ " if look.symbols else ""
    by_task: dict[str, list[Conflict]] = {}
    for conflict in conflicts if look.all else conflicts[:LIMIT]:
        by_task.setdefault(conflict.id, []).append(conflict)
    title = f"{mark}{number}: both sides stay as they are until you decide"
    lines = [look.paint(title, "bold", "red")]
    for identifier, found in by_task.items():
        lines += _task(identifier, found, file, look)
    if not look.all and len(conflicts) > LIMIT:
        lines.append(f"  … and {len(conflicts) - LIMIT:,} more (tt conflicts)")
    return lines


def _task(identifier: str, found: Sequence[Conflict], file: str, look: Look) -> Iterator[str]:
    """Yield what the sides say about one task, and the commands that end all of it."""
    yield f"  {look.paint(safe(identifier), 'bold')}"
    for conflict in found:
        yield from _field(conflict, file, look)
    choices = "  or  ".join(resolve_command(identifier, side) for side in ("file", "store"))
    yield f"    keep one:  {look.paint(choices, 'cyan')}"


def _field(conflict: Conflict, file: str, look: Look) -> Iterator[str]:
    width = max(columns(file), len("Redis"))
    name = "" if conflict.field is None else f"{safe(conflict.field)}  "
    gone = "(removed)" if conflict.field is None else "none"
    if conflict.why:
        yield f"    {safe(conflict.why)}"
    for side, value in ((file, conflict.file), ("Redis", conflict.store)):
        head = f"    {name}{pad(side, width)}  "
        yield head + look.fit(gone if value is ABSENT else value_text(value), columns(head))


def resolve_command(identifier: str, side: str) -> str:
    """Return the command that decides a conflict, to be pasted into a shell as it is."""
    from shlex import quote

    word = quote(safe(identifier))
    return f"tt resolve --{side} -- {word}" if word[0] == "-" else f"tt resolve {word} --{side}"
