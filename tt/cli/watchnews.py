"""What becomes of a watcher's news: lines for whoever reads, and a note for who asks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from tt.cli.screen import Flags, say
from tt.core.times import rfc3339
from tt.core.watcher import IN_STEP, WatchState, after
from tt.core.watching import Event, News

if TYPE_CHECKING:
    from tt.adapters.watchpost import WatchPost

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
            before = self._states.get(post) or WatchState(IN_STEP)
            state = after(before, news, rfc3339(time.time_ns()))
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
