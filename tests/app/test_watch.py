"""When a watched plan is synced, and when that waits: on a worktree that is only pretended."""

from __future__ import annotations

import pytest

from tests.support.watched import Watched
from tt.app.watch import BLIND_PULSE, DOUBT, PULSE, SAY
from tt.core.diff import Added, Change, Edited, Removed
from tt.core.model import Task
from tt.core.report import Conflict
from tt.core.values import ABSENT
from tt.core.watching import Event, Happening
from tt.errors import LockedError, NoTownError, PlanError, StoreError, TTError

GONE = Removed(Task("lint", {"description": "Lint"}))
EMPTIED = Edited("lint", "agent", "tester", ABSENT)
EDITED = Edited("lint", "agent", "tester", "developer")
OFFLINE = StoreError("redis://localhost:1 does not answer.", "Start it.")
INVALID = PlanError("tasks.toml:3:1: a key stands there twice.")


@pytest.fixture
def watched() -> Watched:
    """A watcher that has begun."""
    found = Watched()
    found.wait(1)
    found.outlook.synced.clear()
    found.news.clear()
    return found


def test_what_happened_before_the_watcher_was_there_is_synced_first() -> None:
    watched = Watched()
    watched.wait(1)
    assert watched.outlook.synced == ["one"]
    assert watched.events == ["synced"]


def test_one_save_is_one_sync(watched: Watched) -> None:
    watched.save("two")
    watched.wait(60)
    assert watched.outlook.synced == ["two"]


def test_a_burst_of_saves_is_one_sync_of_the_last(watched: Watched) -> None:
    for number in range(10):
        watched.save(f"text {number}")
        watched.wait(0.05)
    watched.wait(60)
    assert watched.outlook.synced == ["text 9"]


def test_a_checkout_that_begins_after_the_look_for_one_is_waited_for(watched: Watched) -> None:
    def begin() -> None:
        watched.outlook.busy = "Git is at work."

    watched.outlook.before = begin
    watched.save("two")
    watched.wait(1)
    assert watched.outlook.synced == []
    watched.outlook.busy, watched.outlook.before = None, lambda: None
    watched.wait(1)
    assert watched.outlook.synced == ["two"]
    assert watched.events == []


def test_a_checkout_that_is_over_in_no_time_is_no_sync_of_the_branch_before(
    watched: Watched,
) -> None:
    def switch() -> None:
        watched.outlook.head = b"ref: refs/heads/topic\n"

    watched.outlook.before = switch
    watched.save("two")
    watched.wait(0.11)
    assert watched.outlook.synced == []
    watched.wait(1)
    assert watched.outlook.synced == ["two"]


def test_a_save_during_a_sync_is_synced_after_it(watched: Watched) -> None:
    watched.outlook.during = lambda: watched.outlook.save("three")
    watched.save("two")
    watched.wait(0.11)
    watched.outlook.during = lambda: None
    watched.watch.happened(Happening.SAVED)
    watched.wait(1)
    assert watched.outlook.synced == ["two", "three"]


def test_a_save_in_the_same_tick_of_the_clock_is_not_missed(watched: Watched) -> None:
    watched.save("two")
    watched.wait(1)
    watched.outlook.text = "three"  # its stamp is the same
    watched.watch.happened(Happening.SAVED)
    watched.wait(1)
    assert watched.outlook.synced == ["two", "three"]


def test_a_save_of_what_is_there_already_is_no_sync(watched: Watched) -> None:
    watched.save("one")
    watched.wait(60)
    assert watched.outlook.synced == []


def test_a_save_that_nobody_told_of_is_seen_by_the_next_pulse(watched: Watched) -> None:
    watched.outlook.save("two")
    watched.wait(PULSE + 0.2)
    assert watched.outlook.synced == ["two"]
    assert watched.events == []


def test_where_no_events_come_that_is_said_once_and_the_plan_is_polled(watched: Watched) -> None:
    for number in range(6):
        watched.outlook.save(f"text {number}")
        watched.wait(5)
    assert watched.events == ["blind"]
    watched.outlook.save("last")
    watched.wait(BLIND_PULSE + 1.1)
    assert watched.outlook.synced[-1] == "last"


