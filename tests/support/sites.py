"""Clones of one town on in-memory twins: plans as text, other tools as writes into hashes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from tt.adapters.memory import FixedClock, MemoryIdentity, MemoryPlanFile
from tt.adapters.memory_base import MemoryBaseStore
from tt.adapters.memory_journal import MemoryJournal
from tt.adapters.memory_store import MemoryTaskStore, MemoryTown
from tt.adapters.toml_write import task_lines, value_text
from tt.app.look import View, look
from tt.app.site import Site
from tt.app.sync import Request, sync
from tt.core.ids import task_uuid
from tt.core.model import Plan, Task
from tt.core.report import Direction, SyncReport
from tt.core.worktree import RepoState
from tt.record import replace

TOWN = "town"
PUSH, PULL, MERGE = (Request(direction) for direction in Direction)


def plan_text(plan: Plan) -> str:
    """Write a plan as `tt` would."""
    meta = [f"{name} = {value_text(value)}\n" for name, value in plan.meta.items()]
    head = "[meta]\n" + "".join(meta)
    return head + "".join("\n" + task_lines(one, "\n") for one in plan.tasks.values())


class FakeRepository:
    """A history of commits: each has a parent and a plan file, or none."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[str | None, bytes | None]] = {}
        self.head: str | None = None
        self.index: bytes | None = None

    def commit(self, name: str, data: bytes | None) -> None:
        """Make a commit on top of HEAD and go there."""
        self._files[name] = (self.head, data)
        self.head, self.index = name, data

    def go(self, name: str) -> bytes | None:
        """Reset HEAD and index to a commit; return its file."""
        self.head, self.index = name, self._files[name][1]
        return self.index

    @property
    def state(self) -> RepoState:
        """Where the worktree stands."""
        top = Path("/nowhere")
        return RepoState(top, top, top, "main", self.head)

    def show(self, revision: str, path: Path) -> bytes | None:
        """Return the file at a commit; "" is the index."""
        assert path == Path("tasks.toml")
        if revision == "":
            return self.index
        found = self.head if revision == "HEAD" else revision
        return self._files[found][1] if found in self._files else None

    def unmerged(self, path: Path) -> None:
        """Return nothing: no merge is ever left unfinished here."""
        assert path == Path("tasks.toml")

    def versions(self, since: str | None, path: Path) -> list[bytes]:
        """Return the files of the commits from where HEAD left `since`."""
        assert path == Path("tasks.toml")
        known, found = set(self._line(since)), []
        for name in self._line(self.head):
            found.append(self._files[name][1])
            if name in known:
                break
        else:
            if since is not None:
                return []
        return [data for data in reversed(found) if data is not None]

    def _line(self, name: str | None) -> Iterator[str]:
        while name is not None:
            yield name
            name = self._files[name][0]

    def roots(self) -> tuple[str, ...]:
        """Return no roots."""
        return ()


