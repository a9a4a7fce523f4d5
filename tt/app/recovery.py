"""Recovery by hand: who is dead, and giving back what they held; removing those who are gone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from tt.app.naming import pick_agent
from tt.core.agents import GONE, Agent, AgentState
from tt.core.jobs import Job
from tt.core.messages import Kind
from tt.core.times import since_1970
from tt.core.worked import Buried, Pruned, Recovered
from tt.record import record, replace
from tt.workports import Workshop

_HELD: Final = ("assigned", "running")
_STALE: Final = 120.0
"""Seconds of silence after which tinytown itself takes an agent of its own for dead."""
_PATIENT: Final = (AgentState.WORKING, AgentState.PAUSED, AgentState.COLD)
"""Another tool's agent may be silent for as long as it likes while it is one of these."""


@record
class Sight:
    """What is seen of agents beside the town: `gone` returns those whose processes are gone on
    this machine, and how that is said; `now` are seconds since 1970."""

    gone: Callable[[Iterable[Agent]], Mapping[str, str]]
    now: float


def recover(
    workshop: Workshop, sight: Sight, names: Sequence[str] = (), *, dry_run: bool = False
) -> Recovered:
    """Find dead agents, and those that are gone with work in their hands; give that work back.

    With `names` only these, and they are taken for dead unless they show signs of life.
    """
    board = workshop.board()
    agents = [pick_agent(board.agents, name, workshop.town) for name in names]
    chosen = agents or list(board.agents.values())
    held = held_by(board.jobs.values())
    found = []
    for one in _suspects(workshop, sight, chosen, held, named=bool(names)):
        jobs = held.get(one.agent.uuid, ())
        if one.spared or dry_run:
            found.append(replace(one, jobs=jobs))
        elif _is_still_dead(workshop, one):
            found.append(replace(one, jobs=workshop.bury(one.agent.uuid, one.why)))
    return Recovered(len(chosen), tuple(found), dry_run)


def _suspects(
    workshop: Workshop,
    sight: Sight,
    agents: Sequence[Agent],
    held: Mapping[str, Sequence[Job]],
    *,
    named: bool,
) -> Iterable[Buried]:
    """Yield who is dead, or gone and has something, or cannot be judged."""
    there = [agent for agent in agents if agent.state not in GONE]
    dead = {**_silent(workshop, there, sight.now), **sight.gone(there)}
    for agent in agents:
        if agent.uuid in dead:
            yield Buried(agent, dead[agent.uuid])
        elif agent.state in GONE:
            if agent.uuid in held:
                yield Buried(agent, f"it is {agent.state}")
        elif agent.is_ours and not agent.alive and not named:
            yield Buried(agent, "it is silent, and so was Redis until just now", spared=True)
        elif named:
            why = "it shows signs of life" if agent.alive else ""
            yield Buried(agent, why or "somebody said so", spared=bool(why))
        elif not agent.is_ours and _age(agent, sight.now) > _STALE:
            yield Buried(agent, f"it is {agent.state}, and another tool's", spared=True)


def _silent(workshop: Workshop, agents: Iterable[Agent], now: float) -> dict[str, str]:
    """Return who has been silent for too long: by the server's clock, or as tinytown judges its
    own agents."""
    found = {}
    for agent in agents:
        if agent.is_ours:
            if not agent.alive and workshop.may_judge(agent.lease):
                found[agent.uuid] = f"it has shown no sign of life for {agent.lease:g} seconds"
        elif agent.state not in _PATIENT and _age(agent, now) > _STALE:
            found[agent.uuid] = f"it has shown no sign of life for {_STALE:g} seconds"
    return found


def _age(agent: Agent, now: float) -> float:
    last = since_1970(agent.last_heartbeat)
    return 0.0 if last is None else now - last


def _is_still_dead(workshop: Workshop, one: Buried) -> bool:
    """Say whether it has shown no sign of life since it was looked at."""
    agent = workshop.agent(one.agent.uuid)
    return agent is not None and not (
        (agent.alive and not one.agent.alive) or agent.last_heartbeat != one.agent.last_heartbeat
    )


def held_by(jobs: Iterable[Job]) -> dict[str, tuple[Job, ...]]:
    """Return what agents have, by the uuids of those."""
    found: dict[str, tuple[Job, ...]] = {}
    for job in jobs:
        if job.state in _HELD and job.agent:
            found[job.agent] = (*found.get(job.agent, ()), job)
    return found


def prune(workshop: Workshop, *, every: bool = False) -> Pruned:
    """Remove agents that are gone, or with `every` all of them; what they hold is given back.

    Whoever has a message that asks for work stays, unless all are to go.
    """
    removed: list[Agent] = []
    kept: list[tuple[Agent, str]] = []
    given: list[Job] = []
    for agent in workshop.agents().values():
        if agent.state not in GONE and not every:
            continue
        given += release(workshop, agent)
        asked = [one for one in workshop.inbox(agent.uuid) if one.kind == Kind.TASK]
        if asked and not every:
            kept.append((agent, f"{len(asked)} unread"))
        elif workshop.dismiss([agent.uuid]):
            removed.append(agent)
    return Pruned(tuple(removed), tuple(kept), tuple(given))


def release(workshop: Workshop, agent: Agent) -> list[Job]:
    """Give back what an agent holds, and see that it is gone; nobody died, so no death counts."""
    held = held_by(workshop.board().jobs.values()).get(agent.uuid, ())
    given = []
    for job in held:
        outcome = workshop.give_back(job.uuid, f"{agent.name} was removed", claim=job.claim)
        if outcome.done and outcome.job is not None:
            given.append(outcome.job)
    return [*given, *workshop.bury(agent.uuid, "it was removed")]
