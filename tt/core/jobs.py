"""A task as it is worked on: the plan's task, and how far it is in its town."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tt.core.agents import Agent
from tt.core.model import EMPTY, Task
from tt.core.report import Fault
from tt.core.values import Value
from tt.record import field, record

NOT_BEFORE: Final = 3
"""Deaths of agents over one task after which nobody is given it any more."""


@record
class Note:
    """What somebody wrote beside a task: when (RFC 3339), by whom (an agent's uuid; empty for a
    person), and what."""

    at: str
    by: str
    text: str


@record
class Job:
    """One task of a town. `task.id` is its plan id, or the id that it gets when it is adopted.

    `agent` is the uuid of the one who is to do it or does it (`assigned_to`). `claim` names the
    attempt that is under way: who has another one, or none, has lost the task. `failures` and
    `deaths` count attempts that ended so; `retries` is how many failures it was given out with.
    `timeout` are the seconds that one attempt may take, 0 for ever. `sender` is the uuid of who
    handed it out. `why` says how the attempt before this one ended, if that did not end the task.
    Times are RFC 3339, empty where there is none. `tagged`: it belongs to the plan; a task that
    another tool made, or the backlog's, does not.
    """

    uuid: str
    task: Task
    tagged: bool = True
    agent: str = ""
    claim: str = ""
    failures: int = 0
    deaths: int = 0
    retries: int = 0
    result: str = ""
    created_at: str = ""
    updated_at: str = ""
    started_at: str = ""
    completed_at: str = ""
    timeout: float = 0.0
    sender: str = ""
    why: str = ""
    notes: tuple[Note, ...] = ()

    @property
    def state(self) -> str:
        """How far it is; a `Status`."""
        return self.task.status


@record
class Board:
    """All that there is to do in a town, and who is there to do it; jobs and agents by uuid.

    `backlog` are the uuids of jobs that wait for somebody to claim them, in order. `faults` are
    the keys that could not be used; they are set aside, and `aside` are the plan ids of the tasks
    among them.
    """

    jobs: Mapping[str, Job] = field(default_factory=dict)
    agents: Mapping[str, Agent] = field(default_factory=dict)
    meta: Mapping[str, Value] = field(default_factory=lambda: EMPTY)
    backlog: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    aside: frozenset[str] = frozenset()
