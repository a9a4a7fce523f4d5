"""`tt watch` and what becomes of directories, links, branches, limits, filesystems and clocks."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.commands import Place
from tests.support.editors import os_replace, vscode
from tests.support.effort import EFFORT
from tests.support.git_repos import git
from tests.support.redis_server import RedisServer
from tests.support.tools import require_tool
from tests.support.watching import Spy, Watcher, pushed_states, state_of

TOWN = "here-main"
STOPPED = 5.0 if EFFORT == "nightly" else 1.0
OTHERS = 10_000

PLAN = """\
[meta]
description = "A plan for tests"

[[tasks]]
id = "think"
description = "Design it"

[[tasks]]
id = "build"
description = "Build it"
depends_on = ["think"]
"""
EDITED, AGAIN = PLAN.replace("Design", "Sketch"), PLAN.replace("Design", "Draw")


def committed(place: Place) -> None:
    """Commit the plan, and have it in Redis."""
    name = "tinytown.toml"  # by what is in it, clones are known
    (place.top / name).write_text('[sync]\nrepo = "0123456789abcdef0123456789abcdef"\n')
    git(place.top, "add", "tasks.toml", name)
    git(place.top, "commit", "-q", "-m", "Plan")
    place.done("sync", "push")


@pytest.fixture
def here(tmp_path: Path, server: RedisServer) -> Place:
    """A repository with a plan that is committed and in Redis."""
    place = Place.make(tmp_path / "here", server, PLAN)
    committed(place)
    return place


def assert_saves_are_seen(place: Place, watcher: Watcher) -> None:
    """Save in two ways, and see both pushed."""
    for save, text, word in ((vscode, EDITED, "Sketch"), (os_replace, AGAIN, "Draw")):
        save(place.file, text)
        push = watcher.wait_for_push()
        assert [change["new"] for change in push["report"]["to_store"]] == [f"{word} it"]


def made_anew_by_clone(place: Place, kept: Path) -> None:
    git(kept.parent, "clone", "-q", str(kept), str(place.top))


def made_anew_by_copy(place: Place, kept: Path) -> None:
    shutil.copytree(kept, place.top)


@pytest.mark.parametrize("make", [made_anew_by_clone, made_anew_by_copy])
def test_a_repository_that_is_deleted_and_made_again_takes_nothing_away_and_is_watched(
    here: Place, tmp_path: Path, make: Callable[[Place, Path], None]
) -> None:
    kept = tmp_path / "kept"
    shutil.copytree(here.top, kept)
    with Watcher(here) as watcher, Spy(here.server, TOWN) as spy:
        shutil.rmtree(here.top)
        watcher.wait_for("absent")
        make(here, kept)
        watcher.wait_for("back")
        spy.look()
        assert len(spy.seen) == 1
        assert_saves_are_seen(here, watcher)
        watcher.stop()


def test_a_repository_that_is_replaced_in_a_moment_is_watched(here: Place, tmp_path: Path) -> None:
    with Watcher(here) as watcher, Spy(here.server, TOWN) as spy:
        shutil.copytree(here.top, tmp_path / "new")
        here.top.rename(tmp_path / "old")
        (tmp_path / "new").rename(here.top)
        for text in (EDITED, PLAN) * 3:
            os_replace(here.file, text)
            watcher.wait_for_push()
            watcher.calm()
        watcher.stop()
    assert watcher.count("blind") == 0, "only the pulse has seen them"
    assert len(spy.seen) == 7


def test_a_repository_that_is_moved_away_and_back_is_watched(here: Place, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    with Watcher(here) as watcher, Spy(here.server, TOWN) as spy:
        here.top.rename(elsewhere)
        watcher.wait_for("absent")
        elsewhere.rename(here.top)
        watcher.wait_for("back")
        spy.look()
        assert len(spy.seen) == 1
        assert_saves_are_seen(here, watcher)
        watcher.stop()


def test_a_plan_behind_a_link_is_watched_where_it_is(tmp_path: Path, server: RedisServer) -> None:
    place = Place.make(tmp_path / "here", server)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "plan.toml").write_text(PLAN)
    target, other = (tmp_path / name / "plan.toml" for name in ("one", "two"))
    place.file.symlink_to(target)
    place.done("sync", "push")
    with Watcher(place) as watcher:
        for save in vscode, os_replace, vscode:
            save(target, EDITED)
            watcher.wait_for_push()
            save(target, PLAN)
            watcher.wait_for_push()
        other.write_text(EDITED)
        place.file.unlink()
        place.file.symlink_to(other)
        watcher.wait_for_push()
        vscode(other, AGAIN)
        watcher.wait_for_push()
        target.write_text(PLAN)
        assert place.file.is_symlink()
        watcher.stop()
        assert len(watcher.pushes) == 8


def test_a_link_that_a_file_replaces_and_a_file_that_a_link_replaces_are_watched(
    here: Place, tmp_path: Path
) -> None:
    target = tmp_path / "plan.toml"
    target.write_text(EDITED)
    with Watcher(here) as watcher:
        here.file.unlink()
        here.file.symlink_to(target)
        watcher.wait_for_push()
        vscode(target, AGAIN)
        watcher.wait_for_push()
        os_replace(here.file, PLAN)
        watcher.wait_for_push()
        vscode(here.file, EDITED)
        watcher.wait_for_push()
        watcher.stop()
        assert len(watcher.pushes) == 4


def test_a_branch_without_a_plan_takes_nothing_away(here: Place) -> None:
    git(here.top, "switch", "-q", "-c", "bare")
    git(here.top, "rm", "-q", "tasks.toml")
    git(here.top, "commit", "-q", "-m", "No plan")
    git(here.top, "switch", "-q", "main")
    with Watcher(here) as watcher, Spy(here.server, TOWN) as spy:
        git(here.top, "switch", "-q", "bare")
        watcher.wait_for("absent", quiet=True)
        git(here.top, "switch", "-q", "main")
        watcher.wait_for("back", quiet=True)
        spy.look()
        assert len(spy.seen) == 1
        assert_saves_are_seen(here, watcher)
        watcher.stop()


def test_ten_thousand_neighbours_cost_next_to_nothing_and_hide_no_save(here: Place) -> None:
    with Watcher(here) as watcher:
        before = watcher.cpu()
        for number in range(OTHERS):
            other = here.top / f"other{number}"
            other.write_text("x")
            if number == OTHERS // 2:
                vscode(here.file, EDITED)
        watcher.wait_for_push()
        spent = watcher.cpu() - before
        assert_pushed(watcher, 1)
    assert spent < 2, f"{spent} seconds"


def assert_pushed(watcher: Watcher, times: int) -> None:
    """End it, and see how often it has pushed."""
    watcher.stop()
    assert len(watcher.pushes) == times


def in_namespaces(script: str, options: str = "-Ur") -> list[str]:
    """Return the words that run a command after a script in namespaces of its own; or skip."""
    words = [require_tool("unshare"), options, "sh", "-ec", f'{script}\nexec "$@"', "sh"]
    tried = subprocess.run([*words, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        pytest.skip(f"this system lets nobody do that: {tried.stderr}")
    return words


@pytest.mark.parametrize("limit", ["instances", "watches"])
def test_without_inotify_a_plan_is_polled_and_that_is_said_once(here: Place, limit: str) -> None:
    before = in_namespaces(f"echo 0 >/proc/sys/user/max_inotify_{limit}")
    with Watcher(here, before=before, ready=False) as watcher, Spy(here.server, TOWN) as spy:
        told = watcher.wait_for("blind")
        assert f"max_user_{limit}" in told["message"], told
        assert_saves_are_seen(here, watcher)
        watcher.stop()
        assert watcher.count("blind") == 1
    assert len(spy.seen) == 3


def test_a_filesystem_that_tells_nothing_is_polled_and_that_is_said_once(
    tmp_path: Path, server: RedisServer
) -> None:
    """Who writes into the upper layer of an overlay behind its back causes no events in it."""
    below, mounted = tmp_path / "upper" / "here", tmp_path / "mounted" / "here"
    place = Place.make(below, server, PLAN)
    for directory in (mounted, tmp_path / "lower", tmp_path / "work"):
        directory.mkdir(parents=True)
    layers = f"lowerdir={tmp_path}/lower,upperdir={below},workdir={tmp_path}/work,userxattr"
    before = in_namespaces(f"mount -t overlay none -o {layers} {mounted}\ncd {mounted}", "-Urm")
    with Watcher(Place(mounted, server), before=before) as watcher:
        for text in (EDITED, AGAIN) * 2:
            watcher.calm()
            vscode(place.file, text)
            watcher.wait_for_push()
        watcher.stop()
        assert watcher.count("blind") == 1
        assert len(watcher.pushes) == 5


@pytest.fixture
def false_clock(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A file with the seconds by which the time of day is off, and an environment that heeds it.

    That is Python's clock, as it is read by the program: nobody may set the machine's in a test.
    """
    offset, shim = tmp_path / "offset", tmp_path / "shim"
    shim.mkdir()
    offset.write_text("0")
    (shim / "sitecustomize.py").write_text(_FALSE_CLOCK.format(offset=str(offset)))
    return offset, {"PYTHONPATH": os.pathsep.join([str(shim), *sys.path])}


