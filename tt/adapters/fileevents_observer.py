"""Events where there is no inotify: watchdog's observer for the platform, and a look at each name.

macOS does not tell when a file is closed, so every change is taken for a save there.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from watchdog.events import (
    FileClosedEvent,
    FileModifiedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
    FileSystemMovedEvent,
)
from watchdog.observers import Observer

from tt.adapters.fileevents_places import Place, Scene
from tt.core.watching import Happening

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver, ObservedWatch

_UNTOLD: Final = ("opened", "closed_no_write")
_GONE: Final = (FileNotFoundError, NotADirectoryError)


class ObserverEar:
    """An observer and its threads. Making one raises OSError where a limit is reached."""

    def __init__(self) -> None:
        self._observer: BaseObserver = Observer()
        self._observer.start()
        self._watches: dict[str, ObservedWatch] = {}
        self._ears: dict[str, set[_NameEar]] = {}

    def look_out(self, scene: Scene, tell: Callable[[Happening], None]) -> ObserverLookout:
        """Begin to tell what happens in a scene."""
        return ObserverLookout(self, scene, tell)

    def is_alive(self) -> bool:
        """Say whether its thread runs."""
        return self._observer.is_alive()

    def end(self) -> None:
        """End its threads and wait for them."""
        self._observer.stop()
        self._observer.join()

    def add(self, directory: str, ear: _NameEar) -> None:
        """Listen to a directory; raises OSError."""
        watch = self._observer.schedule(ear, directory)
        self._watches[directory] = watch
        self._ears.setdefault(directory, set()).add(ear)

    def remove(self, directory: str, ear: _NameEar) -> None:
        """Listen no more; the directory is let go when nobody listens to it."""
        ears, watch = self._ears[directory], self._watches[directory]
        ears.discard(ear)
        if ears:
            self._observer.remove_handler_for_watch(ear, watch)
        else:
            self._observer.unschedule(watch)
            del self._ears[directory], self._watches[directory]

    def listens_to(self, directory: str) -> bool:
        """Say whether the thread of a directory runs: some end with the directory."""
        watch = self._watches.get(directory)
        emitters = tuple(self._observer.emitters)
        return any(emitter.watch == watch and emitter.is_alive() for emitter in emitters)


class ObserverLookout:
    """The directories of one plan."""

    def __init__(self, ear: ObserverEar, scene: Scene, tell: Callable[[Happening], None]) -> None:
        self._ear, self._scene, self._tell = ear, scene, tell
        self._lock = threading.RLock()
        self._open = True
        self._ears: dict[str, _NameEar] = {}
        self.trouble: OSError | None = None
        """Why not all can be watched; None where it can."""
        self.is_whole()

    def is_whole(self) -> bool:
        """Say whether all that was watched still is; watch what could not be watched before."""
        whole = self._ear.is_alive() and all(map(self._ear.listens_to, self._ears))
        self.trouble = None
        for place in self._scene.places:
            if place.directory not in self._ears:
                self._watch(place)
        return whole

    def close(self) -> None:
        """Tell nothing any more."""
        with self._lock:
            self._open = False
        for directory, ear in self._ears.items():
            self._ear.remove(directory, ear)
        self._ears.clear()

    def _watch(self, place: Place) -> None:
        ear = _NameEar(place, self._told)
        try:
            self._ear.add(place.directory, ear)
        except _GONE:
            pass
        except OSError as error:
            self.trouble = error
        else:
            self._ears[place.directory] = ear

    def _told(self, what: Happening) -> None:
        with self._lock:
            if self._open:
                self._tell(what)


class _NameEar(FileSystemEventHandler):
    """What drops the events of other names."""

    def __init__(self, place: Place, tell: Callable[[Happening], None]) -> None:
        self._place, self._tell = place, tell
        self._closes = False

    def dispatch(self, event: FileSystemEvent) -> None:
        """Tell of an event where it is about one of the names, or the directory itself."""
        if event.event_type in _UNTOLD or not self._is_ours(event):
            return
        what = self._place.what
        if what is Happening.SAVED and self._is_unfinished(event):
            what = Happening.WRITING
        self._tell(what)

    def _is_ours(self, event: FileSystemEvent) -> bool:
        paths = [event.src_path]
        if isinstance(event, FileSystemMovedEvent):
            paths.append(event.dest_path)
        names = {os.path.basename(os.fsdecode(path)) for path in paths}  # noqa: PTH119
        return not names.isdisjoint(self._place.names)

    def _is_unfinished(self, event: FileSystemEvent) -> bool:
        """Say whether a writer is at it, where the platform has shown to tell of its end."""
        self._closes = self._closes or isinstance(event, FileClosedEvent)
        return self._closes and isinstance(event, FileModifiedEvent)
