"""Commits beside other syncs and other commits, and commits that are cut off: no lock stays."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

import pytest

from tests.matrix.moves import both_towns
from tests.matrix.starts import in_step
from tests.matrix.versions import name, name_plan
from tests.matrix.world import PLAN_FILE, Template, World, in_redis
from tests.support.effort import EFFORT
from tests.support.hooked import ROOT, Shell, git, install_program
from tests.support.redis_server import RedisServer, wait_until

TOWN = "here-main"
STRIDE = {"dev": 11, "ci": 8, "nightly": 1}[EFFORT]
TRIES = {"dev": 4, "ci": 6, "nightly": 100}[EFFORT]
MOST_TRIES = 20 * TRIES
"""When to give up waiting for luck: which moment an interruption hits, a busy machine decides."""
_DYING = """\
#!/bin/sh
PYTHONPATH="{root}" "{python}" "{dying}" "$TT_TEST_STEP" "$@"
code=$?
[ "$code" = 137 ] || echo "$code" >"$TT_TEST_ENDED"
exit "$code"
"""
_NOTED = '#!/bin/sh\necho $$ >"$TT_TEST_PID"\nexec "{real}" "$@"\n'


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory for all worlds of this module."""
    return tmp_path_factory.mktemp("concurrency")


@pytest.fixture(scope="module")
def templates(room: Path, one_server: RedisServer) -> dict[str, Template]:
    """A repository in step with its town, and one with a second worktree on another branch."""
    made = {}
    for title, start in (("one", in_step), ("two", _two)):
        world = World(room / title / "world", Shell(install_program(room / "bin"), one_server))
        world.flush()
        world.root.mkdir(parents=True)
        start(world)
        made[title] = Template.take(world, room / title / "copy")
    return made


def _two(world: World) -> None:
    both_towns(world)
    world.git("worktree", "add", "-q", "../tree", "topic")
    world.tt("sync", "merge", where="tree")


@pytest.fixture
def world(templates: dict[str, Template]) -> World:
    """A repository with hooks, in step with its town."""
    return templates["one"].restore()