def test_a_lost_event_now_and_then_is_no_blindness(watched: Watched) -> None:
    for number in range(20):
        watched.outlook.save(f"unseen {number}")
        watched.wait(5)
        watched.save(f"seen {number}")
        watched.wait(5)
    assert watched.events == []


def test_a_poller_syncs_only_what_has_been_as_it_is_for_a_while() -> None:
    watched = Watched()
    watched.outlook.blind = "it is a filesystem of the network (nfs)"
    watched.wait(3)
    watched.outlook.synced.clear()
    for number in range(8):
        watched.outlook.save(f"half {number}")
        watched.wait(0.4)
    assert watched.outlook.synced == []
    watched.wait(2)
    assert watched.outlook.synced == ["half 7"]
    assert watched.events == ["blind", "synced"]


def test_a_program_that_still_writes_is_waited_for(watched: Watched) -> None:
    watched.save("", Happening.WRITING)
    watched.wait(1)
    watched.save("ha", Happening.WRITING)
    watched.wait(1)
    assert watched.outlook.synced == []
    watched.save("whole")
    watched.wait(1)
    assert watched.outlook.synced == ["whole"]


@pytest.mark.parametrize("change", [GONE, EMPTIED])
def test_what_takes_something_away_has_to_stand_for_a_while(
    watched: Watched, change: Change
) -> None:
    watched.outlook.changes = [change]
    watched.save("half")
    watched.wait(DOUBT - 0.1)
    assert watched.outlook.synced == []
    watched.wait(0.3)
    assert watched.outlook.synced == ["half"]


def test_half_a_plan_that_becomes_whole_was_never_synced(watched: Watched) -> None:
    watched.outlook.changes = [GONE]
    watched.save("half")
    watched.wait(1)
    watched.outlook.changes = [EDITED]
    watched.save("whole")
    watched.wait(0.2)
    assert watched.outlook.synced == ["whole"]


@pytest.mark.parametrize("change", [EDITED, Added(Task("new", {"description": "New"}))])
def test_what_takes_nothing_away_is_synced_at_once(watched: Watched, change: Change) -> None:
    watched.outlook.changes = [change]
    watched.save("two")
    watched.wait(0.15)
    assert watched.outlook.synced == ["two"]


def test_a_broken_plan_is_told_once_and_again_when_it_changes(watched: Watched) -> None:
    watched.outlook.error = INVALID
    watched.save("broken")
    watched.wait(1)
    assert watched.events == []
    watched.wait(60)
    assert watched.events == ["invalid"]
    watched.save("broken otherwise")
    watched.wait(60)
    assert watched.events == ["invalid", "invalid"]
    watched.save("broken otherwise")
    watched.wait(60)
    assert watched.events == ["invalid", "invalid"]
    watched.outlook.error = None
    watched.save("whole")
    watched.wait(1)
    assert watched.outlook.synced == ["whole"]
    assert watched.events[2:] == ["valid"]


def test_a_plan_that_is_empty_for_a_moment_is_not_told_of(watched: Watched) -> None:
    watched.outlook.error = INVALID
    watched.save("")
    watched.wait(0.3)
    watched.outlook.error = None
    watched.save("two")
    watched.wait(60)
    assert watched.events == []
    assert watched.outlook.synced == ["two"]


def test_a_file_that_is_gone_for_a_moment_is_not_told_of(watched: Watched) -> None:
    watched.save(None)
    watched.wait(0.5)
    watched.save("two")
    watched.wait(10)
    assert watched.events == []
    assert watched.outlook.synced == ["two"]


def test_a_file_that_is_gone_is_told_once_and_its_return_too(watched: Watched) -> None:
    watched.save(None)
    watched.wait(60)
    assert watched.events == ["absent"]
    assert watched.outlook.synced == []
    watched.save("one")
    watched.wait(1)
    assert watched.events == ["absent", "back"]
    assert watched.outlook.synced == ["one"]


def test_nothing_is_synced_while_git_is_at_work_and_one_sync_follows(watched: Watched) -> None:
    watched.outlook.busy = "A rebase is in progress."
    for number in range(50):
        watched.save(f"commit {number}")
        watched.wait(0.1)
    assert watched.outlook.synced == []
    watched.outlook.busy = None
    watched.watch.happened(Happening.GIT)
    watched.wait(60)
    assert watched.outlook.synced == ["commit 49"]


