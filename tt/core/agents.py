"""Agents of a town, as tinytown keeps them: who they are, how they are, what they hold."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from tt.record import record

SUPERVISOR: Final = "00000000-0000-0000-0000-000000000001"
"""The person, or the conductor: it has an inbox like an agent, and no hash."""


class AgentState(StrEnum):
    """How an agent is; tinytown's spelling."""

    COLD = "cold"
    STARTING = "starting"
    IDLE = "idle"
    WORKING = "working"
    PAUSED = "paused"
    DRAINING = "draining"
    STOPPED = "stopped"
    ERROR = "error"


GONE: Final = frozenset({AgentState.STOPPED, AgentState.ERROR})
"""Whoever is this takes no work any more."""


@record
class Agent:
    """One agent. Times are RFC 3339; what is not set is an empty text.

    `lease` is the number of seconds within which it shows a sign of life, working or not; 0 where
    it is another tool's, which shows one only between rounds. `alive`: it has shown one within the
    lease, by the server's own clock. `host`, `pid` and `born` name the process of one of ours;
    `born` tells it from a later process with the same pid.
    """

    uuid: str
    name: str
    state: AgentState
    cli: str = ""
    kind: str = "worker"
    role: str = ""
    nickname: str = ""
    parent: str = ""
    current_task: str = ""
    created_at: str = ""
    last_heartbeat: str = ""
    last_active_at: str = ""
    tasks_completed: int = 0
    rounds_completed: int = 0
    spawn_mode: str = "fresh"
    lease: float = 0.0
    alive: bool = False
    host: str = ""
    pid: int = 0
    born: str = ""

    @property
    def is_ours(self) -> bool:
        """Whether `tt` runs it, so that its signs of life can be relied on."""
        return self.lease > 0

    def is_run_by(self, other: Agent) -> bool:
        """Say whether the process that `other` names is this agent's; it is where none is named."""
        process = (self.host, self.pid, self.born)
        return not self.pid or process == (other.host, other.pid, other.born)


def name_of(agents: Mapping[str, Agent], uuid: str) -> str:
    """Return what people call an agent; the beginning of its uuid where it is not known."""
    if uuid in agents:
        return agents[uuid].name
    return "supervisor" if uuid == SUPERVISOR else uuid[:8]
