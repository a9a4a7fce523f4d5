"""Giving the work of agents that are gone to somebody else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tt.app.assigning import Desk, hand_out
from tt.app.naming import pick_agent
from tt.app.recovery import held_by
from tt.core.agents import GONE, Agent
from tt.core.jobs import Job
from tt.core.messages import Kind, Message
from tt.core.worked import Reclaimed
from tt.errors import TTError, UsageError
from tt.record import record, replace
from tt.workports import Workshop

_TOLD: Final = "told"
"""The message only said what the task's own state says."""


@record
class Reclaim:
    """What to do with the work of those who are gone: `to` is an agent's name; `source` restricts
    it to one agent. Without anything it is only listed."""

    to_backlog: bool = False
    to: str = ""
    source: str = ""
    cancel: bool = False
    delete: bool = False

    @property
    def is_listing(self) -> bool:
        """Whether nothing is to be done."""
        return not (self.to_backlog or self.to or self.cancel or self.delete)


def reclaim(desk: Desk, wanted: Reclaim) -> tuple[Reclaimed, ...]:
    """Give what agents that are gone held, and what was asked of them, to somebody else."""
    workshop = desk.workshop
    board = workshop.board()
    target = _target(board.agents, wanted, workshop.town)
    gone = [agent for agent in board.agents.values() if agent.state in GONE]
    if wanted.source:
        gone = [_source(board.agents, wanted.source, workshop.town)]
    held, found = held_by(board.jobs.values()), []
    for agent in gone:
        jobs = held.get(agent.uuid, ())
        if not wanted.is_listing:
            workshop.bury(agent.uuid, f"{agent.name} is {agent.state}")
        found += [_move(desk, wanted, target, agent.name, job) for job in jobs]
        found += _messages(desk, wanted, target, agent, {job.uuid for job in jobs})
    return tuple(found)


def orphans(desk: Desk, wanted: Reclaim) -> tuple[Reclaimed, ...]:
    """Do the same with tasks whose agent is gone or not there at all, wherever it was told of."""
    workshop = desk.workshop
    board = workshop.board()
    target = _target(board.agents, wanted, workshop.town)
    found = []
    for uuid, jobs in held_by(board.jobs.values()).items():
        agent = board.agents.get(uuid)
        if agent is None or agent.state in GONE:
            holder = agent.name if agent else uuid[:8]
            found += [_move(desk, wanted, target, holder, job) for job in jobs]
    return tuple(found)


def _target(agents: Mapping[str, Agent], wanted: Reclaim, town: str) -> Agent | None:
    if not wanted.to:
        return None
    agent = pick_agent(agents, wanted.to, town)
    if agent.state in GONE:
        raise TTError(
            f"{agent.name} is {agent.state}, and takes no work.",
            f"`tt restart {agent.name}` brings it back.",
        )
    return agent


def _source(agents: Mapping[str, Agent], name: str, town: str) -> Agent:
    agent = pick_agent(agents, name, town)
    if agent.state not in GONE:
        raise UsageError(
            f"{agent.name} is {agent.state}: what it has is its own.",
            f"`tt recover {agent.name}` is for one that died; `tt kill {agent.name}` ends one.",
        )
    return agent


def _move(desk: Desk, wanted: Reclaim, target: Agent | None, holder: str, job: Job) -> Reclaimed:
    """Do with one task what is wanted."""
    workshop = desk.workshop
    if wanted.is_listing:
        return Reclaimed(holder, "listed", job)
    if wanted.delete and job.tagged:
        return Reclaimed(holder, "kept", job, why="it is in the plan, which is where it is removed")
    if wanted.delete:
        return Reclaimed(holder, "deleted" if workshop.remove(job.uuid) else "kept", job)
    if wanted.cancel:
        ended = workshop.finish(job.uuid, "cancelled", f"{holder} is gone")
        return _became(holder, "cancelled", ended.job or job)
    given = workshop.give_back(job.uuid, f"{holder} is gone", claim=job.claim)
    now = given.job or job
    if now.state == "pending" and target is not None:
        now = hand_out(desk, now, target).job or now
        return Reclaimed(holder, target.name if now.agent == target.uuid else "kept", now)
    if now.state == "pending":
        workshop.shelve(now.uuid)
    return _became(holder, "backlog" if now.state == "pending" else now.state, now)


def _became(holder: str, became: str, job: Job) -> Reclaimed:
    return Reclaimed(holder, became, job)


def _messages(
    desk: Desk, wanted: Reclaim, target: Agent | None, agent: Agent, tasks: set[str]
) -> list[Reclaimed]:
    """Do with the messages to one who is gone what is wanted; word of its `tasks` needs nothing.

    What is neither work nor has somewhere to go stays where it is.
    """
    workshop = desk.workshop
    if wanted.is_listing:
        found = [one for one in workshop.inbox(agent.uuid) if one.kind == Kind.TASK]
        return [Reclaimed(agent.name, "listed", message=one) for one in found]
    moved = []
    for _ in workshop.inbox(agent.uuid):
        message = workshop.take(agent.uuid)
        if message is None:
            break
        became = _redirect(workshop, target, message)
        if became:
            workshop.settle(agent.uuid, message)
        if became and became != _TOLD and message.text("task_id") not in tasks:
            moved.append(Reclaimed(agent.name, became, message=message))
    workshop.untake(agent.uuid)
    return moved


def _redirect(workshop: Workshop, target: Agent | None, message: Message) -> str:
    """Bring one message to where it can be of use; empty where it stays."""
    if message.kind == Kind.TASK_ASSIGN:
        return _TOLD
    if target is not None:
        workshop.send(replace(message, to=target.uuid))
        return target.name
    if message.kind == Kind.TASK:
        workshop.make(message.text("description"), source=message.mark)
        return "backlog"
    return ""
