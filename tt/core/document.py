"""From a parsed TOML document to a plan, with every fault found on the way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from tt.core.graph import faults, graph_problems
from tt.core.ids import made_id
from tt.core.model import LIST_FIELDS, META_TEXTS, STATUSES, TASK_FIELDS, Plan, Status, Task
from tt.core.problem import Problem
from tt.core.values import Literal, Value, from_toml
from tt.record import field, record

_ID: Final = re.compile(r"[\w./-]+")
_OPTIONAL_TEXT: Final = frozenset({"agent", "parent"})
_OMITTED_EMPTY: Final = ("agent", "parent", "tags", "depends_on")
_KNOWN: Final = frozenset({"id", *TASK_FIELDS})
_TEXT_ONLY: Final[frozenset[object]] = frozenset({str})
_SHOWN_CHARS: Final = 60

Raw: TypeAlias = Mapping[str, object]


@record(frozen=False)
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
    count: int = 0
    """How many entries the array has, those that could not be understood included."""
    given: frozenset[str] = frozenset()
    """The ids that stand in the file, collected as soon as one has to be made."""


def is_plan(document: Raw) -> bool:
    """Say whether a TOML document is a plan: `[[tasks]]` tables, at least one with a description.

    A document of nothing but `[meta]` is a plan that has no tasks yet, and so is one that says
    `tasks = []`, whatever else it holds: that is what is left when the last task is removed.
    """
    tasks = document.get("tasks")
    if isinstance(tasks, list) and tasks:
        return any(isinstance(task, dict) and "description" in task for task in tasks)
    return tasks == [] or document.keys() == {"meta"}


def read_document(document: Raw, *, links: bool = True) -> Reading:
    """Read a plan out of a parsed document, collecting every problem instead of stopping at one.

    Without `links`, parents and dependencies are not looked at: who merges has no use for it.
    """
    if not is_plan(document):
        return Reading(is_plan=False)
    meta = document.get("meta", {})
    raw_tasks = document.get("tasks", [])
    assert isinstance(raw_tasks, list)  # noqa: S101  is_plan has seen to it
    reading = Reading(count=len(raw_tasks))
    tasks = _read_tasks(raw_tasks, reading)
    reading.plan = Plan(_read_meta(meta, reading.problems), tasks)
    if links and not _all_links_lead_back(tasks):
        reading.problems += graph_problems(reading.plan, reading.indexes)
    return reading


def _read_tasks(raw_tasks: list[object], reading: Reading) -> dict[str, Task]:
    """Read the tasks; nearly all are canonical as they stand, and for those this must be quick."""
    tasks: dict[str, Task] = {}
    indexes = reading.indexes
    for index, raw in enumerate(raw_tasks):
        if isinstance(raw, dict) and _is_canonical(raw) and raw["id"] not in indexes:
            fields = raw.copy()
            task = Task(fields.pop("id"), fields)
            fields.setdefault("status", "pending")
        else:
            understood = _read_task(index, raw_tasks, reading)
            if understood is None:
                continue
            task = understood
        indexes[task.id] = index
        tasks[task.id] = task
    return tasks


def _is_canonical(raw: Mapping[str, Any]) -> bool:
    """Say whether a table is, key by key, a sound task in canonical form (or lacks `status` only).

    Asked once a task, of thousands: types are compared, and the likeliest come first.
    """
    for key, value in raw.items():
        kind = type(value)
        if kind is str:
            if not value or key in LIST_FIELDS:
                return False
        elif kind is list:
            known = key in _KNOWN
            if known and not (value and key in LIST_FIELDS):
                return False
            if not _TEXT_ONLY.issuperset(map(type, value)):
                return False
        elif kind is not int or key in _KNOWN:
            return False
    if "id" not in raw or "description" not in raw:
        return False
    return raw.get("status", "pending") in STATUSES and _ID.fullmatch(raw["id"]) is not None


def is_sound(plan: Plan) -> bool:
    """Say whether each parent and dependency is there, and none wait for each other."""
    return _all_links_lead_back(plan.tasks) or next(faults(plan), None) is None


def _all_links_lead_back(tasks: Mapping[str, Task]) -> bool:
    """Say whether each task names only tasks above it: then no link is dead or part of a cycle."""
    above: set[object] = set()
    for identifier, task in tasks.items():
        fields = task.fields
        parent = fields.get("parent")
        if parent is not None and parent not in above:
            return False
        if "depends_on" in fields and not above.issuperset(task.depends_on):
            return False
        above.add(identifier)
    return True


def _read_meta(raw: object, problems: list[Problem]) -> dict[str, Value]:
    if not isinstance(raw, dict):
        problems.append(Problem("type", "`meta` must be a table: `[meta]`", ("meta",)))
        return {}
    problems += [
        _wrong_type(name, "text", raw[name], ("meta", name))
        for name in META_TEXTS
        if not isinstance(raw.get(name, ""), str)
    ]
    return {key: from_toml(value) for key, value in raw.items()}


def _read_task(index: int, raw_tasks: list[object], reading: Reading) -> Task | None:
    here = ("tasks", index)
    raw = raw_tasks[index]
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
    if "description" not in raw:
        reading.problems.append(_no_description(raw, here))
    fields.setdefault("description", "")
    fields.setdefault("status", "pending")
    if "id" not in raw:
        return Task(_name(index, raw_tasks, str(fields["description"]), reading), fields)
    identifier = _sound_id(index, raw["id"], reading)
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


def _sound_id(index: int, identifier: object, reading: Reading) -> str | None:
    """Return the id that stands in the file, None where it cannot be used."""
    if not isinstance(identifier, str):
        return None
    if not _ID.fullmatch(identifier):
        reading.problems.append(_bad_id(identifier, ("tasks", index, "id")))
        return None
    if identifier in reading.indexes:
        reading.problems.append(_duplicate_id(identifier, reading.indexes[identifier], index))
        return None
    return identifier


def _name(index: int, raw_tasks: list[object], description: str, reading: Reading) -> str:
    """Make an id that no other task has, those further down included."""
    if not reading.given:
        ids = (raw.get("id") for raw in raw_tasks if isinstance(raw, dict))
        reading.given = frozenset({"", *(given for given in ids if isinstance(given, str))})
    made, copy = made_id(description), 1
    while made in reading.given or made in reading.indexes:
        copy += 1
        made = made_id(description, str(copy))
    reading.named[index] = made
    return made


def canonical(task: Task) -> Task:
    """Return the task as reading it from a file would give it; the same object where it is that."""
    fields = task.fields
    empty = [name for name in _OMITTED_EMPTY if name in fields and not fields[name]]
    if not empty and "status" in fields and "description" in fields:
        return task
    kept = {name: value for name, value in fields.items() if name not in empty}
    kept.setdefault("description", "")
    kept.setdefault("status", "pending")
    return Task(task.id, kept)


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…"


def _wrong_type(key: str, wanted: str, value: object, path: tuple[str | int, ...]) -> Problem:
    found = _kind(value)
    hint = None
    if wanted == "a list of texts" and found == "text":
        hint = f'write `{key} = ["…"]`'
    elif wanted == "text" and found in ("a number", "a boolean"):
        hint = f'write `{key} = "…"`'
    return Problem("type", f"`{key}` must be {wanted}, not {found}", path, hint)


def _kind(value: object) -> str:
    if isinstance(value, Literal):
        return "a number"
    if isinstance(value, list) and not all(isinstance(item, str) for item in value):
        return "a list of other things"
    kinds = {str: "text", bool: "a boolean", int: "a number", list: "a list", dict: "a table"}
    return kinds.get(type(value), "a date or time")


def _unknown_status(value: str, path: tuple[str | int, ...]) -> Problem:
    hint = did_you_mean(value, STATUSES) or "it is one of " + ", ".join(map(str, Status))
    return Problem("status", f"unknown status `{_shown(value)}`", path, hint)


def _bad_id(identifier: str, path: tuple[str | int, ...]) -> Problem:
    fixed = re.sub(r"[^\w./-]+", "-", identifier).strip("-")
    hint = f"did you mean `{fixed}`?" if fixed else None
    return Problem(
        "id", f"`{_shown(identifier)}` is no id: letters, digits and . _ - / only", path, hint
    )


def _duplicate_id(identifier: str, first: int, index: int) -> Problem:
    message = f"the id `{identifier}` is taken"
    return Problem("duplicate", message, ("tasks", index, "id"), None, ("tasks", first, "id"))


def _no_description(raw: Raw, here: tuple[str | int, ...]) -> Problem:
    from difflib import get_close_matches  # slow to import, and seldom needed

    near = get_close_matches("description", [key for key in raw if key not in _KNOWN], n=1)
    hint = f"did you mean `description` where it says `{near[0]}`?" if near else None
    return Problem("description", "the task has no `description`", here, hint)


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Return `did you mean …?` for the nearest known word, or the one that begins like this; None
    where none is near."""
    from difflib import get_close_matches  # slow to import, and seldom needed

    words = list(known)
    longer = [one for one in words if len(word) > 1 and one.startswith(word)]
    near = get_close_matches(word, words, n=1) or sorted(longer, key=len)
    return f"did you mean `{near[0]}`?" if near else None
