"""Reading what can be read of a plan that is damaged: to show it, never to write it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from tt.adapters.planfile import read_leniently
from tt.adapters.planpast import fault_of, is_grave
from tt.adapters.planpieces import CUT, one_table
from tt.adapters.toml_faults import located
from tt.adapters.toml_read import text_of
from tt.core.compared import Partial
from tt.core.document import Reading, read_document
from tt.core.model import META_ID, Plan, Task
from tt.errors import PlanError

_ID: Final = re.compile(r"""^[ \t]*(?:id|"id"|'id')[ \t]*=[ \t]*["']([\w./-]+)["']""", re.MULTILINE)
_OURS: Final = re.compile(r"^<{7}(?=[ \r\n]|\Z)", re.MULTILINE)
_THEIRS: Final = re.compile(r"^>{7}(?=[ \r\n]|\Z)", re.MULTILINE)


def read_partly(data: bytes, name: str) -> Partial:
    """Read what can be read; messages call the file `name`.

    Raises NotAPlanError where it is valid TOML of some other kind.
    """
    try:
        reading = read_leniently(data, name)
    except PlanError as error:
        if not error.problems:  # it is no plan at all
            raise
        return _salvaged(data, fault_of(error, name))
    faults: tuple[str, ...] = ()
    if any(map(is_grave, reading.problems)):
        found = located(text_of(data), reading)
        faults = tuple(f"line {one.line}: {one.message}" for one in found if is_grave(one))
    return Partial(reading.plan, faults, frozenset(_hidden(reading)))


def _hidden(reading: Reading) -> Iterator[tuple[str, str | None]]:
    """Yield the values that could not be understood: their task, and their field."""
    ids = {index: identifier for identifier, index in reading.indexes.items()}
    for problem in filter(is_grave, reading.problems):
        match problem.place:
            case ("tasks", int(index), str(field)) if index in ids:
                yield ids[index], field
            case ("meta", str(field)):
                yield META_ID, field
            case ("meta",):
                yield META_ID, None


def _salvaged(data: bytes, fault: str) -> Partial:
    """Read the tasks that are sound by themselves in a text that is no TOML as a whole."""
    text = data.decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n")
    head, *blocks = f"\n{text}".split(CUT)
    tasks: dict[str, Task] = {}
    hidden: set[tuple[str, str | None]] = set()
    counted: Counter[str] = Counter()
    inside = _leaves_open(head, inside=False)
    for block in blocks:
        task = None if inside else _task(block)
        inside = _leaves_open(block, inside=inside)
        if task is None:
            hidden |= {(one, None) for one in _ID.findall(block)}
        else:
            tasks[task.id] = task
            counted[task.id] += 1
    document = one_table(head)
    if document is None:
        hidden.add((META_ID, None))
    hidden |= {(one, None) for one, times in counted.items() if times > 1}
    meta = read_document({**(document or {}), "tasks": []}).plan.meta
    return Partial(Plan(meta, tasks), (fault,), frozenset(hidden))


def _leaves_open(text: str, *, inside: bool) -> bool:
    """Say whether a conflict that began in or before this text goes on after it."""
    begins = [found.start() for found in _OURS.finditer(text)]
    ends = [found.start() for found in _THEIRS.finditer(text)]
    if not begins and not ends:
        return inside
    return max(begins, default=-1) > max(ends, default=-1)


def _task(block: str) -> Task | None:
    document = one_table(CUT + block)
    if document is None or document.keys() != {"tasks"}:
        return None
    reading = read_document(document, links=False)
    if len(reading.plan.tasks) != 1 or any(map(is_grave, reading.problems)):
        return None
    return next(iter(reading.plan.tasks.values()))
