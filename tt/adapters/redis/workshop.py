"""A town in Redis as the place where tasks are done; see `tt.workports.Workshop`.

What is done is in modules of its own: `jobwork` for tasks, `staff` for agents, `inboxes` for
messages, `lease` for conductors, `workboard` for looking. Here they are put together, and asked
again where a connection broke.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from tt.adapters.redis.chronicle import Chronicle
from tt.adapters.redis.commands import Commands
from tt.adapters.redis.inboxes import Inboxes
from tt.adapters.redis.jobwork import JobWork
from tt.adapters.redis.keys import TownKeys
from tt.adapters.redis.lease import Lease
from tt.adapters.redis.staff import Staff
from tt.adapters.redis.steady import Steady
from tt.adapters.redis.workboard import BoardReader
from tt.core.agents import Agent, AgentState
from tt.core.jobs import Board, Job
from tt.core.messages import Message
from tt.core.saved import SavedKey
from tt.ports import Clock
from tt.workports import Ended, Happened, Leader, Outcome, Standing, Terms


class RedisWorkshop:
    """One town on one server. `reconnect` lets the connection be opened anew by what comes next."""

    __slots__ = (
        "_chronicle", "_connection", "_inboxes", "_keys", "_lease",
        "_reader", "_staff", "_steady", "_work",
    )  # fmt: skip

    def __init__(
        self,
        connection: Commands,
        town: str,
        clock: Clock,
        reconnect: Callable[[], None] = lambda: None,
    ) -> None:
        self._connection, self._steady = connection, Steady(reconnect)
        self._keys = keys = TownKeys(town)
        self._reader = BoardReader(connection, keys)
        self._staff = Staff(connection, keys, clock, self._reader)
        self._inboxes = Inboxes(connection, keys, clock)
        self._lease = Lease(connection, keys)
        self._chronicle = Chronicle(connection, keys, clock)
        self._work = JobWork(connection, keys, clock, self._reader, self._steady)

    @property
    def town(self) -> str:
        """The town's name."""
        return self._keys.town

    def board(self) -> Board:
        """Read everything."""
        return self._steady.ask(self._reader.board)

    def jobs(self, uuids: Collection[str]) -> Mapping[str, Job]:
        """Read some tasks."""
        return self._steady.ask(lambda: self._reader.jobs(uuids))

    def agents(self, uuids: Collection[str] | None = None) -> Mapping[str, Agent]:
        """Read all agents, or some."""
        if uuids is None:
            return self._steady.ask(self._reader.agents)[0]
        return self._steady.ask(lambda: self._reader.some_agents(uuids))[0]

    def agent(self, uuid: str) -> Agent | None:
        """Read one agent."""
        return self.agents([uuid]).get(uuid)

    def hand_out(
        self, job: Job, agent: str, terms: Terms, sender: str, *, token: str = ""
    ) -> Outcome:
        """Give a pending task to an agent."""
        return self._work.hand_out(job, agent, terms, sender, token)

    def claim(self, uuid: str, agent: str, *, token: str = "") -> Outcome:
        """Begin to work on a task."""
        return self._work.claim(uuid, agent, token)

    def finish(
        self, uuid: str, state: Ended, result: str, *, claim: str = "", by: str = ""
    ) -> Outcome:
        """End a task."""
        return self._work.finish(uuid, state, result, claim, by)

    def give_back(self, uuid: str, why: str, *, claim: str = "", death: bool = False) -> Outcome:
        """Make a task pending again."""
        return self._work.give_back(uuid, why, claim, death=death)

    def make(
        self, description: str, *, tags: Sequence[str] = (), agent: str = "", source: str = ""
    ) -> Job:
        """Make a task that is in no plan."""
        return self._work.make(description, tags, agent, source)

    def note(self, uuid: str, text: str, *, by: str = "") -> Outcome:
        """Add a note to a task."""
        return self._work.note(uuid, text, by)

    def remove(self, uuid: str) -> bool:
        """Take a task away that is in no plan."""
        return self._work.remove(uuid)

    def enlist(self, agent: Agent) -> Agent:
        """Make an agent."""
        made = self._staff.begun(agent)
        self._steady.ask(lambda: self._staff.enlist(made))
        return made

    def set_state(
        self, uuid: str, state: AgentState, why: str = "", *, since: AgentState | None = None
    ) -> bool:
        """Say how an agent is."""
        return self._steady.ask(lambda: self._staff.set_state(uuid, state, why, since))

    def end_round(self, uuid: str, rounds: int, line: str) -> None:
        """Say how many rounds an agent has done."""
        self._steady.ask_once(lambda: self._staff.end_round(uuid, rounds, line))

    def beat(self, agent: Agent, claims: Mapping[str, str]) -> frozenset[str]:
        """Show a sign of life."""
        return self._steady.ask(lambda: self._staff.beat(agent, claims))

    def bury(self, agent: str, why: str) -> tuple[Job, ...]:
        """An agent is dead.

        It is stopped last, so that one whose burial is cut short is found dead again; what it was
        given before it was stopped is looked for once more afterwards.
        """
        given = self._work.take_from(agent, why)
        self._steady.ask(lambda: self._inboxes.untake(agent))
        self._steady.ask(lambda: self._staff.bury(agent, why))
        return (*given, *self._work.take_from(agent, why))

    def dismiss(self, agents: Iterable[str]) -> int:
        """Remove agents that are gone."""
        uuids = list(agents)
        return self._steady.ask(lambda: sum(map(self._staff.dismiss, uuids)))

    def may_judge(self, lease: float) -> bool:
        """Say whether silence means death."""
        return self._steady.ask(lambda: self._lease.may_judge(lease))

    def ask_to_stop(self, uuid: str) -> None:
        """Raise the stop flag."""
        self._steady.ask(lambda: self._staff.ask_to_stop(uuid))

    def standing(self, uuid: str) -> Standing:
        """Look at all that others may have changed of an agent."""
        return self._steady.ask(lambda: self._staff.standing(uuid))

    def send(self, message: Message) -> None:
        """Send a message."""
        self._steady.ask(lambda: self._inboxes.send(message))

    def take(self, agent: str) -> Message | None:
        """Take the next message; after a StoreError `untake` comes first."""
        return next(iter(self.take_some(agent, 1)), None)

    def take_some(self, agent: str, most: int) -> Sequence[Message]:
        """Take messages like `take`."""
        return self._steady.ask_once(lambda: self._inboxes.take(agent, most))

    def settle(self, agent: str, message: Message) -> None:
        """Have dealt with a message."""
        self._steady.ask(lambda: self._inboxes.settle(agent, message))

    def untake(self, agent: str) -> int:
        """Put back what was taken."""
        return self._steady.ask(lambda: self._inboxes.untake(agent))

    def drop(self, agent: str, message: Message) -> bool:
        """Take a message out that lies unread."""
        return self._steady.ask(lambda: self._inboxes.drop(agent, message))

    def inbox(self, agent: str) -> Sequence[Message]:
        """Look at what lies in an inbox."""
        return self._steady.ask(lambda: self._inboxes.inbox(agent))

    def backlog(self) -> Sequence[str]:
        """List the backlog."""
        return self._steady.ask(self._reader.backlog)

    def shelve(self, uuid: str) -> bool:
        """Put a pending task into the backlog."""
        return self._steady.ask(lambda: self._work.shelve(uuid))

    def unshelve(self, uuid: str) -> bool:
        """Take a task out of the backlog."""
        return self._steady.ask(lambda: self._work.unshelve(uuid))

    def lead(self, token: str, seconds: float) -> bool:
        """Lead the town."""
        return self._steady.ask(lambda: self._lease.lead(token, seconds))

    def leader(self) -> Leader | None:
        """Say who leads."""
        return self._steady.ask(self._lease.leader)

    def resign(self, token: str) -> bool:
        """Lead no more."""
        return self._steady.ask(lambda: self._lease.resign(token))

    def log(self, agent: str, line: str) -> None:
        """Add a line to an agent's activity."""
        self._steady.ask_once(lambda: self._chronicle.log(agent, line))

    def activity(self, agent: str) -> Sequence[str]:
        """Read the lines of an agent's activity, newest first."""
        return self._steady.ask(lambda: self._chronicle.activity(agent))

    def tell(self, kind: str, message: str, **data: object) -> None:
        """Write an event."""
        self._steady.ask_once(lambda: self._chronicle.tell(kind, message, data))

    def events(self, count: int, *, agent: str = "", after: str = "") -> Sequence[Happened]:
        """Read events, oldest first."""
        return self._steady.ask(lambda: self._chronicle.events(count, agent, after))

    def dump(self) -> Sequence[SavedKey]:
        """Read the whole town."""
        from tt.adapters.redis.saving import dump_town

        return self._steady.ask(lambda: dump_town(self._connection, self._keys))

    def load(self, saved: Iterable[SavedKey], *, replace: bool = False) -> int:
        """Write a whole town."""
        from tt.adapters.redis.saving import load_town

        keys = list(saved)
        return self._steady.ask_once(
            lambda: load_town(self._connection, self._keys, keys, replace=replace)
        )
