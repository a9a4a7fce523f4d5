"""The agents of a town below its status."""

from __future__ import annotations

from tt.core.worked import AgentList, Crew, TaskList
from tt.record import replace
from tt.render.jobs import task_lines
from tt.render.staff import agent_data, agent_rows, head_count, listed
from tt.render.text import Look, count, safe
from tt.render.tree import ORDER


def crew_lines(found: Crew, now: float, look: Look) -> list[str]:
    """Return the agents, and tasks by state where they are asked for; nothing without any."""
    lines = []
    if found.agents.agents:
        agents = listed(found.agents.agents, look)
        lines.append(head_count(agents))
        rows = agent_rows(found.agents, now, look)
        for agent, row in zip(agents, rows, strict=True):
            lines += [f"  {row}", *_deep(found, agent.uuid, look)]
    if found.tasks is not None:
        lines += _by_state(found.tasks, look)
    return lines


def _deep(found: Crew, uuid: str, look: Look) -> list[str]:
    """Return messages, rounds and the last words of one agent, where they are asked for."""
    if uuid not in found.messages:
        return []
    agent = next(one for one in found.agents.agents if one.uuid == uuid)
    counted = f"{count(found.messages[uuid], 'message')}, {count(agent.rounds_completed, 'round')}"
    said = [look.fit(safe(line), 6) for line in found.activity.get(uuid, ())]
    return [f"      {line}" for line in (counted, *said)]


def _by_state(found: TaskList, look: Look) -> list[str]:
    lines: list[str] = []
    for state in ORDER:
        jobs = tuple(job for job in found.jobs if job.state == state)
        if jobs:
            *rows, _ = task_lines(replace(found, jobs=jobs), look)
            lines += [f"{state} ({len(jobs):,})", *(f"  {row}" for row in rows)]
    return lines


def crew_data(found: Crew) -> object:
    """Return the agents for programs, each with what it works on and what else was asked for."""
    data = agent_data(AgentList(found.agents.town, found.agents.agents, found.agents.work))
    agents = data["agents"]
    assert isinstance(agents, list)  # noqa: S101  it is made so
    for agent in agents:
        if agent["uuid"] in found.messages:
            agent["messages"] = found.messages[agent["uuid"]]
            agent["activity"] = found.activity[agent["uuid"]]
    return agents
