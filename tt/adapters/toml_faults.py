"""What is wrong with a plan file, as a compiler would say it: file, line, column, what is meant.

Only loaded where something is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import tomli

from tt.adapters.toml_place import offset_of, positions, task_offsets
from tt.core.document import Reading
from tt.errors import Located, NotAPlanError, PlanError

HINT: Final = "Nothing was changed. `tt check` shows what is still wrong."
_SHOWN: Final = 100
"""How many faults a message has lines for; all of them are in `problems`."""

_MARKER: Final = r"^(?:<{7,}|={7,}|>{7,}|\|{7,})(?=[ \r\n]|\Z)[^\n]*"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LINE: Final = re.compile(r"[^\n]*")
_BARE_WORD: Final = re.compile(r"[A-Za-z_][\w./-]*")

_SYNTAX: Final[Mapping[str, tuple[str, str | None]]] = {
    "Cannot overwrite a value": ("this key is there already", "keep one of the two"),
    "Expected '=' after a key in a key/value pair": ("there is no `=` after the key", None),
    "Expected newline or end of document after a statement": (
        "there is more on the line than one `key = value`",
        "text with quotes in it can stand between single quotes",
    ),
    "Invalid date or datetime": ("there is no such date or time", None),
    "Invalid initial character for a key part": ("a key is missing here", None),
    "Invalid statement": ("this is neither a key, a header nor a comment", None),
    "Invalid value": ("this is no TOML value", None),
    "Unclosed array": ("there is no `]` or comma after the item", None),
    "Unclosed inline table": ("there is no `}` or comma after the value", None),
    "Unescaped '\\' in a string": (
        "the backslash begins no escape that TOML knows",
        "write it twice, or use single quotes",
    ),
    "Unterminated string": ("the text is not closed: a quote is missing", None),
    "Illegal character '\\n'": ("the text is not closed: a quote is missing", None),
    'Expected "\'"': ("the text is not closed: a quote is missing", None),
    "Expected ']' at the end of a table declaration": ("there is no `]` after the name", None),
    "Expected ']]' at the end of an array declaration": ("there is no `]]` after the name", None),
}


def plan_error(name: str, faults: Iterable[Located]) -> PlanError:
    """Make the error that lists the faults of the file called `name`, a line for each."""
    problems = sorted(faults, key=lambda fault: (fault.line, fault.column))
    lines = [one_line(name, fault) for fault in problems[:_SHOWN]]
    if len(problems) > _SHOWN:
        lines.append(f"{name}: and {len(problems) - _SHOWN:,} more")
    return PlanError("\n".join(lines), HINT, problems)


def one_line(name: str, fault: Located) -> str:
    """Write a fault as `tasks.toml:12:10: unknown status …; did you mean …?`."""
    hint = f"; {fault.hint}" if fault.hint else ""
    line = f"{name}:{fault.line}:{fault.column}: {fault.message}{hint}"
    return _CONTROL.sub(lambda mark: f"\\x{ord(mark[0]):02x}", line)


def located(text: str, reading: Reading) -> list[Located]:
    """Find the problems of a reading in the text that was read, in the order of the file."""
    tasks = task_offsets(text, reading.count)
    found = [(offset_of(text, problem.place, tasks), problem) for problem in reading.problems]
    found.sort(key=lambda pair: pair[0])
    faults = []
    places = positions(text, (offset for offset, _ in found))
    for (line, column), (_, problem) in zip(places, found, strict=True):
        message = problem.message
        if problem.also is not None:
            first = next(positions(text, [offset_of(text, problem.also, tasks)]))
            message += f" by the task of line {first[0]}"
        faults.append(Located(line, column, problem.code, message, problem.hint))
    return faults


def not_utf8(name: str, data: bytes, error: UnicodeDecodeError) -> PlanError:
    """Say where a file stops being UTF-8."""
    start = data.rfind(b"\n", 0, error.start) + 1
    column = len(data[start : error.start].decode(errors="replace")) + 1
    line = data.count(b"\n", 0, error.start) + 1
    message = f"the byte 0x{data[error.start]:02x} is not UTF-8, which TOML is written in"
    return plan_error(name, [Located(line, column, "encoding", message, "save it as UTF-8")])


def not_toml(name: str, text: str, error: ValueError | RecursionError) -> PlanError:
    """Say why a text is not TOML."""
    return plan_error(name, [_conflict(text) or _syntax(text, error)])


def _conflict(text: str) -> Located | None:
    """Recognise what a merge with conflicts leaves in a file, and whose lines it is about."""
    marks = list(re.finditer(_MARKER, text, re.MULTILINE))
    kinds = {mark[0][0] for mark in marks}
    if not {"<", ">"} <= kinds and not {"<", "="} <= kinds:
        return None
    lines = [line for line, _ in positions(text, (mark.start() for mark in marks))]
    shown = ", ".join(map(str, lines[:9])) + (", …" if len(lines) > 9 else "")
    message = f"conflict markers of an unfinished merge (lines {shown})"
    names = _in_conflict(text)
    if names:
        message += f", in {', '.join(f'`{name}`' for name in names[:9])}"
        message += ", …" if len(names) > 9 else ""
    hint = "`tt conflicts` shows both sides, `tt resolve ID --ours` or `--theirs` ends one"
    return Located(lines[0], 1, "conflict", message, hint)


def _in_conflict(text: str) -> list[str]:
    from tt.adapters.merge_files import tree_in
    from tt.core.marked import marked_conflicts

    found = marked_conflicts(text, tree_in)
    return list(dict.fromkeys(conflict.id for conflict in found if conflict.id))


def _syntax(text: str, error: ValueError | RecursionError) -> Located:
    if isinstance(error, RecursionError):
        return Located(1, 1, "toml", "tables or lists are nested too deeply", None)
    if not isinstance(error, tomli.TOMLDecodeError):
        return Located(1, 1, "toml", "a number has too many digits", None)
    message, hint = _SYNTAX.get(error.msg, (error.msg[:1].lower() + error.msg[1:], None))
    line, column = error.lineno, error.colno
    if error.pos >= len(error.doc) and line > 1 and not error.doc.rpartition("\n")[2]:
        line, column = line - 1, len(error.doc.splitlines()[-1]) + 1
    if error.msg == "Cannot overwrite a value":
        column = _key_column(error.doc, error.pos)
    elif error.msg.startswith("Unescaped"):
        # tomli points behind the escape, which may be on the next line.
        line, column = next(positions(error.doc, [error.pos - len("\\x")]))
    elif error.msg == "Invalid value":
        hint = _value_hint(error.doc, error.pos)
    return Located(line, column, "toml", message, hint)


def _key_column(text: str, pos: int) -> int:
    """Return the column of the first character of the line: there the key stands."""
    start = text.rfind("\n", 0, pos) + 1
    return len(text[start:pos]) - len(text[start:pos].lstrip(" \t")) + 1


def _value_hint(text: str, pos: int) -> str | None:
    rest = _LINE.match(text, pos)
    word = _BARE_WORD.match(text, pos)
    if rest is None or not rest[0].strip():
        return "a value is missing after the `=`"
    return f'text stands in quotes: `"{word[0]}"`' if word else None


def not_a_plan(name: str, document: Mapping[str, Any]) -> NotAPlanError:
    """Say why a TOML document is no plan."""
    tasks = document.get("tasks")
    if not document:
        hint = (
            "Take it back from Git, or begin anew with `tt plan --init`; without the file, "
            "`tt sync pull` makes it from Redis."
        )
        return NotAPlanError(f"{name} is empty.", hint)
    if isinstance(tasks, dict) and "description" in tasks:
        hint = "A task begins with `[[tasks]]`, in double brackets."
    else:
        hint = "A plan has `[[tasks]]` tables, and each of them a `description`."
    return NotAPlanError(f"{name} is valid TOML, but it is not a plan of tasks.", hint)
