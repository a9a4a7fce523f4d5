"""What doing tasks needs of a town, as protocols; adapters implement them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal, Protocol

from tt.core.agents import Agent, AgentState
from tt.core.jobs import Board, Job
from tt.core.messages import Message
from tt.record import field, record

Ended = Literal["completed", "failed", "cancelled"]


@record
class Terms:
    """What a task is handed out with: how many failures are forgiven, for how many seconds one
    attempt may take (0: for ever), and what came before it, for the prompt."""

    retries: int = 0
    timeout: float = 0.0


@record
class Outcome:
    """What became of a change of one task.

    `done`: it was made. Else `job` says how the task stands, None where there is none, and nothing
    was written. `requeued`: it failed, is forgiven, and is pending again.
    """

    done: bool
    job: Job | None = None
    requeued: bool = False


@record
class Happened:
    """One event of a town's stream: tinytown's `event_type`, and its `data` as it was written."""

    id: str
    kind: str
    data: Mapping[str, object] = field(default_factory=dict)


class Workshop(Protocol):
    """One town as the place where tasks are done.

    Each change is one step on the server: it happens wholly, with its event, or not at all; and it
    says so. Every method raises StoreError when Redis does not do its part. Nothing waits for a
    clock other than the server's.
    """

    @property
    def town(self) -> str:
        """The town's name."""
        ...

    # Looking

    def board(self) -> Board:
        """Read everything."""
        ...

    def jobs(self, uuids: Collection[str]) -> Mapping[str, Job]:
        """Read some tasks; those that are not there are left out."""
        ...

    def agents(self) -> Mapping[str, Agent]:
        """Read all agents, by uuid."""
        ...

    def agent(self, uuid: str) -> Agent | None:
        """Read one agent."""
        ...

    # A task's way

    def hand_out(self, job: Job, agent: str, terms: Terms, sender: str) -> Outcome:
        """Give a pending task to an agent: state assigned, a `task_assign` in its inbox, an event.

        Only where the task is pending still, and as it is in `job` (its claim and counts).
        """
        ...

    def claim(self, uuid: str, agent: str) -> Outcome:
        """Begin to work on a task that is assigned to this agent: running, with a new claim.

        The outcome's job has the claim. `current_task` and the agent's state go with it.
        """
        ...

    def finish(
        self, uuid: str, state: Ended, result: str, *, claim: str = "", by: str = ""
    ) -> Outcome:
        """End a task: its result, its time, one event, the agent's counts, a message to whoever
        handed it out. With a `claim`, only where that is the one under way; without one, from any
        unfinished state (a person, or another tool, says so). A failure that is forgiven makes it
        pending again. `by` is the agent's uuid, empty for a person.
        """
        ...

    def give_back(self, uuid: str, why: str, *, claim: str = "", death: bool = False) -> Outcome:
        """Make a task that is assigned or running pending again, held by nobody; an event tells.

        `death` counts one; at the third the task is failed, with `why` as its result.
        """
        ...

    def make(self, description: str, *, tags: Sequence[str] = (), agent: str = "") -> Job:
        """Make a task that is in no plan yet, as tinytown does: into the backlog, or, with an
        agent, assigned with a message."""
        ...

    # Agents

    def enlist(self, agent: Agent) -> Agent:
        """Make an agent. Raises TTError where one of that name is there and not gone."""
        ...

    def set_state(self, uuid: str, state: AgentState, why: str = "") -> bool:
        """Say how an agent is, with an event where that is news; False where there is none."""
        ...

    def beat(self, agent: Agent, claims: Mapping[str, str]) -> frozenset[str]:
        """Show a sign of life, good for the lease. `claims` are claims by task uuid; the result
        are the tasks that are not held any more."""
        ...

    def bury(self, agent: str, why: str) -> tuple[Job, ...]:
        """An agent is dead: it is stopped, what it held is given back (a death for what ran),
        messages that it had taken lie in its inbox again. Returns what was given back. Once."""
        ...

    def dismiss(self, agents: Iterable[str]) -> int:
        """Remove agents that are gone, with their lists; return how many there were."""
        ...

    def ask_to_stop(self, uuid: str) -> None:
        """Raise the stop flag (for an hour, as tinytown's), and wake the agent."""
        ...

    def is_asked_to_stop(self, uuid: str) -> bool:
        """Say whether the flag is up; taking it down is for who stops."""
        ...

    # Messages

    def send(self, message: Message) -> None:
        """Put a message where its reader looks for it: urgent apart, high first, others last."""
        ...

    def take(self, agent: str) -> Message | None:
        """Take the next message, urgent ones first; None where there is none. Never blocks.

        It is kept as taken until `settle`; what is no message is set aside and told by an event.
        """
        ...

    def settle(self, agent: str, message: Message) -> None:
        """Have dealt with a message that was taken."""
        ...

    def untake(self, agent: str) -> int:
        """Put all that was taken and not settled back, to be read first; return how many."""
        ...

    def inbox(self, agent: str) -> Sequence[Message]:
        """Look at what lies in an inbox, urgent ones first, taking nothing."""
        ...

    # What happened

    def log(self, agent: str, line: str) -> None:
        """Add a line to an agent's activity, which is kept for an hour."""
        ...

    def tell(self, kind: str, message: str, **data: object) -> None:
        """Write an event that no change brings with it."""
        ...

    def events(self, count: int, *, agent: str = "", after: str = "") -> Sequence[Happened]:
        """Read the newest `count` events, or those after one, oldest first."""
        ...
