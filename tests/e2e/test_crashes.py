"""A sync that is killed, cut off or overtaken anywhere: both sides stay whole, the next ends it."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import NamedTuple

import pytest
import tomli

from tests.support.commands import Place, keys, tasks_of, texts, write_hash
from tests.support.effort import EFFORT
from tests.support.git_repos import git
from tests.support.peers import peer
from tests.support.redis_server import RedisServer, short_directory
from tt.adapters.planfile import read_plan
from tt.app.sync import Request, sync
from tt.bootstrap import open_project
from tt.core.report import Direction, SyncReport

DYING = Path(__file__).resolve().parents[1] / "support" / "dying.py"
TOWN = "here-main"
FOREIGN = "01234567-89ab-4cde-8f01-23456789abcd"
_TIMES = frozenset({"created_at", "updated_at", "started_at", "completed_at"})

Hashes = Mapping[str, Mapping[str, str]]


class Sides(NamedTuple):
    """The file and the tasks' hashes without their times."""

    file: bytes | None
    tasks: Hashes


def sides(place: Place) -> Sides:
    """Note both sides."""
    tasks = {
        name: {key: text for key, text in raw.items() if key not in _TIMES}
        for name, raw in tasks_of(place.server, TOWN).items()
    }
    return Sides(place.file.read_bytes() if place.file.exists() else None, tasks)


def again(place: Place, direction: Direction) -> SyncReport:
    """Sync once more, in this process."""
    with open_project(str(place.top), {"redis.url": place.server.url}) as project:
        return sync(project.site, Request(direction))


class Template:
    """A place before a sync, to start from again and again."""

    def __init__(self, place: Place, copy: Path) -> None:
        self._place, self._copy = place, copy
        shutil.copytree(place.top, copy)
        self._keys = keys(place.server)
        self.sides = sides(place)

    def restore(self) -> None:
        """Make everything as it was."""
        shutil.rmtree(self._place.top)
        shutil.copytree(self._copy, self._place.top)
        with self._place.server.connect() as connection:
            connection.execute("FLUSHALL")
            connection.pipeline(("RESTORE", name, 0, dump) for name, dump in self._keys.items())


