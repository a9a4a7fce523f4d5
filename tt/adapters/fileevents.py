"""Hearing of it when a plan is saved, or Git moves: one thread of events for all plans.

Events are hints. Some are lost (a full queue, a filesystem that does not tell), so whoever listens
looks for itself from time to time; `Sight.blind` says where it should do so more often.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from tt.adapters.fileevents_fs import silent_filesystem
from tt.adapters.fileevents_places import Scene, survey
from tt.core.watching import Happening

_LIMITS: Final = {
    errno.ENOSPC: "the system's limit of inotify watches is reached (fs.inotify.max_user_watches)",
    errno.EMFILE: (
        "the system's limit of inotify instances, or this process's of open files, is reached "
        "(fs.inotify.max_user_instances, ulimit -n)"
    ),
    errno.ENFILE: "the system's limit of open files is reached (fs.file-max)",
    errno.ENOMEM: "the system has no memory left for them",
}
_LIMITS_OTHERWISE: Final = "the system refuses to tell of changes"

Tell = Callable[[Happening], None]


class Lookout(Protocol):
    """What listens for one plan."""

    trouble: OSError | None

    def is_whole(self) -> bool:
        """Say whether it listens to all that it did; try again what did not work before."""
        ...

    def close(self) -> None:
        """Stop; after that nothing is told any more."""
        ...


class Ear(Protocol):
    """What listens for all plans."""

    def look_out(self, scene: Scene, tell: Tell) -> Lookout:
        """Begin to tell what happens in a scene."""
        ...

    def is_alive(self) -> bool:
        """Say whether its thread runs."""
        ...

    def end(self) -> None:
        """End its threads and wait for them."""
        ...


class Eyes:
    """What watches all plans of a process. Not for several threads."""

    def __init__(self) -> None:
        """Start nothing yet: watchdog is imported, and a thread started, for the first plan."""
        self._ear: Ear | None = None
        self._sights: set[Sight] = set()

    def look_at(self, plan: Path, git_dir: Path | None, tell: Tell) -> Sight:
        """Watch a plan, and Git's directory of its worktree; look at the plan after that.

        `tell` is called in another thread: it may only ring a bell, and must not raise. It may be
        called for nothing. Never raises: where it cannot watch, `Sight.blind` says so.
        """
        sight = Sight(plan, git_dir, lambda scene: self._listen(scene, tell), self._sights.discard)
        self._sights.add(sight)
        return sight

    def close(self) -> None:
        """Close all sights and end the thread; may be called twice."""
        for sight in tuple(self._sights):
            sight.close()
        if self._ear is not None:
            self._ear.end()
            self._ear = None

    def _listen(self, scene: Scene, tell: Tell) -> Lookout:
        if self._ear is not None and not self._ear.is_alive():
            self._ear.end()
            self._ear = None
        if self._ear is None:
            self._ear = _open_ear()
        return self._ear.look_out(scene, tell)


class Sight:
    """One plan that is watched, until `close`."""

    def __init__(
        self,
        plan: Path,
        git_dir: Path | None,
        listen: Callable[[Scene], Lookout],
        closed: Callable[[Sight], None],
    ) -> None:
        self._plan, self._git_dir = plan, git_dir
        self._listen, self._closed = listen, closed
        self._scene = survey(plan, git_dir)
        self._silent = _silence(self._scene)
        self._lookout: Lookout | None = None
        self._trouble: OSError | None = None
        self._open()

    @property
    def blind(self) -> str | None:
        """Why it may not be told of a save, in words that go on after a colon; None where it is."""
        trouble = self._trouble if self._lookout is None else self._lookout.trouble
        if trouble is None:
            return self._silent
        if isinstance(trouble, PermissionError):
            return f"{trouble.filename or self._plan} may not be read"
        return _LIMITS.get(trouble.errno or 0, trouble.strerror or _LIMITS_OTHERWISE)

    def is_current(self) -> bool:
        """Say whether it still watches what the plan hangs on; where not, look at it anew.

        A few `stat` calls. What could not be watched before is tried again, so `blind` may change.
        """
        if self._lookout is None:
            self._open()
        if self._lookout is not None and not self._lookout.is_whole():
            return False
        return survey(self._plan, self._git_dir) == self._scene

    def close(self) -> None:
        """Watch no more: nothing is told after that. May be called twice."""
        if self._lookout is not None:
            self._lookout.close()
            self._lookout = None
        self._closed(self)

    def _open(self) -> None:
        try:
            self._lookout, self._trouble = self._listen(self._scene), None
        except OSError as error:
            self._trouble = error


def _silence(scene: Scene) -> str | None:
    for place in scene.places:
        kind = silent_filesystem(place.directory)
        if kind is not None:
            return f"{place.directory} is on {kind}, which does not tell of all changes"
    return None


def _open_ear() -> Ear:
    """Return the best that there is here; raises OSError where a limit is reached."""
    if sys.platform == "linux":
        try:
            from tt.adapters.fileevents_inotify import InotifyEar
        except ImportError:  # watchdog before 7
            pass
        else:
            return InotifyEar()
    from tt.adapters.fileevents_observer import ObserverEar

    return ObserverEar()
