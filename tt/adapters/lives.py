"""Whether the processes of agents on this machine live; and being woken when one does not."""

from __future__ import annotations

import os
import select
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from tt.adapters.processes import this_host
from tt.core.agents import Agent

_STATE, _STARTED = 0, 19
"""Fields of `/proc/PID/stat`, counted after the name."""
_ENDED: Final = (b"Z", b"X")
_TICKS: Final = "ticks "
_SECONDS: Final = "seconds "
_HIDDEN: Final = "hidden"


def born_of(pid: int) -> str:
    """Return what tells a process from a later one with the same number; empty where it is gone.

    A process that has ended, and that nobody has asked how, is gone. It is what the kernel counts
    where it does: a time of the clock moves when somebody sets that. One that is there and may not
    be looked at, another user's say, was born `hidden`.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123
            fields = file.read().rpartition(b") ")[2].split()
        return "" if fields[_STATE] in _ENDED else f"{_TICKS}{int(fields[_STARTED])}"
    except (OSError, IndexError, ValueError):
        if not os.path.exists("/proc/self/stat"):  # noqa: PTH110
            return _psutil_born(pid)
        return _HIDDEN if _is_there(pid) else ""


def _is_there(pid: int) -> bool:
    with suppress(PermissionError):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True


def _psutil_born(pid: int) -> str:
    import psutil

    try:
        process = psutil.Process(pid)
        ended = process.status() == psutil.STATUS_ZOMBIE
        return "" if ended else f"{_SECONDS}{process.create_time():.2f}"
    except psutil.AccessDenied:
        return _HIDDEN
    except psutil.Error:
        return ""


class Vigil:
    """The processes of agents that are on this machine; to be closed."""

    def __init__(self) -> None:
        self._host = this_host()
        self._kept: dict[tuple[int, str], int | None] = {}

    @property
    def filenos(self) -> tuple[int, ...]:
        """What to wait on: one becomes readable when a process ends, where the kernel tells."""
        return tuple(number for number in self._kept.values() if number is not None)

    def dead(self, agents: Iterable[Agent]) -> dict[str, str]:
        """Return those whose processes are gone, and how that is said; be woken by the others."""
        found: dict[str, str] = {}
        watched: set[tuple[int, str]] = set()
        for agent in agents:
            if agent.host != self._host or agent.pid <= 0:
                continue
            if self._lives(agent.pid, agent.born):
                watched.add((agent.pid, agent.born))
            else:
                found[agent.uuid] = f"its process {agent.pid} is gone"
        for known in self._kept.keys() - watched:
            self._drop(known)
        return found

    def close(self) -> None:
        """Watch nobody any more."""
        for known in list(self._kept):
            self._drop(known)

    def _lives(self, pid: int, born: str) -> bool:
        """Say whether it is there; from then on its end wakes us, without another look at it."""
        number = self._kept.get((pid, born))
        if number is not None:
            return not _has_ended(number)
        now = born_of(pid)
        is_known = now != _HIDDEN and born.startswith((_TICKS, _SECONDS))
        is_it = bool(now) and (now == born or not is_known)
        if is_it and (pid, born) not in self._kept:
            self._kept[pid, born] = _open(pid)
        return is_it

    def _drop(self, known: tuple[int, str]) -> None:
        number = self._kept.pop(known)
        if number is not None:
            os.close(number)


def _has_ended(number: int) -> bool:
    poller = select.poll()
    poller.register(number, select.POLLIN)
    return bool(poller.poll(0))


def _open(pid: int) -> int | None:
    """Return what becomes readable when a process ends; None where nothing does."""
    opener = getattr(os, "pidfd_open", None)
    with suppress(OSError):
        return None if opener is None else int(opener(pid))
    return None
