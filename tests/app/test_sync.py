"""Syncing a plan with its town: directions, guards, races, crashes, lost and restored stores."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from tests.support.plans import task
from tests.support.sites import (
    MERGE,
    PULL,
    PUSH,
    TOWN,
    Clone,
    Crash,
    FakeRepository,
    crash_at,
    foreign_hash,
    frozen,
    restore,
)
from tt.app.conflicts import conflicts, reopen, resolve
from tt.app.history import undo
from tt.app.sync import sync
from tt.core.diff import Added, Edited, Removed
from tt.core.ids import task_uuid
from tt.core.model import META_ID
from tt.core.outcome import Side
from tt.core.report import Conflict, Direction, Kept
from tt.core.trees import Trust
from tt.core.values import ABSENT
from tt.errors import BaseMovedError, FileMovedError, PlanError, StoreError, TTError
from tt.record import replace

UUID = "0b0e3cbb-31ac-4cf0-8a38-3a1c1e4f1a7d"
DIRECTIONS = [PUSH, PULL, MERGE]
WITH_EACH = pytest.mark.parametrize(
    "request_", DIRECTIONS, ids=[str(r.direction) for r in DIRECTIONS]
)


@pytest.fixture
def clone() -> Clone:
    """A clone whose plan of two tasks is in step."""
    made = Clone(None, task("a"), task("b", agent="dev"))
    made.sync(PUSH)
    return made


# Directions


def test_a_first_push_makes_every_task() -> None:
    clone = Clone(None, task("a"), task("b"))
    report = clone.sync(PUSH)
    assert report.to_store == (Added(task("a")), Added(task("b")))
    assert (report.in_step, report.to_file) == (2, ())
    assert clone.stored == clone.plan


def test_a_push_writes_the_store_only(clone: Clone) -> None:
    clone.raw("a")["state"] = "running"
    clone.edit('"dev"', '"ops"')
    before = clone.file.data
    report = clone.sync(PUSH)
    assert report.to_store == (Edited("b", "agent", "dev", "ops"),)
    assert report.waiting_file == (Edited("a", "status", "pending", "running"),)
    assert (clone.file.data, clone.raw("b")["agent"]) == (before, "ops")


def test_a_pull_writes_no_task_of_the_store(clone: Clone) -> None:
    clone.raw("a")["state"] = "running"
    clone.edit('"dev"', '"ops"')
    tasks = frozen(clone.memory).tasks
    report = clone.sync(PULL)
    assert report.to_file == (Edited("a", "status", "pending", "running"),)
    assert report.waiting_store == (Edited("b", "agent", "dev", "ops"),)
    assert clone.memory.tasks == tasks


def test_a_merge_writes_both(clone: Clone) -> None:
    clone.raw("a")["state"] = "running"
    clone.edit('"dev"', '"ops"')
    report = clone.sync(MERGE)
    assert report.in_step == 2
    assert clone.plan == clone.stored


def test_a_direction_that_left_something_out_does_not_forget_it(clone: Clone) -> None:
    clone.raw("a")["state"] = "running"
    clone.edit('"dev"', '"ops"')
    clone.sync(PULL)
    clone.raw("a")["state"] = "completed"
    clone.sync(PUSH)
    report = clone.sync(MERGE)
    assert report.to_file == (Edited("a", "status", "running", "completed"),)
    assert clone.plan == clone.stored


@WITH_EACH
def test_a_sync_after_a_sync_writes_nothing(clone: Clone, request_: Any) -> None:
    clone.raw("a")["state"] = "running"
    clone.edit('"dev"', '"ops"')
    clone.sync(request_)
    before = clone.everything()
    report = clone.sync(request_)
    assert (report.to_store, report.to_file) == ((), ())
    assert clone.everything() == before


@WITH_EACH
def test_a_sync_after_a_sync_with_conflicts_writes_nothing(clone: Clone, request_: Any) -> None:
    clone.raw("b")["agent"] = "qa"
    clone.edit('"dev"', '"ops"')
    wanted = (Conflict("b", "agent", "dev", "ops", "qa"),)
    assert clone.sync(request_).conflicts == wanted
    before = clone.everything()
    assert clone.sync(request_).conflicts == wanted
    assert clone.everything() == before


@WITH_EACH
def test_a_dry_run_writes_nothing_and_says_what_would_be(clone: Clone, request_: Any) -> None:
    clone.raw("a")["state"] = "running"
    clone.edit('"dev"', '"ops"')
    before, locked = clone.everything(), clone.locked
    told = clone.sync(request_, dry_run=True)
    assert (clone.everything(), clone.locked) == (before, locked)
    done = clone.sync(request_)
    assert told == replace(done, dry_run=True)


def test_meta_is_synced_like_any_task() -> None:
    clone = Clone()
    clone.write(task("a"), meta={"description": "one"})
    clone.sync(PUSH)
    clone.memory.plan["meta:description"] = '"two"'
    report = clone.sync(MERGE)
    assert report.to_file == (Edited(META_ID, "description", "one", "two"),)
    assert clone.plan.meta == {"description": "two"}


def test_tasks_without_an_id_are_given_one_in_the_file() -> None:
    clone = Clone()
    clone.file.data = b'[[tasks]]\ndescription = "Build it"\n'
    report = clone.sync(PUSH)
    (identifier,) = clone.plan.tasks
    assert report.named == (identifier,)
    assert f'id = "{identifier}"' in clone.file.data.decode()
    before = clone.everything()
    clone.sync(PUSH)
    assert clone.everything() == before


def test_each_sync_that_changed_something_is_in_the_history(clone: Clone) -> None:
    clone.edit('"dev"', '"ops"')
    clone.sync(PUSH)
    first, *_ = clone.bases.history()
    assert (first.direction, first.to_store) == ("push", (Edited("b", "agent", "dev", "ops"),))


# No file, bad file


@pytest.mark.parametrize("request_", [PUSH, MERGE])
def test_where_there_is_no_file_nothing_is_written(clone: Clone, request_: Any) -> None:
    clone.file.data = None
    before = clone.everything()
    with pytest.raises(TTError, match=r"no tasks\.toml"):
        clone.sync(request_)
    assert clone.everything() == before


def test_a_pull_makes_the_file_where_there_is_none(clone: Clone) -> None:
    wanted = clone.plan
    clone.file.data = None
    report = clone.sync(PULL)
    assert {change.id for change in report.to_file} == {"a", "b"}
    assert clone.plan == wanted
    before = clone.everything()
    clone.sync(MERGE)
    assert clone.everything()[0] == before[0]


def test_a_pull_from_an_empty_town_makes_no_file() -> None:
    clone = Clone()
    with pytest.raises(TTError, match="no tasks in Redis"):
        clone.sync(PULL)
    assert clone.file.data is None


@WITH_EACH
@pytest.mark.parametrize("data", [b"", b"[[tasks]\n", b'[[tasks]]\nid = "a"\n', b"x = 1\n"])
def test_an_invalid_file_changes_neither_side(clone: Clone, request_: Any, data: bytes) -> None:
    clone.file.data = data
    before = clone.everything()
    with pytest.raises(PlanError):
        clone.sync(request_)
    assert clone.everything() == before


# Whose a town is


def test_another_repositorys_town_is_refused_both_ways(clone: Clone) -> None:
    other = Clone(clone.memory, task("a", "theirs"), identity="other")
    before = other.everything()
    for request in DIRECTIONS:
        with pytest.raises(StoreError, match="another repository"):
            other.sync(request)
    assert other.everything() == before


def test_a_town_that_took_us_in_once_is_ours_without_looking_for_more_identities(
    clone: Clone,
) -> None:
    class Slow:
        def primary(self) -> str:
            return "me"

        def every(self) -> tuple[str, ...]:
            raise AssertionError("it may have to walk the whole history")

    sync(replace(clone.site, identity=Slow()), MERGE)


def test_a_pull_does_not_claim_a_town_of_nobody() -> None:
    clone = Clone()
    clone.memory.tasks[UUID] = foreign_hash(UUID, "from elsewhere")
    clone.sync(PULL)
    assert clone.memory.plan == {}


# Conflicts


def test_a_conflict_is_reported_until_it_is_resolved(clone: Clone) -> None:
    clone.raw("b")["agent"] = "qa"
    clone.edit('"dev"', '"ops"')
    for request in (PUSH, PULL, MERGE):
        assert [c.id for c in clone.sync(request).conflicts] == ["b"]
    report = resolve(clone.site, "b", Side.STORE)
    assert (report.conflicts, clone.plan.tasks["b"].agent) == ((), "qa")
    assert conflicts(clone.site) == []
    assert clone.sync(MERGE).conflicts == ()


def test_a_conflict_on_whether_a_task_exists_lasts_until_it_is_resolved(clone: Clone) -> None:
    clone.raw("b")["state"] = "running"
    clone.write(task("a"))
    for request in (PUSH, PULL, MERGE):
        assert [(c.id, c.field) for c in clone.sync(request).conflicts] == [("b", None)]
    report = resolve(clone.site, "b", Side.FILE)
    assert (report.conflicts, list(clone.stored.tasks)) == ((), ["a"])
    assert clone.sync(MERGE).to_file == ()


def test_only_what_is_in_conflict_can_be_resolved(clone: Clone) -> None:
    with pytest.raises(TTError, match="no conflict on `a`"):
        resolve(clone.site, "a", Side.FILE)


# Tasks of other tools


def test_a_task_that_another_tool_made_is_adopted_under_an_id_that_stays(clone: Clone) -> None:
    clone.memory.tasks[UUID] = foreign_hash(UUID, "from elsewhere")
    (added,) = clone.sync(PULL).to_file
    assert isinstance(added, Added)
    assert clone.memory.tasks[UUID]["tags"] == f'["plan:{added.id}"]'
    clone.memory.tasks[UUID]["description"] = "said better"
    report = clone.sync(MERGE)
    assert clone.memory.tasks[UUID]["tt"] == "1", "a field that is not there is none from now on"
    assert report.to_file == (Edited(added.id, "description", "from elsewhere", "said better"),)
    assert len(clone.memory.tasks) == 3


def test_a_duplicate_of_another_tool_loses_none_of_the_plan(clone: Clone) -> None:
    clone.memory.tasks[UUID] = foreign_hash(UUID, "do it", '["plan:b"]', state="running")
    report = clone.sync(MERGE)
    assert report.to_file == (Edited("b", "status", "pending", "running"),)
    assert [copy.id for copy in report.duplicates] == ["b"]
    assert clone.plan.tasks["b"].agent == "dev"
    before = clone.everything()
    clone.sync(MERGE)
    assert clone.everything() == before


def test_a_hash_that_cannot_be_used_is_named_and_the_rest_is_synced(clone: Clone) -> None:
    clone.raw("a")["state"] = "odd"
    clone.edit('"dev"', '"ops"')
    report = clone.sync(MERGE)
    assert len(report.faults) == 1
    assert clone.raw("b")["agent"] == "ops"
    assert "a" in clone.plan.tasks
    before = clone.everything()
    clone.sync(MERGE)
    assert clone.everything() == before


def test_an_adopted_task_keeps_its_hash_while_that_cannot_be_used(clone: Clone) -> None:
    clone.memory.tasks[UUID] = foreign_hash(UUID, "from elsewhere")
    clone.sync(MERGE)
    clone.memory.tasks[UUID] |= {"state": "odd", "tags": "[]"}
    clone.edit('"dev"', '"ops"')
    clone.sync(MERGE)
    clone.edit('"ops"', '"qa"')
    clone.sync(MERGE)
    clone.memory.tasks[UUID]["state"] = "running"
    report = clone.sync(MERGE)
    assert len(clone.memory.tasks) == 3, "no second hash was made for it"
    assert [change.new for change in report.to_file if isinstance(change, Edited)] == ["running"]


@pytest.mark.parametrize("fresh", [False, True])
def test_a_value_of_meta_that_cannot_be_used_is_written_by_nobody(fresh: bool) -> None:
    clone = Clone()
    clone.write(task("a"), meta={"m": 1})
    clone.sync(MERGE)
    clone.memory.plan["meta:m"] = "{no value"
    other = Clone(clone.memory) if fresh else clone
    other.write(task("a"), meta={"m": 1})
    report = other.sync(MERGE)
    assert (len(report.faults), report.to_store, report.to_file) == (1, (), ())
    assert clone.memory.plan["meta:m"] == "{no value"


# Removals


def test_a_removal_leaves_a_tombstone_and_reaches_another_clone(clone: Clone) -> None:
    other = Clone(clone.memory, task("a"), task("b", agent="dev"))
    other.sync(MERGE)
    clone.write(task("a"))
    assert clone.sync(PUSH).to_store == (Removed(task("b", agent="dev")),)
    assert list(clone.memory.stones) == ["b"]
    assert other.sync(MERGE).to_file == (Removed(task("b", agent="dev")),)


def test_a_removed_task_does_not_come_back_by_a_clone_without_base(clone: Clone) -> None:
    clone.write(task("a"))
    clone.sync(PUSH)
    fresh = Clone(clone.memory, task("a"), task("b", agent="dev"))
    fresh.sync(MERGE)
    assert list(fresh.plan.tasks) == list(fresh.stored.tasks) == ["a"]


def test_a_removal_is_not_undone_by_a_store_that_lost_the_task(clone: Clone) -> None:
    other = Clone(clone.memory, task("a"), task("b", agent="dev"))
    other.sync(MERGE)
    del clone.memory.tasks[task_uuid(TOWN, "b")]
    clone.write(task("a"))
    clone.sync(PULL)
    clone.sync(PUSH)
    assert list(clone.memory.stones) == ["b"]
    other.sync(MERGE)
    assert list(other.plan.tasks) == list(clone.stored.tasks) == ["a"]


def test_an_absent_hash_is_healed(clone: Clone) -> None:
    del clone.memory.tasks[task_uuid(TOWN, "b")]
    assert clone.sync(MERGE).to_store == (Added(task("b", agent="dev")),)
    assert clone.stored == clone.plan


def _many(number: int) -> list[Any]:
    return [task(f"t{n}") for n in range(number)]


@pytest.mark.parametrize(
    ("total", "gone", "refused"),
    [(2, 2, False), (3, 3, True), (9, 3, False), (8, 3, True), (90, 20, False), (90, 21, True)],
)
def test_a_push_that_would_remove_too_much_is_refused(total: int, gone: int, refused: bool) -> None:
    clone = Clone(None, *_many(total))
    clone.sync(PUSH)
    clone.write(*_many(total)[gone:])
    before = clone.everything()
    if not refused:
        clone.sync(PUSH)
        assert len(clone.stored.tasks) == total - gone
        return
    with pytest.raises(TTError, match=f"lacks {gone} of the {total} tasks"):
        clone.sync(PUSH)
    assert clone.everything() == before
    assert len(clone.sync(PUSH, dry_run=True).to_store) == gone
    clone.sync(PUSH, force=True)
    assert len(clone.stored.tasks) == total - gone


def test_tasks_that_the_store_had_lost_before_do_not_count_as_removed_by_a_push() -> None:
    clone = Clone(None, *_many(9))
    clone.sync(PUSH)
    restore(clone.memory)
    clone.write(*_many(2))
    clone.sync(PUSH)
    assert len(clone.stored.tasks) == 2
    assert len(clone.memory.stones) == 7


@pytest.mark.parametrize("place", ["index", "HEAD"])
def test_git_vouches_for_a_file_that_lacks_many_tasks(place: str) -> None:
    repository = FakeRepository()
    clone = Clone(None, *_many(9), repository=repository)
    clone.sync(PUSH)
    clone.write(*_many(2))
    repository.commit("one", clone.file.data if place == "HEAD" else b"")
    if place == "index":
        repository.index = clone.file.data
    clone.sync(PUSH)
    assert len(clone.stored.tasks) == 2


def test_git_does_not_vouch_for_what_it_does_not_have() -> None:
    repository = FakeRepository()
    clone = Clone(None, *_many(9), repository=repository)
    repository.commit("one", clone.file.data)
    clone.sync(PUSH)
    clone.write(*_many(2))
    with pytest.raises(TTError, match="nothing was synced"):
        clone.sync(PUSH)


def test_a_pull_that_would_remove_too_much_is_refused(clone: Clone) -> None:
    many = Clone(clone.memory, *_many(9), task("a"), task("b", agent="dev"))
    many.sync(MERGE)
    clone.sync(MERGE)
    many.write(*_many(2))
    many.sync(PUSH, force=True)
    before = clone.everything()
    for request in (PULL, MERGE):
        with pytest.raises(TTError, match="Redis lacks 9 of the 11 tasks"):
            clone.sync(request)
    assert clone.everything() == before
    clone.sync(PULL, force=True)
    assert len(clone.plan.tasks) == 2


# Statuses and Git


def _finished(repository: FakeRepository) -> Clone:
    """A clone in step, HEAD `one` with the task pending, `two` with it completed."""
    clone = Clone(None, task("a"), repository=repository)
    repository.commit("one", clone.file.data)
    clone.sync(PUSH)
    clone.raw("a")["state"] = "completed"
    clone.sync(MERGE)
    repository.commit("two", clone.file.data)
    clone.sync(MERGE)
    assert clone.status("a") == ("completed", "completed")
    return clone


def test_an_old_version_that_git_brings_back_does_not_undo_finished_work() -> None:
    repository = FakeRepository()
    clone = _finished(repository)
    clone.file.data = repository.go("one")
    report = clone.sync(PUSH)
    assert report.kept == (Kept("a", "pending", "completed"),)
    assert clone.status("a") == ("pending", "completed")
    clone.sync(MERGE)
    assert clone.status("a") == ("completed", "completed")


def test_a_status_that_is_set_back_by_hand_is_pushed() -> None:
    clone = _finished(FakeRepository())
    clone.edit('"completed"', '"pending"')
    assert clone.sync(PUSH).kept == ()
    assert clone.status("a") == ("pending", "pending")


def test_a_status_that_a_new_commit_sets_back_is_pushed() -> None:
    repository = FakeRepository()
    clone = _finished(repository)
    clone.edit('"completed"', '"pending"')
    repository.commit("three", clone.file.data)
    clone.sync(PUSH)
    assert clone.status("a") == ("pending", "pending")


def test_a_status_that_is_set_back_after_a_commit_nobody_synced_is_pushed() -> None:
    """A pre-commit hook saves the base before there is the commit that it saves it for."""
    repository = FakeRepository()
    clone = Clone(None, task("a"), repository=repository)
    repository.commit("one", clone.file.data)
    clone.sync(PUSH)
    clone.raw("a")["state"] = "completed"
    clone.sync(MERGE)
    repository.commit("two", clone.file.data)
    clone.edit('"completed"', '"pending"')
    repository.commit("three", clone.file.data)
    clone.sync(PUSH)
    assert clone.status("a") == ("pending", "pending")


def test_a_sync_after_a_commit_that_changed_nothing_saves_nothing() -> None:
    repository = FakeRepository()
    clone = _finished(repository)
    repository.commit("three", clone.file.data)
    before = clone.everything()
    clone.sync(MERGE)
    assert clone.everything() == before


def test_a_commit_that_takes_a_status_forward_does_not_undo_finished_work() -> None:
    repository = FakeRepository()
    clone = Clone(None, task("a"), repository=repository)
    repository.commit("one", clone.file.data)
    clone.sync(PUSH)
    clone.raw("a")["state"] = "completed"
    clone.sync(MERGE)  # never committed here
    clone.write(task("a", status="running"))  # checked out, then pulled from a teammate
    repository.commit("two", clone.file.data)
    report = clone.sync(PUSH)
    assert report.kept == (Kept("a", "running", "completed"),)
    assert clone.raw("a")["state"] == "completed"


def test_a_task_that_a_commit_brings_does_not_undo_work_that_is_finished_already() -> None:
    repository = FakeRepository()
    repository.commit("one", None)
    clone = Clone(None, task("a"), repository=repository)
    clone.sync(PUSH)
    clone.raw("a")["state"] = "completed"
    clone.sync(MERGE)
    clone.write(task("a"))
    repository.commit("two", clone.file.data)
    assert clone.sync(MERGE).kept == (Kept("a", "pending", "completed"),)
    assert clone.status("a") == ("completed", "completed")


def test_a_pull_does_not_forget_that_somebody_set_a_status_back() -> None:
    repository = FakeRepository()
    clone = _finished(repository)
    clone.edit('"completed"', '"pending"')
    repository.commit("three", clone.file.data)
    clone.sync(PULL)
    clone.sync(PULL)
    clone.sync(PUSH)
    assert clone.status("a") == ("pending", "pending")


def test_a_task_that_git_brings_back_after_its_removal_is_asked_about() -> None:
    repository = FakeRepository()
    clone = Clone(None, task("a"), task("b"), repository=repository)
    repository.commit("one", clone.file.data)
    clone.sync(PUSH)
    clone.write(task("a"))
    clone.sync(PUSH)
    repository.commit("two", clone.file.data)
    clone.sync(PUSH)
    clone.file.data = repository.go("one")
    for request in (PUSH, MERGE):
        assert [(c.id, c.field) for c in clone.sync(request).conflicts] == [("b", None)]


@pytest.mark.parametrize("committed", [False, True])
def test_a_removed_task_that_somebody_writes_again_is_made_again(committed: bool) -> None:
    repository = FakeRepository()
    clone = Clone(None, task("a"), task("b"), repository=repository)
    clone.sync(PUSH)
    clone.write(task("a"))
    clone.sync(PUSH)
    repository.commit("one", clone.file.data)
    clone.sync(PUSH)
    clone.write(task("a"), task("b"))
    if committed:
        repository.commit("two", clone.file.data)
    assert clone.sync(PUSH).conflicts == ()
    assert list(clone.stored.tasks) == ["a", "b"]


def test_a_wish_that_was_committed_waits_through_pulls() -> None:
    repository = FakeRepository()
    clone = Clone(None, task("a", status="completed"), task("b"), repository=repository)
    repository.commit("one", clone.file.data)
    clone.sync(PUSH)
    clone.edit('"completed"', '"pending"')
    repository.commit("two", clone.file.data)
    clone.raw("b")["state"] = "running"
    clone.sync(PULL)
    repository.commit("three", clone.file.data)
    assert clone.status("a") == ("pending", "completed")
    assert clone.sync(MERGE).kept == ()
    assert clone.status("a") == ("pending", "pending")


def test_a_reset_pushes_statuses_of_finished_tasks_too() -> None:
    repository = FakeRepository()
    clone = _finished(repository)
    clone.file.data = repository.go("one")
    assert clone.sync(PUSH, reset=True).kept == ()
    assert clone.status("a") == ("pending", "pending")


# Stores that were lost, restored, replaced


def test_a_flushed_town_is_made_again_from_the_file(clone: Clone) -> None:
    clone.edit('"dev"', '"ops"')
    wanted = clone.plan
    restore(clone.memory)
    report = clone.sync(MERGE)
    assert report.to_file == ()
    assert clone.plan == clone.stored == wanted
    before = clone.everything()
    clone.sync(MERGE)
    assert clone.everything() == before


def test_a_pull_from_a_flushed_town_takes_nothing_from_the_file(clone: Clone) -> None:
    before = clone.file.data
    restore(clone.memory)
    report = clone.sync(PULL)
    assert (report.to_file, len(report.waiting_store)) == ((), 2)
    assert clone.file.data == before
    assert clone.look().trust is Trust.REWOUND, "only a sync that heals ends it"


def test_a_restored_town_takes_no_progress_back(clone: Clone) -> None:
    dump = frozen(clone.memory)
    clone.raw("a")["state"] = "completed"
    clone.edit('"dev"', '"ops"')
    clone.sync(MERGE)
    restore(clone.memory, dump)
    report = clone.sync(MERGE)
    assert report.to_file == ()
    assert clone.status("a") == ("completed", "completed")
    assert clone.raw("b")["agent"] == "ops"


@WITH_EACH
def test_a_town_restored_to_just_before_a_status_was_taken_in_is_seen_to_be_behind(
    clone: Clone, request_: Any
) -> None:
    """Agents do not raise the counter; whoever takes in what they did has to."""
    dump = frozen(clone.memory)
    clone.raw("a")["state"] = "completed"
    if request_ is PUSH:
        clone.edit('status = "pending"', 'status = "completed"')
        clone.raw("b")["state"] = "completed"
    clone.sync(request_)
    restore(clone.memory, dump)
    clone.sync(MERGE)
    assert clone.status("a") == ("completed", "completed")


def test_a_removal_is_not_undone_by_a_flush_and_a_restore(clone: Clone) -> None:
    dump = frozen(clone.memory)
    clone.write(task("a"))
    clone.sync(PUSH)
    restore(clone.memory)
    clone.sync(PULL)
    restore(clone.memory, dump)
    report = clone.sync(MERGE)
    assert report.to_store == (Removed(task("b", agent="dev")),)
    assert list(clone.plan.tasks) == ["a"]


@pytest.mark.parametrize("flushed", [False, True])
def test_what_another_clone_healed_is_not_taken_for_an_edit(clone: Clone, flushed: bool) -> None:
    dump = frozen(clone.memory)
    stale = Clone(clone.memory, task("a"), task("b", agent="dev"))
    stale.sync(MERGE)
    clone.edit('"dev"', '"ops"')
    clone.sync(MERGE)
    restore(clone.memory, None if flushed else dump)
    stale.sync(MERGE)  # heals with what it knows: an older agent
    for _ in range(10):  # and goes on for a while
        stale.raw("a")["state"] = "running" if stale.status("a")[1] == "pending" else "pending"
        stale.sync(MERGE)
    for request in (PUSH, MERGE, MERGE):
        (conflict,) = clone.sync(request).conflicts
        assert (conflict.id, conflict.field, conflict.file, conflict.store) == (
            "b",
            "agent",
            "ops",
            "dev",
        )
    resolve(clone.site, "b", Side.FILE)
    stale.sync(MERGE)
    assert clone.plan == stale.plan == clone.stored


def test_a_pull_from_a_town_that_another_clone_healed_takes_no_progress_back(clone: Clone) -> None:
    stale = Clone(clone.memory, task("a"), task("b", agent="dev"))
    stale.sync(MERGE)
    clone.raw("a")["state"] = "completed"
    clone.sync(MERGE)
    restore(clone.memory)
    for _ in range(5):  # heals with what it knows, and goes on
        stale.sync(MERGE)
        stale.raw("b")["state"] = "running" if stale.status("b")[1] == "pending" else "pending"
    assert clone.look().trust is Trust.REPLACED
    for request in (PULL, PULL, MERGE):
        clone.sync(request)
        assert clone.plan.tasks["a"].status == "completed"
    assert clone.raw("a")["state"] == "completed"


def test_a_town_that_a_clone_far_behind_healed_keeps_what_was_done_since(clone: Clone) -> None:
    behind = Clone(clone.memory, task("a"), task("b", agent="dev"))
    behind.sync(MERGE)
    clone.raw("b")["state"] = "failed"
    for _ in range(3):
        clone.edit('description = "', 'description = "so ')
        clone.sync(MERGE)
    restore(clone.memory)
    behind.sync(MERGE)
    behind.edit('"dev"', '"ops"')
    behind.raw("b")["state"] = "completed"
    behind.sync(MERGE)
    assert clone.memory.plan["seq"] < str(clone.bases.load().seq)
    assert clone.look().trust is Trust.REPLACED
    before = clone.stored
    found = {(one.id, one.field) for one in clone.sync(MERGE).conflicts}
    assert found >= {("b", "agent"), ("b", "status")}
    assert clone.stored == before


def test_pulls_of_a_hash_that_was_made_again_take_no_progress_back(clone: Clone) -> None:
    behind = Clone(clone.memory, task("a"), task("b", agent="dev"))
    behind.sync(MERGE)
    clone.raw("a")["state"] = "completed"
    clone.sync(MERGE)
    del clone.memory.tasks[task_uuid(TOWN, "a")]
    behind.sync(MERGE)
    assert behind.status("a") == ("pending", "pending")
    for _ in range(3):
        before = clone.everything()
        clone.sync(PULL)
        assert clone.everything() == before
    clone.sync(MERGE)
    assert clone.status("a") == ("completed", "completed")


def test_reopening_a_task_does_not_pass_a_restored_town_off_as_healed(clone: Clone) -> None:
    dump = frozen(clone.memory)
    clone.raw("a")["state"] = "completed"
    clone.edit('"dev"', '"ops"')
    clone.sync(MERGE)
    restore(clone.memory, dump)
    before = clone.everything()
    for write in (lambda: reopen(clone.site, "a"), lambda: undo(clone.site)):
        with pytest.raises(TTError, match="Redis has lost writes"):
            write()
        assert clone.everything() == before
    clone.sync(MERGE)
    reopen(clone.site, "a")
    assert clone.status("a") == ("pending", "pending")
    assert clone.raw("b")["agent"] == "ops"


def test_a_race_that_is_lost_while_healing_does_not_end_the_healing(clone: Clone) -> None:
    dump = frozen(clone.memory)
    clone.edit('"dev"', '"ops"')
    clone.sync(MERGE)
    restore(clone.memory, dump)

    def agent() -> None:
        clone.raw("b")["agent"] = "qa"

    report = sync(replace(clone.site, store=_Racing(clone.site.store, "apply", agent)), MERGE)
    assert report.conflicts == ()
    assert clone.raw("b")["agent"] == clone.plan.tasks["b"].agent == "ops"
    assert report.to_store == (Edited("b", "agent", "qa", "ops"),)


def test_a_value_that_cannot_be_written_is_named_and_stays_in_the_file() -> None:
    clone = Clone(None, task("a"), run_fields=frozenset({"assigned_to"}))
    clone.sync(PUSH)
    clone.write(task("a", "new", assigned_to="nobody"))
    for _ in range(3):
        report = clone.sync(MERGE)
        assert "nobody" in report.faults[0].why
        assert report.to_file == ()
        assert clone.plan.tasks["a"].fields["assigned_to"] == "nobody"
    assert clone.raw("a")["description"] == "new"
    before = clone.everything()
    clone.sync(MERGE)
    assert clone.everything() == before


def test_a_clone_that_stood_where_the_healer_did_knows_that_the_town_was_healed(
    clone: Clone,
) -> None:
    other = Clone(clone.memory, task("a"), task("b", agent="dev"))
    other.sync(MERGE)
    clone.raw("a")["state"] = "running"
    clone.sync(MERGE)
    other.sync(MERGE)
    restore(clone.memory)
    clone.edit('"dev"', '"ops"')
    clone.sync(MERGE)
    assert other.look().trust is Trust.REPLACED
    assert [conflict.id for conflict in other.sync(MERGE).conflicts] == ["b"]


def test_a_counter_that_another_clone_raised_is_no_news(clone: Clone) -> None:
    clone.memory.plan["seq"] = "50"
    before = clone.everything()
    clone.sync(MERGE)
    assert clone.everything() == before


# Races and crashes


class _Racing:
    """Passes everything on; before the first call of `name`, somebody else gets a turn."""

    def __init__(self, target: object, name: str, turn: Any) -> None:
        self._target, self._name, self._turn = target, name, turn

    def __getattr__(self, name: str) -> Any:
        if name == self._name and self._turn is not None:
            turn, self._turn = self._turn, None
            turn()
        return getattr(self._target, name)


def test_a_lost_race_in_the_store_is_merged_again(clone: Clone) -> None:
    clone.edit('"dev"', '"ops"')
    clone.edit('id = "a"\n', 'id = "a"\nagent = "ann"\n')

    def other() -> None:
        clone.raw("b")["agent"] = "qa"

    report = sync(replace(clone.site, store=_Racing(clone.site.store, "apply", other)), MERGE)
    assert report.conflicts == (Conflict("b", "agent", "dev", "ops", "qa"),)
    assert report.to_store == (Edited("a", "agent", ABSENT, "ann"),)
    assert clone.raw("b")["agent"] == "qa"


def test_a_file_that_is_saved_meanwhile_is_merged_again(clone: Clone) -> None:
    clone.raw("a")["state"] = "running"

    def editor() -> None:
        clone.edit('"dev"', '"ops"')

    report = sync(replace(clone.site, file=_Racing(clone.file, "write", editor)), MERGE)
    assert report.to_file == (Edited("a", "status", "pending", "running"),)
    assert report.to_store == (Edited("b", "agent", "dev", "ops"),)
    assert clone.plan == clone.stored


def test_a_field_that_its_user_saves_twice_does_not_conflict_with_itself(clone: Clone) -> None:
    clone.edit('"dev"', '"ops"')
    clone.raw("a")["state"] = "running"

    def editor() -> None:
        clone.edit('"ops"', '"qa"')

    report = sync(replace(clone.site, file=_Racing(clone.file, "write", editor)), MERGE)
    assert report.conflicts == ()
    assert report.to_store == (
        Edited("b", "agent", "dev", "ops"),
        Edited("b", "agent", "ops", "qa"),
    )
    assert clone.plan == clone.stored
    assert [record.to_store for record in clone.bases.history()[:2]] == [
        (Edited("b", "agent", "ops", "qa"),),
        (Edited("b", "agent", "dev", "ops"),),
    ]


def test_a_base_that_moved_meanwhile_is_read_again(clone: Clone) -> None:
    clone.edit('"dev"', '"ops"')
    moved = iter([True])

    class Moving:
        def __getattr__(self, name: str) -> Any:
            return getattr(clone.bases, name)

        def save(self, *arguments: Any) -> Any:
            if next(moved, False):
                raise BaseMovedError("moved")
            return clone.bases.save(*arguments)

    report = sync(replace(clone.site, bases=Moving()), MERGE)  # type: ignore[arg-type]
    assert report.to_store == (Edited("b", "agent", "dev", "ops"),)
    assert clone.bases.history()[0].to_store == report.to_store


def test_a_sync_that_is_always_overtaken_gives_up_and_says_so(clone: Clone) -> None:
    numbers = count()

    class Restless:
        def __getattr__(self, name: str) -> Any:
            return getattr(clone.file, name)

        def write(self, *_: Any) -> Any:
            clone.raw("a")["description"] = f"number {next(numbers)}"
            raise FileMovedError("moved")

    clone.raw("a")["state"] = "running"
    with pytest.raises(TTError, match="kept changing"):
        sync(replace(clone.site, file=Restless()), MERGE)  # type: ignore[arg-type]


def history(clone: Clone) -> Any:
    """Return all changes that the history of a clone has, in any order."""
    records = clone.bases.history()
    return sorted(repr(change) for one in records for change in (*one.to_store, *one.to_file))


@pytest.mark.parametrize("request_", [PUSH, PULL, MERGE])
@pytest.mark.parametrize("flushed", [False, True])
def test_a_sync_that_is_killed_anywhere_is_finished_by_the_next(
    request_: Any, flushed: bool
) -> None:
    def prepared() -> Clone:
        clone = Clone(None, task("a"), task("b", agent="dev"), task("c"))
        clone.sync(PUSH)
        clone.raw("a")["state"] = "completed"
        clone.write(task("a", "said better"), task("b", agent="ops"), task("d"))
        if flushed:
            restore(clone.memory)
        clone.memory.tasks[UUID] = foreign_hash(UUID, "from elsewhere")
        return clone

    straight = prepared()
    straight.sync(request_)
    wanted = straight.plan, straight.stored, set(straight.memory.stones)
    for call in count():
        clone = prepared()
        try:
            sync(crash_at(clone.site, call), request_)
        except Crash:
            report = clone.sync(request_)
            assert report.conflicts == ()
            assert (clone.plan, clone.stored, set(clone.memory.stones)) == wanted
            assert flushed or history(clone) == history(straight), call
            before = clone.everything()
            clone.sync(request_)
            assert clone.everything() == before
        else:
            break
    assert call >= 2


@pytest.mark.parametrize("request_", [PUSH, PULL, MERGE])
def test_what_is_changed_again_after_a_kill_does_not_conflict_with_itself(request_: Any) -> None:
    for call in count():
        clone = Clone(None, task("a"), task("b", agent="dev"), task("c"), task("d"))
        clone.sync(PUSH)
        clone.raw("a")["description"] = "said in Redis"
        clone.write(task("a"), task("b", agent="ops"), task("d"), task("e", "new"), task("f"))
        try:
            sync(crash_at(clone.site, call), request_)
        except Crash:
            clone.raw("a")["description"] = "said again in Redis"
            there = clone.plan.tasks["a"]  # what a pull may have brought
            clone.write(there, task("b", agent="qa"), task("c"), task("d"), task("e", "newer"))
            report = clone.sync(MERGE)
            assert report.conflicts == (), call
            found = {one.id: (one.description, one.agent) for one in clone.plan.tasks.values()}
            assert found == {
                "a": ("said again in Redis", None),
                "b": ("do it", "qa"),
                "c": ("do it", None),
                "d": ("do it", None),
                "e": ("newer", None),
            }
            assert clone.plan.tasks == clone.stored.tasks
            rests(clone)
        else:
            break
    assert call >= 4


def test_what_the_store_says_otherwise_than_was_noted_is_still_asked_about() -> None:
    clone = Clone(None, task("a", agent="dev"))
    clone.sync(PUSH)
    clone.edit('"dev"', '"ops"')
    with pytest.raises(Crash):
        sync(crash_at(clone.site, 2), PUSH)  # noted and in the store; the base knows nothing
    clone.raw("a")["agent"] = "of another"
    clone.edit('"ops"', '"qa"')
    report = clone.sync(MERGE)
    assert [(one.file, one.store) for one in report.conflicts] == [("qa", "of another")]


# Several clones


def pair() -> tuple[Clone, Clone]:
    """Return two clones of one town that are in step."""
    one = Clone(None, task("a"), task("b"))
    two = Clone(one.memory, task("a"), task("b"))
    one.sync()
    two.sync()
    return one, two


def lose(clone: Clone, identifier: str) -> None:
    """Take one hash away, as an eviction does."""
    del clone.memory.tasks[task_uuid(TOWN, identifier)]


def rests(clone: Clone) -> None:
    """See that a sync has nothing to do, and writes nothing."""
    before = clone.everything()
    clone.sync()
    assert clone.everything() == before


def test_work_is_not_undone_by_a_clone_that_heals_a_lost_task_knowing_less() -> None:
    one, two = pair()
    one.raw("a")["state"] = "cancelled"
    one.sync()
    lose(one, "a")
    assert two.sync().to_store == (Added(task("a")),)

    report = one.sync()
    assert report.to_file == ()
    assert report.to_store == (Edited("a", "status", "pending", "cancelled"),)
    assert two.sync().to_file == (Edited("a", "status", "pending", "cancelled"),)


def test_an_edit_is_not_undone_by_a_clone_that_heals_a_lost_task_knowing_less() -> None:
    one, two = pair()
    one.edit('"a"\ndescription = "do it"', '"a"\ndescription = "better"')
    one.sync()
    lose(one, "a")
    two.sync()

    report = one.sync()
    (conflict,) = report.conflicts
    assert (conflict.file, conflict.store) == ("better", "do it")
    assert one.sync().conflicts == (replace(conflict, base=ABSENT),), "it stays until it is decided"
    one.sync(decided={"a": Side.FILE})
    assert two.sync().to_file == (Edited("a", "description", "do it", "better"),)


def test_a_task_that_was_healed_is_an_ordinary_one_once_it_was_seen() -> None:
    one, two = pair()
    lose(one, "a")
    two.sync()
    one.sync()
    rests(one)
    one.raw("a")["description"] = "said by an agent"
    assert one.sync().to_file == (Edited("a", "description", "do it", "said by an agent"),)


def test_healing_is_in_the_history() -> None:
    one, _ = pair()
    lose(one, "a")
    one.sync()
    assert one.bases.history()[0].to_store == (Added(task("a")),)
    rests(one)


def test_an_edit_travels_between_clones_through_the_town(clone: Clone) -> None:
    other = Clone(clone.memory, task("a"), task("b", agent="dev"))
    other.sync(MERGE)
    clone.edit('"dev"', '"ops"')
    clone.sync(PUSH)
    assert other.sync(MERGE).to_file == (Edited("b", "agent", "dev", "ops"),)


def test_one_change_that_comes_both_through_git_and_the_town_is_one_change(clone: Clone) -> None:
    other = Clone(clone.memory, task("a"), task("b", agent="dev"))
    other.sync(MERGE)
    clone.edit('"dev"', '"ops"')
    clone.sync(PUSH)
    other.file.data = clone.file.data
    report = other.sync(MERGE)
    assert (report.to_file, report.to_store, report.conflicts) == ((), (), ())
    assert report.in_step == 2


def test_clones_that_sync_in_turns_do_not_keep_each_other_busy(clone: Clone) -> None:
    other = Clone(clone.memory, task("a"), task("b", agent="dev"))
    other.sync(MERGE)
    clone.sync(MERGE)
    before = clone.everything(), other.everything()
    other.sync(MERGE)
    clone.sync(MERGE)
    assert (clone.everything(), other.everything()) == before


def test_a_fresh_clone_with_another_plan_removes_nothing(clone: Clone) -> None:
    fresh = Clone(clone.memory, task("c"))
    report = fresh.sync(MERGE)
    assert not any(isinstance(change, Removed) for change in (*report.to_file, *report.to_store))
    assert set(fresh.plan.tasks) == set(fresh.stored.tasks) == {"a", "b", "c"}
    assert report.direction is Direction.MERGE
