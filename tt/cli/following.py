"""Following the events of a town: Redis says when there are some, and nobody asks in between."""

from __future__ import annotations

import gc
import select
import time
from typing import TYPE_CHECKING, Final

from tt.app.happening import Stream, told
from tt.cli.screen import Flags, say, warn
from tt.errors import ExitCode, StoreError, TrackingError
from tt.render.jsonout import line
from tt.render.past import event_data, event_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tt.adapters.redis.tracking import Tracking
    from tt.bootstrap import Project
    from tt.workports import Happened

_PING: Final = 15.0
"""Seconds between two proofs that Redis would tell."""
_DEAF: Final = 1.0
_FIRST_RETRY, _LAST_RETRY = 0.5, 5.0
_BEGINNING: Final = "0-0"


def follow(flags: Flags, agent: str, count: int, *, as_json: bool) -> int:
    """Print the last `count` events and all that come, until Ctrl-C, which is how it ends."""
    gc.enable()  # this process is there to stay
    try:
        with flags.project() as project:
            stream = Stream.of(project.workshop, agent)
            _Following(project, stream, flags, as_json=as_json).run(count)
    except KeyboardInterrupt:
        # Came it while a module was loaded whose records are made by `exec`, Python would still
        # end by the signal: it forgets that with the next text that it runs.
        exec("")  # noqa: S102
        return ExitCode.DONE
    return ExitCode.DONE


class _Following:
    """What is known of the stream: up to which event it was printed, and who tells of the next."""

    def __init__(self, project: Project, stream: Stream, flags: Flags, *, as_json: bool) -> None:
        self._project, self._stream, self._as_json = project, stream, as_json
        self._look = flags.look
        self._last = _BEGINNING
        self._tracking: Tracking | None = None
        self._is_deaf = False
        self._retry = _FIRST_RETRY

    def run(self, count: int) -> None:
        """Print for ever. Raises StoreError where the first look fails."""
        self._listen()
        newest = self._stream.newest(max(count, 1))
        self._print(newest if count else [])
        self._last = newest[-1].id if newest else _BEGINNING
        while True:
            try:
                self._wait()
                self._listen()
                self._print(self._stream.after(self._last))
                self._retry = _FIRST_RETRY
            except StoreError as error:
                self._lose(error)

    def _print(self, events: Iterable[Happened]) -> None:
        events = list(events)
        if not events:
            return
        for one in told(self._stream.workshop, events):
            text = line(event_data(one)) if self._as_json else event_line(one, self._look)
            say([text])
        self._last = events[-1].id

    def _listen(self) -> None:
        """Have Redis tell of events; where it cannot, say so and ask each second."""
        if self._tracking is not None or self._is_deaf:
            return
        self._stream.workshop.events(1)  # which starts the user's own server if need be
        name = f"events:agent:{self._stream.agent}" if self._stream.agent else "events"
        try:
            self._tracking = self._project.reach.listen(self._project.town, [name])
        except TrackingError as error:
            self._is_deaf = True
            warn([f"tt: {error.message} It is asked every second."])

    def _wait(self) -> None:
        """Sleep until something was heard; prove from time to time that it would be."""
        if self._tracking is None:
            time.sleep(_DEAF)
            return
        while not self._tracking.heard():
            poller = select.poll()
            for number in self._tracking.filenos:
                poller.register(number, select.POLLIN)
            if not poller.poll(_PING * 1000):
                self._tracking.ping()

    def _lose(self, error: StoreError) -> None:
        """Begin anew when Redis is back; what happened meanwhile is printed then."""
        if self._retry == _FIRST_RETRY:
            warn([f"tt: {error.message} Waiting for it."])
        if self._tracking is not None:
            self._tracking.close()
            self._tracking = None
        self._is_deaf = False
        time.sleep(self._retry)
        self._retry = min(self._retry * 2, _LAST_RETRY)
