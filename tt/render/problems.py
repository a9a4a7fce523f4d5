"""What is wrong with a plan, as a compiler says it: file, line, column, the line itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tt.render.text import Look, clip, columns, count, safe


class Fault(NamedTuple):
    """One problem at its place in a file; lines and columns count from 1.

    `code` is stable and for programs. `also` is the line of a second place, 0 without one.
    """

    file: str
    line: int
    column: int
    code: str
    message: str
    hint: str | None = None
    also: int = 0


def fault_lines(faults: Sequence[Fault], sources: dict[str, bytes], look: Look) -> list[str]:
    """Return a line for each fault; on a terminal with the source line and a caret below it."""
    lines: list[str] = []
    split = {name: data.decode("utf-8", "replace").splitlines() for name, data in sources.items()}
    for fault in faults:
        lines.append(fault_text(fault, look))
        if look.symbols:
            lines += _excerpt(fault, split.get(fault.file, []), look)
    return lines


def fault_text(fault: Fault, look: Look) -> str:
    """Return `tasks.toml:12:10: unknown status `pendign`; did you mean `pending`?`."""
    place = f"{safe(fault.file)}:{fault.line}:{fault.column}:"
    also = f" (first on line {fault.also})" if fault.also else ""
    hint = f"; {safe(fault.hint)}" if fault.hint else ""
    return f"{look.paint(place, 'bold')} {safe(fault.message)}{also}{hint}"


def _excerpt(fault: Fault, lines: Sequence[str], look: Look) -> list[str]:
    if not 0 < fault.line <= len(lines):
        return []
    source = lines[fault.line - 1]
    number = f"{fault.line:>5} | "
    before = safe(source[: fault.column - 1])
    caret = " " * (len(number) + columns(before)) + "^"
    room = max(look.width, 40) - len(number)
    return [look.paint(f"{number}{clip(safe(source), room)}", "dim"), look.paint(caret, "red")]


def summary(faults: Sequence[Fault], files: int, tasks: int) -> str:
    """Return the last line of a check."""
    checked = count(files, "file") if files != 1 else count(tasks, "task")
    if not faults:
        return f"{checked}, nothing wrong."
    broken = {fault.file for fault in faults}
    return f"{count(len(faults), 'problem')} in {count(len(broken), 'file')}."
