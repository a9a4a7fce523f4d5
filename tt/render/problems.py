"""What is wrong with a plan, as a compiler says it: file, line, column, the line itself."""

from __future__ import annotations

from collections.abc import Sequence

from tt.errors import Located
from tt.render.text import Look, clip, columns, count, safe


def problem_lines(file: str, source: bytes, problems: Sequence[Located], look: Look) -> list[str]:
    """Return a line for each problem; on a terminal the source line and a caret go below it."""
    if not problems:
        return []
    lines: list[str] = []
    text = source.decode("utf-8-sig", "replace").split("\n")
    for problem in problems:
        lines.append(problem_text(file, problem, look))
        if look.symbols and 0 < problem.line <= len(text):
            lines += _excerpt(problem, text[problem.line - 1], look)
    return lines


def problem_text(file: str, problem: Located, look: Look) -> str:
    """Return one problem as `tasks.toml:12:10: unknown status; did you mean `pending`?`."""
    place = look.paint(f"{safe(file)}:{problem.line}:{problem.column}:", "bold")
    hint = f"; {safe(problem.hint)}" if problem.hint else ""
    return f"{place} {safe(problem.message)}{hint}"


def _excerpt(problem: Located, source: str, look: Look) -> list[str]:
    number = f"{problem.line:>5} | "
    before = safe(source[: problem.column - 1])
    room = max(look.width, 40) - len(number)
    if columns(before) >= room:
        return []
    line = look.paint(f"{number}{clip(safe(source.rstrip()), room)}", "dim")
    return [line, look.paint(f"{' ' * (len(number) + columns(before))}^", "red")]


def check_summary(problems: int, files: int, broken: int, tasks: int) -> str:
    """Return the last line of a check."""
    if problems:
        return f"{count(problems, 'problem')} in {count(broken, 'file')}."
    checked = count(tasks, "task") + ("" if files == 1 else f" in {count(files, 'file')}")
    return f"{checked}, nothing wrong."