def test_the_end_of_what_git_does_is_seen_without_an_event(watched: Watched) -> None:
    watched.outlook.busy = "Git is at work."
    watched.save("two")
    watched.wait(30)
    watched.outlook.busy = None
    watched.wait(1.5)
    assert watched.outlook.synced == ["two"]


def test_a_long_wait_is_told_once(watched: Watched) -> None:
    watched.outlook.busy = "A rebase is in progress."
    watched.save("two")
    watched.wait(SAY - 0.5)
    assert watched.events == []
    watched.wait(600)
    assert watched.events == ["waiting"]
    watched.outlook.busy = None
    watched.wait(2)
    assert watched.events == ["waiting", "resumed"]


def test_what_git_is_at_is_told_once_however_often_it_goes_to_and_fro(watched: Watched) -> None:
    watched.save("two")
    for second in range(60):
        lock = f"Git's index.lock is there for {second} seconds, and no Git is seen at work."
        watched.outlook.busy = lock if second % 3 else "A rebase is in progress."
        watched.watch.happened(Happening.GIT)
        watched.wait(1)
    told = sorted(news.message[:12] for news in watched.news)
    assert told == ["A rebase is ", "Git's index."]
    watched.outlook.busy = None
    watched.wait(2)
    watched.outlook.busy = "A rebase is in progress."
    watched.save("three")
    watched.wait(10)
    assert watched.events == ["waiting", "waiting", "resumed", "waiting"]


def test_a_branch_that_has_no_town_yet_is_waited_with_and_is_no_fault(watched: Watched) -> None:
    watched.outlook.error = NoTownError("The branch topic has no town in Redis yet.", "Commit.")
    watched.outlook.head = b"ref: refs/heads/topic\n"
    watched.watch.happened(Happening.GIT)
    watched.wait(200)
    assert [(news.event, news.hint) for news in watched.news] == [
        (Event.WAITING, "The first edit of the plan makes it.")
    ]
    watched.outlook.error, watched.outlook.town = None, "plan-topic"
    watched.save("two")
    watched.wait(1)
    assert watched.events == ["waiting", "resumed", "synced"]


def test_another_branch_is_synced_though_the_plan_is_the_same(watched: Watched) -> None:
    watched.outlook.head = b"ref: refs/heads/other\n"
    watched.outlook.town = "plan-other"
    watched.watch.happened(Happening.GIT)
    watched.wait(1)
    assert watched.outlook.synced == ["one"]
    assert watched.events == ["synced"]


def test_what_git_does_elsewhere_is_no_sync(watched: Watched) -> None:
    for _ in range(10):
        watched.watch.happened(Happening.GIT)
        watched.wait(1)
    assert watched.outlook.synced == []


def test_another_tt_at_work_is_waited_for(watched: Watched) -> None:
    watched.outlook.error = LockedError("Another tt is at work here.")
    watched.save("two")
    watched.wait(1)
    watched.outlook.error = None
    watched.wait(1.5)
    assert watched.outlook.synced == ["two"]


def test_an_outage_of_redis_is_told_once_and_caught_up_with(watched: Watched) -> None:
    watched.outlook.error = OFFLINE
    watched.save("two")
    watched.wait(30)
    watched.save("three")
    watched.wait(300)
    assert watched.events == ["offline"]
    watched.outlook.error = None
    watched.wait(5.1)
    assert watched.outlook.synced == ["three"]
    assert watched.events == ["offline", "online"]


def test_a_lost_connection_is_a_reason_to_look(watched: Watched) -> None:
    watched.outlook.lost = True
    watched.watch.rung()
    watched.outlook.lost = False
    watched.wait(1)
    assert watched.outlook.synced == ["one"]
    assert watched.events == []


def test_a_connection_that_died_in_silence_is_found(watched: Watched) -> None:
    watched.outlook.lost = True
    watched.wait(20)
    assert watched.outlook.synced
    assert watched.events == []


def test_what_redis_tells_is_a_reason_to_look(watched: Watched) -> None:
    watched.outlook.told = True
    watched.watch.rung()
    watched.wait(1)
    assert watched.outlook.synced == ["one"]
    watched.watch.rung()
    watched.wait(1)
    assert watched.outlook.synced == ["one"]


