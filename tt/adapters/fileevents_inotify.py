"""Events on Linux: one thread on one inotify descriptor, and a kernel that tells only what counts.

This takes the lower half of watchdog, its `InotifyFD`, and leaves the upper one. That one wakes
three threads for each event of each file, and holds all events back for half a second when a file
is moved away. Here a directory tells of names that come and go, and the plan itself of what is
written to it: who writes to its neighbours does not even wake the thread.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from typing import Final

from watchdog.observers.inotify_c import (
    DEFAULT_EVENT_BUFFER_SIZE,
    CallbackId,
    InotifyConstants,
    InotifyEvent,
    InotifyFD,
    Mask,
    WatchDescriptor,
)

from tt.adapters.fileevents_places import Place, Scene
from tt.adapters.fileevents_writers import is_being_written
from tt.core.watching import Happening

_IN: Final = InotifyConstants
_SELF: Final = _IN.IN_DELETE_SELF | _IN.IN_MOVE_SELF
_DIRECTORY: Final = Mask(_IN.IN_CREATE | _IN.IN_DELETE | _IN.IN_MOVE | _SELF | _IN.IN_ONLYDIR)
_FILE: Final = Mask(_IN.IN_MODIFY | _IN.IN_CLOSE_WRITE | _IN.IN_ATTRIB | _SELF | _IN.IN_DONT_FOLLOW)
_GATHER: Final = 0.005
"""Seconds; a save is told of as much later when a neighbour was made just before."""

_GONE: Final = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
_REFUSED: Final = -1


class InotifyEar(InotifyFD):
    """The descriptor and its thread. Making one raises OSError where there are too many."""

    def __init__(self) -> None:
        super().__init__()
        os.set_inheritable(self._inotify_fd, False)
        self._lookouts: frozenset[InotifyLookout] = frozenset()
        self._names: frozenset[bytes] = frozenset()
        self.start()

    def look_out(self, scene: Scene, tell: Callable[[Happening], None]) -> InotifyLookout:
        """Begin to tell what happens in a scene."""
        return InotifyLookout(self, scene, tell)

    def end(self) -> None:
        """End the thread and wait for it; the lookouts are closed before."""
        self.stop()
        self.join()

    def join_in(self, lookout: InotifyLookout) -> None:
        """Let a lookout hear of its names, and of lost events."""
        self._listen_to(self._lookouts | {lookout})

    def leave(self, lookout: InotifyLookout) -> None:
        """Forget a lookout."""
        self._listen_to(self._lookouts - {lookout})

    def _listen_to(self, lookouts: frozenset[InotifyLookout]) -> None:
        self._names = frozenset().union(*(lookout.names for lookout in lookouts))
        self._lookouts = lookouts

    def read_events(
        self, *, event_buffer_size: int = DEFAULT_EVENT_BUFFER_SIZE
    ) -> list[InotifyEvent]:
        """Return the next events, without those of other names; none after the end.

        Where all were of other names, the next ones get a moment to gather: a build that makes
        thousands of files would else wake this thread for each.
        """
        read = super().read_events(event_buffer_size=event_buffer_size)
        ours = [event for event in read if not event.name or event.name in self._names]
        if read and not ours:
            self.stopped_event.wait(_GATHER)
        return ours

    def handle_event(self, event: InotifyEvent) -> None:
        """Pass an event on; where some were lost, say so to all."""
        if event.is_queue_overflow:
            for lookout in self._lookouts:
                lookout.on_overflow()
        else:
            super().handle_event(event)


class _Spot:
    """One watch of the kernel's, as watchdog knows it. Making one raises OSError."""

    def __init__(
        self,
        ear: InotifyFD,
        path: str,
        mask: Mask,
        happened: Callable[[InotifyEvent], None],
    ) -> None:
        self._ear, self._happened = ear, happened
        self._id = CallbackId(id(self))
        self.is_alive = True
        self._wd = ear.add_callback(os.fsencode(path), mask, self, self._id)
        if self._wd == _REFUSED:  # watchdog takes a denied permission for success
            self.close()
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    def on_event(self, event: InotifyEvent) -> None:
        self._happened(event)

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        """Note that what was watched is no more."""
        self.is_alive = False

    def on_queue_overflow(self) -> None:
        """Leave that to the lookout."""

    def close(self) -> None:
        """Watch no more; once."""
        self._ear.remove_callbacks([(self._wd, self._id)])


class InotifyLookout:
    """The watches of one plan: each directory that counts, and the plan's file."""

    def __init__(self, ear: InotifyEar, scene: Scene, tell: Callable[[Happening], None]) -> None:
        self._ear, self._scene, self._tell = ear, scene, tell
        self._lock = threading.RLock()
        self._open = True
        self._spots: dict[str, _Spot] = {}
        self._file: _Spot | None = None
        self.trouble: OSError | None = None
        """Why not all can be watched; None where it can."""
        self.names = frozenset(os.fsencode(name) for place in scene.places for name in place.names)
        """The names that count, as the kernel has them."""
        ear.join_in(self)
        self.is_whole()

    def is_whole(self) -> bool:
        """Say whether all that was watched still is; watch what could not be watched before."""
        with self._lock:
            self.trouble = None
            for place in self._scene.places:
                self._watch_directory(place)
            if self._file is None or not self._file.is_alive:
                self._watch_file()
            return self._ear.is_alive() and all(spot.is_alive for spot in self._spots.values())

    def close(self) -> None:
        """Tell nothing any more."""
        with self._lock:
            self._open = False
            self._ear.leave(self)
            for spot in (*self._spots.values(), self._file):
                if spot is not None:
                    spot.close()
            self._file = None
            self._spots.clear()

    def on_overflow(self) -> None:
        """Tell that anything may have happened."""
        with self._lock:
            if self._open:
                self._watch_file()
                for what in Happening.SAVED, Happening.GIT:
                    self._tell(what)

    def _watch_directory(self, place: Place) -> None:
        if place.directory in self._spots:
            return
        try:
            spot = _Spot(self._ear, place.directory, _DIRECTORY, self._reader(place))
        except OSError as error:
            self._note(error)
        else:
            self._spots[place.directory] = spot

    def _watch_file(self) -> None:
        """Watch the file that has the plan's name now, and only then forget the one that had it."""
        former, self._file = self._file, None
        try:
            self._file = _Spot(self._ear, self._scene.file, _FILE, self._of_file)
        except OSError as error:
            self._note(error)
        if former is not None:
            former.close()

    def _note(self, error: OSError) -> None:
        if error.errno not in _GONE:
            self.trouble = error

    def _reader(self, place: Place) -> Callable[[InotifyEvent], None]:
        names = frozenset(map(os.fsencode, place.names))

        def read(event: InotifyEvent) -> None:
            if event.name and event.name not in names:
                return
            with self._lock:
                if self._open:
                    if place.what is Happening.SAVED:
                        self._watch_file()
                    self._tell(self._now(place.what))

        return read

    def _now(self, what: Happening) -> Happening:
        """Say whether a file that has come is still being written: nobody listened to that yet."""
        if what is not Happening.SAVED or self._file is None:
            return what
        return Happening.WRITING if is_being_written(self._scene.file) else what

    def _of_file(self, event: InotifyEvent) -> None:
        with self._lock:
            if self._open:
                self._tell(Happening.WRITING if event.is_modify else Happening.SAVED)
