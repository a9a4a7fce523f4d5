"""The watcher's loop: it sleeps until somebody rings, Redis speaks, or something is due."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from tt.adapters.bell import Bell
from tt.adapters.fileevents import Eyes
from tt.adapters.worktrees import has_plans
from tt.app.telling import Telling
from tt.app.watch import Watch
from tt.cli.ending import ending
from tt.core.watching import Event, Happening, News
from tt.errors import TTError, WatchedError
from tt.lookout import Lookout, Where

if TYPE_CHECKING:
    from tt.adapters.watchpost import WatchPost
    from tt.cli.watchnews import Newsroom

_LAST: Final = 3.0
"""Seconds for which the last save before the end is waited for until it can be synced."""
_SLEPT: Final = 5.0
"""Seconds that a clock which counts sleep has to be ahead for the machine to have slept."""
_NEW_PLANS: Final = 10.0
"""Seconds between two looks for plans that have come."""
_NEVER: Final = float("inf")


class _Rung(NamedTuple):
    """What a thread has to say: something happened around this plan."""

    watched: Watched
    what: Happening


class Watched:
    """One plan that is watched."""

    def __init__(
        self, where: Where, eyes: Eyes, bell: Bell[_Rung], tell: Callable[[News], None]
    ) -> None:
        """Raises TTError where it cannot be."""
        self.lookout = Lookout(where, eyes, lambda what: bell.ring(_Rung(self, what)))
        self.file = self.lookout.file
        telling = Telling(self.file, tell)
        self.watch = Watch(self.lookout, telling, time.monotonic, self.lookout.debounce)

    @property
    def is_at_rest(self) -> bool:
        """Whether both sides were in step when they were looked at last, and no news came."""
        return self.watch.is_at_rest


class _Place(NamedTuple):
    """A plan that is watched from here: how it is called again, its post, and what ends it."""

    where: Where
    watched: Watched
    post: WatchPost
    open: ExitStack


class Tower:
    """All that one process watches. Inside of `with`, signals end it."""

    def __init__(self, newsroom: Newsroom, post: WatchPost) -> None:
        """Watch as the one who holds `post`."""
        self._newsroom, self._post = newsroom, post
        self._open = ExitStack()
        self._all: dict[str, _Place] = {}
        self._gone: dict[str, Where] = {}
        """Whose directories are gone: they may be made again, and nobody would call them then."""
        self._passed: set[str] = set()
        self._find: Callable[[], Iterable[Where]] = tuple
        self._next_find = _NEVER

    def __enter__(self) -> Self:
        self._bell = self._open.enter_context(Bell[_Rung]())
        self._eyes = Eyes()
        self._open.callback(self._eyes.close)
        self._open.callback(self._leave_all)
        self._ended = self._open.enter_context(ending(self._bell.alarm))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def add(self, where: Where, post: WatchPost) -> None:
        """Watch one more plan, whose `post` is held. Raises TTError where it cannot be."""
        with ExitStack() as opened:
            self._add(where, post, opened)

    def _add(self, where: Where, post: WatchPost, opened: ExitStack) -> None:
        tell = partial(self._newsroom.tell, post=post, top=where.directory)
        watched = Watched(where, self._eyes, self._bell, tell)
        opened.callback(watched.lookout.close)
        self._all[where.directory] = _Place(where, watched, post, opened.pop_all())
        self._newsroom.called(list(self._all))
        way = "both ways" if watched.lookout.two_way else "from the file to Redis"
        tell(News(Event.STARTED, watched.file, f"Watching {watched.file}, {way}."))

    def _leave(self, place: _Place) -> None:
        """Watch a plan no more."""
        del self._all[place.where.directory]
        self._newsroom.left(place.post)
        place.open.close()

    def _leave_all(self) -> None:
        for place in list(self._all.values()):
            self._leave(place)

    def add_those(self, find: Callable[[], Iterable[Where]]) -> None:
        """Watch all plans that `find` finds, now and later; those that cannot be are told once.

        One whose directory is gone is watched again when there is one again.
        """
        self._find, self._next_find = find, 0.0

    def run(self) -> None:
        """Watch until a signal asks to end, and what was saved until then is synced."""
        clocks, last = _Clocks(), _NEVER
        while True:
            self._look_for_plans()
            self._step()
            if self._ended():
                if last == _NEVER:
                    last = time.monotonic() + _LAST
                    self._look_again()
                if time.monotonic() >= last or not self._is_pending():
                    break
            self._sleep(min(last, self._next_find, self._due()))
            for watched, what in self._bell.heard():
                watched.watch.happened(what)
            if clocks.slept():
                for place in self._all.values():
                    place.watched.watch.woke()
        for place in self._all.values():
            self._newsroom.tell(News(Event.STOPPED, place.watched.file))

    def _look_again(self) -> None:
        """See what was saved just before the end: the thread of events may not have come to it."""
        for place in self._all.values():
            place.watched.watch.look_again()
        self._step()

    def _step(self) -> None:
        for place in self._all.values():
            place.watched.watch.step()
            if place.watched.is_at_rest:
                place.post.verified()

    def _is_pending(self) -> bool:
        return any(place.watched.watch.is_pending for place in self._all.values())

    def _due(self) -> float:
        return min((place.watched.watch.due for place in self._all.values()), default=_NEVER)

    def _sleep(self, until: float) -> None:
        """Wait for the bell, for Redis, or until it is time."""
        poller = select.poll()
        poller.register(self._bell, select.POLLIN)
        heard = {
            number: place.watched
            for place in self._all.values()
            for number in place.watched.lookout.filenos
        }
        for number in heard:
            poller.register(number, select.POLLIN)
        for number, _ in poller.poll(max(until - time.monotonic(), 0) * 1000):
            if number in heard:
                heard[number].watch.rung()

    def _look_for_plans(self) -> None:
        if time.monotonic() < self._next_find:
            return
        self._next_find = time.monotonic() + _NEW_PLANS
        for place in list(self._all.values()):
            if not Path(place.where.directory).is_dir():
                self._gone[place.where.directory] = place.where
                self._leave(place)
                self._newsroom.tell(News(Event.STOPPED, place.watched.file))
        back = [where for where in self._gone.values() if has_plans(where.directory)]
        for where in (*self._find(), *back):
            if where.directory not in self._all:
                self._try(where)

    def _try(self, where: Where) -> None:
        """Watch a plan, unless another watcher does, or it cannot be watched: that is told once."""
        try:
            with ExitStack() as opened:
                self._add(where, self._take(where, opened), opened)
        except TTError as error:
            if where.directory not in self._passed:
                self._passed.add(where.directory)
                hint = "" if isinstance(error, WatchedError) else error.hint or ""
                message = f"{where.directory} is passed by: {error.message}"
                self._newsroom.tell(News(Event.PASSED, where.directory, message, hint))
        else:
            self._gone.pop(where.directory, None)

    def _take(self, where: Where, opened: ExitStack) -> WatchPost:
        from tt.bootstrap import open_project

        with open_project(where.directory, where.settings) as project:
            post = self._post.beside(project.private, where.directory)
        return opened.enter_context(post.taken(self._post.watcher, wait=0))


class _Clocks:
    """Notices that the machine slept: the clock that the loop goes by stands still meanwhile."""

    def __init__(self) -> None:
        self._ahead = self._read()

    def slept(self) -> bool:
        """Say whether it slept since this was asked last."""
        before, self._ahead = self._ahead, self._read()
        return self._ahead - before > _SLEPT

    @staticmethod
    def _read() -> float:
        clock = getattr(time, "CLOCK_BOOTTIME", None)
        return 0.0 if clock is None else time.clock_gettime(clock) - time.monotonic()
