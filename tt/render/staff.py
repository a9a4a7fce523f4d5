"""The agents of a town: who they are, what they have, and what became of those who are gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from tt.core.agents import GONE, Agent, AgentState
from tt.core.jobs import Job
from tt.core.worked import AgentList, Buried, Pruned, Reclaimed, Recovered
from tt.record import as_dict
from tt.render.jobs import job_data, jobs_data, since
from tt.render.text import Look, clip, columns, count, pad, safe

_COLORS: Final[Mapping[str, tuple[str, ...]]] = {
    "working": ("blue",), "idle": ("green",), "paused": ("yellow",), "draining": ("yellow",),
    "stopped": ("dim",), "error": ("red",),
}  # fmt: skip
_SUMMARY: Final = 60


def agent_lines(found: AgentList, now: float, look: Look) -> list[str]:
    """Return a line for each agent; `now` are seconds since 1970."""
    if not found.agents:
        return [f"No agents in {safe(found.town)}. `tt spawn NAME` starts one."]
    lines = agent_rows(found, now, look)
    return [*lines, look.paint(head_count(listed(found.agents, look)), "dim")]


def listed(agents: Sequence[Agent], look: Look) -> list[Agent]:
    """Return the agents that are listed: not those that are gone and have a successor of their
    name, where not everything was asked for."""
    if look.all:
        return list(agents)
    last = {agent.name: agent for agent in sorted(agents, key=_standing)}
    return [agent for agent in agents if agent.state not in GONE or last[agent.name] is agent]


def _standing(agent: Agent) -> tuple[bool, str]:
    return agent.state not in GONE, agent.created_at


def agent_rows(found: AgentList, now: float, look: Look) -> list[str]:
    """Return a line for each agent that is listed, in columns."""
    agents = listed(found.agents, look)
    names = [_name(agent) for agent in agents]
    width = max((columns(name) for name in names), default=0)
    states = max((len(agent.state) for agent in agents), default=0)
    lines = []
    for agent, name in zip(agents, names, strict=True):
        state = look.paint(str(agent.state), *_COLORS.get(agent.state, ()))
        gap = " " * (states - len(agent.state))
        facts = _facts(agent, found.work.get(agent.uuid, ()), now)
        parts = [pad(name, width), f"{state}{gap}", ", ".join(facts)]
        if look.all:
            parts.insert(0, look.paint(agent.uuid, "dim"))
        lines.append("  ".join(part for part in parts if part).rstrip())
    return lines


def head_count(agents: Sequence[Agent]) -> str:
    """Return `3 agents: 2 working, 1 idle`, in the order of an agent's life."""
    counted = Counter(agent.state for agent in agents)
    states = ", ".join(f"{counted[state]} {state}" for state in AgentState if counted[state])
    return f"{count(len(agents), 'agent')}: {states}"


def _name(agent: Agent) -> str:
    return safe(agent.name) + (f" ({safe(agent.nickname)})" if agent.nickname else "")


def _facts(agent: Agent, jobs: Sequence[Job], now: float) -> list[str]:
    """Return what an agent does, which CLI it runs, and since when it is silent."""
    facts = [_doing(job, now) for job in jobs]
    facts += [safe(text) for text in (agent.cli, agent.role) if text]
    if agent.tasks_completed:
        facts.append(f"{agent.tasks_completed:,} done")
    silent = agent.state not in GONE and (not agent.alive or not agent.is_ours)
    if silent and (ago := since(agent.last_heartbeat, now)):
        facts.append(f"last seen {ago} ago")
    return facts


def _doing(job: Job, now: float) -> str:
    lasted = since(job.started_at, now) if job.state == "running" else ""
    return f"{safe(job.task.id)} ({safe(job.state)}{f' {lasted}' if lasted else ''})"


def agent_data(found: AgentList) -> dict[str, object]:
    """Return the agents for programs, each with what it works on."""
    known = {agent.uuid: agent for agent in found.agents}
    agents = [
        {**as_dict(agent), "work": jobs_data(found.work.get(agent.uuid, ()), known)}
        for agent in found.agents
    ]
    return {"town": found.town, "agents": agents}