def killed(place: Place, step: int, direction: Direction) -> bool:
    """Sync in a process that is killed before that step; False where it came to its end."""
    ended = subprocess.run(
        [sys.executable, str(DYING), str(step), "sync", str(direction)],
        cwd=place.top,
        env={**os.environ, "REDIS_URL": place.server.url, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert ended.returncode in (0, -signal.SIGKILL), ended
    return ended.returncode != 0


def assert_whole(place: Place, before: Sides, after: Sides) -> None:
    """Check that the file and each task are as they were before or as they are to be."""
    now = sides(place)
    assert now.file in (before.file, after.file)
    if now.file is not None:
        read_plan(now.file, "tasks.toml")
    assert before.tasks.keys() & after.tasks.keys() <= now.tasks.keys()
    for raw in now.tasks.values():
        allowed = [*before.tasks.values(), *after.tasks.values()]
        assert raw in allowed, raw


def assert_finished(place: Place, direction: Direction, after: Sides) -> None:
    """Check that a next sync finishes the job, and that there is nothing to do after it."""
    assert again(place, direction).conflicts == ()
    assert sides(place) == after
    settled = place.everything()
    again(place, direction)
    assert place.everything() == settled


def both_sides_change(place: Place) -> None:
    """Edit, add and remove on both sides of a place that is in step."""
    place.write(
        place.file.read_text().replace('"Design it"', '"Design it well"').replace("= 2", "= 3")
        + '\n[[tasks]]\nid = "new"\ndescription = "New"\nparent = "build"\n'
    )
    tasks = tasks_of(place.server, TOWN)
    key = f"tt:{TOWN}:task:"
    write_hash(place.server, key + tasks["build"]["id"], state="running")
    write_hash(place.server, key + tasks["ship"]["id"], tags='["hot","plan:ship"]')
    write_hash(
        place.server,
        key + FOREIGN,
        id=FOREIGN,
        description="Assigned by hand",
        state="pending",
        tags="[]",
        created_at="2026-11-21T01:18:18.312055567+00:00",
        updated_at="2026-11-21T01:18:18.312055567+00:00",
    )


def first_push(place: Place) -> None:
    """Leave the place as it is: not pushed yet, and a task without an id in it."""
    place.write(place.file.read_text() + '\n[[tasks]]\ndescription = "Nameless"\n')


def first_pull(place: Place) -> None:
    """Leave only Redis."""
    again(place, Direction.PUSH)
    refs = place.everything().refs.split()
    git(place.top, "update-ref", "-d", refs[0])
    place.file.unlink()


def removals(place: Place) -> None:
    """Remove a task from the file, and change another one in Redis."""
    again(place, Direction.PUSH)
    text = place.file.read_text()
    place.write(text[: text.index('[[tasks]]\nid = "ship"')])
    key = tasks_of(place.server, TOWN)["design"]["id"]
    write_hash(place.server, f"tt:{TOWN}:task:{key}", state="completed")


def edits(place: Place) -> None:
    """Push, then let both sides change."""
    again(place, Direction.PUSH)
    both_sides_change(place)


class Scene(NamedTuple):
    """What is there before a sync, its direction, and how far apart the tried steps are."""

    prepare: Callable[[Place], None]
    direction: Direction
    stride: int = 5


SCENES = {
    "both sides change": Scene(edits, Direction.MERGE, 3),
    "a removal": Scene(removals, Direction.MERGE),
    "the first push": Scene(first_push, Direction.PUSH),
    "the first pull": Scene(first_pull, Direction.PULL),
}


@pytest.mark.parametrize("scene", SCENES)
def test_a_sync_that_is_killed_before_any_step_is_finished_by_the_next(
    place: Place, tmp_path: Path, scene: str
) -> None:
    prepare, direction, stride = SCENES[scene]
    prepare(place)
    template = Template(place, tmp_path / "template")
    assert not killed(place, 1_000_000, direction)
    after = sides(place)
    assert after != template.sides
    if EFFORT == "nightly":
        stride = 1
    tried = 0
    for step in range(1, 1_000, stride):
        template.restore()
        if not killed(place, step, direction):
            break
        assert_whole(place, template.sides, after)
        assert_finished(place, direction, after)
        tried += 1
    assert tried > 4
    git(place.top, "fsck", "--strict", "--no-dangling")


def test_a_sync_that_is_killed_at_any_moment_is_finished_by_the_next(
    place: Place, tmp_path: Path
) -> None:
    edits(place)
    template = Template(place, tmp_path / "template")
    start = monotonic()
    place.done("sync", "merge")
    usual, after, chance = monotonic() - start, sides(place), random.Random(3)
    for _ in range(8):
        template.restore()
        process = subprocess.Popen(
            [sys.executable, "-m", "tt", "sync", "merge"],
            cwd=place.top,
            env={**os.environ, "REDIS_URL": place.server.url},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        sleep(usual * chance.uniform(0.3, 1))
        process.kill()
        process.wait()
        assert_whole(place, template.sides, after)
        assert_finished(place, Direction.MERGE, after)


class Proxy:
    """Passes requests on to a server, and cuts the line at the request number `last`.

    With `arrives` that request still reaches the server, whose answer then gets lost.
    """

    def __init__(self, server: RedisServer, last: int, *, arrives: bool) -> None:
        self._server, self._last, self._arrives = server, last, arrives
        self.cut = False

    def __call__(self, accepted: socket.socket) -> None:
        with socket.socket(socket.AF_UNIX) as behind:
            behind.connect(str(self._server.socket))
            behind.settimeout(10)
            for number in range(1, self._last + 1):
                request = accepted.recv(1 << 20)
                if not request:
                    return
                last = number == self._last
                if last and not self._arrives:
                    break
                behind.sendall(request)
                answer = behind.recv(1 << 20)
                if not last:
                    accepted.sendall(answer)
            self.cut = True


@pytest.mark.parametrize("arrives", [False, True], ids=["before", "after"])
def test_a_sync_whose_connection_breaks_anywhere_is_finished_by_the_next(
    place: Place, tmp_path: Path, arrives: bool
) -> None:
    edits(place)
    template = Template(place, tmp_path / "template")
    place.done("sync", "merge")
    after = sides(place)
    for last in range(2, 20):
        template.restore()
        directory = short_directory()
        proxy = Proxy(place.server, last, arrives=arrives)
        with peer(directory, proxy) as address:
            ended = place.tt("sync", "merge", REDIS_URL=address.display)
        shutil.rmtree(directory)
        if not proxy.cut:
            assert ended.code == 0, ended
            break
        assert f"The connection to {address.display} was lost" in ended.complaint(4)
        assert sides(place).file == template.sides.file
        assert_whole(place, template.sides, after)
        assert_finished(place, Direction.MERGE, after)
    assert last > 4


@contextmanager
def running(place: Place, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start a command and leave it running; it is ended at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tt", *arguments],
        cwd=place.top,
        env={**os.environ, "REDIS_URL": place.server.url},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.communicate()


def test_syncs_at_the_same_time_in_one_worktree_do_the_work_once(place: Place) -> None:
    edits(place)
    with running(place, "sync", "merge") as one, running(place, "sync", "merge") as two:
        for process in (one, two):
            out, err = process.communicate(timeout=60)
            assert (process.returncode, err) == (0, ""), out
    assert tomli.loads(place.file.read_text())["tasks"][-1]["description"] == "Assigned by hand"
    settled = place.everything()
    again(place, Direction.MERGE)
    assert place.everything() == settled


def test_clones_that_sync_at_the_same_time_lose_nothing(
    place: Place, tmp_path: Path, server: RedisServer
) -> None:
    place.done("--name", "shared", "init")
    git(place.top, "add", "--all")
    git(place.top, "commit", "--quiet", "--message", "plan")
    place.done("--name", "shared", "sync")
    clones = []
    for name in ("one", "two", "three"):
        git(tmp_path, "clone", "--quiet", str(place.top), name)
        clone = Place(tmp_path / name, server)
        clone.write(
            clone.file.read_text() + f'\n[[tasks]]\nid = "{name}"\ndescription = "Of {name}"\n'
        )
        clones.append(clone)
    with (
        running(clones[0], "--name", "shared", "sync", "merge") as one,
        running(clones[1], "--name", "shared", "sync", "merge") as two,
        running(clones[2], "--name", "shared", "sync", "merge") as three,
    ):
        for process in (one, two, three):
            out, err = process.communicate(timeout=60)
            assert (process.returncode, err) == (0, ""), out
    for clone in [*clones, place]:
        clone.done("--name", "shared", "sync", "merge")
        ids = {task["id"] for task in tomli.loads(clone.file.read_text())["tasks"]}
        assert ids == {"design", "build", "ship", "one", "two", "three"}
    with server.connect() as connection:
        assert len(texts(connection, "KEYS", "tt:shared:task:*")) == 6
