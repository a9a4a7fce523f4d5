"""The one versioned envelope in which every command answers programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Final

from tt.core.diff import Added, Edited, Removed
from tt.core.model import Task
from tt.core.values import ABSENT, Literal, plain
from tt.errors import TTError
from tt.record import is_record, names_of

SCHEMA_VERSION: Final = 1


def envelope(data: object) -> str:
    """Return a successful answer as one JSON document."""
    document = {"schema_version": SCHEMA_VERSION, "data": as_data(data)}
    return json.dumps(document, indent=2, ensure_ascii=True)


def line(data: object) -> str:
    """Return one of several answers, each of which is a JSON document on a line of its own."""
    return _one_line({"schema_version": SCHEMA_VERSION, "data": as_data(data)})


def error_envelope(error: TTError, code: int) -> str:
    """Return a failure as one JSON document, with what is wrong in a plan if that is it.

    In one line: it may be the last one of a stream of lines.
    """
    content: dict[str, object] = {"message": error.message, "hint": error.hint, "exit_code": code}
    problems = getattr(error, "problems", None)
    if problems:
        content["problems"] = as_data(problems)
    return _one_line({"schema_version": SCHEMA_VERSION, "error": content})


def _one_line(document: object) -> str:
    # Pure ASCII: nothing in it can move a cursor, and no terminal's encoding can be in the way.
    return json.dumps(document, ensure_ascii=True)


def task_data(task: Task) -> dict[str, object]:
    """Return a task as programs see it: its id, then its fields as the file has them."""
    return {"id": task.id, **{name: plain(value) for name, value in task.fields.items()}}


def as_data(value: object) -> object:
    """Turn a report into JSON-ready data: records become objects, changes say what they are."""
    if isinstance(value, Added | Removed):
        kind = "added" if isinstance(value, Added) else "removed"
        return {"change": kind, "id": value.id, "task": task_data(value.task)}
    if isinstance(value, Edited):
        old, new = plain(value.old), plain(value.new)
        return {"change": "edited", "id": value.id, "field": value.field, "old": old, "new": new}
    if isinstance(value, Task):
        return task_data(value)
    if value is ABSENT or isinstance(value, Literal):
        return plain(value)
    if isinstance(value, Enum):
        return value.value
    if is_record(value):
        return {name: as_data(getattr(value, name)) for name in names_of(value)}
    return _plain_data(value)


def _plain_data(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): as_data(item) for key, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: as_data(item) for name, item in value._asdict().items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return [as_data(item) for item in items]
    return str(value) if isinstance(value, Path) else value
