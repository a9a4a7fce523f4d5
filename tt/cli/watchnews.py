"""What becomes of a watcher's news: lines for whoever reads, and a note for who asks."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

from tt.cli.screen import Flags, say
from tt.core.times import rfc3339
from tt.core.watcher import IN_STEP, WatchState, after
from tt.core.watching import Event, News
from tt.record import replace

if TYPE_CHECKING:
    from tt.adapters.watchpost import WatchPost

_SILENT: Final = (Event.BLIND, Event.DEAF, Event.STOPPED, Event.STARTED)


class Newsroom:
    """Says the news of all plans that one process watches.

    With `several` plans each line names its own. `as_json`: a document a line. A hint is said once:
    who reads the same lines all day knows it by then.
    """

    def __init__(self, flags: Flags, *, as_json: bool, timed: bool, several: bool) -> None:
        self._flags, self._as_json = flags, as_json
        self._timed, self._several = timed, several
        self._from = os.getcwd()  # noqa: PTH109
        self._states: dict[WatchPost, WatchState] = {}
        self._hinted: set[str] = set()
        self._names: dict[str, str] = {}
        """What the plans are called, by their directories."""

    def called(self, directories: list[str]) -> None:
        """Take note of the directories that are watched, to tell their plans from each other."""
        from tt.render.watchlines import short_names

        self._names = short_names(directories) if self._several else {}

    def tell(self, news: News, post: WatchPost | None = None, top: str = "") -> None:
        """Say one piece of news, and note in the plan's post how it goes. Raises OutputError.

        `top` is the directory that is watched.
        """
        if post is not None and news.event not in _SILENT:
            before = self._states.get(post) or WatchState(IN_STEP)
            state = after(before, news, rfc3339(time.time_ns()))
            self._states[post] = state
            post.note(state)
        if self._as_json:
            self._tell_program(news)
        elif not (self._several and news.event in (Event.STARTED, Event.STOPPED)):
            self._tell_person(news, self._names.get(top, ""))

    def remark(self, words: str) -> None:
        """Say to a person something that is of no plan."""
        if not self._as_json:
            self._tell_person(News(Event.STARTED, "", words), "")

    def left(self, post: WatchPost) -> None:
        """Forget how it went with a plan that is watched no more."""
        self._states.pop(post, None)

    def _tell_program(self, news: News) -> None:
        from tt.render.watchlines import news_json

        if self._several:
            news = replace(news, file=os.path.join(self._from, news.file))  # noqa: PTH118
        say([news_json(news, rfc3339(time.time_ns()))])

    def _tell_person(self, news: News, name: str) -> None:
        from tt.render.text import columns, safe
        from tt.render.watchlines import news_lines

        look = self._flags.look  # the terminal may have another width by now
        clock = f"{time.strftime('%H:%M:%S')}  " if self._timed else ""
        label = f"{safe(name)}  " if name else ""
        if name:
            news = replace(news, file=os.path.basename(news.file))  # noqa: PTH119
        used = columns(clock + label)
        first, *rest = news_lines(news, look, used, hint=news.hint not in self._hinted)
        self._hinted.add(news.hint)
        indent = " " * len(clock)
        say([f"{clock}{look.paint(label, 'bold')}{first}", *(f"{indent}{line}" for line in rest)])
