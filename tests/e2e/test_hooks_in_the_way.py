"""Whatever is wrong with Redis, with `tt` or with the plan: Git goes on, and one line says why."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.matrix.starts import in_step
from tests.matrix.versions import PLAN, name
from tests.matrix.world import PLAN_FILE, Template, World, in_redis
from tests.support.commands import Ended, tasks_of
from tests.support.hooked import Shell, git, install_program
from tests.support.peers import peer, until_hung_up
from tests.support.redis_server import Launch, RedisServer, free_port, short_directory

TOWN = "here-main"
SECONDS = 5.0
"""Generous: it is to be one second, and a machine may be busy."""
COMMIT = git("commit", "-q", "-m", "Work")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, one_server: RedisServer) -> Template:
    """A repository with hooks, in step with its town."""
    room = tmp_path_factory.mktemp("way")
    world = World(room / "world", Shell(install_program(room / "bin"), one_server))
    world.flush()
    world.root.mkdir()
    in_step(world)
    return Template.take(world, room / "copy")


@pytest.fixture
def world(template: Template) -> World:
    """The repository as it was, and the program too."""
    install_program(template.world.shell.programs)
    return template.restore()


def committed(world: World) -> str:
    """Name the version that HEAD has."""
    return name(world.git("show", f"HEAD:{PLAN_FILE}").encode() + b"\n")


def lines_of(ended: Ended) -> list[str]:
    """Return what a hook of ours said."""
    return [line for line in ended.err.splitlines() if line.startswith("tt: ")]


def commit_edit(world: World, **env: str) -> Ended:
    """Commit an edit, with Redis changed by agents meanwhile."""
    world.agents_write("a", TOWN)
    world.write("e")
    world.git("add", PLAN_FILE)
    return world.step(COMMIT, **env)


def assert_goes_on(world: World, ended: Ended, why: str) -> None:
    """Check that the commit has the edit alone, said so in a line, and took no time."""
    assert ended.code == 0, ended
    assert [why in line for line in lines_of(ended)] == [True], ended.err
    assert committed(world) == "e"
    assert world.git("status", "--porcelain") == ""
    assert ended.seconds < SECONDS


@contextmanager
def silent() -> Iterator[str]:
    """Listen, accept, and never say a word."""
    with peer(short_directory(), until_hung_up) as address:
        yield f"unix://{address.display.removeprefix('unix://')}"


@contextmanager
def deaf() -> Iterator[str]:
    """Listen on TCP with a queue that is full: no connection is ever made."""
    with ExitStack() as opened, socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        while True:
            caller = opened.enter_context(socket.socket())
            caller.settimeout(0.2)
            try:
                caller.connect(("127.0.0.1", port))
            except TimeoutError:
                break
        yield f"redis://127.0.0.1:{port}"


@contextmanager
def nobody() -> Iterator[str]:
    """Name a port at which nobody listens."""
    yield f"redis://127.0.0.1:{free_port()}"


@pytest.mark.parametrize("kind", [nobody, silent, deaf])
def test_a_redis_that_does_not_answer_is_a_line_and_the_commit_goes_on(
    world: World, kind: Callable[[], AbstractContextManager[str]]
) -> None:
    with kind() as url:
        ended = commit_edit(world, REDIS_URL=url)
    assert_goes_on(world, ended, "This commit has nothing from Redis.")
    assert world.step(git("commit", "-q", "--allow-empty", "-m", "Next")).code == 0
    assert committed(world) == "ea"


class Refusal(NamedTuple):
    """How a server is made to refuse, the word by which it is told, and how that is undone."""

    refusing: tuple[str, ...]
    why: str
    again: tuple[tuple[str, ...], ...]


REFUSALS = {
    "a password is missing": Refusal(
        ("CONFIG", "SET", "requirepass", "secret"),
        "assword",
        (("AUTH", "secret"), ("CONFIG", "SET", "requirepass", "")),
    ),
    "it is a replica": Refusal(
        ("REPLICAOF", "127.0.0.1", "1"), "replica", (("REPLICAOF", "NO", "ONE"),)
    ),
    "it is full": Refusal(
        ("CONFIG", "SET", "maxmemory", "1"), "memory", (("CONFIG", "SET", "maxmemory", "0"),)
    ),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_redis_that_refuses_is_a_line_and_the_commit_goes_on(
    tmp_path: Path, launch: Launch, kind: str
) -> None:
    refusing, why, again = REFUSALS[kind]
    server = launch()
    world = World(tmp_path / "world", Shell(install_program(tmp_path / "bin"), server))
    world.root.mkdir()
    in_step(world)
    world.agents_write("a", TOWN)
    world.write("e")
    world.git("add", PLAN_FILE)
    with server.connect() as connection:
        connection.execute(*refusing)
        ended = world.step(COMMIT)
        assert_goes_on(world, ended, why)
        for command in again:
            connection.execute(*command)
    assert world.step(git("commit", "-q", "--allow-empty", "-m", "Next")).code == 0
    assert committed(world) == "ea"


def test_another_tt_that_keeps_the_lock_is_a_line_and_the_commit_goes_on(world: World) -> None:
    descriptor = os.open(world.here / ".git" / "tt" / "lock", os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        ended = commit_edit(world)
    finally:
        os.close(descriptor)
    assert_goes_on(world, ended, "Another tt")
    assert world.step(git("commit", "-q", "--allow-empty", "-m", "Next")).code == 0
    assert committed(world) == "ea"


def test_a_tt_that_is_gone_is_a_line_and_the_commit_goes_on(world: World) -> None:
    program = world.shell.programs / "tt"
    away = program.rename(program.with_name("away"))
    quiet = {"PATH": os.pathsep.join(["/usr/bin", "/bin"])}
    ended = commit_edit(world, **quiet)
    assert_goes_on(world, ended, "There is no `tt`")
    away.rename(program)
    assert world.step(git("commit", "-q", "--allow-empty", "-m", "Next")).code == 0
    assert committed(world) == "ea"


def test_without_a_plan_nothing_of_ours_is_started(world: World) -> None:
    calls, fakes = world.root / "calls", world.root / "fakes"
    fakes.mkdir()
    for program in (world.shell.programs / "tt", fakes / "python", fakes / "python3"):
        program.write_text(f'#!/bin/sh\necho "{program.name} $*" >>"{calls}"\n')
        program.chmod(0o755)
    path = f"{fakes}{os.pathsep}{os.environ['PATH']}"
    world.git("switch", "-q", "-c", "side")
    world.git("commit", "-q", "--allow-empty", "-m", "Side")
    world.git("switch", "-q", "main")
    world.git("rm", "-q", PLAN_FILE)
    without = (
        git("commit", "-q", "-m", "Remove"),
        git("commit", "-q", "--amend", "-m", "Remove it"),
        git("merge", "-q", "-s", "ours", "-m", "Merge", "side"),
        git("commit", "-q", "--allow-empty", "-m", "One more"),
        git("rebase", "-q", "--force-rebase", "HEAD~1"),
        git("switch", "-q", "--detach"),
    )
    with_it = (git("switch", "-q", "side"), git("commit", "-q", "--allow-empty", "-m", "Side"))
    for step in without:
        ended = world.step(step, PATH=path)
        assert ended.code == 0, ended
        assert not calls.exists(), (step, calls.read_text())
    for step in with_it:
        assert world.step(step, PATH=path).code == 0
    started = {line.split()[2] for line in calls.read_text().splitlines()}
    assert started == {"post-checkout", "pre-commit", "post-commit"}


STRICT = {
    "on_unreachable": "Redis was not reached.",
    "on_conflict": "There are conflicts.",
}


@pytest.mark.parametrize("setting", STRICT)
def test_who_wants_it_has_the_commit_stopped(world: World, setting: str) -> None:
    world.put("tinytown.toml", f'[hooks]\n{setting} = "fail"\n')
    with world.shell.server.connect() as connection:
        world.agents_write("a", TOWN)
        task = next(key for key in _task_keys(world, "Build it"))
        connection.execute("HSET", task, "description", "Build it twice")
    world.write("e")
    world.git("add", "--all")
    before = world.git("rev-parse", "HEAD")
    url = f"unix://{world.root}/nobody" if setting == "on_unreachable" else world.shell.server.url
    ended = world.step(COMMIT, REDIS_URL=url)
    assert ended.code == 1, ended
    assert STRICT[setting] in ended.err
    assert f"`hooks.{setting}`" in ended.err
    assert world.git("rev-parse", "HEAD") == before
    assert world.step(COMMIT, REDIS_URL=url, TT_HOOKS="0").code == 0


def _task_keys(world: World, description: str) -> Iterator[str]:
    for raw in tasks_of(world.shell.server, TOWN).values():
        if raw["description"] == description:
            yield f"tt:{TOWN}:task:{raw['id']}"


BROKEN = {
    "a duplicate id": PLAN.replace('id = "docs"', 'id = "ship"'),
    "conflict markers": PLAN.replace(
        'description = "Build it"\n',
        '<<<<<<< ours\ndescription = "Build it"\n=======\ndescription = "Built"\n>>>>>>> theirs\n',
    ),
    "no TOML": PLAN + "[[tasks]\n",
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_plan_stops_its_commit_and_no_other(world: World, fault: str) -> None:
    world.agents_write("a", TOWN)
    (world.here / PLAN_FILE).write_text(BROKEN[fault])
    world.put("notes.txt", "more\n")
    world.git("add", "notes.txt")
    beside = world.step(git("commit", "-q", "-m", "Beside"))
    assert (beside.code, len(lines_of(beside))) == (0, 1), beside
    assert committed(world) == "·"

    world.git("add", PLAN_FILE)
    stopped = world.step(COMMIT)
    assert stopped.code == 1, stopped
    assert f"{PLAN_FILE}:" in stopped.err
    assert "`hooks.on_invalid`" in stopped.err
    assert (world.here / PLAN_FILE).read_text() == BROKEN[fault]

    world.put("tinytown.toml", '[hooks]\non_invalid = "warn"\n')
    let = world.step(COMMIT)
    assert let.code == 0, let
    assert world.git("show", f"HEAD:{PLAN_FILE}") + "\n" == BROKEN[fault]

    after = world.step(git("commit", "-q", "--allow-empty", "-m", "After"))
    assert after.code == 0, "HEAD has it already"
    assert in_redis(world.shell.server, TOWN) is not None
    world.write("e")
    assert world.step(git("commit", "-q", "-a", "-m", "Repair")).code == 0
    assert committed(world) == "ea"


def test_a_town_that_follows_another_branch_is_named_once(world: World) -> None:
    world.put("tinytown.toml", 'name = "fixed"\n')
    world.git("add", "--all")
    world.git("commit", "-q", "-m", "Name the town")
    world.tt("sync", "merge")
    world.git("switch", "-q", "-c", "side")
    said = []
    for version in ("e", "ef", "f"):
        world.write(version)
        ended = world.step(git("commit", "-q", "-a", "-m", version))
        assert ended.code == 0, ended
        said += lines_of(ended)
    assert len(said) == 1, said
    assert "follows the branch main" in said[0]
    assert world.step(git("switch", "-q", "main")).code == 0
    world.agents_write("a", "fixed")
    assert world.step(git("commit", "-q", "--allow-empty", "-m", "Back")).code == 0
    assert committed(world) == "a"
