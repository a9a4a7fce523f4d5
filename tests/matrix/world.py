"""A directory of repositories and one town in Redis: made once, put back for every cell."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from tests.matrix.versions import EDITS, name, name_plan, text
from tests.support.commands import Ended, keys, tasks_of, write_hash
from tests.support.hooked import Shell, Step
from tests.support.redis_server import RedisServer
from tt.adapters.base_git import GitBaseStore
from tt.adapters.clock import SystemClock
from tt.adapters.gitrepo import GitRepository, find
from tt.adapters.redis.store import RedisTaskStore
from tt.core.model import Plan

PLAN_FILE: Final = "tasks.toml"
RESULT: Final = "as told"
"""What an agent says of its work, in Redis alone: no hook may lose it."""

_RESTORE: Final = """
copy=$1 root=$2
shift 2
rm -rf "$root"
cp -a "$copy" "$root"
for top; do git -C "$top" update-index -q --refresh || :; done
"""
"""The copies have other inodes than the index knows, so it is told of them."""

_FIELDS: Final = {"status": "state"}


@dataclass
class World:
    """The repository `here`, whatever is beside it below `root`, and the server.

    `record` is where the user's own hooks note that they ran.
    """

    root: Path
    shell: Shell

    @property
    def here(self) -> Path:
        """The repository that most commands are run in."""
        return self.root / "here"

    @property
    def record(self) -> Path:
        """Where the user's own hooks note that they ran."""
        return self.root.parent / "record"

    def git(self, *words: str, where: str = "here", given: str | None = None, **env: str) -> str:
        """Run a Git command of the preparations, without any hook of ours."""
        return self.shell.quiet(self.root / where, *words, given=given, **env)

    def tt(self, *words: str, where: str = "here", **env: str) -> Ended:
        """Run `tt`, which has to succeed."""
        return self.shell.done(self.root / where, *words, **env)

    def step(self, step: Step, **env: str) -> Ended:
        """Run one step, hooks and all."""
        environment = {"TT_TEST_RECORD": str(self.record), **env, **step.env}
        where = self.root / (step.where or "here")
        return self.shell.run(step.words, where, step.given, **environment)

    def write(self, version: str, *, where: str = "here", file: str = PLAN_FILE) -> None:
        """Write the plan as an editor does, with the line endings that it has."""
        path = self.root / where / file
        crlf = path.exists() and b"\r\n" in path.read_bytes()
        data = text(version).encode()
        path.write_bytes(data.replace(b"\n", b"\r\n") if crlf else data)

    def put(self, path: str, content: str, *, where: str = "here") -> Path:
        """Write another file."""
        file = self.root / where / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        return file

    def commit(self, version: str, title: str, *, where: str = "here") -> None:
        """Commit a version of the plan, without any hook of ours."""
        self.write(version, where=where)
        self.git("add", PLAN_FILE, where=where)
        self.git("commit", "-q", "-m", title, where=where)

    def agents_write(self, version: str, town: str) -> None:
        """Write edits into Redis as agents and other tools do: fields of hashes, nothing more."""
        tasks = tasks_of(self.shell.server, town)
        for letter in version:
            for spot in EDITS[letter]:
                key = f"tt:{town}:task:{tasks[spot.task]['id']}"
                field, value = _FIELDS.get(spot.field, spot.field), spot.after.strip('"')
                more = {"result": RESULT} if field == "state" else {}
                write_hash(self.shell.server, key, **{field: value}, **more)

    def flush(self) -> None:
        """Lose everything in Redis."""
        with self.shell.server.connect() as connection:
            connection.execute("FLUSHALL")


@dataclass
class Template:
    """A world as it was, to start from again and again: its files and all keys of the server."""

    world: World
    copy: Path
    dumps: Mapping[bytes, bytes]
    worktrees: tuple[str, ...]

    @classmethod
    def take(cls, world: World, copy: Path) -> Template:
        """Keep the world as it is now, with its objects in few files."""
        found = repositories(world.root)
        for top in found:
            world.git("repack", "-q", "-a", "-d", "-k", where=str(top))
        shutil.copytree(world.root, copy, symlinks=True)
        worktrees = tuple(str(top) for top in found if (top / ".git").exists())
        return cls(world, copy, keys(world.shell.server), worktrees)

    def restore(self) -> World:
        """Make everything as it was, at the very same path."""
        world, root = self.world, self.world.root
        world.record.unlink(missing_ok=True)
        again = ["sh", "-ec", _RESTORE, "sh", str(self.copy), str(root), *self.worktrees]
        restored = world.shell.run(again, root.parent)
        assert restored.code == 0, restored
        with world.shell.server.connect() as connection:
            connection.execute("FLUSHALL")
            connection.pipeline(("RESTORE", key, 0, data) for key, data in self.dumps.items())
        return world


class Sides(NamedTuple):
    """The version that each place has: HEAD, the index, the worktree, Redis, and the base."""

    head: str
    staged: str
    file: str
    redis: str
    base: str


class Place(NamedTuple):
    """Where to look: the worktree, the plan's path in it, its path in Git, the town."""

    where: str = "here"
    file: str = PLAN_FILE
    tracked: str = ""
    town: str = "here-main"

    @property
    def path(self) -> str:
        """The path that Git has."""
        return self.tracked or self.file


def sides(world: World, place: Place, head: bytes | None, index: bytes | None) -> Sides:
    """Name the version in all five places, `head` and `index` being what Git has there."""
    top = world.root / place.where
    file = top / place.file
    return Sides(
        name(head),
        name(index),
        name(file.read_bytes() if file.exists() else None),
        name_plan(in_redis(world.shell.server, place.town)),
        name_plan(in_base(top, place.town)),
    )


def in_redis(server: RedisServer, town: str) -> Plan | None:
    """Return what a town says; None where there is none."""
    with server.connect() as connection:
        state = RedisTaskStore(connection, town, SystemClock()).load()
    assert not state.faults, state.faults
    if state.town is None:
        return None
    return Plan(state.town.meta, {name: one.task for name, one in state.tasks.items()})


def in_base(top: Path, town: str) -> Plan | None:
    """Return what file and store last agreed on; None where there was no sync."""
    with find_worktree(top) as repository:
        base = GitBaseStore(repository, town).load()
    return None if base is None else Plan(base.meta, base.tasks)


def find_worktree(top: Path) -> GitRepository:
    """Return the repository around a directory."""
    repository = find(top)
    assert repository is not None
    return repository


def repositories(root: Path) -> list[Path]:
    """List the worktrees and bare repositories below a directory, but not those inside others."""
    found = []
    for path in sorted(root.iterdir()):
        if (path / ".git").exists() or (path / "HEAD").exists():
            found.append(path)
        elif path.is_dir():
            found += repositories(path)
    return found


def others(world: World, town: str) -> dict[bytes, bytes]:
    """Note all of Redis but one town."""
    ours = f"tt:{town}:".encode()
    return {key: data for key, data in keys(world.shell.server).items() if not key.startswith(ours)}
