"""Worlds for histories: one town and its clones, on twins or on real files and a real server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Protocol, cast

from tests.support.sites import TOWN, Clone, Crash, crash_at, frozen, plan_text, restore
from tt.adapters.base_files import FileBaseStore
from tt.adapters.journal import FileJournal
from tt.adapters.memory import FixedClock, MemoryIdentity
from tt.adapters.memory_store import MemoryTown
from tt.adapters.planfile import TomlPlanFile
from tt.adapters.redis.commands import Arg, Command, Commands
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.replies import Reply
from tt.adapters.redis.store import RedisTaskStore
from tt.app.site import Site
from tt.core.model import Plan, Task
from tt.ports import BaseStore
from tt.record import replace


class Worktree(Protocol):
    """A clone as a history uses it."""

    site: Site

    @property
    def plan(self) -> Plan:
        """What the file says."""
        ...

    def write(self, *tasks: Task, meta: Any = None) -> None:
        """Write the file anew, as an editor does."""
        ...

    def print(self) -> object:
        """Return all that a sync may have written here, to be compared."""
        ...

    def dying(self, calls: int) -> Site:
        """Return a site whose process dies after so many writes."""
        ...


class World(Protocol):
    """A town that other tools write into, and the clones that share it."""

    clones: list[Worktree]

    def hashes(self) -> dict[str, dict[str, str]]:
        """Return the tasks' hashes by uuid."""
        ...

    def put(self, uuid: str, raw: dict[str, str]) -> None:
        """Write fields of a hash."""
        ...

    def drop(self, uuid: str) -> None:
        """Delete a hash, leaving no tombstone."""
        ...

    def dump(self) -> object:
        """Return a copy of the whole town."""
        ...

    def restore(self, dump: object | None) -> None:
        """Put a copy in place of the town; None flushes it."""
        ...


class TwinClone(Clone):
    """A clone on in-memory twins."""

    def print(self) -> object:
        base = self.bases.load()
        return self.file.data, self.file.writes, base.version if base else None

    def dying(self, calls: int) -> Site:
        return crash_at(self.site, calls)


class TwinWorld:
    """A world in memory."""

    def __init__(self, clones: int, first: Plan) -> None:
        self.memory = MemoryTown()
        self.clones = [cast("Worktree", TwinClone(self.memory)) for _ in range(clones)]
        for clone in self.clones:
            clone.write(*first.tasks.values())

    def hashes(self) -> dict[str, dict[str, str]]:
        return frozen(self.memory).tasks

    def put(self, uuid: str, raw: dict[str, str]) -> None:
        self.memory.tasks.setdefault(uuid, {}).update(raw)

    def drop(self, uuid: str) -> None:
        self.memory.tasks.pop(uuid, None)

    def dump(self) -> object:
        return frozen(self.memory)

    def restore(self, dump: object | None) -> None:
        restore(self.memory, cast("MemoryTown | None", dump))


class RealClone:
    """A clone on a plan file, a base and a connection of its own."""

    def __init__(
        self, directory: Path, first: Plan, connection: Connection, bases: BaseStore
    ) -> None:
        self.path = directory / "tasks.toml"
        self.connection = connection
        clock = FixedClock()
        self.site = Site(
            town=TOWN,
            branch="main",
            path=Path("tasks.toml"),
            file=TomlPlanFile(self.path, "tasks.toml"),
            bases=bases,
            journal=FileJournal(directory / ".tt" / "begun"),
            store=RedisTaskStore(connection, TOWN, clock),
            repository=None,
            identity=MemoryIdentity("me"),
            clock=clock,
            lock=nullcontext,
        )
        self.write(*first.tasks.values())

    @property
    def plan(self) -> Plan:
        snapshot = self.site.file.read()
        assert snapshot is not None
        return snapshot.plan

    def write(self, *tasks: Task, meta: Any = None) -> None:
        text = plan_text(Plan(meta or {}, {one.id: one for one in tasks}))
        self.path.write_bytes(text.encode())

    def print(self) -> object:
        base, found = self.site.bases.load(), self.path.stat()
        version = base.version if base else None
        return self.path.read_bytes(), found.st_mtime_ns, found.st_ino, version

    def dying(self, calls: int) -> Site:
        dying = DyingConnection(self.connection, calls)
        site = replace(self.site, store=RedisTaskStore(dying, TOWN, FixedClock()))
        return crash_at(site, calls // 2)


class RealWorld:
    """A world of files below a directory and one town on a real server, which it has alone."""

    def __init__(self, clones: int, first: Plan, directory: Path, connection: Connection) -> None:
        self.connection = connection
        connection.execute("FLUSHALL")
        self.clones = []
        for number in range(clones):
            place = directory / str(number)
            place.mkdir()
            bases = FileBaseStore(place / ".tt" / "base", TOWN)
            self.clones.append(RealClone(place, first, connection, bases))

    def _keys(self) -> Iterator[str]:
        keys = cast("list[bytes]", self.connection.execute("KEYS", "*"))
        yield from sorted(key.decode() for key in keys)

    def hashes(self) -> dict[str, dict[str, str]]:
        found = {}
        for key in self._keys():
            if ":task:" in key:
                flat = cast("list[bytes]", self.connection.execute("HGETALL", key))
                texts = [part.decode() for part in flat]
                found[key.rpartition(":")[2]] = dict(zip(texts[::2], texts[1::2], strict=True))
        return found

    def put(self, uuid: str, raw: dict[str, str]) -> None:
        flat = [part for pair in raw.items() for part in pair]
        self.connection.execute("HSET", f"tt:{TOWN}:task:{uuid}", *flat)

    def drop(self, uuid: str) -> None:
        self.connection.execute("DEL", f"tt:{TOWN}:task:{uuid}")

    def dump(self) -> object:
        return {key: self.connection.execute("DUMP", key) for key in self._keys()}

    def restore(self, dump: object | None) -> None:
        self.connection.execute("FLUSHALL")
        for key, data in cast("dict[str, bytes]", dump or {}).items():
            self.connection.execute("RESTORE", key, 0, data)


class DyingConnection:
    """Sends so many writing commands, also of one pipeline, and dies in place of the next."""

    def __init__(self, connection: Commands, left: int) -> None:
        self.address = connection.address
        self._connection = connection
        self._left = left

    def execute(self, *args: Arg) -> Reply:
        return self._connection.execute(*args) if self._reads(args) else self.pipeline([args])[0]

    def stream(self, commands: Iterable[Command]) -> Iterator[Reply]:
        return self._connection.stream(commands)

    def pipeline(self, commands: Iterable[Command]) -> list[Reply]:
        wanted = list(commands)
        if all(map(self._reads, wanted)):
            return self._connection.pipeline(wanted)
        allowed = wanted[: self._left]
        self._left -= len(allowed)
        replies = self._connection.pipeline(allowed)
        if len(allowed) < len(wanted):
            raise Crash("the connection's process")
        return replies

    def _reads(self, command: Command) -> bool:
        return str(command[0]).upper() in {"HGETALL", "HGET", "HMGET", "SCAN", "TYPE", "EXISTS"}