def test_a_redis_that_cannot_tell_is_asked(watched: Watched) -> None:
    watched.outlook.two_way = True
    watched.outlook.listening = False
    watched.wait(60)
    assert len(watched.outlook.synced) >= 6
    assert watched.events == ["deaf"]


def test_the_same_conflict_is_told_once(watched: Watched) -> None:
    watched.outlook.conflicts = (Conflict("lint", "agent"),)
    watched.save("two")
    watched.wait(1)
    watched.save("three")
    watched.wait(1)
    assert watched.events == ["synced"]
    watched.outlook.conflicts = (Conflict("lint", "agent"), Conflict("docs", "agent"))
    watched.save("four")
    watched.wait(1)
    assert watched.events == ["synced", "synced"]


@pytest.mark.parametrize("listening", [True, False])
def test_the_end_of_a_conflict_is_seen_without_a_save(watched: Watched, listening: bool) -> None:
    watched.outlook.listening = listening
    watched.outlook.conflicts = (Conflict("lint", "agent"),)
    watched.save("two")
    watched.wait(120)
    assert watched.events == ["synced"]
    watched.outlook.conflicts = ()
    watched.wait(20)
    assert watched.events == ["synced", "synced"]
    assert watched.news[-1].report is not None
    assert not watched.news[-1].report.conflicts
    watched.outlook.synced.clear()
    watched.wait(10)
    assert watched.events == ["synced", "synced"]


def test_without_conflicts_nothing_is_looked_at_in_vain(watched: Watched) -> None:
    watched.outlook.conflicts = (Conflict("lint", "agent"),)
    watched.save("two")
    watched.wait(1)
    watched.outlook.conflicts = ()
    watched.wait(20)
    watched.outlook.synced.clear()
    watched.wait(600)
    assert watched.outlook.synced == []


def test_a_conflict_that_outlasts_other_trouble_is_told_of_again(watched: Watched) -> None:
    watched.outlook.conflicts = (Conflict("lint", "agent"),)
    watched.save("two")
    watched.wait(1)
    watched.outlook.error = OFFLINE
    watched.save("three")
    watched.wait(5)
    watched.outlook.error = None
    watched.wait(10)
    assert watched.events == ["synced", "offline", "online", "synced"]


def test_a_refusal_is_told_once_and_tried_again_now_and_then(watched: Watched) -> None:
    watched.outlook.error = TTError("That looks like damage.", "Look at it.")
    watched.save("two")
    watched.wait(500)
    assert watched.events == ["refused"]
    watched.outlook.error = None
    watched.wait(61)
    assert watched.outlook.synced == ["two"]
    assert watched.events == ["refused", "resumed"]


def test_after_sleep_everything_is_looked_at(watched: Watched) -> None:
    watched.watch.woke()
    watched.wait(0.1)
    assert watched.outlook.synced == ["one"]


def test_the_last_save_before_the_end_is_pending_until_it_is_synced(watched: Watched) -> None:
    watched.save("two")
    assert watched.watch.is_pending
    watched.wait(0.2)
    assert not watched.watch.is_pending


def test_an_outage_does_not_hold_up_the_end(watched: Watched) -> None:
    watched.outlook.error = OFFLINE
    watched.save("two")
    watched.wait(10)
    assert not watched.watch.is_pending


def test_a_refusal_does_not_hold_up_the_end_and_a_save_after_it_does(watched: Watched) -> None:
    watched.outlook.error = TTError("That looks like damage.", "Look at it.")
    watched.save("two")
    watched.wait(10)
    assert not watched.watch.is_pending
    watched.save("three")
    assert watched.watch.is_pending


def test_an_idle_watch_looks_at_a_stamp_now_and_then_and_at_nothing_else(watched: Watched) -> None:
    watched.outlook.looks = 0
    watched.wait(600)
    assert watched.outlook.looks <= 600 / PULSE + 1
    assert watched.outlook.synced == []


def test_only_an_edit_is_worth_starting_a_server_that_was_stopped(watched: Watched) -> None:
    watched.outlook.edited.clear()
    watched.outlook.lost = True
    watched.watch.rung()
    watched.outlook.lost = False
    watched.outlook.error = OFFLINE
    watched.wait(60)
    assert watched.outlook.edited
    assert not any(watched.outlook.edited)
    watched.save("two")
    watched.wait(1)
    assert watched.outlook.edited[-1]
