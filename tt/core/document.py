"""From a parsed TOML document to a plan, with every fault found on the way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final, TypeAlias

from tt.core.graph import graph_problems
from tt.core.ids import made_id
from tt.core.model import LIST_FIELDS, STATUSES, TASK_FIELDS, Plan, Task
from tt.core.problem import Problem
from tt.core.values import Value, from_toml

_ID: Final = re.compile(r"[\w./-]+")
_OPTIONAL_TEXT: Final = frozenset({"agent", "parent"})
_KNOWN: Final = frozenset({"id", *TASK_FIELDS})

Raw: TypeAlias = Mapping[str, object]


@dataclass(slots=True)
class Reading:
    """What a document says: its plan, what is wrong with it, and the ids made for nameless tasks.

    `is_plan` is False for a valid TOML document of some other kind, such as a task runner's: then
    there is nothing else to say of it. A plan with problems holds what could be understood.
    """

    plan: Plan = field(default_factory=Plan)
    problems: list[Problem] = field(default_factory=list)
    named: dict[int, str] = field(default_factory=dict)
    is_plan: bool = True
    indexes: dict[str, int] = field(default_factory=dict)
    """Where in the file's array of tasks each id stands, counted from 0."""


def is_plan(document: Raw) -> bool:
    """Say whether a TOML document is a plan: `[[tasks]]` tables, at least one with a description.

    A document of nothing but `[meta]` (and an empty `tasks`) is a plan that has no tasks yet.
    """
    tasks = document.get("tasks")
    if isinstance(tasks, list) and tasks:
        return any(isinstance(task, dict) and "description" in task for task in tasks)
    return bool(document) and document.keys() <= {"meta", "tasks"} and tasks in (None, [])


def read_document(document: Raw) -> Reading:
    """Read a plan out of a parsed document, collecting every problem instead of stopping at one."""
    if not is_plan(document):
        return Reading(is_plan=False)
    reading = Reading()
    meta = _read_meta(document.get("meta", {}), reading.problems)
    tasks: dict[str, Task] = {}
    seen: dict[str, int] = {}
    raw_tasks = document.get("tasks", [])
    assert isinstance(raw_tasks, list)  # noqa: S101  is_plan has seen to it
    for index, raw in enumerate(raw_tasks):
        task = _read_task(index, raw, seen, reading)
        if task is not None:
            tasks[task.id] = task
            reading.indexes[task.id] = index
    reading.plan = Plan(meta, tasks)
    reading.problems += graph_problems(reading.plan, reading.indexes)
    return reading


def _read_meta(raw: object, problems: list[Problem]) -> dict[str, Value]:
    if not isinstance(raw, dict):
        problems.append(Problem("type", "`meta` must be a table: `[meta]`", ("meta",)))
        return {}
    for name in ("description", "default_agent"):
        if not isinstance(raw.get(name, ""), str):
            problems.append(_wrong_type(name, "text", raw[name], ("meta", name)))
    return {key: from_toml(value) for key, value in raw.items()}


def _read_task(index: int, raw: object, seen: dict[str, int], reading: Reading) -> Task | None:
    here = ("tasks", index)
    if not isinstance(raw, dict):
        reading.problems.append(_wrong_type("tasks", "`[[tasks]]` tables", raw, here))
        return None
    fields: dict[str, Value] = {}
    for key, value in raw.items():
        if key in _KNOWN:
            problem = _read_known(key, value, fields, here)
            if problem is not None:
                reading.problems.append(problem)
        else:
            fields[key] = from_toml(value)
    if "description" not in fields and "description" not in raw:
        reading.problems.append(_no_description(raw, here))
    fields.setdefault("description", "")
    fields.setdefault("status", "pending")
    identifier = _task_id(index, raw, fields, seen, reading)
    return None if identifier is None else Task(identifier, fields)


def _read_known(
    key: str, value: object, fields: dict[str, Value], here: tuple[str | int, ...]
) -> Problem | None:
    """Put one known field into `fields` in canonical form, or say what is wrong with it."""
    if key in LIST_FIELDS:
        if not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
            return _wrong_type(key, "a list of texts", value, (*here, key))
        if value:
            fields[key] = value
        return None
    if not isinstance(value, str):
        return _wrong_type(key, "text", value, (*here, key))
    if key == "status" and value not in STATUSES:
        return _unknown_status(value, (*here, key))
    if key != "id" and (value or key not in _OPTIONAL_TEXT):
        fields[key] = value
    return None


def _task_id(
    index: int, raw: Raw, fields: Mapping[str, Value], seen: dict[str, int], reading: Reading
) -> str | None:
    """Return the task's id, making one where there is none; None where it cannot be used."""
    identifier = raw.get("id")
    if identifier is None:
        identifier = _made(str(fields["description"]), seen)
        reading.named[index] = identifier
    if not isinstance(identifier, str):
        return None
    if not _ID.fullmatch(identifier):
        reading.problems.append(_bad_id(identifier, ("tasks", index, "id")))
        return None
    if identifier in seen:
        reading.problems.append(_duplicate_id(identifier, seen[identifier], index))
        return None
    seen[identifier] = index
    return identifier


def _made(description: str, seen: Mapping[str, int]) -> str:
    made, copy = made_id(description), 1
    while made in seen:
        copy += 1
        made = made_id(description, str(copy))
    return made


def _wrong_type(key: str, wanted: str, value: object, path: tuple[str | int, ...]) -> Problem:
    kinds = {str: "text", bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "a table"}
    found = kinds.get(type(value), "a " + type(value).__name__.lower())
    hint = f'write `{key} = ["…"]`' if wanted == "a list of texts" else None
    return Problem("type", f"`{key}` must be {wanted}, not {found}", path, hint)


def _unknown_status(value: str, path: tuple[str | int, ...]) -> Problem:
    hint = did_you_mean(value, STATUSES) or "one of " + ", ".join(sorted(STATUSES))
    return Problem("status", f"unknown status `{value}`", path, hint)


def _bad_id(identifier: str, path: tuple[str | int, ...]) -> Problem:
    fixed = re.sub(r"[^\w./-]+", "-", identifier).strip("-")
    hint = f"did you mean `{fixed}`?" if fixed else None
    return Problem("id", f"`{identifier}` is no id: letters, digits and . _ - / only", path, hint)


def _duplicate_id(identifier: str, first: int, index: int) -> Problem:
    message = f"the id `{identifier}` is taken"
    return Problem("duplicate", message, ("tasks", index, "id"), None, ("tasks", first, "id"))


def _no_description(raw: Raw, here: tuple[str | int, ...]) -> Problem:
    near = get_close_matches("description", [key for key in raw if key not in _KNOWN], n=1)
    hint = f"did you mean `description` where it says `{near[0]}`?" if near else None
    return Problem("description", "the task has no `description`", here, hint)


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Return `did you mean …?` for the nearest known word, None where none is near."""
    near = get_close_matches(word, list(known), n=1)
    return f"did you mean `{near[0]}`?" if near else None


