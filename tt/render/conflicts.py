"""Conflicts: what each side says, and the commands that decide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from tt.core.report import Conflict
from tt.core.values import ABSENT, MaybeValue
from tt.render.text import Look, columns, count, pad, safe, value_text

LIMIT: Final = 20


def conflict_lines(conflicts: Sequence[Conflict], file: str, look: Look) -> list[str]:
    """Return a block for each conflict; nothing where there is none."""
    if not conflicts:
        return []
    number = count(len(conflicts), "conflict")
    mark = "⚠ " if look.symbols else ""
    lines = [
        look.paint(
            f"{mark}{number}: both sides stay as they are there until you decide", "bold", "red"
        )
    ]
    tasks = Counter(conflict.id for conflict in conflicts)
    shown = conflicts if look.all else conflicts[:LIMIT]
    for conflict in shown:
        lines += _block(conflict, file, look, alone=tasks[conflict.id] == 1)
    if len(conflicts) > len(shown):
        lines.append(f"  … and {len(conflicts) - len(shown):,} more (tt conflicts)")
    return lines


def _block(conflict: Conflict, file: str, look: Look, *, alone: bool) -> Iterator[str]:
    what = "exists or not" if conflict.field is None else safe(conflict.field)
    yield f"  {look.paint(safe(conflict.id), 'bold')}  {what}"
    if conflict.why:
        yield f"    {safe(conflict.why)}"
    width = max(columns(file), len("Redis"))
    gone = "(removed)" if conflict.field is None else "none"
    for side, value in ((file, conflict.file), ("Redis", conflict.store)):
        yield f"    {pad(side, width)}  {look.fit(_value(value, gone), width + 6)}"
    field = None if alone else conflict.field
    choices = "  or  ".join(resolve_command(conflict.id, side, field) for side in ("file", "store"))
    yield f"    {pad('keep one', width)}  {look.paint(choices, 'cyan')}"


def _value(value: MaybeValue, gone: str) -> str:
    return gone if value is ABSENT else value_text(value)


def resolve_command(identifier: str, side: str, field: str | None = None) -> str:
    """Return the command that decides a conflict, to be pasted into a shell as it is."""
    words = [_shell(identifier)]
    words += [] if field is None else [_shell(field)]
    if any(word.startswith("-") for word in words):
        return f"tt resolve --{side} -- {' '.join(words)}"
    return f"tt resolve {' '.join(words)} --{side}"


def _shell(word: str) -> str:
    from shlex import quote

    return quote(safe(word))
