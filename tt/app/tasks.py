"""Looking at tasks of a town: one, those under way, and all of them through a filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tt.app.naming import my_task, pick_agent, pick_task
from tt.core.agents import Agent, name_of
from tt.core.ids import task_uuid
from tt.core.jobs import Board, Job
from tt.core.model import Plan, Task
from tt.core.myself import Myself
from tt.core.query import parse_query, select
from tt.core.worked import AgentList, TaskList, TaskShown
from tt.workports import Workshop


def show(workshop: Workshop, me: Myself, name: str) -> TaskShown:
    """Return a task, and how far those are that it depends on. Raises TTError."""
    job = my_task(workshop, me, name)
    wanted = {task_uuid(workshop.town, one): one for one in job.task.depends_on}
    found = workshop.jobs(wanted) if wanted else {}
    if wanted.keys() - found.keys():
        board = workshop.board()  # another tool made some of them, or they are gone
        states = {other.task.id: other.state for other in board.jobs.values() if other.tagged}
    else:
        states = {wanted[uuid]: other.state for uuid, other in found.items()}
    links = {one: states.get(one, "gone") for one in job.task.depends_on}
    return TaskShown(job, workshop.agents(), links, job.uuid in workshop.backlog())


def current(workshop: Workshop, me: Myself, name: str) -> AgentList:
    """Return what an agent works on; without a name, the agent that asks, else all of them."""
    agents = workshop.agents()
    if name or me.agent:
        agent = pick_agent(agents, name or me.agent, workshop.town)
        agents = {agent.uuid: agent}
    task_of = {agent.uuid: agent.current_task for agent in agents.values() if agent.current_task}
    if me.task and not name:
        task_of[me.agent] = me.task
    jobs = workshop.jobs(set(task_of.values())) if task_of else {}
    work = {agent: (jobs[task],) for agent, task in task_of.items() if task in jobs}
    shown = tuple(agent for agent in agents.values() if name or me.agent or agent.uuid in work)
    return AgentList(workshop.town, shown, work)


def listing(workshop: Workshop, words: Sequence[str], state: str = "") -> TaskList:
    """Return the tasks that fit a filter, in the order in which they were made.

    `agent:` in it means whoever has a task, else whom it is for. Raises UsageError.
    """
    query = parse_query([*words, *([f"status:{state}"] if state else [])])
    board = workshop.board()
    jobs = {job.task.id: job for job in board.jobs.values()}
    plan = Plan(board.meta, {name: _as_held(job, board.agents) for name, job in jobs.items()})
    found = select(plan, query) if query else plan.tasks.values()
    chosen = tuple(jobs[task.id] for task in found)
    return TaskList(chosen, board.agents, len(jobs), board.backlog)


def backlog(workshop: Workshop) -> TaskList:
    """Return what is in the backlog, in order."""
    board = workshop.board()
    jobs = tuple(board.jobs[uuid] for uuid in board.backlog if uuid in board.jobs)
    return TaskList(jobs, board.agents, len(board.jobs), board.backlog)


def in_backlog(board: Board, name: str, town: str) -> Job | str:
    """Return the task in the backlog that is called so, or the uuid of one that is gone."""
    if name in board.backlog and name not in board.jobs:
        return name
    return pick_task(board, name, town)


def _as_held(job: Job, agents: Mapping[str, Agent]) -> Task:
    if not job.agent:
        return job.task
    return Task(job.task.id, {**job.task.fields, "agent": name_of(agents, job.agent)})
