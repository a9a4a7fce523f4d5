"""What doing tasks needs of a town, as protocols; adapters implement them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal, Protocol

from tt.core.agents import Agent, AgentState
from tt.core.jobs import Board, Job
from tt.core.messages import Message
from tt.core.saved import SavedKey
from tt.record import field, record

Ended = Literal["completed", "failed", "cancelled"]


@record
class Terms:
    """What a task is handed out with: how many failures are forgiven, for how many seconds one
    attempt may take (0: for ever), and whether who hands it out wants word of its end, in their
    inbox. Who sees the events of the town wants none: nobody would read it."""

    retries: int = 0
    timeout: float = 0.0
    word: bool = True


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
class Standing:
    """How an agent stands in its town: `agent` is None where it is not there any more. `must_stop`:
    the stop flag is up; `has_mail`: something lies in its inbox."""

    agent: Agent | None
    must_stop: bool = False
    has_mail: bool = False


@record
class Happened:
    """One event of a town's stream: tinytown's `event_type`, and its `data` as it was written."""

    id: str
    kind: str
    data: Mapping[str, object] = field(default_factory=dict)


@record
class Leader:
    """Who leads a town: the token, and for how many more seconds."""

    token: str
    seconds: float


class Workshop(Protocol):
    """One town as the place where tasks are done.

    Each change is one step on the server: it happens wholly, with its event, or not at all; and it
    says so. Every method raises StoreError when Redis does not do its part. Nothing waits for a
    clock other than the server's.

    A connection that broke in the middle is opened anew once, and the step is looked for before it
    is made again. Whoever repeats a step after a StoreError gives the same token (`finish`: the
    same claim) and is told that it is done, and not done twice.
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

    def agents(self, uuids: Collection[str] | None = None) -> Mapping[str, Agent]:
        """Read agents, by uuid, in the order in which they were made; those that are not there or
        cannot be read are left out (see `Board.faults`). Without `uuids` it is all of them, and a
        walk through every key that the server has."""
        ...

    def agent(self, uuid: str) -> Agent | None:
        """Read one agent."""
        ...

    # A task's way

    def hand_out(
        self, job: Job, agent: str, terms: Terms, sender: str, *, token: str = ""
    ) -> Outcome:
        """Give a pending task to an agent: state assigned, a `task_assign` in its inbox, an event.

        Only where the task is pending still, and as it is in `job` (its claim and counts), and the
        agent is there and not gone. It is taken out of the backlog. `token` is any text of the
        caller's own that is used once; it is the task's claim until the agent makes its own.
        """
        ...

    def claim(self, uuid: str, agent: str, *, token: str = "") -> Outcome:
        """Begin to work on a task that is assigned to this agent: running, with a new claim.

        The outcome's job has the claim, which is `token` where one is given. `current_task` and the
        agent's state go with it. An agent that is gone gets none: it may have been buried.
        """
        ...

    def finish(
        self, uuid: str, state: Ended, result: str, *, claim: str = "", by: str = ""
    ) -> Outcome:
        """End a task: its result, its time, one event, the agent's counts, word to whoever handed
        it out and wants it.

        With a `claim`, only where that is the one under way (and `by` holds the task); without
        one, from any unfinished state (a person, or another tool, says so). A failure of an attempt
        that is forgiven makes it pending again. `by` is the agent's uuid, empty for a person.
        """
        ...

    def give_back(self, uuid: str, why: str, *, claim: str = "", death: bool = False) -> Outcome:
        """Make a task that is assigned or running pending again, held by nobody; an event tells.

        With a `claim`, only where that is the one under way. `death` counts one; at the third the
        task is failed, with `why` as its result. A task that is in no plan waits in the backlog.
        """
        ...

    def make(
        self, description: str, *, tags: Sequence[str] = (), agent: str = "", source: str = ""
    ) -> Job:
        """Make a task that is in no plan yet, as tinytown does: into the backlog, or, with an
        agent, assigned with a message. What is made of one `source` again is the same task, and
        left as it stands."""
        ...

    def note(self, uuid: str, text: str, *, by: str = "") -> Outcome:
        """Keep a note with a task, and tell it by an event; `by` is an agent's uuid, empty for a
        person. The last 50 are kept."""
        ...

    def remove(self, uuid: str) -> bool:
        """Take a task away that is in no plan, from the backlog, too; False where it is in one, or
        is not there."""
        ...

    # Agents

    def enlist(self, agent: Agent) -> Agent:
        """Make an agent. Raises TTError where one of that name is there and not gone."""
        ...

    def set_state(
        self, uuid: str, state: AgentState, why: str = "", *, since: AgentState | None = None
    ) -> bool:
        """Say how an agent is, with an event where that is news; False where there is none, and,
        with `since`, where it is not in that state any more.

        Whoever is gone can only be starting again: an agent that was buried while it slept is told
        so by False. The stop flag is taken down where an agent starts or is gone.
        """
        ...

    def end_round(self, uuid: str, rounds: int, line: str) -> None:
        """Say that an agent has done so many rounds by now, and in one line how the last one went,
        for who looks at its activity."""
        ...

    def beat(self, agent: Agent, claims: Mapping[str, str]) -> frozenset[str]:
        """Show a sign of life, good for the lease. `claims` are claims by task uuid; the result
        are the tasks that are not held any more: all of them where the agent is gone (buried) or
        another process is this agent by now, and then there was no sign of life."""
        ...

    def bury(self, agent: str, why: str) -> tuple[Job, ...]:
        """An agent is dead: it is stopped, what it held is given back (a death for what ran),
        messages that it had taken lie in its inbox again. Returns what was given back. Once: where
        it is cut short, or two do it, it is begun again and does what is left."""
        ...

    def dismiss(self, agents: Iterable[str]) -> int:
        """Remove agents that are gone, with their lists; return how many there were."""
        ...

    def may_judge(self, lease: float) -> bool:
        """Say whether a missing sign of life means death: not within a lease of the server's start
        or of a failover, when nobody could show one."""
        ...

    def ask_to_stop(self, uuid: str) -> None:
        """Raise the stop flag (for an hour, as tinytown's), and wake the agent."""
        ...

    def standing(self, uuid: str) -> Standing:
        """Look at all that others may have changed of an agent, at one go. Taking the stop flag
        down is for who stops."""
        ...

    # Messages

    def send(self, message: Message) -> None:
        """Put a message where its reader looks for it: urgent apart, high first, others last."""
        ...

    def take(self, agent: str) -> Message | None:
        """Take the next message, urgent ones first; None where there is none. Never blocks.

        It is kept as taken until `settle`; what is no message is set aside and told by an event.
        After a StoreError something may have been taken that nobody saw: `untake` comes first.
        """
        ...

    def take_some(self, agent: str, most: int) -> Sequence[Message]:
        """Take up to `most` messages like `take`; where it is fewer, these were all."""
        ...

    def settle(self, agent: str, message: Message) -> None:
        """Have dealt with a message that was taken."""
        ...

    def untake(self, agent: str) -> int:
        """Put all that was taken and not settled back, to be read first; return how many."""
        ...

    def drop(self, agent: str, message: Message) -> bool:
        """Take a message out of an inbox in which it lies unread, and leave what its reader has
        taken alone; False where it lies there no more."""
        ...

    def inbox(self, agent: str) -> Sequence[Message]:
        """Look at what lies in an inbox, urgent ones first, taking nothing."""
        ...

    # Tasks that nobody is to do yet

    def backlog(self) -> Sequence[str]:
        """List the uuids in the backlog, in order."""
        ...

    def shelve(self, uuid: str) -> bool:
        """Put a pending task at the end of the backlog; False where it is not, or is there."""
        ...

    def unshelve(self, uuid: str) -> bool:
        """Take a task out of the backlog; False where it is not in it. (`hand_out` does, too.)"""
        ...

    # Who conducts

    def lead(self, token: str, seconds: float) -> bool:
        """Lead the town for so long, or longer than before; False where another token leads."""
        ...

    def leader(self) -> Leader | None:
        """Say who leads; None where nobody does."""
        ...

    def resign(self, token: str) -> bool:
        """Lead no more; False where one did not."""
        ...

    # What happened

    def log(self, agent: str, line: str) -> None:
        """Add a line to an agent's activity, which is kept for an hour."""
        ...

    def activity(self, agent: str) -> Sequence[str]:
        """Read the lines of an agent's activity, newest first."""
        ...

    def tell(self, kind: str, message: str, **data: object) -> None:
        """Write an event that no change brings with it."""
        ...

    def events(self, count: int, *, agent: str = "", after: str = "") -> Sequence[Happened]:
        """Read the newest `count` events, or the first ones after one, oldest first."""
        ...

    # All of it

    def dump(self) -> Sequence[SavedKey]:
        """Read the whole town, but for who is alive and who leads just now."""
        ...

    def load(self, saved: Iterable[SavedKey], *, replace: bool = False) -> int:
        """Write a whole town at one go; return how many keys. Raises TTError where something is
        there, unless it is to be replaced, and where the town changes meanwhile."""
        ...