class Clone:
    """One worktree with its plan file and base, on a town that clones may share."""

    def __init__(
        self,
        town: MemoryTown | None = None,
        *tasks: Task,
        repository: FakeRepository | None = None,
        identity: str = "me",
        run_fields: frozenset[str] = frozenset(),
    ) -> None:
        self.memory = MemoryTown() if town is None else town
        clock = FixedClock()
        self.file = MemoryPlanFile()
        self.bases = MemoryBaseStore()
        self.journal = MemoryJournal()
        self.repository = repository
        self.locked = 0
        self.site = Site(
            town=TOWN,
            branch="main",
            path=Path("tasks.toml"),
            file=self.file,
            bases=self.bases,
            journal=self.journal,
            store=MemoryTaskStore(self.memory, TOWN, clock, run_fields),
            repository=repository,
            identity=MemoryIdentity(identity),
            clock=clock,
            lock=self._lock,
        )
        if tasks:
            self.write(*tasks)

    def _lock(self) -> nullcontext[None]:
        self.locked += 1
        return nullcontext()

    def write(self, *tasks: Task, meta: Mapping[str, Any] | None = None) -> None:
        """Write the whole file anew, as an editor does."""
        self.file.data = plan_text(Plan(meta or {}, {one.id: one for one in tasks})).encode()

    def edit(self, old: str, new: str) -> None:
        """Replace text that the file holds."""
        assert self.file.data is not None
        assert old.encode() in self.file.data, self.file.data.decode()
        self.file.data = self.file.data.replace(old.encode(), new.encode())

    def sync(self, request: Request = MERGE, **changes: Any) -> SyncReport:
        """Sync; `changes` are to the request."""
        return sync(self.site, replace(request, **changes))

    def look(self) -> View:
        """Look at both sides, writing nothing."""
        return look(self.site)

    @property
    def plan(self) -> Plan:
        """What the file says."""
        snapshot = self.file.read()
        assert snapshot is not None
        return snapshot.plan

    @property
    def stored(self) -> Plan:
        """What the town says, hashes of other tools as they are."""
        state = self.site.store.load(self.plan.tasks)
        tasks = {identifier: stored.task for identifier, stored in state.tasks.items()}
        return Plan(state.town.meta if state.town else {}, tasks)

    def raw(self, identifier: str) -> dict[str, str]:
        """Return a task's hash, for other tools to write into."""
        return self.memory.tasks[task_uuid(TOWN, identifier)]

    def status(self, identifier: str) -> tuple[str, str]:
        """Return a task's status in the file and in the store."""
        return self.plan.tasks[identifier].status, self.raw(identifier)["state"]

    def everything(self) -> tuple[object, ...]:
        """Return all that a sync could write, to be compared."""
        base = self.bases.load()
        version = base.version if base else None
        town = frozen(self.memory)
        return self.file.data, self.file.writes, version, town


def frozen(memory: MemoryTown) -> MemoryTown:
    """Return a copy that no later write changes: a dump of the town."""
    tasks = {uuid: dict(raw) for uuid, raw in memory.tasks.items()}
    return MemoryTown(tasks, dict(memory.agents), dict(memory.plan), dict(memory.stones))


def restore(memory: MemoryTown, dump: MemoryTown | None = None) -> None:
    """Put a dump back; without one, flush the town."""
    kept = frozen(dump or MemoryTown())
    memory.tasks, memory.agents, memory.plan, memory.stones = (
        kept.tasks,
        kept.agents,
        kept.plan,
        kept.stones,
    )


def foreign_hash(uuid: str, description: str, tags: str = "[]", **fields: str) -> dict[str, str]:
    """Make a hash as tinytown does."""
    stamp = "2026-01-31T10:00:00.123456789+00:00"
    return {
        "id": uuid,
        "description": description,
        "state": "pending",
        "created_at": stamp,
        "updated_at": stamp,
        "tags": tags,
        **fields,
    }


class Crash(Exception):  # noqa: N818  it is no error of anybody's
    """The process was killed."""


def crash_at(site: Site, call: int) -> Site:
    """Return a site where `call` writes happen, and the process dies in place of the next."""
    count = iter(range(call))

    def killing(target: object, names: Iterable[str]) -> Any:
        return _Killing(target, set(names), lambda: next(count, None) is None)

    return replace(
        site,
        store=killing(site.store, ("apply", "touch", "tag")),
        file=killing(site.file, ("write",)),
        bases=killing(site.bases, ("save",)),
        journal=killing(site.journal, ("begin", "end")),
    )


class _Killing:
    """Passes everything on, but raises Crash in place of a call that is one too many."""

    def __init__(self, target: object, names: set[str], dead: Callable[[], bool]) -> None:
        self._target, self._names, self._dead = target, names, dead

    def __getattr__(self, name: str) -> Any:
        if name in self._names and self._dead():
            raise Crash(name)
        return getattr(self._target, name)