_FALSE_CLOCK = """
import time
real, real_ns = time.time, time.time_ns
def offset():
    with open({offset!r}) as file:
        return int(file.read() or 0)
time.time = lambda: real() + offset()
time.time_ns = lambda: real_ns() + offset() * 1_000_000_000
"""


def test_a_clock_that_jumps_changes_nothing(
    here: Place, false_clock: tuple[Path, dict[str, str]]
) -> None:
    offset, environment = false_clock
    with Watcher(here, **environment) as watcher:
        for days in (-1, 30, 0):
            offset.write_text(str(days * 24 * 3600))
            assert_saves_are_seen(here, watcher)
        days_told = {news["time"][:10] for news in watcher.stop()}
    assert len(days_told) >= 3, "the clock did not jump"


def test_after_a_sleep_the_last_of_many_saves_is_pushed(here: Place) -> None:
    wanted = pushed_states(here, TOWN, AGAIN, PLAN)[0]
    with Watcher(here) as watcher, Spy(here.server, TOWN) as spy:
        watcher.send(signal.SIGSTOP)
        for save, text in (
            (vscode, ""),
            (os_replace, EDITED),
            (vscode, PLAN[:40]),
            (vscode, AGAIN),
        ):
            save(here.file, text)
        time.sleep(STOPPED)
        watcher.send(signal.SIGCONT)
        watcher.wait_for_push()
        assert_pushed(watcher, 1)
    assert spy.seen[1:] == [wanted]


