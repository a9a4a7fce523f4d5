"""A scratch world to measure in: a private server, a Git repository with a plan, a `tt` to run."""

from __future__ import annotations

import marshal
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import hiredis

from benchmarks.measure import run
from benchmarks.plans import make_plan

TOWN: Final = "bench"
_ROOT: Final = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class World:
    """Where everything lives; the server listens on `socket`, the repository is in `folder`."""

    root: Path
    env: dict[str, str]
    folder: str = "repository"

    @property
    def socket(self) -> Path:
        return Path(self.env["TT_HOME"]) / "redis" / "redis.sock"

    @property
    def repository(self) -> Path:
        return self.root / self.folder

    @property
    def plan(self) -> Path:
        return self.repository / "tasks.toml"

    def ask(self, *commands: tuple[str | bytes, ...]) -> list[object]:
        """Send commands in one pipeline and return their replies."""
        reader, replies = hiredis.Reader(), list[object]()
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(self.socket))
            # hiredis declares a tuple of exactly one element, and takes any number.
            link.sendall(b"".join(map(hiredis.pack_command, commands)))  # type: ignore[arg-type]
            while len(replies) < len(commands):
                arrived = link.recv(1 << 20)
                if not arrived:
                    raise ConnectionResetError("the server has hung up")
                reader.feed(arrived)
                while (reply := reader.gets()) is not False:
                    replies.append(reply)
        return replies

    def git(self, *arguments: str) -> None:
        """Run Git in the repository."""
        subprocess.run(["git", *arguments], cwd=self.repository, env=self.env, check=True)

    def begin(self, count: int) -> None:
        """Make the repository anew with a plan of `count` tasks, and empty the server."""
        shutil.rmtree(self.repository, ignore_errors=True)
        self.repository.mkdir()
        self.plan.write_text(make_plan(count), encoding="utf-8")
        (self.repository / "tinytown.toml").write_text(f'name = "{TOWN}"\n', encoding="utf-8")
        self.git("init", "-q", "-b", "main")
        self.git("add", ".")
        self.git("commit", "-q", "-m", "Plan")
        self.ask(("FLUSHALL",))

    def hashes(self) -> dict[bytes, list[bytes]]:
        """Read every hash of the town: its fields and values in turn, by key."""
        (keys,) = self.ask(("KEYS", f"tt:{TOWN}:*"))
        assert isinstance(keys, list)
        kinds = self.ask(*(("TYPE", key) for key in keys))
        names = [key for key, kind in zip(keys, kinds, strict=True) if kind == b"hash"]
        return dict(zip(names, self.ask(*(("HGETALL", key) for key in names)), strict=True))

    def prepare(self, name: str, commands: list[tuple[str | bytes, ...]]) -> str:
        """Store the commands of a floor where the floor finds them, and return the path."""
        path = self.root / name
        path.write_bytes(marshal.dumps(commands))
        return str(path)


def tt_command() -> list[str]:
    """The installed `tt` of this environment; in a checkout that is not installed, the module."""
    script = Path(sys.executable).with_name("tt")
    return [str(script)] if script.exists() else [sys.executable, "-m", "tt"]


@contextmanager
def scratch_world() -> Iterator[World]:
    """Open a world, and leave nothing of it behind."""
    with tempfile.TemporaryDirectory(prefix="tt-bench.") as name:
        root = Path(name)
        world = World(root, clean_environment(root))
        with _server(world):
            yield world


def clean_environment(root: Path) -> dict[str, str]:
    """Make an environment with a home below `root` and nothing of the user's but the PATH."""
    kept = {key: os.environ[key] for key in ("PATH", "LANG", "LC_ALL") if key in os.environ}
    (root / "home").mkdir()
    if tt_command()[1:]:
        kept["PYTHONPATH"] = str(_ROOT)
    return kept | {
        "HOME": str(root / "home"),
        "TT_HOME": str(root / "home" / "tt"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "bench",
        "GIT_AUTHOR_EMAIL": "bench@example.invalid",
        "GIT_COMMITTER_NAME": "bench",
        "GIT_COMMITTER_EMAIL": "bench@example.invalid",
    }


@contextmanager
def _server(world: World) -> Iterator[None]:
    """Run the server that `tt` starts for a user by itself, in a home of its own."""
    run([*tt_command(), "redis", "start"], world.root, world.env)
    try:
        yield
    finally:
        # Not by `tt redis stop`: a `tt` that is broken must not leave its server running.
        with suppress(ConnectionResetError):
            world.ask(("SHUTDOWN", "NOSAVE"))
