"""All that there is to say of one task."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tt.core.agents import name_of
from tt.core.jobs import Job
from tt.core.worked import TaskShown
from tt.render.history import when
from tt.render.jobs import state_text
from tt.render.text import Look, count, pad, safe, value_text

_TOLD: Final = frozenset({"description", "status", "agent", "parent", "tags", "depends_on"})
_HOLDERS: Final = {"completed": "Done by", "failed": "Failed by", "cancelled": "Last held by"}
_COUNTS: Final = (
    ("failures", "failed attempt", "failed attempts"),
    ("deaths", "death of an agent", "deaths of agents"),
)


def shown_lines(found: TaskShown, look: Look) -> list[str]:
    """Return all that there is to say of one task."""
    job, task = found.job, found.job.task
    lines = [f"{look.paint(safe(task.id), 'bold')}  {state_text(job.state, look)}"]
    lines += [f"  {safe(line)}" for line in task.description.splitlines()]
    for name, text in _facts(found):
        lines.append(f"  {look.paint(pad(name, 11), 'dim')} {text}")
    lines += _long("Result", job.result, look)
    lines += _long("Before", job.why, look)
    for note in job.notes:
        by = safe(name_of(found.agents, note.by)) if note.by else "a person"
        lines += _long(f"Note of {by}, {when(note.at)}", note.text, look)
    return lines


def _facts(found: TaskShown) -> Iterator[tuple[str, str]]:
    job = found.job
    yield "Uuid", job.uuid
    if not job.tagged:
        yield "Plan", "not in the plan" + (", in the backlog" if found.in_backlog else "")
    holder = _HOLDERS.get(job.state, "Held by")
    for title, agent in ((holder, job.agent), ("Given by", job.sender)):
        if agent:
            yield title, safe(name_of(found.agents, agent))
    yield from _planned(found)
    yield from _times(job)
    for field, word, plural in _COUNTS:
        if number := getattr(job, field):
            yield "Attempts", count(number, word, plural)


def _planned(found: TaskShown) -> Iterator[tuple[str, str]]:
    task = found.job.task
    if task.agent:
        yield "For", safe(task.agent)
    if task.parent:
        yield "Parent", safe(task.parent)
    for name, state in found.depends_on.items():
        yield "After", f"{safe(name)} ({safe(state)})"
    if task.tags:
        yield "Tags", " ".join(safe(tag) for tag in task.tags)
    for name, value in task.fields.items():
        if name not in _TOLD:
            yield safe(name), value_text(value)


def _times(job: Job) -> Iterator[tuple[str, str]]:
    for name in ("created_at", "started_at", "completed_at"):
        if text := getattr(job, name):
            yield name.removesuffix("_at").capitalize(), when(text)


def _long(title: str, text: str, look: Look) -> list[str]:
    """Return a text of several lines below its title."""
    if not text:
        return []
    head = look.paint(f"  {title}", "dim")
    return [head, *(f"    {safe(line)}" for line in text.splitlines())]
