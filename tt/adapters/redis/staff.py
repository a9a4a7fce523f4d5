"""The agents of one town: enlisted, watched over, removed. Each change is one step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from tt.adapters.redis.agenthash import agent_fields
from tt.adapters.redis.chronicle import keep_activity
from tt.adapters.redis.codec import Hash
from tt.adapters.redis.commands import Arg, Command, Commands
from tt.adapters.redis.happenings import event_text, streams
from tt.adapters.redis.keys import UUID, TownKeys
from tt.adapters.redis.steps import Step, as_bytes, run_script
from tt.adapters.redis.workboard import BoardReader
from tt.core.agents import GONE, Agent, AgentState
from tt.core.times import rfc3339
from tt.errors import TTError
from tt.ports import Clock
from tt.record import replace
from tt.workports import Standing

_STARTS: Final = (AgentState.COLD, AgentState.STARTING)
_STOP_SECONDS: Final = 3_600
_LISTS: Final = ("inbox", "urgent", "taken", "refused", "stop", "alive", "activity")


class Staff:
    """The agents of one town."""

    __slots__ = ("_clock", "_connection", "_keys", "_reader")

    def __init__(
        self, connection: Commands, keys: TownKeys, clock: Clock, reader: BoardReader
    ) -> None:
        self._connection, self._keys, self._clock = connection, keys, clock
        self._reader = reader

    def begun(self, agent: Agent) -> Agent:
        """Return an agent as it is to be enlisted now."""
        stamp = rfc3339(self._clock.now_ns())
        return replace(
            agent,
            created_at=agent.created_at or stamp,
            last_heartbeat=stamp,
            last_active_at=agent.last_active_at or stamp,
            alive=agent.is_ours,
        )

    def enlist(self, made: Agent) -> None:
        """Make an agent that has begun; see `tt.workports.Workshop`. Made twice is made once."""
        while not self._try_enlist(made):
            pass

    def set_state(
        self, uuid: str, state: AgentState, why: str, since: AgentState | None = None
    ) -> bool:
        """Say how an agent is; see `tt.workports.Workshop`."""
        while (raw := self._read(uuid)) is not None:
            was = raw.get("state") or ""
            if was == state:
                return True
            if since is not None and was != since:
                return False
            if was in GONE and state not in _STARTS and state not in GONE:
                return False
            if self._change_state(uuid, raw, state, why):
                return True
        return False

    def bury(self, uuid: str, why: str) -> bool:
        """Stop an agent that is not gone; False where it is, or is not there."""
        while (raw := self._read(uuid)) is not None and raw.get("state") not in GONE:
            if self._change_state(uuid, raw, AgentState.STOPPED, why):
                return True
        return False

    def end_round(self, uuid: str, rounds: int, line: str) -> None:
        """Say how many rounds an agent has done; see `tt.workports.Workshop`."""
        step, key = Step(), self._keys.agent(uuid)
        step.expect(key, {"id": uuid}, "id")
        stamp = rfc3339(self._clock.now_ns())
        step.change(key, {}, {"rounds_completed": str(rounds), "last_active_at": stamp})
        keep_activity(step, self._keys, uuid, line)
        step.run(self._connection)  # where it is not done, there is no such agent any more

    def beat(self, agent: Agent, claims: Mapping[str, str]) -> frozenset[str]:
        """Show a sign of life; see `tt.workports.Workshop`."""
        keys = [self._keys.agent(agent.uuid), self._keys.of("alive", agent.uuid)]
        keys += [self._keys.task(uuid) for uuid in claims]
        stamp, lease = rfc3339(self._clock.now_ns()), max(1, round(agent.lease * 1000))
        process = f"{agent.host} {agent.pid or ''} {agent.born}"
        args: list[Arg] = [agent.uuid, stamp, lease, *map(as_bytes, (process, *claims.values()))]
        lost = cast("list[int]", run_script(self._connection, "beat", keys, args))
        uuids = list(claims)
        return frozenset(uuids[number - 1] for number in lost)

    def dismiss(self, uuid: str) -> bool:
        """Remove an agent that is gone, with its lists; False where it is not."""
        raw = self._read(uuid)
        if raw is None or raw.get("state") not in GONE:
            return False
        step, key, names = Step(), self._keys.agent(uuid), self._keys.own("names")
        step.expect(key, raw, "state")
        for kind in _LISTS:
            step.do("DEL", self._keys.of(kind, uuid))
        step.do("DEL", self._keys.of("events:agent", uuid))
        step.do("DEL", key)
        taken = self._hash(names)
        if raw.get("name") and taken.get(raw["name"]) == uuid:
            step.expect(names, taken, raw["name"])
            step.do("HDEL", names, as_bytes(raw["name"]))
        return step.run(self._connection)

    def ask_to_stop(self, uuid: str) -> None:
        """Raise the stop flag; see `tt.workports.Workshop`."""
        self._connection.execute("SET", self._keys.of("stop", uuid), "1", "EX", _STOP_SECONDS)

    def standing(self, uuid: str) -> Standing:
        """Look at all that others may have changed of an agent; see `tt.workports.Workshop`."""
        stop, inbox, urgent = (self._keys.of(kind, uuid) for kind in ("stop", "inbox", "urgent"))
        asked: list[Command] = [("EXISTS", stop), ("EXISTS", inbox, urgent)]
        agent, (flags, lists) = self._reader.agent_and(uuid, asked)
        return Standing(agent, flags != 0, lists != 0)

    def _try_enlist(self, agent: Agent) -> bool:
        """Make an agent's hash; False where a race was lost. Raises TTError for a taken name."""
        now = self._clock.now_ns()
        key, names, step = self._keys.agent(agent.uuid), self._keys.own("names"), Step()
        taken, raw = self._hash(names), self._read(agent.uuid) or {}
        step.expect(names, taken, agent.name)
        step.expect(key, raw, "state")
        holder = taken.get(agent.name, "")
        if UUID.fullmatch(holder) and holder != agent.uuid:
            step.expect(self._keys.agent(holder), self._read(holder) or {}, "state")
        others, _ = self._reader.agents()  # last: what is judged is not older than what is expected
        own = others.get(agent.uuid)
        if own is not None and replace(own, alive=agent.alive) == agent:
            return True
        self._check_name(agent, others)
        data = {"agent_id": agent.uuid, "new_state": str(agent.state)}
        text = event_text("agent_spawned", f"Agent {agent.name} spawned", now, data)
        step.tell(streams(self._keys, agent.uuid), "agent_spawned", text)
        step.do("HSET", names, as_bytes(agent.name), agent.uuid)
        step.change(key, raw, agent_fields(agent))
        step.do("DEL", self._keys.of("stop", agent.uuid))
        if agent.is_ours:
            lease = max(1, round(agent.lease * 1000))
            step.do("SET", self._keys.of("alive", agent.uuid), "1", "PX", lease)
        return step.run(self._connection)

    def _check_name(self, agent: Agent, others: Mapping[str, Agent]) -> None:
        own = others.get(agent.uuid)
        named = [other for other in others.values() if other.name == agent.name]
        there = [other for other in named if other.state not in GONE]
        if own is not None and own.state not in GONE:
            there.append(own)
        if there:
            raise TTError(
                f"The town {self._keys.town} has an agent called {there[0].name} already, "
                f"which is {there[0].state}.",
                "Choose another name, or see `tt list`.",
            )

    def _change_state(self, uuid: str, raw: Hash, state: AgentState, why: str) -> bool:
        now, key, step = self._clock.now_ns(), self._keys.agent(uuid), Step()
        was, name = raw.get("state") or "", raw.get("name") or uuid
        step.expect(key, raw, "id", "state")
        kind = "agent_stopped" if state == AgentState.STOPPED else "agent_state_changed"
        data = {"agent_id": uuid, "old_state": was, "new_state": str(state), "reason": why}
        text = event_text(kind, f"Agent {name} is {state}", now, data)
        step.tell(streams(self._keys, uuid), kind, text)
        gone = {"current_task": None} if state in GONE else {}
        step.change(key, raw, {"state": str(state), "last_active_at": rfc3339(now), **gone})
        if state in GONE:
            step.do("DEL", self._keys.of("alive", uuid))
        if state in GONE or state in _STARTS:
            step.do("DEL", self._keys.of("stop", uuid))
        return step.run(self._connection)

    def _read(self, uuid: str) -> Hash | None:
        return self._hash(self._keys.agent(uuid)) or None

    def _hash(self, key: str) -> Hash:
        return self._reader.hashes([key]).get(key, {})
