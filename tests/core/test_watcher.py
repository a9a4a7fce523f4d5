"""How watching goes, after each thing that a watcher tells."""

from __future__ import annotations

import pytest

from tt.core.diff import Removed
from tt.core.model import Task
from tt.core.report import Conflict, Direction, SyncReport
from tt.core.watcher import WatchState, after, summed_up
from tt.core.watching import Event, News
from tt.record import replace

NOW = "2026-01-02T03:04:05+00:00"
OLD = "2026-01-01T00:00:00+00:00"
FINE = WatchState("in step", synced=OLD, verified=OLD)
REPORT = SyncReport(Direction.PUSH, "town", "tasks.toml", 3)
CHANGE = Removed(Task("a", {}))


def news(event: Event, message: str = "", report: SyncReport | None = None) -> News:
    return News(event, "tasks.toml", message, report=report)


@pytest.mark.parametrize(
    "event", [Event.INVALID, Event.REFUSED, Event.WAITING, Event.ABSENT, Event.OFFLINE]
)
def test_trouble_is_noted_in_its_first_line_and_times_stay(event: Event) -> None:
    state = after(FINE, news(event, "It is so.\nAnd more."), NOW)
    assert state.problem == "It is so."
    assert state.state != FINE.state
    assert (state.synced, state.verified) == (OLD, OLD)


@pytest.mark.parametrize("event", [Event.VALID, Event.BACK, Event.ONLINE])
def test_trouble_that_is_over_is_forgotten(event: Event) -> None:
    troubled = after(FINE, news(Event.OFFLINE, "No Redis."), NOW)
    assert after(troubled, news(event), NOW) == FINE


@pytest.mark.parametrize("event", [Event.STARTED, Event.BLIND, Event.DEAF, Event.STOPPED])
def test_what_is_only_to_be_known_changes_nothing(event: Event) -> None:
    assert after(FINE, news(event, "words"), NOW) == FINE


def test_a_sync_that_wrote_is_one_and_one_that_found_nothing_only_verifies() -> None:
    quiet = after(FINE, news(Event.SYNCED, "the town t", REPORT), NOW)
    assert quiet == WatchState("in step", "", OLD, NOW)
    wrote = replace(REPORT, to_store=(CHANGE,))
    assert after(FINE, news(Event.SYNCED, "", wrote), NOW).synced == NOW


def test_conflicts_are_a_problem_and_say_what_to_do() -> None:
    report = replace(REPORT, conflicts=(Conflict("a", "agent"),))
    state = after(FINE, news(Event.SYNCED, "", report), NOW)
    assert state.state == "not all in step"
    assert state.problem == "1 conflict; `tt conflicts` shows more"


def test_of_several_plans_the_worst_and_the_oldest_count() -> None:
    young = WatchState("in step", synced=NOW, verified=NOW)
    assert summed_up({"a": young, "b": FINE}) == WatchState("2 plans in step", "", NOW, OLD)
    bad = summed_up({"a": young, "b": WatchState("waiting", "a rebase")})
    assert (bad.state, bad.problem) == ("2 plans, 1 not in step", "b: a rebase")
