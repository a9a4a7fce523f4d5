"""What became of the report on a task. Every agent asks for it: it loads nothing else."""

from __future__ import annotations

from tt.core.agents import name_of
from tt.core.worked import Reported
from tt.render.text import clip, safe

_SHOWN = 60


def report_lines(found: Reported) -> list[str]:
    """Return what became of it, for standard output; none where it was refused."""
    job, name = found.job, safe(found.job.task.id)
    if found.was == "repeated":
        return [f"Task {name} is {safe(job.state)} already; its result stays as it was."]
    if found.was == "requeued":
        tries = f"{job.failures} of {job.retries}"
        return [f"Task {name} failed, and is pending again: retry {tries}."]
    if found.was != "ended":
        return []
    sign = {"completed": "✅", "failed": "❌"}.get(found.said, "🚫")
    lines = [f"{sign} Task {name} marked as {found.said}"]
    lines.append(f"   Description: {clip(safe(job.task.description), _SHOWN)}")
    return [*lines, f"   Result: {clip(safe(job.result), _SHOWN)}"] if job.result else lines


def refusal(found: Reported) -> tuple[str, str]:
    """Return why a report was not taken, and what to do."""
    job, name = found.job, found.job.task.id
    if found.was == "late":
        late = f"This report on `{name}` is late: your attempt at it was given up"
        return (
            f"{late}, and the task is {_stands(found)}. Nothing was changed.",
            "Stop working on it: it is not yours any more.",
        )
    return (
        f"The task `{name}` is {job.state} already; it was not changed.",
        f"`tt task show {name}` tells how; `tt reopen {name}` makes it pending again.",
    )


def _stands(found: Reported) -> str:
    """Say how a task stands, and with whom."""
    job = found.job
    if job.state not in ("assigned", "running") or not job.agent:
        return job.state
    name = name_of(found.agents, job.agent)
    return f"{job.state} {'to' if job.state == 'assigned' else 'with'} {name}"


def report_data(found: Reported) -> dict[str, object]:
    """Return it for programs."""
    job = found.job
    return {
        "id": job.task.id, "uuid": job.uuid, "outcome": found.was, "status": job.state,
        "result": job.result or None, "failures": job.failures, "retries": job.retries,
    }  # fmt: skip
