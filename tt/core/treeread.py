"""From a parsed document to a tree to merge; what is wrong in it is merged as it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from tt.core.document import Reading
from tt.core.model import EMPTY, META_ID, Task
from tt.core.treemerge import TOP_ID, Fields, Tree
from tt.core.values import Value, from_toml


def tree_of(document: Mapping[str, object], reading: Reading) -> Tree | None:
    """Return the tree of a document that was read; None where its tasks cannot be told apart.

    Merging needs no valid plan: a value of a wrong type is a value. But ids that are missing by a
    fault, or there twice, leave nothing to go by. The reading is one without links.
    """
    if document and not reading.is_plan:
        return None
    tasks = dict(reading.plan.tasks)
    for problem in reading.problems:
        if not _put_back(document, reading, problem.place, tasks):
            return None
    return Tree(_tables(document), tasks)


def _put_back(
    document: Mapping[str, object],
    reading: Reading,
    place: tuple[str | int, ...],
    tasks: dict[str, Task],
) -> bool:
    """Give a task the value that was left out of its plan; False where there is no such task."""
    match place:
        case ("meta", str()):
            return True
        case ("tasks", int(index)):
            return index in reading.indexes.values()
        case ("tasks", int(index), str(name)) if name != "id":
            raw = cast("list[dict[str, object]]", document["tasks"])[index]
            found = [one for one, at in reading.indexes.items() if at == index]
            for identifier in found:
                fields = {**tasks[identifier].fields, name: from_toml(raw[name])}
                tasks[identifier] = Task(identifier, fields)
            return bool(found)
    return False


def _tables(document: Mapping[str, object]) -> dict[str, Fields]:
    """Return all that a file says beside its tasks: by table, and what is in none."""
    top: dict[str, Value] = {}
    tables: dict[str, Fields] = {META_ID: EMPTY, TOP_ID: top}
    for name, raw in document.items():
        if name == "tasks":
            continue
        value = from_toml(raw)
        if isinstance(value, dict):
            tables[f"[{name}]"] = value
        else:
            top[name] = value
    return tables
