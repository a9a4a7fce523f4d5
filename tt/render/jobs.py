"""Tasks as they are worked on: one, many, and what became of a report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from tt.core.agents import Agent, name_of
from tt.core.jobs import Job
from tt.core.times import since_1970
from tt.core.worked import AgentList, Assigned, Shared, TaskList
from tt.render.jsonout import task_data
from tt.render.text import Look, columns, count, pad, safe
from tt.render.tree import COLORS, SYMBOLS, status_counts

_LONGEST_ID: Final = 36
_SHORT: Final = 8


def state_text(state: str, look: Look) -> str:
    """Return a state in its colour, with its symbol on a terminal."""
    symbol = f"{SYMBOLS.get(state, '?')} " if look.symbols else ""
    return look.paint(f"{symbol}{safe(state)}", *COLORS.get(state, ()))


def task_lines(found: TaskList, look: Look) -> list[str]:
    """Return a line for each task, and how many there are."""
    shown = [_row(job, found.agents, look) for job in found.jobs]
    lines = rows(shown, look)
    states: dict[str, int] = {}
    for job in found.jobs:
        states[job.state] = states.get(job.state, 0) + 1
    of = "" if len(found.jobs) == found.total else f" of {found.total:,}"
    counted = status_counts(states)
    summary = f"{count(len(found.jobs), 'task')}{of}{': ' if counted else ''}{counted}"
    return [*lines, look.paint(summary, "dim")]


def backlog_lines(found: TaskList, look: Look) -> list[str]:
    """Return a line for each task in the backlog, in order."""
    known = {job.uuid for job in found.jobs}
    lines = rows([_row(job, found.agents, look) for job in found.jobs], look)
    lines += [f"{safe(uuid)}  there is no such task" for uuid in found.backlog if uuid not in known]
    if not lines:
        return ["The backlog is empty."]
    return [*lines, look.paint(f"{count(len(found.backlog), 'task')} in the backlog", "dim")]


class _Row:
    """One line of a listing: an id, a state, a text, and what is less important."""

    __slots__ = ("about", "extra", "id", "state", "uuid")

    def __init__(self, job: Job, extra: str) -> None:
        self.id, self.uuid, self.state = safe(job.task.id), job.uuid, job.state
        self.about, self.extra = safe(job.task.description), extra


def _row(job: Job, agents: Mapping[str, Agent], look: Look) -> _Row:
    holder = f"@{safe(name_of(agents, job.agent))}" if job.agent else ""
    wanted = f"@{safe(job.task.agent)}" if job.task.agent and not holder else ""
    tags = " ".join(f"#{safe(tag)}" for tag in job.task.tags)
    more = "" if job.tagged else "(not in the plan)"
    return _Row(job, " ".join(part for part in (holder or wanted, tags, more) if part))


def rows(found: Sequence[_Row], look: Look) -> list[str]:
    """Lay rows out in columns; with everything asked for, uuids are whole."""
    width = min(max((columns(row.id) for row in found), default=0), _LONGEST_ID)
    return [_line(row, width, look) for row in found]


def _line(row: _Row, width: int, look: Look) -> str:
    uuid = row.uuid if look.all else row.uuid[:_SHORT]
    state = state_text(row.state, look)
    gap = " " * ((11 if look.symbols else 9) - columns(row.state) - (2 if look.symbols else 0))
    head = f"{look.paint(uuid, 'dim')}  {pad(row.id, width)}  {state}{gap}"
    used = len(uuid) + 2 + max(width, columns(row.id)) + 2 + 11 + 4 + columns(row.extra)
    parts = [head, look.fit(row.about, used), look.paint(row.extra, "dim")]
    return "  ".join(part for part in parts if part).rstrip()


def current_lines(found: AgentList, look: Look) -> list[str]:
    """Return what agents work on."""
    lines = []
    for agent in found.agents:
        jobs = found.work.get(agent.uuid, ())
        lines += [
            f"{safe(agent.name)}: {safe(job.task.id)} ({safe(job.state)})  "
            f"{look.fit(safe(job.task.description), 40)}"
            for job in jobs
        ] or [f"{safe(agent.name)} works on nothing now."]
    return lines or ["Nobody works on anything now."]


def assigned_lines(found: Assigned, look: Look) -> list[str]:
    """Return who was given what."""
    job = found.job
    made = f"  (a new task: {safe(job.task.id)})" if found.made else ""
    called = job.uuid if found.made else safe(job.task.id)
    lines = [f"📋 Assigned task {called} to agent '{safe(found.agent.name)}'{made}"]
    if found.unmet:
        names = ", ".join(safe(name) for name in found.unmet)
        lines.append(look.paint(f"   It was to come after {names}, not completed yet.", "yellow"))
    return lines


def shared_lines(found: Shared, look: Look) -> list[str]:
    """Return what of the backlog was given to one agent, and what stays."""
    lines = [f"  {safe(name)} stays: {safe(why)}" for name, why in found.left.items()]
    if not found.given:
        return [*lines, "Nothing in the backlog was to be assigned."]
    told = f"Assigned {count(len(found.given), 'task')} of the backlog to {safe(found.agent.name)}."
    return [*(f"  {safe(job.task.id)}" for job in found.given), *lines, look.paint(told, "green")]


def job_data(job: Job, agents: Mapping[str, Agent]) -> dict[str, object]:
    """Return a task for programs: the plan's fields, then how it goes. The claim is its agent's."""
    return {
        **task_data(job.task), "uuid": job.uuid, "in_plan": job.tagged,
        "assigned_to": job.agent or None,
        "assigned_name": name_of(agents, job.agent) if job.agent else None,
        "result": job.result or None, "why": job.why or None, "failures": job.failures,
        "deaths": job.deaths, "retries": job.retries, "timeout": job.timeout,
        "sender": job.sender or None, "created_at": job.created_at, "updated_at": job.updated_at,
        "started_at": job.started_at or None, "completed_at": job.completed_at or None,
        "notes": job.notes,
    }  # fmt: skip


def jobs_data(jobs: Iterable[Job], agents: Mapping[str, Agent]) -> list[dict[str, object]]:
    """Return tasks for programs."""
    return [job_data(job, agents) for job in jobs]


def span(seconds: float) -> str:
    """Return how long something took, or how long ago it was, in at most two units."""
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 48 * 3600:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86400} days"


def since(text: str, now: float) -> str:
    """Return how long ago a time was; empty where it is none."""
    then = since_1970(text)
    return "" if then is None else span(now - then)
