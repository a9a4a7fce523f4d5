"""Git rewrites the plan while `tt watch` looks on: nothing in the middle, no town but the own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.support.commands import keys
from tests.support.effort import EFFORT
from tests.support.overheard import Overheard, overhearing
from tests.support.redis_server import RedisServer
from tests.support.watch_yard import WatchYard, plan_text, says

pytestmark = pytest.mark.slow

IDS = tuple(f"t{number:02}" for number in range(20))
SLOW_HOOK = "#!/bin/sh\nsleep 0.4\n"


BOTH = [False, True]
NAMES = {False: "no hooks", True: "hooks"}


@pytest.fixture(params=BOTH if EFFORT == "nightly" else [False], ids=NAMES.get)
def yard(request: pytest.FixtureRequest, tmp_path: Path, server: RedisServer) -> WatchYard:
    """A repository in step with its town, without our hooks; at night with them as well."""
    return WatchYard.make(tmp_path, server, plan_text(*IDS), hooks=request.param)


@pytest.fixture(params=BOTH, ids=NAMES.get)
def either_yard(request: pytest.FixtureRequest, tmp_path: Path, server: RedisServer) -> WatchYard:
    """A repository in step with its town, without our hooks and with them."""
    return WatchYard.make(tmp_path, server, plan_text(*IDS), hooks=request.param)


@pytest.fixture
def bare_yard(tmp_path: Path, server: RedisServer) -> WatchYard:
    """The same without hooks: what is written there, the watcher writes."""
    return WatchYard.make(tmp_path, server, plan_text(*IDS))


@pytest.fixture
def overheard(server: RedisServer) -> Iterator[Overheard]:
    """All that the server is told."""
    with overhearing(server) as found:
        yield found


FEWER = plan_text(*IDS[:14], "new", t00="Begin on topic")
"""A plan that lacks a third of the tasks and has another."""


def with_topic(yard: WatchYard, plan: str = FEWER) -> None:
    """Make a branch with a town of its own."""
    yard.git("switch", "-q", "-c", "topic")
    yard.file.write_text(plan)
    yard.git("commit", "-q", "-a", "-m", "Topic")
    yard.tt("sync")
    yard.git("switch", "-q", "main")
    yard.tt("sync")


def dumps(yard: WatchYard) -> dict[bytes, bytes]:
    return keys(yard.shell.server)


def removed(watchman_changes: list[dict[str, object]]) -> list[object]:
    return [change["id"] for change in watchman_changes if change["change"] == "removed"]


def test_going_from_branch_to_branch_writes_into_neither_town(either_yard: WatchYard) -> None:
    with_topic(either_yard)
    before = dumps(either_yard)
    with either_yard.watched() as watchman:
        for number in range(6):
            branch = ("topic", "main")[number % 2]
            mark = watchman.mark()
            either_yard.git("switch", "-q", branch)
            if number >= 2:  # the first ones are quicker than the watcher
                news = watchman.wait("synced", mark)
                assert news["report"]["town"] == f"here-{branch}"
    assert dumps(either_yard) == before
    assert watchman.changes == []


def test_a_slow_checkout_does_not_bring_a_plan_into_the_other_branchs_town(
    bare_yard: WatchYard,
) -> None:
    """Git has written index and files by then, has no lock any more, and HEAD is still the old."""
    with_topic(bare_yard, plan_text(*IDS, t00="Begin on topic"))
    hook = bare_yard.top / ".git" / "hooks" / "post-index-change"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(SLOW_HOOK)
    hook.chmod(0o755)
    before = dumps(bare_yard)
    with bare_yard.watched() as watchman:
        for branch in ("topic", "main"):
            mark = watchman.mark()
            bare_yard.git("switch", "-q", branch)
            watchman.wait("synced", mark)
    assert dumps(bare_yard) == before


def test_what_is_saved_just_before_a_checkout_reaches_its_own_town_alone(
    either_yard: WatchYard, overheard: Overheard
) -> None:
    with_topic(either_yard)
    start = overheard.mark()
    with either_yard.watched():
        for number in range(6):
            branch = either_yard.branch
            either_yard.commit(says("t03", f"{branch}-{number}"), "Edit")
            either_yard.git("switch", "-q", "topic" if branch == "main" else "main")
        for branch in ("topic", "main"):
            either_yard.git("switch", "-q", branch)
            either_yard.wait_in_step()
    assert (either_yard.says("t03"), either_yard.says("t03", "topic")) == ("main-4", "topic-5")
    for town, other in (("main", "topic"), ("topic", "main")):
        written = overheard.writes(start, about=f"tt:here-{town}:")
        assert not [write for write in written if f'"{other}-' in write.said]
        assert not [write for write in written if write.command in ("DEL", "UNLINK")]


def many_commits(yard: WatchYard, commits: int) -> None:
    """Make commits on a branch that each edit the plan, and one on main that does so as well."""
    yard.git("branch", "side")
    yard.commit(says("t19", "Main went on"), "Main", TT_HOOKS="0")
    yard.git("switch", "-q", "side")
    for number in range(commits):
        yard.commit(says(IDS[number % 10], f"side-{number}"), f"Side {number}", TT_HOOKS="0")
    yard.tt("sync")


def test_a_rebase_of_fifty_commits_is_one_sync_at_its_end(
    bare_yard: WatchYard, overheard: Overheard
) -> None:
    many_commits(bare_yard, 50)
    with bare_yard.watched() as watchman:
        mark, start = watchman.mark(), overheard.mark()
        bare_yard.git("rebase", "-q", "-x", "sleep 0.02", "main")
        end = overheard.mark()
        bare_yard.wait_in_step()
    assert overheard.writes(start, end) == []
    assert watchman.told(mark).count("synced") == 1
    assert [change["id"] for change in watchman.changes] == ["t19"]


def test_a_rebase_with_hooks_removes_nothing_and_ends_in_step(
    either_yard: WatchYard, overheard: Overheard
) -> None:
    many_commits(either_yard, 8)
    with either_yard.watched() as watchman:
        start = overheard.mark()
        either_yard.git("rebase", "-q", "main")
        either_yard.wait_in_step()
        end = overheard.mark()
    assert not [write for write in overheard.writes(start, end) if write.removes]
    assert removed(watchman.changes) == []
    either_yard.assert_in_step()


def conflicting(yard: WatchYard) -> None:
    """Have a branch `theirs` whose plan cannot be merged with main's."""
    yard.git("switch", "-q", "-c", "theirs")
    yard.commit(says("t05", "Theirs"), "Theirs")
    yard.git("switch", "-q", "main")
    yard.commit(says("t05", "Ours"), "Ours")
    yard.tt("sync")


