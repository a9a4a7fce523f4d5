"""What a conductor would do now, and why everything else waits; only reads."""

from __future__ import annotations

from collections.abc import Mapping

from tt.core.agents import GONE
from tt.core.conducting import Orders, Seen, Step, decide, may_be_late, silence
from tt.core.ledger import Ledger
from tt.core.standstill import Verdict, judge
from tt.core.times import since_1970
from tt.record import record


@record
class Rehearsal:
    """A step that is not made. `under_way` are the names of agents by the id of what they do."""

    step: Step
    verdict: Verdict
    under_way: Mapping[str, str]


def rehearse(ledger: Ledger, orders: Orders, dead: Mapping[str, str], now: float) -> Rehearsal:
    """Decide a step. `dead` are agents whose processes are gone; `now` is since 1970."""
    ours = [a for a in ledger.agents.values() if a.is_ours and a.state not in GONE]
    silent = {agent.uuid: silence(agent) for agent in ours if not agent.alive}
    busy = {
        uuid: now - began
        for uuid, job in ledger.held.items()
        if may_be_late(ledger, job) and (began := since_1970(job.started_at)) is not None
    }
    seen = Seen(dead={**silent, **dead}, busy=busy)
    step = decide(ledger, orders, seen)
    under_way = {
        job.task.id: ledger.agents[job.agent].name
        for job in ledger.held.values()
        if job.tagged and job.agent in ledger.agents
    }
    return Rehearsal(step, judge(ledger, orders, seen, step), under_way)
