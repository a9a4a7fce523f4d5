"""A town as other tools and other clones see it: its raw keys, in Redis and in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, cast

from tt.adapters.memory_store import MemoryTaskStore, MemoryTown
from tt.adapters.redis.commands import scan
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.keys import TownKeys
from tt.adapters.redis.store import RedisTaskStore
from tt.ports import TaskStore

Texts = dict[str, str]


@dataclass
class TickingClock:
    """A `Clock` that goes on by one second each time somebody looks."""

    now: int = 1_795_000_000_123_456_789

    def now_ns(self) -> int:
        self.now += 1_000_000_000
        return self.now


class World(Protocol):
    """One town, with everything that somebody else may do to it."""

    town: str
    clock: TickingClock

    def store(self, *run_fields: str) -> TaskStore: ...

    def put(self, uuid: str, fields: Mapping[str, str | None]) -> None:
        """Set fields of a task's hash; None takes one away."""

    def drop(self, uuid: str) -> None: ...

    def hash(self, uuid: str) -> Texts: ...

    def agent(self, uuid: str, name: str) -> None: ...

    def set_plan(self, fields: Mapping[str, str]) -> None: ...

    def plan(self) -> Texts: ...

    def set_stone(self, plan_id: str, text: str) -> None: ...

    def stones(self) -> Texts: ...

    def everything(self) -> dict[str, Texts]:
        """Return all hashes of the town by key."""


@dataclass
class MemoryWorld:
    town: str
    memory: MemoryTown = field(default_factory=MemoryTown)
    clock: TickingClock = field(default_factory=TickingClock)

    def store(self, *run_fields: str) -> TaskStore:
        return MemoryTaskStore(self.memory, self.town, self.clock, frozenset(run_fields))

    def put(self, uuid: str, fields: Mapping[str, str | None]) -> None:
        _update(self.memory.tasks.setdefault(uuid, {}), fields)

    def drop(self, uuid: str) -> None:
        self.memory.tasks.pop(uuid, None)

    def hash(self, uuid: str) -> Texts:
        return dict(self.memory.tasks.get(uuid, {}))

    def agent(self, uuid: str, name: str) -> None:
        self.memory.agents[uuid] = name

    def set_plan(self, fields: Mapping[str, str]) -> None:
        self.memory.plan.update(fields)

    def plan(self) -> Texts:
        return dict(self.memory.plan)

    def set_stone(self, plan_id: str, text: str) -> None:
        self.memory.stones[plan_id] = text

    def stones(self) -> Texts:
        return dict(self.memory.stones)

    def everything(self) -> dict[str, Texts]:
        keys = TownKeys(self.town)
        found = {keys.task(uuid): dict(raw) for uuid, raw in self.memory.tasks.items()}
        found[keys.plan], found[keys.tombstones] = self.plan(), self.stones()
        return {key: raw for key, raw in found.items() if raw}


@dataclass
class RedisWorld:
    town: str
    connection: Connection
    clock: TickingClock = field(default_factory=TickingClock)

    def __post_init__(self) -> None:
        self.keys = TownKeys(self.town)

    def store(self, *run_fields: str) -> TaskStore:
        return RedisTaskStore(self.connection, self.town, self.clock, frozenset(run_fields))

    def put(self, uuid: str, fields: Mapping[str, str | None]) -> None:
        for name, text in fields.items():
            if text is None:
                self.connection.execute("HDEL", self.keys.task(uuid), name)
            else:
                self.connection.execute("HSET", self.keys.task(uuid), name, text)

    def drop(self, uuid: str) -> None:
        self.connection.execute("DEL", self.keys.task(uuid))

    def hash(self, uuid: str) -> Texts:
        return self.read(self.keys.task(uuid))

    def agent(self, uuid: str, name: str) -> None:
        self.connection.execute("HSET", self.keys.agent(uuid), "id", uuid, "name", name)

    def set_plan(self, fields: Mapping[str, str]) -> None:
        for name, text in fields.items():
            self.connection.execute("HSET", self.keys.plan, name, text)

    def plan(self) -> Texts:
        return self.read(self.keys.plan)

    def set_stone(self, plan_id: str, text: str) -> None:
        self.connection.execute("HSET", self.keys.tombstones, plan_id, text)

    def stones(self) -> Texts:
        return self.read(self.keys.tombstones)

    def everything(self) -> dict[str, Texts]:
        prefix = self.keys.task("").encode()
        keys = [key for key in scan(self.connection, "tt:") if key.startswith(prefix)]
        texts = [key.decode() for key in keys] + [self.keys.plan, self.keys.tombstones]
        return {key: raw for key in texts if (raw := self.read(key))}

    def read(self, key: str) -> Texts:
        flat = cast("list[bytes]", self.connection.execute("HGETALL", key))
        texts = [part.decode(errors="surrogateescape") for part in flat]
        return dict(zip(texts[::2], texts[1::2], strict=True))


def _update(raw: Texts, fields: Mapping[str, str | None]) -> None:
    for name, text in fields.items():
        if text is None:
            raw.pop(name, None)
        else:
            raw[name] = text