def test_a_rebase_that_stops_and_is_aborted_writes_nothing_at_all(yard: WatchYard) -> None:
    conflicting(yard)
    with yard.watched() as watchman:
        before, mark = dumps(yard), watchman.mark()
        assert yard.try_git("rebase", "-q", "theirs").code != 0
        watchman.wait("waiting", mark)
        assert dumps(yard) == before
        yard.git("rebase", "--abort")
    assert dumps(yard) == before
    assert watchman.changes == []


def test_a_merge_with_conflicts_is_synced_when_it_is_resolved(yard: WatchYard) -> None:
    conflicting(yard)
    with yard.watched() as watchman:
        before, mark = dumps(yard), watchman.mark()
        assert yard.try_git("merge", "-q", "theirs").code != 0
        watchman.wait("waiting", mark)
        yard.file.write_text(plan_text(*IDS, t05="Both"))
        yard.git("add", "tasks.toml")
        assert dumps(yard) == before
        yard.git("commit", "-q", "--no-edit")
        yard.wait_in_step()
    assert yard.says("t05") == "Both"
    assert "invalid" not in watchman.told()
    assert removed(watchman.changes) == []


def test_a_bisect_is_left_alone_from_start_to_reset(yard: WatchYard) -> None:
    for number in range(8):
        yard.commit(says("t07", f"Edit {number}"), f"Edit {number}")
    yard.tt("sync")
    with yard.watched() as watchman:
        before, mark = dumps(yard), watchman.mark()
        yard.git("bisect", "start", "HEAD", "HEAD~8")
        watchman.wait("waiting", mark)
        yard.git("bisect", "run", "sh", "-c", 'sleep 0.1; ! grep -q "Edit 5" tasks.toml')
        assert dumps(yard) == before
        yard.git("bisect", "reset")
    assert dumps(yard) == before
    assert watchman.changes == []


def test_stash_and_pop_take_an_edit_back_and_bring_it_again(either_yard: WatchYard) -> None:
    with either_yard.watched() as watchman:
        for number in range(3):
            either_yard.save(says("t02", f"Edit {number}"))
            either_yard.wait_in_step()
            either_yard.git("stash", "-q")
            either_yard.wait_in_step()
            assert either_yard.says("t02") == ("Do t02")
            either_yard.git("stash", "pop", "-q")
            either_yard.wait_in_step()
            either_yard.git("checkout", "-q", "tasks.toml")
            either_yard.wait_in_step()
    assert removed(watchman.changes) == []
    assert {change["id"] for change in watchman.changes} == {"t02"}


