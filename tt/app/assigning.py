"""Giving tasks to agents by hand: those of the plan, new ones, and those in the backlog."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tt.app.naming import find_task, pick_agent, quick_task
from tt.app.tasks import in_backlog
from tt.core.agents import GONE, SUPERVISOR, Agent, name_of
from tt.core.conducting import Orders, terms
from tt.core.ids import task_uuid
from tt.core.jobs import Job
from tt.core.worked import Assigned, Shared
from tt.errors import TTError, UsageError
from tt.record import record
from tt.workports import Outcome, Terms, Workshop

_HELD: Final = ("assigned", "running")


@record
class Desk:
    """From where tasks are given out: the town, by whom, and with which orders."""

    workshop: Workshop
    orders: Orders
    sender: str = SUPERVISOR


def assign(desk: Desk, agent_name: str, text: str, *, new: bool = False) -> Assigned:
    """Give a task to an agent: one that is called `text`, else a new one of that text.

    With `new` always a new one. Raises TTError where the agent is gone, or the task is not to be
    given out; UsageError for one word that is nearly the id of a task.
    """
    agent = _who(desk.workshop, agent_name)
    if not text.strip():
        raise UsageError("Which task?", "A text makes a new one; `tt task list` shows the others.")
    job = None if new else _named(desk.workshop, text)
    if job is None:
        made = desk.workshop.make(text, agent=agent.uuid)
        return Assigned(made, agent, made=True)
    return Assigned(_hand_out(desk, job, agent), agent, unmet=_unmet(desk.workshop, job))


def claim(desk: Desk, name: str, agent_name: str) -> Assigned:
    """Give a task out of the backlog to an agent. Raises TTError."""
    agent = _who(desk.workshop, agent_name)
    board = desk.workshop.board()
    job = in_backlog(board, name, desk.workshop.town)
    if not isinstance(job, Job):
        raise TTError(
            f"The backlog has {name}, but there is no such task any more.",
            f"`tt backlog remove {name}` takes it out.",
        )
    if job.uuid not in board.backlog:
        raise TTError(
            f"The task `{job.task.id}` is not in the backlog; it is {job.state}.",
            f"`tt assign {agent.name} {job.task.id}` gives it out where it is pending.",
        )
    return Assigned(_hand_out(desk, job, agent), agent, unmet=_unmet(desk.workshop, job))


def share(desk: Desk, agent_name: str) -> Shared:
    """Give all that is in the backlog to one agent, in order."""
    agent, board = _who(desk.workshop, agent_name), desk.workshop.board()
    given, left = [], {}
    for uuid in board.backlog:
        job = board.jobs.get(uuid)
        if job is None:
            left[uuid] = "there is no such task any more"
            continue
        outcome = hand_out(desk, job, agent)
        if outcome.done and outcome.job is not None:
            given.append(outcome.job)
        else:
            left[job.task.id] = f"it is {outcome.job.state}" if outcome.job else "it is gone"
    return Shared(agent, tuple(given), left)


def shelve(workshop: Workshop, text: str, tags: Sequence[str]) -> Job:
    """Make a task that waits in the backlog."""
    if not text.strip():
        raise UsageError("A task needs a description.")
    if any(tag.startswith("plan:") for tag in tags):
        raise UsageError("Tags that begin with `plan:` say which task of the plan it is.")
    return workshop.make(text, tags=tags)


def unshelve(workshop: Workshop, name: str) -> Job | str:
    """Take a task out of the backlog; it stays a task. Raises TTError where it is not in it."""
    job = in_backlog(workshop.board(), name, workshop.town)
    if not workshop.unshelve(job.uuid if isinstance(job, Job) else job):
        raise TTError(f"The task `{name}` is not in the backlog.", "`tt backlog list` shows it.")
    return job


def hand_out(desk: Desk, job: Job, agent: Agent) -> Outcome:
    """Give a task to an agent as its plan says."""
    retries, timeout = terms(job.task, desk.orders)
    return desk.workshop.hand_out(job, agent.uuid, Terms(retries, timeout), desk.sender)


def _hand_out(desk: Desk, job: Job, agent: Agent) -> Job:
    outcome = hand_out(desk, job, agent)
    if outcome.done and outcome.job is not None:
        return outcome.job
    raise _refusal(desk, outcome.job or job, agent)


def _refusal(desk: Desk, job: Job, agent: Agent) -> TTError:
    """Say why a task cannot be given out."""
    name = job.task.id
    if job.state in _HELD and job.agent:
        holder = name_of(desk.workshop.agents(), job.agent)
        return TTError(
            f"The task `{name}` is {job.state}: {holder} has it.",
            f"`tt task show {name}` tells more; nothing was changed.",
        )
    if job.state in _HELD:
        return TTError(
            f"The task `{name}` is {job.state} elsewhere: nobody in this town has it.",
            f"`tt reopen {name}` makes it pending here.",
        )
    if job.state != "pending":
        return TTError(
            f"The task `{name}` is {job.state}.", f"`tt reopen {name}` makes it pending again."
        )
    now = desk.workshop.agent(agent.uuid)
    if now is None or now.state in GONE:
        return _gone(now or agent)
    return TTError(f"The task `{name}` changed just now; nothing was done.", "Try again.")


def _who(workshop: Workshop, name: str) -> Agent:
    agent = pick_agent(workshop.agents(), name, workshop.town)
    if agent.state in GONE:
        raise _gone(agent)
    return agent


def _gone(agent: Agent) -> TTError:
    return TTError(
        f"{agent.name} is {agent.state}, and takes no work.",
        f"`tt restart {agent.name}` brings it back; `tt backlog add` keeps a task for anybody.",
    )


def _named(workshop: Workshop, text: str) -> Job | None:
    """Return the task that is called so; None where it is the text of a new one."""
    found = quick_task(workshop, text)
    if found is not None or len(text.split()) != 1:
        return found
    board = workshop.board()
    found = find_task(board, text)
    if found is not None:
        return found
    from tt.core.document import did_you_mean

    near = did_you_mean(text, (job.task.id for job in board.jobs.values()))
    if near is None:
        return None
    raise UsageError(
        f"There is no task `{text}`; {near}", "With --new it is the text of a new task."
    )


def _unmet(workshop: Workshop, job: Job) -> tuple[str, ...]:
    """Return what a task depends on that is not completed, as far as this town's own ids tell."""
    wanted = {task_uuid(workshop.town, one): one for one in job.task.depends_on}
    found = workshop.jobs(wanted) if wanted else {}
    return tuple(
        name for uuid, name in wanted.items() if uuid in found and found[uuid].state != "completed"
    )
