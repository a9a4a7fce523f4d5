"""Commands in scratch repositories, as a shell would run them, and all that they could change.

A process of its own takes five times as long as the command in it. So most commands run in the
test's own process, except in the `nightly` effort; those that cannot always are a process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from tests.support.effort import EFFORT
from tests.support.git_repos import git, init
from tests.support.redis_server import RedisServer
from tests.support.tools import require_tool
from tt.adapters.redis.connection import Connection
from tt.cli.main import main

NO_OPTIONS: Mapping[str, Any] = {}
LIMIT_SECONDS = 60.0
"""No `tt` process of a test takes longer, however slow the machine is."""


class Ended(NamedTuple):
    """A process that is over. `seconds` is how long it took."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def data(self) -> Any:
        """What a command with `--json` answered: one document, in the versioned envelope."""
        document = json.loads(self.out)
        assert document["schema_version"] == 1
        return document["data"]

    def complaint(self, code: int) -> str:
        """Return standard error, which has to be one `tt: …` line and indented hints."""
        assert self.code == code, self
        first, *hints = self.err.splitlines()
        assert first.startswith("tt: "), self.err
        assert first.rstrip().endswith((".", "`", ")", "?", "…")) or ":" in first, self.err
        assert all(hint.startswith("    ") for hint in hints), self.err
        assert "Traceback" not in self.err
        assert self.out == ""
        return self.err


class FileState(NamedTuple):
    """A file's content, and whether it is still the very same file."""

    data: bytes
    inode: int
    mtime_ns: int


class Everything(NamedTuple):
    """All that a sync may change: the file, every key of the server, the base's refs."""

    file: FileState | None
    keys: Mapping[bytes, bytes]
    refs: str


def without_privileges() -> list[str]:
    """Return the words before a command that bind root, too, to the rights of files."""
    if os.geteuid() != 0:
        return []
    return [require_tool("setpriv"), "--bounding-set=-all", "--inh-caps=-all"]


def run(arguments: list[str], cwd: Path, before: Sequence[str] = (), **options: Any) -> Ended:
    """Run `tt` as a process of its own, with nothing on its standard input."""
    start = monotonic()
    done = subprocess.run(
        [*before, sys.executable, "-m", "tt", *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
        **{"timeout": LIMIT_SECONDS, **options},
    )
    return Ended(done.returncode, done.stdout, done.stderr, monotonic() - start)


def run_inside(arguments: list[str], cwd: Path, environment: Mapping[str, str]) -> Ended:
    """Run `tt` in this process, with another current directory and environment."""
    start, before = monotonic(), dict(os.environ)
    out, err = StringIO(), StringIO()
    try:
        _set_environment(environment)
        with chdir(cwd), redirect_stdout(out), redirect_stderr(err):
            code = int(main(arguments))
    finally:
        _set_environment(before)
    return Ended(code, out.getvalue(), err.getvalue(), monotonic() - start)


def _set_environment(wanted: Mapping[str, str]) -> None:
    for name in os.environ.keys() - wanted.keys():
        del os.environ[name]
    os.environ.update(wanted)


@dataclass(frozen=True)
class Place:
    """A worktree whose plan is `tasks.toml`, and the server that `REDIS_URL` leads `tt` to."""

    top: Path
    server: RedisServer

    @classmethod
    def make(cls, top: Path, server: RedisServer, plan: str | bytes | None = None) -> Place:
        """Make a repository that has no commit, and write its plan."""
        place = cls(init(top), server)
        if plan is not None:
            place.write(plan)
        return place

    @property
    def file(self) -> Path:
        """The plan."""
        return self.top / "tasks.toml"

    def write(self, plan: str | bytes) -> None:
        """Write the plan as an editor would."""
        self.file.write_bytes(plan.encode() if isinstance(plan, str) else plan)

    def tt(self, *arguments: str, **env: str) -> Ended:
        """Run a command here; `env` is added to its environment."""
        if EFFORT == "nightly":
            return self.process(*arguments, options=NO_OPTIONS, **env)
        return run_inside([*arguments], self.top, self._environment(env))

    def process(
        self, *arguments: str, options: Mapping[str, Any] = NO_OPTIONS, **env: str
    ) -> Ended:
        """Run a command here as a process of its own, with `options` of `run`."""
        return run([*arguments], self.top, env=self._environment(env), **options)

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        return {**os.environ, "REDIS_URL": self.server.url, **more}

    def done(self, *arguments: str, **env: str) -> Ended:
        """Run a command that has to succeed, and to say nothing on standard error."""
        ended = self.tt(*arguments, **env)
        assert (ended.code, ended.err) == (0, ""), ended
        return ended

    def everything(self) -> Everything:
        """Note all that a sync could change."""
        refs = git(self.top, "for-each-ref", "refs/worktree", "--format=%(refname) %(objectname)")
        return Everything(file_state(self.file), keys(self.server), refs)


def file_state(path: Path) -> FileState | None:
    """Note a file; None where there is none."""
    if not path.is_file():
        return None
    found = path.stat()
    return FileState(path.read_bytes(), found.st_ino, found.st_mtime_ns)


def keys(server: RedisServer) -> dict[bytes, bytes]:
    """Return every key of a server with its serialised value and whether it expires."""
    with server.connect() as connection:
        names = texts(connection, "KEYS", "*")
        dumps = connection.pipeline(("DUMP", name) for name in names)
        ends = connection.pipeline(("PTTL", name) for name in names)
    return {
        name: dump + (b" expires" if isinstance(end, int) and end >= 0 else b"")
        for name, dump, end in zip(names, dumps, ends, strict=True)
        if isinstance(dump, bytes)
    }


def texts(connection: Connection, *command: str | bytes) -> list[bytes]:
    """Do a command that answers with a list of texts."""
    reply = connection.execute(*command)
    assert isinstance(reply, list)
    return [item for item in reply if isinstance(item, bytes)]


def hash_of(server: RedisServer, key: str) -> dict[str, str]:
    """Return a hash as text."""
    with server.connect() as connection:
        flat = [item.decode() for item in texts(connection, "HGETALL", key)]
    return dict(zip(flat[::2], flat[1::2], strict=True))


def tasks_of(server: RedisServer, town: str) -> dict[str, dict[str, str]]:
    """Return the hashes of a town's tasks by the plan id in their tags, else by their uuid.

    Of several hashes with one plan id only one is in the result.
    """
    found = {}
    with server.connect() as connection:
        names = [name.decode() for name in texts(connection, "KEYS", f"tt:{town}:task:*")]
    for name in names:
        raw = hash_of(server, name)
        marks = [tag[5:] for tag in json.loads(raw["tags"]) if tag.startswith("plan:")]
        found[marks[0] if marks else raw["id"]] = raw
    return found


def write_hash(server: RedisServer, key: str, **fields: str) -> None:
    """Set fields of a hash, as any other tool would."""
    with server.connect() as connection:
        connection.execute("HSET", key, *(part for pair in fields.items() for part in pair))
