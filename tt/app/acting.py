"""Doing what a step of conducting says, and seeing what it is decided on."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Final

from tt.app.errands import Errands
from tt.app.knowing import Knowing
from tt.app.stage import Stage
from tt.core.agents import GONE, SUPERVISOR, Agent
from tt.core.conducted import Event, Told
from tt.core.conducting import Action, Bury, Complete, Fail, HandOut, Orders, Seen, silence, terms
from tt.core.ledger import HELD
from tt.workports import Outcome, Terms

_NEVER: Final = float("inf")
_LANDED: Final = "All of its tasks are done."


class Acting:
    """The hands of one conductor."""

    def __init__(
        self,
        stage: Stage,
        knowing: Knowing,
        errands: Errands,
        tell: Callable[[Told], None],
        clock: Callable[[], float],
    ) -> None:
        self._stage, self._knowing, self._errands = stage, knowing, errands
        self._tell, self._clock = tell, clock
        self._back_since = -_NEVER
        self.seen = Seen()
        """What was seen last."""

    def was_away(self) -> None:
        """Judge nobody by silence for a lease: where this machine slept, or Redis was away, agents
        may have had no more of a chance to show a sign of life than we to see it."""
        self._back_since = self._clock()

    def look(self) -> Seen:
        """See who is dead, and what takes how long."""
        agents = [
            agent
            for agent in self._knowing.needed.agents.values()
            if agent.is_ours and agent.state not in GONE
        ]
        silent = [agent for agent in agents if not agent.alive]
        dead = {agent.uuid: silence(agent) for agent in silent if self._may_judge(agent)}
        self.seen = Seen(
            dead={**dead, **self._stage.dead(agents)},
            busy=self._knowing.busy(),
            spawning=self._errands.spawning,
            barred=dict(self._errands.barred),
        )
        return self.seen

    def next_late(self, orders: Orders) -> float:
        """Return in how many seconds the first attempt will have taken too long."""
        jobs = self._knowing.needed.jobs
        left = [
            max(timeout - seconds, 0.0)
            for uuid, seconds in self.seen.busy.items()
            if uuid in jobs and (timeout := terms(jobs[uuid].task, orders)[1])
        ]
        return min(left, default=_NEVER)

    def do(self, action: Action) -> bool:
        """Do one thing; say whether all came as it was decided, so that nothing follows from it.

        Where somebody was faster, what is true now is taken in instead.
        """
        workshop = self._stage.workshop
        match action:
            case Complete(job):
                return self._came_of(job.uuid, workshop.finish(job.uuid, "completed", _LANDED))
            case Fail(job, why):
                ended = workshop.finish(job.uuid, "failed", why, claim=job.claim)
                self._came_of(job.uuid, ended)
                return False
            case HandOut():
                return self._hand_out(action)
            case Bury(agent, why):
                self._bury(agent, why)
                return False
            case _:
                self._errands.spawn(action.name)
                return action.name in self._errands.spawning

    def _hand_out(self, action: HandOut) -> bool:
        job, agent = action.job, action.agent
        asked = Terms(action.retries, action.timeout, word=False)  # its end is seen by the events
        token = secrets.token_hex(16)
        given = self._stage.workshop.hand_out(job, agent.uuid, asked, SUPERVISOR, token=token)
        self._came_of(job.uuid, given)
        if not given.done:
            self._knowing.look_at_agent(agent.uuid)
        return given.done

    def _may_judge(self, agent: Agent) -> bool:
        since = self._clock() - self._back_since
        return since >= agent.lease and self._stage.workshop.may_judge(agent.lease)

    def _came_of(self, uuid: str, outcome: Outcome) -> bool:
        self._knowing.take_in([uuid], {} if outcome.job is None else {uuid: outcome.job})
        return outcome.done

    def _bury(self, known: Agent, why: str) -> None:
        """Bury an agent, unless it has shown a sign of life since it was looked at."""
        agent = self._knowing.look_at_agent(known.uuid)
        if agent is None or (agent.alive and why == silence(known)):
            return
        workshop, ledger = self._stage.workshop, self._knowing.needed
        held = [job.uuid for job in ledger.held.values() if job.agent == agent.uuid]
        given = {job.uuid: job for job in workshop.bury(agent.uuid, why)}
        uuids = {*held, *given}
        if agent.state not in GONE:
            self._tell(Told(Event.BURIED, agent=agent.name, message=why, count=len(given)))
        self._knowing.take_in(uuids, workshop.jobs(uuids))
        self._knowing.look_at_agent(agent.uuid, quietly=agent.state not in GONE)
        if any(job.agent == agent.uuid and job.state in HELD for job in ledger.held.values()):
            self._knowing.forget()