def start(world: World, *words: str, where: str = "here", **env: str) -> subprocess.Popen[str]:
    """Start a command in a process group of its own."""
    return subprocess.Popen(
        words,
        cwd=world.root / where,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env={**world.shell.environment, **env},
        start_new_session=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for a command; return its exit code and what it complained of."""
    _, err = process.communicate(timeout=60)
    interrupted = "KeyboardInterrupt" in err  # before `main` could look after that
    assert "Traceback" not in err or interrupted, err
    return process.returncode, err


@contextmanager
def syncing(world: World, where: str = "here") -> Iterator[None]:
    """Sync again and again in the background; every one of them has to succeed."""
    stop, line = world.root / "stop", "while [ ! -e ../stop ]; do tt sync merge >&2 || exit; done"
    process = start(world, "sh", "-c", line, where=where)
    try:
        yield
    finally:
        stop.touch()
        code, err = ended(process)
        stop.unlink()
    assert code == 0, err


def assert_no_lock(world: World, *, killed: bool = False) -> None:
    """Check that nothing is left that would keep others from working.

    A process that is killed cannot take its temporary file away; a later one does.
    """
    left = [*world.here.rglob("*.lock")]
    if not killed:
        left += world.root.glob("*/.*.tmp")
    assert not left, left


def committed(world: World, where: str = "here") -> str:
    """Name the version that HEAD has."""
    return name(world.git("show", f"HEAD:{PLAN_FILE}", where=where).encode() + b"\n")


def assert_next_commit_is_whole(world: World, *, killed: bool = False) -> None:
    """Check that nothing is in the way of the next commit, and that nothing was lost."""
    assert_no_lock(world, killed=killed)
    after = world.step(git("commit", "-q", "-a", "--allow-empty", "-m", "After"))
    assert after.code == 0, after
    assert committed(world) == "ea"
    assert name((world.here / PLAN_FILE).read_bytes()) == "ea"
    assert name_plan(in_redis(world.shell.server, TOWN)) == "ea"
    assert world.git("status", "--porcelain", "--untracked-files=no") == ""
    world.git("fsck", "--strict", "--no-dangling")


def test_commits_beside_a_process_that_syncs_all_the_time_go_through(world: World) -> None:
    edits = ("e", "ef", "eft")
    with syncing(world):
        for version in edits:
            now = name((world.here / PLAN_FILE).read_bytes())
            world.write(version + ("a" if "a" in now else ""))
            if version == "ef":
                world.agents_write("a", TOWN)
            ended = world.step(git("commit", "-q", "-a", "-m", version))
            assert ended.code == 0, ended
    assert_no_lock(world)
    assert world.step(git("commit", "-q", "-a", "--allow-empty", "-m", "After")).code == 0
    assert sorted(committed(world)) == sorted("efta")
    assert world.git("rev-list", "--count", "HEAD~4..HEAD") == "4"


def test_commits_in_two_worktrees_at_once_take_along_each_its_own(
    templates: dict[str, Template],
) -> None:
    for _ in range(3):
        world = templates["two"].restore()
        world.agents_write("a", TOWN)
        world.agents_write("b", "here-topic")
        world.write("e")
        world.write("tf", where="tree")
        words = ("git", "commit", "-q", "-a", "-m", "Work")
        here, tree = start(world, *words), start(world, *words, where="tree")
        for code, err in (ended(here), ended(tree)):
            assert code == 0, err
            assert "takes along" in err
        assert (committed(world), sorted(committed(world, "tree"))) == ("ea", sorted("tfb"))
        assert_no_lock(world)


def test_commits_in_one_town_at_once_lose_nothing(
    templates: dict[str, Template], tmp_path: Path
) -> None:
    world = templates["one"].restore()
    world.put("tinytown.toml", 'name = "shared"\n[sync]\nrepo = "a-team"\n')
    world.git("add", "--all")
    world.git("commit", "-q", "-m", "Name the town")
    world.tt("sync", "merge")
    tops = ["here"]
    for number in (1, 2):
        world.git("clone", "-q", "--template=", "here", f"clone-{number}", where=".")
        world.shell.install_hooks(world.root / f"clone-{number}")
        world.tt("sync", "merge", where=f"clone-{number}")
        tops.append(f"clone-{number}")
    for top, version in zip(tops, "eft", strict=True):
        world.write(version, where=top)
    with ExitStack() as stack:
        running = [
            stack.enter_context(start(world, "git", "commit", "-q", "-a", "-m", "x", where=top))
            for top in tops
        ]
        for process in running:
            code, err = ended(process)
            assert code == 0, err
    for top in tops * 2:
        world.tt("sync", "merge", where=top)
    plan = name_plan(in_redis(world.shell.server, "shared"))
    assert sorted(plan) == sorted("eft")
    for top in tops:
        assert name((world.root / top / PLAN_FILE).read_bytes()) == plan


def edited(world: World) -> World:
    """Have an edit to commit and something in Redis to take along."""
    world.agents_write("a", TOWN)
    world.write("e")
    return world


def test_a_hook_that_is_killed_before_any_step_keeps_no_commit_from_going_on(
    templates: dict[str, Template], room: Path
) -> None:
    dying = install_program(room / "dying") / "tt"
    script = ROOT / "tests" / "support" / "dying.py"
    dying.write_text(_DYING.format(root=ROOT, python=sys.executable, dying=script))
    hooks = templates["one"].copy / "here" / ".git" / "hooks" / "pre-commit"
    tried = 0
    for step in range(1, 1000, STRIDE):
        world = edited(templates["one"].restore())
        hook = world.here / ".git" / "hooks" / "pre-commit"
        hook.write_text(hooks.read_text().replace(str(room / "bin" / "tt"), str(dying)))
        done = world.root / "done"
        env = {"TT_TEST_STEP": str(step), "TT_TEST_ENDED": str(done)}
        ended = world.step(git("commit", "-q", "-a", "-m", "Work", **env))
        assert ended.code == 0, (step, ended)
        assert committed(world) in ("e", "ea"), step
        hook.write_text(hooks.read_text())
        assert_next_commit_is_whole(world, killed=not done.exists())
        if done.exists():
            assert done.read_text() == "0\n"
            break
        tried += 1
    assert tried > 3


def test_a_commit_that_is_interrupted_at_any_moment_can_be_made_again(
    templates: dict[str, Template],
) -> None:
    chance, usual = random.Random(5), _usual(edited(templates["one"].restore()))
    cut = 0
    for tried in range(MOST_TRIES):
        if cut and tried >= TRIES:
            break
        world = edited(templates["one"].restore())
        process = start(world, "git", "commit", "-q", "-a", "-m", "Work")
        sleep(usual * chance.uniform(0, 1.1))
        os.killpg(process.pid, signal.SIGINT)
        code, _ = ended(process)
        cut += code != 0
        wait_for_group(process.pid)
        assert committed(world) in ("·", "e", "ea")
        assert_next_commit_is_whole(world)
    assert cut, "none was cut off"


def test_a_hook_that_is_killed_at_any_moment_keeps_no_commit_from_going_on(
    templates: dict[str, Template], room: Path
) -> None:
    noted = install_program(room / "noted") / "tt"
    noted.write_text(_NOTED.format(real=room / "bin" / "tt"))
    chance, usual = random.Random(7), _usual(edited(templates["one"].restore()))
    for _ in range(TRIES):
        world = edited(templates["one"].restore())
        for event in ("pre-commit", "post-commit"):
            path = world.here / ".git" / "hooks" / event
            path.write_text(path.read_text().replace(str(room / "bin" / "tt"), str(noted)))
        pid = world.root / "pid"
        process = start(world, "git", "commit", "-q", "-a", "-m", "Work", TT_TEST_PID=str(pid))
        hook = noted_pid(pid)
        sleep(usual * chance.uniform(0, 0.9))
        with suppress(ProcessLookupError):
            os.kill(hook, signal.SIGKILL)
        code, err = ended(process)
        assert code == 0, err
        wait_for_group(process.pid)
        assert committed(world) in ("e", "ea")
        assert_next_commit_is_whole(world, killed=True)


def _usual(world: World) -> float:
    """Measure how long a commit takes here."""
    start = monotonic()
    assert world.step(git("commit", "-q", "-a", "-m", "Work")).code == 0
    return monotonic() - start


def noted_pid(path: Path) -> int:
    """Wait until a hook has noted its process id, and return that."""
    wait_until(lambda: path.exists() and path.read_text().endswith("\n"), "the hook to start")
    return int(path.read_text())


def wait_for_group(group: int) -> None:
    """Wait until all processes of a command have ended, those that it left behind too."""
    wait_until(lambda: _group_is_gone(group), "its helpers to end")


def _group_is_gone(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False
