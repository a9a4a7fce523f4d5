"""What happened in a town, as its stream of events has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tt.app.naming import is_uuid, pick_agent
from tt.core.agents import name_of
from tt.core.worked import Past, Told
from tt.record import record
from tt.workports import Happened, Workshop

_MANY = 1_000
"""Events that are read at one go while somebody follows."""


@record
class Stream:
    """The events of a town, or with `agent` (a uuid) of one agent."""

    workshop: Workshop
    agent: str = ""

    @classmethod
    def of(cls, workshop: Workshop, name: str) -> Stream:
        """Return the stream of an agent that is called so, of the town without a name."""
        if not name:
            return cls(workshop)
        return cls(workshop, pick_agent(workshop.agents(), name, workshop.town).uuid)

    def newest(self, count: int) -> list[Happened]:
        """Return the last events, oldest first."""
        return list(self.workshop.events(count, agent=self.agent)) if count else []

    def after(self, last: str) -> Iterator[Happened]:
        """Yield all events after one."""
        while found := self.workshop.events(_MANY, agent=self.agent, after=last):
            yield from found
            last = found[-1].id


def past(stream: Stream, count: int, *, brief: bool = False) -> Past:
    """Return the last events with the names of agents and tasks in them.

    The `brief` ones leave out that agents have nothing to do: that follows from the others.
    """
    found = stream.newest(2 * count if brief else count)
    if brief:
        found = [one for one in found if one.data.get("new_state") != "idle"][-count:]
    return Past(stream.workshop.town, tuple(told(stream.workshop, found)))


def told(workshop: Workshop, events: Iterable[Happened]) -> list[Told]:
    """Return events with the names of those whom they are about."""
    events = list(events)
    named = {_text(one.data, "agent_id") for one in events}
    agents = workshop.agents({uuid for uuid in named if is_uuid(uuid)})
    uuids = {_text(one.data, "task_id") for one in events} - {""}
    jobs = workshop.jobs(uuids) if uuids else {}
    found = []
    for one in events:
        agent, task = _text(one.data, "agent_id"), _text(one.data, "task_id")
        name = name_of(agents, agent) if agent else ""
        called = jobs[task].task.id if task in jobs else task[:8]
        found.append(Told(one.id, one.kind, _text(one.data, "timestamp"), name, called, one.data))
    return found


def _text(data: Mapping[str, object], name: str) -> str:
    value = data.get(name, "")
    return value if isinstance(value, str) else ""
