"""How an agent's log tells what became of a task."""

from __future__ import annotations

from tt.core.endings import gist
from tt.core.jobs import Job
from tt.core.model import FINISHED
from tt.workports import Outcome

_LONGEST = 200


def standing(job: Job | None) -> str:
    """Say how a task stands that is not this agent's."""
    if job is None:
        return "it is not there any more"
    if job.state in ("assigned", "running"):
        return f"it is {job.state}, by {job.agent or 'somebody elsewhere'}"
    return f"it is {job.state}"


def told(job: Job | None) -> str:
    """Say what has been reported of a task, by the program itself or by a person."""
    if job is None or job.state not in FINISHED:
        return "was given to somebody else meanwhile: what this attempt did does not count"
    return f"was reported {job.state}{_said(job.result)}"


def ended(outcome: Outcome, state: str, result: str) -> str:
    """Say what came of telling how a task ended."""
    job = outcome.job
    if not outcome.done:
        return told(job)
    if outcome.requeued:
        why = job.why if job is not None and job.why else result
        return f"failed, and is pending again{_said(why)}"
    if job is not None and job.result != result:
        return told(job)  # the program itself had reported, with the same claim
    return f"{state}{_said(result)}"


def _said(text: str) -> str:
    line = gist(text)
    return f": {line[:_LONGEST]}" if line else ""