def recovered_lines(found: Recovered, look: Look) -> list[str]:
    """Return who was dead, and what was given back."""
    lines = [line for one in found.found for line in _buried(one, found, look)]
    dead = sum(not one.spared for one in found.found)
    if not dead:
        return [*lines, f"No dead agents among {count(found.looked_at, 'agent')}."]
    jobs = sum(len(one.jobs) for one in found.found if not one.spared)
    told = f"{count(dead, 'agent')}, {count(jobs, 'task')}"
    if found.dry_run:
        return [*lines, f"Would recover {told}; nothing was changed."]
    return [*lines, look.paint(f"Recovered {told}.", "green")]


def _buried(one: Buried, found: Recovered, look: Look) -> list[str]:
    name, why = safe(one.agent.name), safe(one.why)
    if one.spared:
        hint = "" if one.agent.alive else f" (`tt recover {name}` says that it is dead)"
        return [f"{look.paint('=', 'dim')} {name} is left alone: {why}{hint}"]
    lines = [f"{look.paint('-', 'red')} {name}: {why}"]
    for job in one.jobs:
        became = "would be pending again" if found.dry_run else f"is {safe(job.state)}"
        lines.append(f"    {safe(job.task.id)} {became}")
    return lines


def recovered_data(found: Recovered) -> dict[str, object]:
    """Return it for programs."""
    buried = [
        {"agent": one.agent, "why": one.why, "spared": one.spared, "tasks": jobs_data(one.jobs, {})}
        for one in found.found
    ]
    return {"looked_at": found.looked_at, "dry_run": found.dry_run, "found": buried}


def reclaimed_lines(found: Sequence[Reclaimed], look: Look) -> list[str]:
    """Return where the work of agents that are gone is now."""
    if not found:
        return ["Nobody who is gone has any work."]
    lines = [_reclaimed(one, look) for one in found]
    moved = sum(one.became not in ("listed", "kept") for one in found)
    if not moved:
        some = count(len(found), "piece of work", "pieces of work")
        return [*lines, f"{some}; --to-backlog or --to AGENT gives it to somebody."]
    told = f"Reclaimed {count(moved, 'piece of work', 'pieces of work')}."
    return [*lines, look.paint(told, "green")]


def _reclaimed(one: Reclaimed, look: Look) -> str:
    what = safe(one.job.task.id) if one.job else "a message"
    about = one.job.task.description if one.job else _words(one)
    became = {"listed": "", "kept": " stays"}.get(one.became, f" → {safe(one.became)}")
    why = f": {safe(one.why)}" if one.why else ""
    text = look.paint(clip(safe(about), _SUMMARY), "dim")
    return f"{safe(one.holder)}  {what}{became}{why}  {text}".rstrip()


def _words(one: Reclaimed) -> str:
    found = one.message
    if found is None:
        return ""
    texts = (found.text(name) for name in ("description", "question", "summary"))
    return next((text for text in texts if text), str(found.kind))


def reclaimed_data(found: Sequence[Reclaimed]) -> list[dict[str, object]]:
    """Return it for programs."""
    return [
        {
            "holder": one.holder,
            "became": one.became,
            "why": one.why,
            "task": job_data(one.job, {}) if one.job else None,
            "message": one.message,
        }
        for one in found
    ]


def pruned_lines(found: Pruned, look: Look) -> list[str]:
    """Return which agents were removed."""
    lines = [f"{look.paint('-', 'red')} {_name(agent)}  {agent.state}" for agent in found.removed]
    lines += [f"    {safe(job.task.id)} is {safe(job.state)}" for job in found.given_back]
    for agent, why in found.kept:
        lines.append(f"{look.paint('=', 'dim')} {_name(agent)} stays: {safe(why)}")
    if not found.removed:
        return [*lines, "No agents to remove."]
    return [*lines, look.paint(f"Removed {count(len(found.removed), 'agent')}.", "green")]
