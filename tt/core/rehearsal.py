"""What a conductor would do now, and why everything else waits; only reads."""

from __future__ import annotations

from collections.abc import Mapping

from tt.core.agents import GONE
from tt.core.conducting import Bury, Orders, Seen, Step, decide, may_be_late, silence
from tt.core.ledger import Ledger
from tt.core.standstill import Verdict, judge
from tt.core.times import since_1970
from tt.record import record


@record
class Rehearsal:
    """A step that is not made. `under_way` are the names of agents by the id of what they do;
    `returned` ids of what goes back, by the uuids of agents that are buried."""

    step: Step
    verdict: Verdict
    under_way: Mapping[str, str]
    returned: Mapping[str, tuple[str, ...]]


def rehearse(ledger: Ledger, orders: Orders, dead: Mapping[str, str], now: float) -> Rehearsal:
    """Decide a step. `dead` are agents whose processes are gone, those that have stopped among
    them; `now` is since 1970."""
    there = {uuid for uuid, agent in ledger.agents.items() if agent.state not in GONE}
    ours = [agent for agent in ledger.agents.values() if agent.uuid in there and agent.is_ours]
    silent = {agent.uuid: silence(agent) for agent in ours if not agent.alive}
    dead = {uuid: why for uuid, why in dead.items() if uuid in there}
    busy = {
        uuid: now - began
        for uuid, job in ledger.held.items()
        if may_be_late(ledger, job) and (began := since_1970(job.started_at)) is not None
    }
    seen = Seen(dead={**silent, **dead}, busy=busy)
    step = decide(ledger, orders, seen)
    buried = {action.agent.uuid for action in step.actions if isinstance(action, Bury)}
    held = [job for job in ledger.held.values() if job.agent in ledger.agents]
    under_way = {
        job.task.id: ledger.agents[job.agent].name
        for job in held
        if job.tagged and job.agent not in buried
    }
    returned = {agent: tuple(job.task.id for job in held if job.agent == agent) for agent in buried}
    return Rehearsal(step, judge(ledger, orders, seen, step), under_way, returned)
