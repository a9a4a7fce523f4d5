"""The agents of a town at a glance, at the cost of reading only what is shown."""

from __future__ import annotations

from tt.app.tasks import listing
from tt.core.worked import AgentList, Crew
from tt.workports import Workshop

_LINES = 5


def agents_at_work(workshop: Workshop) -> AgentList:
    """Return the agents, each with the task that it works on."""
    agents = workshop.agents()
    tasks = {one.current_task for one in agents.values()} - {""}
    jobs = workshop.jobs(tasks) if tasks else {}
    work = {
        uuid: (jobs[one.current_task],) for uuid, one in agents.items() if one.current_task in jobs
    }
    return AgentList(workshop.town, tuple(agents.values()), work)


def crew(workshop: Workshop, *, deep: bool, by_task: bool) -> Crew:
    """Return the agents, and more where it is asked for."""
    found = agents_at_work(workshop)
    uuids = [agent.uuid for agent in found.agents] if deep else []
    return Crew(
        found,
        {uuid: len(workshop.inbox(uuid)) for uuid in uuids},
        {uuid: tuple(workshop.activity(uuid)[:_LINES]) for uuid in uuids},
        listing(workshop, ()) if by_task else None,
    )
