"""TOML text for values: the way `tt` writes them, or the way the old value was written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from tt.core.model import TASK_FIELDS, Task
from tt.core.values import Literal, Value

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_SPECIAL: Final = re.compile(r'[\x00-\x1f"\\\x7f]')
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\\\x7f]")
_NO_LITERAL: Final = re.compile(r"[\x00-\x08\x0a-\x1f'\x7f]")
_NO_LONG_LITERAL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]|'''|'\Z")
_ESCAPES: Final = {
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\f": "\\f",
    "\r": "\\r",
    '"': '\\"',
    "\\": "\\\\",
}

ORDER: Final = ("id", *TASK_FIELDS, "default_agent")
"""Known keys in the order in which `tt` writes them; all others come after them."""


def key_text(parts: Iterable[str | int]) -> str:
    """Write a dotted key, quoting the parts that need it."""
    return ".".join(part if _BARE.fullmatch(part) else basic(part) for part in map(str, parts))


def value_text(value: Value, like: str = "", newline: str = "\n") -> str:
    """Write a value. Text is quoted as `like` is, the TOML text of another value, if it can be."""
    if isinstance(value, str):
        return string_text(value, like, newline)
    if isinstance(value, Literal):
        return value.text
    if isinstance(value, list):
        return "[" + ", ".join(value_text(item) for item in value) + "]"
    if isinstance(value, dict):
        pairs = (f"{key_text((key,))} = {value_text(item)}" for key, item in value.items())
        return f"{{ {', '.join(pairs)} }}" if value else "{}"
    return str(value)


def string_text(value: str, like: str, newline: str) -> str:
    """Write text in the kind of quotes that `like` has, or in one that can hold it."""
    if like.startswith("'''") and not _NO_LONG_LITERAL.search(value):
        return "'''" + _first_line(value, like, newline) + value.replace("\n", newline) + "'''"
    if like.startswith(('"""', "'''")):
        return '"""' + _first_line(value, like, newline) + _long(value, newline) + '"""'
    if like.startswith("'") and not _NO_LITERAL.search(value):
        return f"'{value}'"
    return basic(value)


def basic(value: str) -> str:
    """Write text as a basic string, on one line whatever it holds."""
    return '"' + _SPECIAL.sub(_escape, value) + '"'


def _escape(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[0]) or f"\\u{ord(match[0]):04X}"


def _first_line(value: str, like: str, newline: str) -> str:
    """A newline right after the opening quotes is no part of the text; put one where `like` has."""
    return newline if like[3:5].lstrip("\r").startswith("\n") or value.startswith("\n") else ""


def _long(value: str, newline: str) -> str:
    body = value.removesuffix('"')  # it would make the closing quotes four
    escaped = _CONTROL.sub(_escape, body).replace('"""', '""\\"').replace("\n", newline)
    return escaped if body == value else escaped + '\\"'


def ordered(fields: Mapping[str, Value]) -> list[tuple[str, Value]]:
    """List a task's fields in the order in which `tt` writes them, the user's own keys last."""
    known = [(name, fields[name]) for name in TASK_FIELDS if name in fields]
    return known + [(name, value) for name, value in fields.items() if name not in TASK_FIELDS]


def task_lines(task: Task, newline: str) -> str:
    """Write a task as a `[[tasks]]` block, one key a line, with a newline at its end."""
    lines = ["[[tasks]]", f"id = {basic(task.id)}"]
    lines += [f"{key_text((name,))} = {value_text(value)}" for name, value in ordered(task.fields)]
    return newline.join(lines) + newline


def task_inline(task: Task) -> str:
    """Write a task as an inline table."""
    return value_text({"id": task.id, **dict(ordered(task.fields))})


def newline_of(text: str) -> str:
    r"""Return the line ending that most lines of a text have, `\n` where there are none."""
    return "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"