def test_a_second_watcher_says_who_is_there(here: Place) -> None:
    with Watcher(here) as watcher:
        ended = here.process("watch")
        assert ended.code == 1
        assert str(watcher.pid) in ended.err
        assert ended.err.startswith("tt: ")
        assert_saves_are_seen(here, watcher)
        watcher.stop()
    with Watcher(here) as next_one:
        next_one.stop()


def test_linked_worktrees_are_watched_side_by_side(here: Place, tmp_path: Path) -> None:
    git(here.top, "worktree", "add", "-q", "-b", "beside", str(tmp_path / "beside"))
    beside = Place(tmp_path / "beside", here.server)
    with Watcher(here) as one, Watcher(beside) as other:
        assert_saves_are_seen(here, one)
        assert_saves_are_seen(beside, other)
        (town,) = {push["report"]["town"] for push in other.pushes}
        assert town != TOWN
        assert state_of(here.server, town)["think"]["description"] == "Draw it"
        assert_pushed(one, 2)
        assert_pushed(other, 3)  # the first one made the town


def test_a_watcher_holds_no_file_open_that_others_would_need(here: Place) -> None:
    with Watcher(here) as watcher:
        assert_saves_are_seen(here, watcher)
        opened = {entry.readlink() for entry in Path(f"/proc/{watcher.pid}/fd").iterdir()}
        assert here.file not in opened
        watcher.stop()
