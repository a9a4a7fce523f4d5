"""A plan file in pieces, each of which can be read alone.

Two versions of a plan differ in a few tasks. So a text is cut before each `[[tasks]]` line, and
what is between two cuts is parsed alone, and once. That is only right where each piece is a
document by itself that holds exactly one task with an id of its own, and what is above the first
holds none; where anything is otherwise, the text has to be parsed as a whole.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Collection
from typing import Any, Final

from tt.adapters.toml_read import parsed
from tt.core.document import read_document
from tt.core.model import Task
from tt.core.values import Value

CUT: Final = "\n[[tasks]]"
"""What begins a task in nearly every plan; a text is cut before it."""
_CUT: Final = CUT.encode()


def cut(data: bytes) -> list[bytes]:
    """Cut a file into what is above the first task, and the tasks without what each begins with."""
    return b"\n".join([b"", data.removeprefix(BOM_UTF8)]).replace(b"\r\n", b"\n").split(_CUT)


def read_head(piece: bytes) -> dict[str, Value] | None:
    """Read the `[meta]` above the first task; None where there is more than other tables."""
    document = _table(piece)
    if document is None or "tasks" in document:
        return None
    reading = read_document({**document, "tasks": []})
    return None if reading.problems else dict(reading.plan.meta)


def read_piece(piece: bytes, harmless: Collection[str] = ()) -> Task | None:
    """Read one task; None where it cannot be understood alone.

    Nor may it have problems, but for those with one of the `harmless` codes.
    """
    document = _table(_CUT + piece)
    if document is None or document.keys() != {"tasks"} or len(document["tasks"]) != 1:
        return None
    reading = read_document(document, links=False)
    tasks = list(reading.plan.tasks.values())
    grave = any(problem.code not in harmless for problem in reading.problems)
    return tasks[0] if len(tasks) == 1 and not reading.named and not grave else None


def _table(piece: bytes) -> dict[str, Any] | None:
    try:
        return one_table(piece.decode())
    except UnicodeDecodeError:
        return None


def one_table(text: str) -> dict[str, Any] | None:
    """Parse a piece of a text by itself; None where it is no TOML."""
    try:
        return parsed(text)
    except (ValueError, RecursionError):
        return None
