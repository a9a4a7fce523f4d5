"""What becomes of a watcher's news: lines for whoever reads, and a note for who asks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from tt.cli.screen import Flags, say
from tt.core.times import rfc3339
from tt.core.watcher import WatchState
from tt.core.watching import Event, News
from tt.record import replace

if TYPE_CHECKING:
    from tt.adapters.watchpost import WatchPost

_STATES: Final = {
    Event.INVALID: "the plan is invalid",
    Event.REFUSED: "not synced",
    Event.WAITING: "waiting",
    Event.ABSENT: "no plan here",
    Event.OFFLINE: "Redis is away",
}
_FINE: Final = "in step"
_SILENT: Final = (Event.BLIND, Event.DEAF, Event.STOPPED, Event.STARTED)


class Newsroom:
    """Says the news of all plans that one process watches.

    With `several` plans each line names its own. `as_json`: a document a line.
    """

    def __init__(self, flags: Flags, *, as_json: bool, timed: bool, several: bool) -> None:
        self._look, self._as_json = flags.look, as_json
        self._timed, self._several = timed, several
        self._states: dict[WatchPost, WatchState] = {}

    def tell(self, news: News, post: WatchPost | None = None) -> None:
        """Say one piece of news, and note in the plan's post how it goes. Raises OutputError."""
        if post is not None and news.event not in _SILENT:
            state = _state(news, self._states.get(post) or WatchState(_FINE))
            self._states[post] = state
            post.note(state)
        if self._as_json:
            from tt.render.watchlines import news_json

            say([news_json(news, rfc3339(time.time_ns()))])
            return
        from tt.render.text import safe
        from tt.render.watchlines import news_lines

        first, *rest = news_lines(news, self._look)
        clock = f"{time.strftime('%H:%M:%S')}  " if self._timed else ""
        name = f"{safe(news.file)}: " if self._several and news.report else ""
        indent = " " * len(clock)
        say([f"{clock}{name}{first}", *(f"{indent}{line}" for line in rest)])


def _state(news: News, before: WatchState) -> WatchState:
    """Return how it goes after a piece of news."""
    state = WatchState(_STATES.get(news.event, _FINE), news.message, before.synced, before.verified)
    if news.report is None:
        return state
    now = rfc3339(time.time_ns())
    changed = news.report.to_store or news.report.to_file
    state = replace(state, verified=now, synced=now if changed else state.synced)
    if news.report.conflicts:
        return replace(state, state="conflicts", problem="`tt conflicts` shows them.")
    return state
