"""Saying what became of a task: by the agent that works on it, or by a person."""

from __future__ import annotations

from tt.app.naming import my_task
from tt.core.jobs import Job
from tt.core.myself import Myself
from tt.core.worked import Reported
from tt.errors import TTError, UsageError
from tt.workports import Ended, Workshop


def report(workshop: Workshop, me: Myself, name: str, state: Ended, result: str) -> Reported:
    """End a task. An agent ends the attempt that it was given, and no other one.

    Raises TTError where there is no such task.
    """
    job = my_task(workshop, me, name)
    claim = me.claim if job.uuid == me.task else ""
    outcome = workshop.finish(job.uuid, state, result, claim=claim, by=me.agent)
    now = outcome.job
    if now is None:
        raise TTError(f"The task `{name}` was removed just now.", "`tt task list` shows the rest.")
    if outcome.done:
        return Reported("requeued" if outcome.requeued else "ended", now, state)
    if claim:
        return Reported("late", now, state, workshop.agents())
    return Reported("repeated" if now.state == state else "other", now, state, workshop.agents())


def note(workshop: Workshop, me: Myself, name: str, text: str) -> Job:
    """Keep a note with a task. Raises TTError where there is no such task."""
    if not text.strip():
        raise UsageError("There is nothing in that note.")
    outcome = workshop.note(my_task(workshop, me, name).uuid, text, by=me.agent)
    if outcome.job is None:
        raise TTError(f"The task `{name}` was removed just now.", "`tt task list` shows the rest.")
    return outcome.job
