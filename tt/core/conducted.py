"""What a conductor has to tell: how tasks and agents went from one state to another; pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from tt.core.agents import GONE, Agent, AgentState
from tt.core.jobs import Job
from tt.core.ledger import Turn
from tt.core.model import FINISHED
from tt.record import record


class Event(StrEnum):
    """What happened. From `ADDED` to `RETRIED` it is a task's way, then agents, then ourselves."""

    ADDED = "added"
    REMOVED = "removed"
    HANDED_OUT = "handed_out"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    GIVEN_BACK = "given_back"
    REOPENED = "reopened"
    RETRIED = "retried"
    JOINED = "agent_joined"
    LEFT = "agent_left"
    PAUSED = "agent_paused"
    RESUMED = "agent_resumed"
    BURIED = "agent_buried"
    NOBODY = "nobody"
    SPAWNING = "spawning"
    SPAWN_FAILED = "spawn_failed"
    COMMITTED = "committed"
    COMMIT_FAILED = "commit_failed"
    LEADS = "leads"
    STANDS_BY = "stands_by"
    LOST_LEAD = "lost_lead"
    OFFLINE = "offline"
    ONLINE = "online"
    DEAF = "deaf"
    FAULT = "fault"
    INTERRUPTED = "interrupted"


@record
class Told:
    """One thing that happened: to which task, with which agent (their names), and what is said of
    it. `count` is the number of an attempt, `of` how many there may be."""

    event: Event
    task: str = ""
    agent: str = ""
    message: str = ""
    hint: str = ""
    count: int = 0
    of: int = 0


_BY_STATE: Final = {
    "assigned": Event.HANDED_OUT,
    "running": Event.RUNNING,
    "completed": Event.COMPLETED,
    "failed": Event.FAILED,
    "cancelled": Event.CANCELLED,
}


def told_of_task(turn: Turn, agents: Mapping[str, Agent]) -> Told | None:
    """Say what became of a task of the plan; None where it is nothing to speak of."""
    before, after = turn.before, turn.after
    if not any(job is not None and job.tagged for job in (before, after)):
        return None
    if after is None:
        return Told(Event.REMOVED, before.task.id if before else "")
    if before is None or not before.tagged:
        return Told(Event.ADDED, after.task.id)
    event = _event(before, after)
    if event is None:
        return None
    holder = agents.get(after.agent or before.agent)
    said = after.why if event in (Event.RETRIED, Event.GIVEN_BACK) else after.result
    count, of = (after.failures, before.retries) if event is Event.RETRIED else (0, 0)
    return Told(event, after.task.id, holder.name if holder else "", said, count=count, of=of)


def _event(before: Job, after: Job) -> Event | None:
    if after.state == "pending":
        return _back(before, after)
    is_same = (before.state, before.claim) == (after.state, after.claim)
    is_news = not is_same and (before.state != after.state or after.state not in FINISHED)
    return _BY_STATE.get(after.state) if is_news else None


def _back(before: Job, after: Job) -> Event | None:
    """Say why a task is pending now."""
    if before.state in FINISHED:
        return Event.REOPENED
    if after.failures > before.failures:
        return Event.RETRIED
    if before.state != "pending" or after.deaths > before.deaths:
        return Event.GIVEN_BACK
    return None


def told_of_agent(before: Agent | None, after: Agent | None) -> Told | None:
    """Say what became of an agent; None where it is nothing to speak of."""
    was = None if before is None or before.state in GONE else before.state
    now = None if after is None or after.state in GONE else after.state
    found = after or before
    if found is None or was == now:
        return None
    if was is None:
        return Told(Event.JOINED, agent=found.name, message=found.cli)
    if now is None:
        return Told(Event.LEFT, agent=found.name, message=str(after.state) if after else "removed")
    if now in _RESTS:
        return Told(Event.PAUSED, agent=found.name, message=str(now))
    return Told(Event.RESUMED, agent=found.name) if was in _RESTS else None


_RESTS: Final = frozenset({AgentState.PAUSED, AgentState.DRAINING})
