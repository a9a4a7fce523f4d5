"""The processes that descend from this one: found, frozen, ended, whatever sessions they made.

On Linux an orphan among them comes to us (`adopt_orphans`), so that none gets away. Elsewhere those
are found that were seen before, and those whose environment has our mark.

What `tt` itself leaves running on purpose is spared: a server, a watcher, another agent. It is
known by `DETACHED` in its environment.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from psutil import Process

DETACHED: Final = "TT_DETACHED"
"""The variable in the environment of what outlives its starter on purpose."""

_PR_SET_CHILD_SUBREAPER: Final = 36
_SECONDS: Final = 5.0
_POLL, _LONGEST_POLL = 0.005, 0.1


def adopt_orphans() -> bool:
    """Become the parent of each descendant whose own parent ends; False where that is not known."""
    if not sys.platform.startswith("linux"):
        return False
    import ctypes

    return bool(ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


class Tree:
    """All that descends from this process, but for what is spared, and what descends from that.

    `servers` is the directory in which the user's own Redis works: a server writes over its
    environment. `mark` is a variable and its text: those are found, too, that have it in their
    environment and are not below us any more.
    """

    __slots__ = ("_mark", "_servers")

    def __init__(self, servers: str = "", mark: tuple[str, str] | None = None) -> None:
        self._servers, self._mark = servers, mark

    @property
    def must_be_searched(self) -> bool:
        """Whether there may be some that are no children of anybody below us."""
        return self._mark is not None

    def below(self, seen: Iterable[Process] = ()) -> list[Process]:
        """Return them; `seen` were some before, which may have lost their parents since."""
        import psutil

        found: dict[int, Process] = {}
        parents = [psutil.Process(), *(process for process in seen if process.is_running())]
        if self._mark is not None:
            parents += _marked(self._mark)
        for parent in parents:
            _add(parent, found)
            with suppress(psutil.Error):
                for child in parent.children(recursive=True):
                    _add(child, found)
        return [process for process in found.values() if not self._is_spared(process, found)]

    def _is_spared(self, process: Process, found: dict[int, Process]) -> bool:
        """Say whether a process, or one above it, is to go on."""
        import psutil

        with suppress(psutil.Error, OSError):
            if DETACHED in process.environ() or (self._servers == process.cwd() != ""):
                return True
            parent = found.get(process.ppid())
            return parent is not None and self._is_spared(parent, found)
        return False


def _add(process: Process, found: dict[int, Process]) -> None:
    if process.pid != os.getpid():
        found[process.pid] = process


def _marked(mark: tuple[str, str]) -> list[Process]:
    import psutil

    name, text = mark
    marked = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(name) == text:
                marked.append(process)
    return marked


def signal_all(processes: Iterable[Process], number: signal.Signals) -> None:
    """Send a signal to each that is still there; never to a later one with the same number."""
    import psutil

    for process in processes:
        with suppress(psutil.Error):
            process.send_signal(number)


def freeze(find: Callable[[], list[Process]]) -> list[Process]:
    """Stop all that `find` finds, and what they have started meanwhile; return them."""
    stopped: dict[int, Process] = {}
    while fresh := [process for process in find() if process.pid not in stopped]:
        signal_all(fresh, signal.SIGSTOP)
        stopped |= {process.pid: process for process in fresh}
    return list(stopped.values())


def end_all(
    find: Callable[[], list[Process]], reap: Callable[[], None], seconds: float = _SECONDS
) -> tuple[int, ...]:
    """Kill all that `find` finds until there is none; return those that cannot be killed.

    `reap` takes in those of our own children that have ended.
    """
    deadline, pause = time.monotonic() + seconds, _POLL
    while True:
        reap()
        left = [process for process in find() if _lives(process)]
        if not left:
            reap()
            return ()
        if time.monotonic() > deadline:
            return tuple(process.pid for process in left)
        signal_all(left, signal.SIGKILL)
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_POLL)  # to look through all processes takes a while, too


def has_children() -> bool:
    """Say whether any child is there, ended or not; at the cost of one call of the system."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _lives(process: Process) -> bool:
    import psutil

    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
