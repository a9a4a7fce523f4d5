"""Reading a town as a place of work: all of it, or some tasks; nothing is ever written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import cast

from tt.adapters.bulk import undisturbed
from tt.adapters.redis.agenthash import BadAgentError, read_agent
from tt.adapters.redis.asking import agent_names, endings, find_tasks
from tt.adapters.redis.codec import UNNOTICED, Hash
from tt.adapters.redis.commands import Command, Commands
from tt.adapters.redis.hashes import Shapes
from tt.adapters.redis.jobfields import job_of, uuid_in
from tt.adapters.redis.keys import UUID, TownKeys
from tt.adapters.redis.loading import TownLoader
from tt.adapters.redis.reading import Rest, TownReading
from tt.adapters.redis.replies import Reply, ReplyError, refused
from tt.core.agents import Agent
from tt.core.jobs import Board, Job
from tt.core.model import EMPTY, RUN_FIELDS
from tt.core.report import Fault
from tt.ports import NO_UUIDS, StoreState

_NO_FIELDS: frozenset[str] = frozenset()


class BoardReader:
    """Reads one town. It remembers the plan ids of the tasks that it has read, to name parents."""

    __slots__ = ("_connection", "_keys", "_names", "_shapes")

    def __init__(self, connection: Commands, keys: TownKeys) -> None:
        self._connection, self._keys = connection, keys
        self._names: dict[str, str] = {}
        self._shapes = Shapes(UNNOTICED | RUN_FIELDS)

    def board(self) -> Board:
        """Read everything."""
        with undisturbed():
            state = TownLoader(self._connection, self._keys, _NO_FIELDS).load((), NO_UUIDS)
            jobs = {stored.uuid: job_of(stored) for stored in state.tasks.values()}
            self._names = {uuid: job.task.id for uuid, job in jobs.items()}
            agents, faults = self.agents()
        meta = state.town.meta if state.town is not None else EMPTY
        faults = [*state.faults, *faults]
        return Board(jobs, agents, meta, self.backlog(), tuple(faults), state.aside)

    def jobs(self, uuids: Collection[str]) -> dict[str, Job]:
        """Read some tasks; those that are not there, or cannot be read, are left out."""
        return self.jobs_of(self._tasks([uuid for uuid in uuids if UUID.fullmatch(uuid)]))

    def jobs_of(self, raws: Mapping[str, Hash]) -> dict[str, Job]:
        """Return hashes that were read, by uuid, as jobs."""
        reading = TownReading(self._keys, _NO_FIELDS, (), {}, Rest(self._names, frozenset()))
        for uuid, raw in {**self._parents(raws), **raws}.items():
            reading.add(uuid, raw)
        state = reading.state({}, {}, self._reassigned(raws.values()))
        found = {job.uuid: job for job in _every_job(state)}
        self._names.update((uuid, job.task.id) for uuid, job in found.items())
        return {uuid: found[uuid] for uuid in raws if uuid in found}

    def agents(self) -> tuple[dict[str, Agent], list[Fault]]:
        """Read all agents by uuid, in the order in which they were made, and what is set aside."""
        return self.some_agents(sorted(set(endings(self._connection, self._keys.agent("")))))

    def some_agents(self, uuids: Collection[str]) -> tuple[dict[str, Agent], list[Fault]]:
        """Read some agents like `agents`; those that are not there are left out."""
        uuids = [uuid for uuid in uuids if UUID.fullmatch(uuid)]
        commands: list[Command] = []
        for uuid in uuids:
            commands += (
                ("HGETALL", self._keys.agent(uuid)),
                ("EXISTS", self._keys.of("alive", uuid)),
            )
        replies = self._connection.pipeline(commands)
        found, faults = {}, []
        for uuid, flat, alive in zip(uuids, replies[::2], replies[1::2], strict=True):
            if isinstance(alive, ReplyError):  # whoever is not known to be alive would be buried
                raise refused(alive, self._connection.address, "EXISTS")
            try:
                raw = self._hash(flat)
                if raw:
                    found[uuid] = read_agent(uuid, raw, alive=alive == 1)
            except BadAgentError as error:
                faults.append(Fault(self._keys.agent(uuid), str(error)))
        order = sorted(found.values(), key=lambda agent: (agent.created_at, agent.uuid))
        return {agent.uuid: agent for agent in order}, faults

    def agent_and(self, uuid: str, asked: Sequence[Command]) -> tuple[Agent | None, list[Reply]]:
        """Read one agent, and return what is `asked` besides. Raises StoreError."""
        key = self._keys.agent(uuid)
        alive: Command = ("EXISTS", self._keys.of("alive", uuid))
        found, (lives, *others) = self.hashes_and([key], [alive, *asked])
        try:
            agent = read_agent(uuid, found[key], alive=lives == 1) if key in found else None
        except BadAgentError:
            agent = None
        return agent, others

    def held_by(self, agent: str) -> list[str]:
        """List the uuids of the tasks that an agent is to do, or does."""
        uuids, _ = find_tasks(self._connection, self._keys)
        asked = (("HMGET", self._keys.task(uuid), "assigned_to", "state") for uuid in uuids)
        held = [[agent.encode(), state] for state in (b"assigned", b"running")]
        read = zip(uuids, self._connection.stream(asked), strict=True)
        return [uuid for uuid, reply in read if reply in held]

    def backlog(self) -> tuple[str, ...]:
        """List the uuids in the backlog; what is none is left out."""
        reply = self._connection.execute("LRANGE", self._keys.own("backlog"), 0, -1)
        texts = (part.decode(errors="replace") for part in cast("list[bytes]", reply))
        return tuple(text for text in texts if UUID.fullmatch(text))

    def hashes(self, keys: Sequence[str]) -> dict[str, Hash]:
        """Read hashes, and return by key those that are there and are hashes."""
        return self.hashes_and(keys, ())[0]

    def hashes_and(
        self, keys: Sequence[str], asked: Sequence[Command]
    ) -> tuple[dict[str, Hash], list[Reply]]:
        """Read hashes like `hashes`, and return what is `asked` besides. Raises StoreError."""
        commands = [("HGETALL", key) for key in keys]
        replies = self._connection.pipeline([*commands, *asked])
        found: dict[str, Hash] = {}
        for key, reply in zip(keys, replies, strict=False):
            if not _is_wrong_type(reply) and (raw := self._hash(reply)):
                found[key] = raw
        others = replies[len(keys) :]
        for reply in others:
            if isinstance(reply, ReplyError):
                raise refused(reply, self._connection.address, str(asked[0][0]))
        return found, others

    def _hash(self, reply: Reply) -> Hash:
        if _is_wrong_type(reply):
            raise BadAgentError("it is not a hash")
        if isinstance(reply, ReplyError):
            raise refused(reply, self._connection.address, "HGETALL")
        return self._shapes.hash(cast("list[bytes]", reply))

    def _parents(self, raws: Mapping[str, Hash]) -> dict[str, Hash]:
        """Read the parents that nobody here has heard of."""
        named = {uuid_in(raw, "parent_id") for raw in raws.values()}
        unknown = sorted(named - {""} - raws.keys() - self._names.keys())
        return self._tasks(unknown) if unknown else {}

    def _tasks(self, uuids: Iterable[str]) -> dict[str, Hash]:
        """Read the hashes of tasks, by uuid."""
        keys = {self._keys.task(uuid): uuid for uuid in uuids}
        return {keys[key]: raw for key, raw in self.hashes(list(keys)).items()}

    def _reassigned(self, raws: Iterable[Hash]) -> dict[str, str]:
        """Return the names of the agents that override what a task's own `agent` says, or whom a
        task of no plan is for."""
        uuids = {
            uuid_in(raw, "assigned_to")
            for raw in raws
            if (raw.get("agent") or '"plan:' not in raw.get("tags", ""))
            and raw.get("agent_for") != raw.get("assigned_to")
        } - {""}
        return agent_names(self._connection, self._keys, uuids) if uuids else {}


def _every_job(state: StoreState) -> list[Job]:
    copies = [copy for group in state.copies.values() for copy in group]
    return [job_of(stored) for stored in (*state.tasks.values(), *copies)]


def _is_wrong_type(reply: Reply) -> bool:
    return isinstance(reply, ReplyError) and reply.code == "WRONGTYPE"
