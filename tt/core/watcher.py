"""Who watches a plan, and how that goes: what `tt watch` writes down for other commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from tt.core.watching import Event, News
from tt.record import record, replace

How = Literal["foreground", "background", "service"]


@record
class Watcher:
    """A process that watches a plan. `started` is RFC 3339 in UTC.

    `two_way` is None where that is each plan's own setting; `every` says that it watches all of the
    user's plans. `log` is the file it writes to, empty where that is a terminal. `host` is the
    machine, or the container on it, in which `pid` means this process.
    """

    pid: int
    started: str
    how: How = "foreground"
    two_way: bool | None = False
    every: bool = False
    log: str = ""
    host: str = ""


@record
class WatchState:
    """How watching goes. `state` is a few words; `problem` says why nothing is synced just now.

    `synced` is when a sync last changed something, `verified` when both sides were last known to be
    in step; both RFC 3339 in UTC, empty where that was not yet.
    """

    state: str
    problem: str = ""
    synced: str = ""
    verified: str = ""


@record
class Watching:
    """A watcher and how it goes; `state` is None where it has not said yet."""

    watcher: Watcher
    state: WatchState | None = None


_WORDS: Final = {
    Event.INVALID: "the plan is invalid",
    Event.REFUSED: "not synced",
    Event.WAITING: "waiting",
    Event.ABSENT: "no plan here",
    Event.OFFLINE: "Redis is away",
}
_OVER: Final = frozenset({Event.VALID, Event.BACK, Event.ONLINE, Event.RESUMED})
IN_STEP: Final = "in step"


def after(state: WatchState, news: News, now: str) -> WatchState:
    """Return how it goes after a piece of news that came at the time `now`."""
    if news.event in _WORDS:
        return replace(state, state=_WORDS[news.event], problem=news.message.split("\n")[0])
    if news.event in _OVER:
        return replace(state, state=IN_STEP, problem="")
    if news.report is None:
        return state
    wrote = bool(news.report.to_store or news.report.to_file)
    synced = now if wrote else state.synced
    if news.report.conflicts:
        number = len(news.report.conflicts)
        what = "1 conflict" if number == 1 else f"{number:,} conflicts"
        return WatchState("not all in step", f"{what}; `tt conflicts` shows more", synced, now)
    return WatchState(IN_STEP, "", synced, now)


def summed_up(states: Mapping[str, WatchState]) -> WatchState:
    """Return how several plans go, by what they are called: the first trouble is to be known."""
    bad = [(name, state) for name, state in sorted(states.items()) if state.problem]
    synced = max((state.synced for state in states.values()), default="")
    verified = min((state.verified for state in states.values()), default="")
    plans = "1 plan" if len(states) == 1 else f"{len(states)} plans"
    if not bad:
        return WatchState(f"{plans} {IN_STEP}", "", synced, verified)
    name, first = bad[0]
    return WatchState(
        f"{plans}, {len(bad)} not {IN_STEP}", f"{name}: {first.problem}", synced, verified
    )
