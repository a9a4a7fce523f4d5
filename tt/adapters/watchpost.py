"""One watcher for each worktree: a post that one process holds, with a note of who that is.

The lock is what counts, and it ends with its process, however that ends: what is written in the
file is believed only while the lock is held.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Self

from tt.adapters.lock import open_lock, take
from tt.adapters.private import renew
from tt.adapters.processes import this_host
from tt.adapters.watchnote import MOMENT, hindrance, look_at, read_note, who, write_note
from tt.core.times import rfc3339
from tt.core.watcher import Watcher, Watching, WatchState, summed_up
from tt.errors import TTError, WatchedError
from tt.record import as_dict, replace

STOP_SECONDS: Final = 10.0
"""How long a watcher may take to end what it is at."""

_POLL: Final = 0.02
_VERIFY: Final = 30.0
"""Seconds between two notes that all is still in step."""


class WatchPost:
    """The post of a watcher, in the private directory of what is watched."""

    def __init__(self, private: Path, log: Path | None = None) -> None:
        """Be the post below `private`; `log` is where a watcher without a terminal writes to."""
        self._path = private / "watch"
        self._notes = private / "watch.state"
        self.log = log if log is not None else private / "watch.log"
        self._watcher: Watcher | None = None
        self._told: WatchState | None = None
        self._verified = -_VERIFY
        self._listener: Callable[[WatchState], None] | None = None
        self._left: Callable[[], None] = lambda: None
        self._others: dict[str, WatchState] = {}
        """How it goes with the plans that are watched from here, by their directories."""

    @contextmanager
    def taken(
        self,
        watcher: Watcher,
        *,
        wait: float = MOMENT,
        listener: Callable[[WatchState], None] | None = None,
    ) -> Iterator[Self]:
        """Hold the post as `watcher`. Raises WatchedError where another does for longer than
        `wait` seconds, and TTError where the directory cannot be written.

        `listener` is told what is noted. Who only looks whether it is held has it for an instant.
        """
        descriptor = self._take(watcher, wait)
        self._watcher, self._listener = watcher, listener or self._listener
        try:
            yield self
        finally:
            self._leave(descriptor)

    def _take(self, watcher: Watcher, wait: float) -> int:
        descriptor = -1
        try:
            descriptor = open_lock(self._path)
            self._lock(descriptor, wait)
            write_note(descriptor, watcher, str(self._path.parent))
        except BaseException as error:
            if descriptor >= 0:
                os.close(descriptor)
            if isinstance(error, OSError):
                raise TTError(
                    f"The file {self._path} cannot be written: {error.strerror}.",
                    "See that you may write there and that the disk has room.",
                ) from error
            raise
        return descriptor

    def _lock(self, descriptor: int, wait: float) -> None:
        if not take(descriptor, wait):
            raise self._watched()

    def beside(self, private: Path, name: str) -> WatchPost:
        """Return the post of one of many plans, for the same watcher; notes are summed up.

        The sum calls the plan `name`, until its post is left.
        """
        post = WatchPost(private, self.log)
        post._listener = lambda state: self._sum_up(name, state)
        post._left = lambda: self._sum_up(name, None)
        return post

    @property
    def watcher(self) -> Watcher:
        """Who holds the post; only inside of `taken`."""
        assert self._watcher is not None  # noqa: S101  a mistake of the caller, not of a user
        return self._watcher

    def check_free(self) -> None:
        """Raise WatchedError where somebody holds the post."""
        if self.holder() is not None:
            raise self._watched()

    def note(self, state: WatchState) -> None:
        """Write down how it goes, for who asks; best effort, and free where it is no news.

        The first note says that the watcher has begun: whoever started it waits for that.
        """
        if state == self._told:
            return
        self._told, self._verified = state, time.monotonic() if state.verified else -_VERIFY
        # A repository that was deleted is not begun anew: a clone would find the directory taken.
        with suppress(OSError):
            self._notes.parent.stat()
            renew(self._notes, json.dumps({"pid": os.getpid(), **as_dict(state)}).encode())
        if self._listener is not None:
            self._listener(state)

    def verified(self) -> None:
        """Note that both sides are in step at this moment; may be called as often as one likes."""
        told, now = self._told, time.monotonic()
        if told is not None and now - self._verified >= _VERIFY:
            self.note(replace(told, verified=rfc3339(time.time_ns())))

    def _sum_up(self, name: str, state: WatchState | None) -> None:
        self._others.pop(name, None)
        if state is not None:
            self._others[name] = state
        self.note(summed_up(self._others))

    def holder(self) -> Watcher | None:
        """Return who holds the post at this moment; None where nobody does."""
        held = self._held()
        return held and held[0]

    def _held(self) -> tuple[Watcher, str] | None:
        """Return who holds the post, and where it was taken."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY)
        except OSError:
            return None
        try:
            if _is_free(descriptor):
                return None
            return read_note(descriptor)
        finally:
            os.close(descriptor)

    def watching(self) -> Watching | None:
        """Return who watches and how that goes; None where nobody does."""
        held = self._held()
        if held is None:
            return None
        watcher, place = held
        said, kept = self._state(watcher.pid), hindrance(watcher, place, str(self._path.parent))
        if said and kept:
            kept = replace(kept, synced=said.synced, verified=said.verified)
        return Watching(watcher, kept or said)

    def stop(self, seconds: float = STOP_SECONDS) -> Watcher | None:
        """Have the watcher end, and wait until it has; None where there was none.

        Raises TTError where it does not end in time, or is none that could be told to.
        """
        watcher = self.holder()
        if watcher is None:
            return None
        if watcher.pid <= 0 or watcher.host != this_host():
            raise TTError(
                f"The watcher is not on this machine: it is {who(watcher)}.",
                "Stop it where it runs, with `tt watch --stop`.",
            )
        _terminate(watcher)
        deadline = time.monotonic() + seconds
        while (now := self.holder()) is not None and now.pid == watcher.pid:
            if time.monotonic() > deadline:
                raise TTError(
                    f"The watcher ({who(watcher)}) was told to stop, and has not within "
                    f"{seconds:g} seconds.",
                    f"It may be waiting for a disk or for Redis; {look_at(watcher)}",
                )
            time.sleep(_POLL)
        return watcher

    def _watched(self) -> WatchedError:
        watcher = self.holder() or Watcher(0, "")
        stop = "tt watch --all --stop" if watcher.every else "tt watch --stop"
        return WatchedError(
            f"A watcher is at work here already: {who(watcher)}.",
            f"`{stop}` stops it, `tt watch --status` tells how it goes.",
        )

    def _state(self, pid: int) -> WatchState | None:
        with suppress(OSError, ValueError, TypeError, KeyError):
            said = json.loads(self._notes.read_bytes())
            if said.pop("pid") == pid:
                return WatchState(**said)
        return None

    def _leave(self, descriptor: int) -> None:
        self._watcher = self._told = self._listener = None
        with suppress(OSError):
            self._notes.unlink(missing_ok=True)
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
        os.close(descriptor)
        self._left()


def _is_free(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _terminate(watcher: Watcher) -> None:
    """Tell it to end; one that is paused hears that only when it goes on."""
    try:
        os.kill(watcher.pid, signal.SIGTERM)
        os.kill(watcher.pid, signal.SIGCONT)
    except ProcessLookupError:
        pass  # it has just ended
    except PermissionError as error:
        raise TTError(
            f"The watcher ({who(watcher)}) belongs to another user.",
            "Whoever started it has to stop it.",
        ) from error
