"""A town in Redis as the place where tasks are done; see `tt.workports.Workshop`.

Here tasks go their way; agents, inboxes, the conductor's lease and saving are modules of their own.
Each change is decided on what was read, made in one step, and decided anew where a race was lost.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TypeVar, cast

from tt.adapters.redis import jobends, jobmoves
from tt.adapters.redis.commands import Commands
from tt.adapters.redis.happenings import event_text, oldest_first, read_event, streams
from tt.adapters.redis.inboxes import Inboxes
from tt.adapters.redis.jobscene import Move, Scene
from tt.adapters.redis.keys import UUID, TownKeys
from tt.adapters.redis.lease import Lease
from tt.adapters.redis.replies import LostError, MovedError, Reply
from tt.adapters.redis.staff import Staff
from tt.adapters.redis.steps import Step, as_bytes
from tt.adapters.redis.workboard import BoardReader
from tt.core.agents import Agent, AgentState
from tt.core.jobs import Board, Job
from tt.core.messages import Message
from tt.core.saved import SavedKey
from tt.ports import Clock
from tt.workports import Ended, Happened, Leader, Outcome, Terms

T = TypeVar("T")

_ACTIVITY_LINES = 10
_ACTIVITY_SECONDS = 3_600


class RedisWorkshop:
    """One town on one server. `reconnect` lets the connection be opened anew by what comes next."""

    __slots__ = (
        "_clock", "_connection", "_inboxes", "_keys", "_lease", "_reader", "_reconnect", "_staff",
    )  # fmt: skip

    def __init__(
        self,
        connection: Commands,
        town: str,
        clock: Clock,
        reconnect: Callable[[], None] = lambda: None,
    ) -> None:
        self._connection, self._clock, self._reconnect = connection, clock, reconnect
        self._keys = keys = TownKeys(town)
        self._reader = BoardReader(connection, keys)
        self._staff = Staff(connection, keys, clock, self._reader)
        self._inboxes = Inboxes(connection, keys, clock)
        self._lease = Lease(connection, keys)

    @property
    def town(self) -> str:
        """The town's name."""
        return self._keys.town

    def board(self) -> Board:
        """Read everything."""
        return self._again(self._reader.board)

    def jobs(self, uuids: Collection[str]) -> Mapping[str, Job]:
        """Read some tasks."""
        return self._again(lambda: self._reader.jobs(uuids))

    def agents(self) -> Mapping[str, Agent]:
        """Read all agents."""
        return self._again(self._reader.agents)[0]

    def agent(self, uuid: str) -> Agent | None:
        """Read one agent."""
        return self._again(lambda: self._reader.some_agents([uuid]))[0].get(uuid)

    def hand_out(
        self, job: Job, agent: str, terms: Terms, sender: str, *, token: str = ""
    ) -> Outcome:
        """Give a pending task to an agent."""

        def decide(scene: Scene) -> Move:
            return jobmoves.hand_out(scene, job, agent, terms, sender)

        return self._move(job.uuid, decide, token, agent)

    def claim(self, uuid: str, agent: str, *, token: str = "") -> Outcome:
        """Begin to work on a task."""
        return self._move(uuid, lambda scene: jobmoves.claim(scene, agent), token, agent)

    def finish(
        self, uuid: str, state: Ended, result: str, *, claim: str = "", by: str = ""
    ) -> Outcome:
        """End a task."""
        return self._move(uuid, lambda scene: jobends.finish(scene, state, result, claim, by))

    def give_back(self, uuid: str, why: str, *, claim: str = "", death: bool = False) -> Outcome:
        """Make a task pending again."""
        return self._give_back(uuid, why, claim, "", death=death)

    def make(self, description: str, *, tags: Sequence[str] = (), agent: str = "") -> Job:
        """Make a task that is in no plan."""
        uuid, token = new_uuid(), new_uuid()

        def make() -> Job:
            return self._make(self._scene(uuid, token, agent), description, tags, agent)

        return self._again(make)

    def enlist(self, agent: Agent) -> Agent:
        """Make an agent."""
        return self._staff.enlist(agent)

    def set_state(self, uuid: str, state: AgentState, why: str = "") -> bool:
        """Say how an agent is."""
        return self._again(lambda: self._staff.set_state(uuid, state, why))

    def count_round(self, uuid: str) -> None:
        """Count one round."""
        self._staff.count_round(uuid)

    def beat(self, agent: Agent, claims: Mapping[str, str]) -> frozenset[str]:
        """Show a sign of life."""
        return self._again(lambda: self._staff.beat(agent, claims))

    def bury(self, agent: str, why: str) -> tuple[Job, ...]:
        """An agent is dead.

        It is stopped last, so that one whose burial is cut short is found dead again; what it was
        given before it was stopped is looked for once more afterwards.
        """
        given = self._take_from(agent, why)
        self._again(lambda: self._inboxes.untake(agent))
        self._again(lambda: self._staff.bury(agent, why))
        return (*given, *self._take_from(agent, why))

    def dismiss(self, agents: Iterable[str]) -> int:
        """Remove agents that are gone."""
        return sum(self._staff.dismiss(uuid) for uuid in agents)

    def may_judge(self, lease: float) -> bool:
        """Say whether silence means death."""
        return self._again(lambda: self._lease.may_judge(lease))

    def ask_to_stop(self, uuid: str) -> None:
        """Raise the stop flag."""
        self._again(lambda: self._staff.ask_to_stop(uuid))

    def is_asked_to_stop(self, uuid: str) -> bool:
        """Say whether the flag is up."""
        return self._again(lambda: self._staff.is_asked_to_stop(uuid))

    def send(self, message: Message) -> None:
        """Send a message."""
        self._again(lambda: self._inboxes.send(message))

    def take(self, agent: str) -> Message | None:
        """Take the next message; after a StoreError `untake` comes first."""
        return self._inboxes.take(agent)

    def settle(self, agent: str, message: Message) -> None:
        """Have dealt with a message."""
        self._again(lambda: self._inboxes.settle(agent, message))

    def untake(self, agent: str) -> int:
        """Put back what was taken."""
        return self._again(lambda: self._inboxes.untake(agent))

    def inbox(self, agent: str) -> Sequence[Message]:
        """Look at what lies in an inbox."""
        return self._again(lambda: self._inboxes.inbox(agent))

    def backlog(self) -> Sequence[str]:
        """List the backlog."""
        return self._again(self._reader.backlog)

    def shelve(self, uuid: str) -> bool:
        """Put a pending task into the backlog."""
        return self._again(lambda: self._shelve(uuid))

    def unshelve(self, uuid: str) -> bool:
        """Take a task out of the backlog."""
        return self._connection.execute("LREM", self._keys.own("backlog"), 0, uuid) != 0

    def lead(self, token: str, seconds: float) -> bool:
        """Lead the town."""
        return self._again(lambda: self._lease.lead(token, seconds))

    def leader(self) -> Leader | None:
        """Say who leads."""
        return self._again(self._lease.leader)

    def resign(self, token: str) -> bool:
        """Lead no more."""
        return self._lease.resign(token)

    def log(self, agent: str, line: str) -> None:
        """Add a line to an agent's activity."""
        key = self._keys.of("activity", agent)
        commands = [("LPUSH", key, as_bytes(line)), ("LTRIM", key, 0, _ACTIVITY_LINES - 1)]
        for command in (*commands, ("EXPIRE", key, _ACTIVITY_SECONDS)):
            self._connection.execute(*command)

    def activity(self, agent: str) -> Sequence[str]:
        """Read the lines of an agent's activity, newest first."""
        reply = self._connection.execute("LRANGE", self._keys.of("activity", agent), 0, -1)
        return [part.decode(errors="backslashreplace") for part in cast("list[bytes]", reply)]

    def tell(self, kind: str, message: str, **data: object) -> None:
        """Write an event."""
        step = Step()
        text = event_text(kind, message, self._clock.now_ns(), data)
        step.tell(streams(self._keys, str(data.get("agent_id", ""))), kind, text)
        step.run(self._connection)

    def events(self, count: int, *, agent: str = "", after: str = "") -> Sequence[Happened]:
        """Read events, oldest first."""
        key = streams(self._keys, agent)[-1]
        if not after:
            newest = self._connection.execute("XREVRANGE", key, "+", "-", "COUNT", count)
            return oldest_first(newest)
        later = self._connection.execute("XRANGE", key, f"({after}", "+", "COUNT", count)
        return [read_event(entry) for entry in cast("list[Reply]", later)]

    def dump(self) -> Sequence[SavedKey]:
        """Read the whole town."""
        from tt.adapters.redis.saving import dump_town

        return dump_town(self._connection, self._keys)

    def load(self, saved: Iterable[SavedKey], *, replace: bool = False) -> int:
        """Write a whole town."""
        from tt.adapters.redis.saving import load_town

        return load_town(self._connection, self._keys, saved, replace=replace)

    def _move(
        self, uuid: str, decide: Callable[[Scene], Move], token: str = "", agent: str = ""
    ) -> Outcome:
        """Decide and do until no race is lost; each round means that somebody else did something.

        A step that was done before its answer was lost is known by its token.
        """
        token = token or new_uuid()
        while True:
            outcome = self._again(lambda: self._try(uuid, decide, token, agent))
            if outcome is not None:
                return outcome

    def _try(
        self, uuid: str, decide: Callable[[Scene], Move], token: str, agent: str
    ) -> Outcome | None:
        """Make one attempt; None where the race was lost."""
        scene = self._scene(uuid, token, agent)
        job = self._reader.jobs_of({uuid: scene.task}).get(uuid) if scene.task else None
        if job is None:
            return Outcome(done=False)
        move = decide(scene)
        if move.step is None:
            return Outcome(move.done, job, move.requeued)
        if not move.step.run(self._connection):
            return None
        left = {**scene.task, **move.new}
        after = {name: text for name, text in left.items() if text is not None}
        return Outcome(True, self._reader.jobs_of({uuid: after}).get(uuid), move.requeued)

    def _scene(self, uuid: str, token: str, agent: str) -> Scene:
        """Read what a step on a task rests on; without an `agent`, of the one who holds it."""
        keys, shelf = self._keys, self._keys.own("backlog")
        found = self._reader.hashes([keys.task(uuid)], [uuid]) if UUID.fullmatch(uuid) else {}
        task = found.get(uuid, {})
        of = agent or task.get("assigned_to") or ""
        known = self._reader.hashes([keys.agent(of)], [of]) if UUID.fullmatch(of) else {}
        shelved = self._connection.execute("LPOS", shelf, uuid) is not None
        tagged = '"plan:' in (task.get("tags") or "")
        now = self._clock.now_ns()
        return Scene(keys, uuid, task, known.get(of, {}), token, new_uuid(), now, shelved, tagged)

    def _give_back(self, uuid: str, why: str, claim: str, holder: str, *, death: bool) -> Outcome:
        def decide(scene: Scene) -> Move:
            return jobends.give_back(scene, why, claim, holder, death=death)

        return self._move(uuid, decide)

    def _take_from(self, agent: str, why: str) -> list[Job]:
        """Give back all that an agent holds; a death for what it was working on."""
        held = self._again(lambda: self._reader.held_by(agent))
        given = []
        for job in self.jobs(held).values():
            death = job.state == "running"
            outcome = self._give_back(job.uuid, why, job.claim, agent, death=death)
            if outcome.done and outcome.job is not None:
                given.append(outcome.job)
        return given

    def _make(self, scene: Scene, description: str, tags: Sequence[str], agent: str) -> Job:
        move = jobmoves.make(scene, description, tags, agent)
        if move.step is not None:
            move.step.run(self._connection)  # where it is not done, it was made before
        made = {name: text for name, text in move.new.items() if text is not None}
        return self._reader.jobs_of({scene.uuid: made})[scene.uuid]

    def _shelve(self, uuid: str) -> bool:
        scene = self._scene(uuid, "", "")
        if scene.shelved or not scene.is_at("pending"):
            return False
        step = Step()
        step.expect(scene.task_key, scene.task, "state")
        step.do("RPUSH", self._keys.own("backlog"), uuid)
        return step.run(self._connection)

    def _again(self, ask: Callable[[], T]) -> T:
        """Ask, and once more on a new connection where the first one broke."""
        try:
            return ask()
        except (LostError, MovedError):
            self._reconnect()
            return ask()


def new_uuid() -> str:
    """Return a random uuid (version 4), as tinytown's are. The module `uuid` takes time to load."""
    raw = bytearray(os.urandom(16))
    raw[6], raw[8] = raw[6] & 0x0F | 0x40, raw[8] & 0x3F | 0x80
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
