"""Who is there to be given work, by the names that tasks may call them; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import Final

from tt.core.agents import GONE, Agent, AgentState
from tt.core.ledger import Ledger

OPEN: Final = frozenset({AgentState.COLD, AgentState.STARTING, AgentState.IDLE, AgentState.WORKING})
"""Whoever is this is given work."""


class Crew:
    """Who is there to work, by the names that tasks may call them."""

    def __init__(self, ledger: Ledger, dead: Collection[str] = ()) -> None:
        """Leave out whoever is gone, and those of these uuids, who are dead."""
        self._loads = Counter(job.agent for job in ledger.held.values())
        there = [
            agent
            for agent in ledger.agents.values()
            if agent.state not in GONE and agent.uuid not in dead
        ]
        self._called = [
            _by(there, lambda agent: agent.name),
            _by(there, lambda agent: agent.role),
            _by(there, lambda agent: agent.nickname),
        ]

    def named(self, name: str) -> list[Agent]:
        """Return those of this name, else of this role, else of this nickname."""
        return next((found for names in self._called if (found := names.get(name))), [])

    def load(self, agent: Agent) -> int:
        """Return how many tasks an agent has."""
        return self._loads[agent.uuid]

    def take(self, name: str, most: int) -> Agent | None:
        """Give one more task to whoever of this name has the least to do; None where nobody of
        them is given work now, or all have `most`."""
        free = [agent for agent in self.named(name) if agent.state in OPEN]
        least = min(free, key=self.load, default=None)
        if least is None or self.load(least) >= most:
            return None
        self._loads[least.uuid] += 1
        return least


def _by(agents: Iterable[Agent], name: Callable[[Agent], str]) -> dict[str, list[Agent]]:
    found: dict[str, list[Agent]] = {}
    for agent in agents:
        if name(agent):
            found.setdefault(name(agent), []).append(agent)
    return found