def test_a_new_task_that_is_stashed_for_a_moment_is_not_removed(yard: WatchYard) -> None:
    with yard.watched() as watchman:
        yard.save(lambda text: text + plan_text("new").partition("\n\n")[2])
        yard.wait_in_step()
        yard.git("stash", "-q")
        yard.git("stash", "pop", "-q")
        yard.save(says("t01", "Later"))
        yard.wait_in_step()
    assert removed(watchman.changes) == []
    assert "new" in yard.town().tasks


def test_edits_that_a_merge_puts_away_are_not_taken_back(bare_yard: WatchYard) -> None:
    """Git brings them back when the hooks are over, however long they take."""
    bare_yard.git("switch", "-q", "-c", "side")
    (bare_yard.top / "readme").write_text("x")
    bare_yard.git("add", "readme")
    bare_yard.commit(says("t01", "On side"), "Side")
    bare_yard.git("switch", "-q", "main")
    bare_yard.tt("sync")
    hook = bare_yard.top / ".git" / "hooks" / "post-merge"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nsleep 6\n")
    hook.chmod(0o755)
    with bare_yard.watched() as watchman:
        bare_yard.save(
            lambda text: says("t15", "Mine")(text) + plan_text("new").split("\n\n", 1)[1]
        )
        bare_yard.wait_in_step()
        bare_yard.git("merge", "-q", "--autostash", "side")
        bare_yard.wait_in_step()
    assert (bare_yard.says("t01"), bare_yard.says("t15")) == ("On side", "Mine")
    assert "new" in bare_yard.town().tasks
    assert sorted(str(change["id"]) for change in watchman.changes) == ["new", "t01", "t15"]


def test_several_cherry_picks_are_one_sync(bare_yard: WatchYard, overheard: Overheard) -> None:
    bare_yard.git("switch", "-q", "-c", "side")
    for number in range(10):
        bare_yard.commit(says(IDS[number], f"side-{number}"), f"Side {number}", TT_HOOKS="0")
    bare_yard.git("switch", "-q", "main")
    with bare_yard.watched() as watchman:
        mark = watchman.mark()
        bare_yard.git("cherry-pick", "side~10..side")
        bare_yard.wait_in_step()
    assert watchman.told(mark) == ["synced", "stopped"]
    assert len(watchman.changes) == 10


def test_a_hard_reset_takes_commits_back_in_one_sync(yard: WatchYard) -> None:
    for number in range(10):
        yard.commit(says(IDS[number], f"Edit {number}"), f"Edit {number}")
    yard.tt("sync")
    with yard.watched() as watchman:
        mark = watchman.mark()
        yard.git("reset", "-q", "--hard", "HEAD~10")
        yard.wait_in_step()
    assert watchman.told(mark) == ["synced", "stopped"]
    assert yard.plan.tasks["t00"].fields["description"] == "Do t00"
    assert removed(watchman.changes) == []


def test_a_pull_with_rebase_brings_theirs_and_keeps_ours(yard: WatchYard) -> None:
    other = yard.top.parent / "other"
    yard.git("clone", "-q", ".", str(other))
    theirs = WatchYard(other, yard.shell)
    yard.git("remote", "add", "origin", str(other))
    for number in range(5):
        theirs.commit(says(IDS[number], f"theirs-{number}"), "Theirs")
        yard.commit(says(IDS[10 + number], f"ours-{number}"), "Ours")
    yard.tt("sync")
    with yard.watched() as watchman:
        yard.git("pull", "-q", "--rebase", "origin", "main")
        yard.wait_in_step()
    assert (yard.says("t04"), yard.says("t14")) == ("theirs-4", "ours-4")
    assert removed(watchman.changes) == []


def test_commits_and_saves_beside_the_watcher_all_succeed(
    either_yard: WatchYard, overheard: Overheard
) -> None:
    tries = {"dev": 12, "ci": 12, "nightly": 300}[EFFORT]
    numbers = count()
    with either_yard.watched() as watchman:
        start = overheard.mark()
        for number in range(tries):
            either_yard.save(says(IDS[number % 20], f"Edit {next(numbers)}"))
            ended = either_yard.git("commit", "-q", "-a", "-m", f"Edit {number}")
            assert ended.err == "", ended
            either_yard.save(says(IDS[(number + 7) % 20], f"Edit {next(numbers)}"))
        either_yard.git("commit", "-q", "-a", "-m", "Last")
        either_yard.wait_in_step()
        end = overheard.mark()
    either_yard.assert_no_lock()
    either_yard.assert_in_step()
    assert not [write for write in overheard.writes(start, end) if write.removes]
    assert either_yard.git("rev-list", "--count", f"HEAD~{tries + 1}..HEAD").out.strip() == str(
        tries + 1
    )
    assert either_yard.git("status", "--porcelain", "--untracked-files=no").out == ""
    assert set(watchman.told()) <= {"started", "synced", "waiting", "resumed", "stopped"}
