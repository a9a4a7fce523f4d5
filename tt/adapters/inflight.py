"""Whether somebody is at work on a worktree's files right now, so that they are not the user's.

Git's lock says so, the patches in which hook frameworks put the user's edits away, and a Git that
has given its lock back and goes on. All signs may be left over from a program that was killed, and
then must not count for ever.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from tt.adapters import processes
from tt.adapters.patches import known_patches
from tt.record import record

PATIENCE: Final = 30.0
"""Seconds after which a sign counts for left over, where no living process goes with it."""

_IDLE: Final = frozenset({"cat-file", "fsmonitor--daemon"})
"""Commands that editors let run all day; they have no lock."""

_READING: Final = _IDLE | {"blame", "diff", "fetch", "gc", "grep", "log", "maintenance", "show"}
"""Commands that live on for a pager or a network, and move nothing in the worktree."""

_AFTERMATH: Final = 3.0
"""Seconds for which a Git that has written the index may go on."""
_BLIND_AFTERMATH: Final = 0.3
"""The same where nobody tells whether it goes on."""

_SUSPICIOUS: Final = 1.0
"""Git has its lock for a moment; after that it is worth while to look who has it."""


@record
class Obstacle:
    """Somebody at work: `words` is a sentence, `seconds` for how long this was observed unchanged.

    `is_proven`: a living process goes with it. Without one it may be left over.
    """

    words: str
    seconds: float
    is_proven: bool


class InFlight:
    """The signs of one worktree. It remembers which of them are left over: asking is cheap."""

    def __init__(
        self,
        git_dir: Path,
        common_dir: Path,
        top: Path,
        environ: Mapping[str, str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Watch over a worktree; `environ` tells where frameworks keep their patches."""
        self._lock = os.fspath(git_dir / "index.lock")
        self._index = os.fspath(git_dir / "index")
        self._quiet: object = None
        self._message = os.fspath(git_dir / "COMMIT_EDITMSG")
        self._top = os.path.realpath(top)
        places = os.fspath(git_dir), os.fspath(common_dir), os.fspath(top)
        self._patches = known_patches(*places, environ)
        self._clock = clock
        self._seen: object = None
        self._since = 0.0
        self._asked = (0.0, False)

    def reason(self, patience: float = PATIENCE) -> str | None:
        """Say in a sentence why to wait; None where all is quiet, or what there is is left over."""
        found = self.obstacle()
        if found is None or not (found.is_proven or found.seconds < patience):
            return None
        return found.words

    def obstacle(self) -> Obstacle | None:
        """Return who is at work; None where all is quiet."""
        for patches in self._patches:
            path = patches.kept()
            if path is not None:
                words = f"{patches.tool} runs hooks, and has put unstaged edits away in {path}."
                return Obstacle(words, self._observed(path), patches.is_proven)
        locked = _written(self._lock)
        return self._aftermath() if locked is None else self._locked(locked)

    def _locked(self, locked: tuple[int, int]) -> Obstacle | None:
        if self._waits_for_message(locked):
            return None
        seconds = self._observed(locked)
        words = f"Git is at work: {self._lock} is there"
        if seconds < _SUSPICIOUS:
            return Obstacle(f"{words}.", seconds, is_proven=False)
        if self._has_git():
            return Obstacle(f"{words} for {seconds:.0f} seconds.", seconds, is_proven=True)
        ended = "and no Git is seen at work" if processes.HAS_PROC else "and may be left over"
        words = f"Git's lock {self._lock} is there for {seconds:.0f} seconds, {ended}."
        return Obstacle(words, seconds, is_proven=False)

    def _aftermath(self) -> Obstacle | None:
        """Return a Git that has written the index, and has not ended yet.

        A checkout has also written the files by then, and HEAD still says the branch before.
        """
        index = _written(self._index)
        if index == self._quiet:
            self._seen = None
            return None
        seconds = self._observed(("index", index))  # the lock became the index: it is the same file
        if index and not self._waits_for_message(index) and self._goes_on(seconds):
            words = "Git is at work: it has written its index, and has not ended."
            return Obstacle(words, seconds, is_proven=processes.HAS_PROC)
        self._quiet = index
        return None

    def _goes_on(self, seconds: float) -> bool:
        if not processes.HAS_PROC:
            return seconds < _BLIND_AFTERMATH
        found = next(processes.workers(self._top, _is_moving), None)
        return seconds < _AFTERMATH and found is not None

    def _waits_for_message(self, locked: tuple[int, int]) -> bool:
        """Say whether hooks are over and a commit waits for its message, for hours maybe.

        A message from the future is one from before a clock was set back.
        """
        message = _written(self._message)
        return message is not None and locked[1] < message[1] <= time.time_ns()

    def _observed(self, sign: object) -> float:
        """Return for how long a sign has been seen as it is: no clock of the system's matters."""
        now = self._clock()
        if sign != self._seen:
            self._seen, self._since = sign, now
        return now - self._since

    def _has_git(self) -> bool:
        """Say whether a Git works in the worktree; looked up once a second."""
        when, known = self._asked
        if processes.HAS_PROC and self._clock() - when >= _SUSPICIOUS:
            known = next(processes.workers(self._top, _is_git), None) is not None
            self._asked = (self._clock(), known)
        return known


def in_flight(git_dir: Path, common_dir: Path, top: Path, environ: Mapping[str, str]) -> str | None:
    """Say in a sentence who is at work on a worktree's files; None where all is quiet."""
    names = ("HOME", "PRE_COMMIT_HOME", "PREK_HOME", "XDG_CACHE_HOME")
    told = tuple((name, environ[name]) for name in names if name in environ)
    return _of(git_dir, common_dir, top, told).reason()


@lru_cache(maxsize=64)
def _of(git_dir: Path, common_dir: Path, top: Path, told: tuple[tuple[str, str], ...]) -> InFlight:
    """Return what remembers a worktree's signs from one call to the next."""
    return InFlight(git_dir, common_dir, top, dict(told))


def _is_git(words: list[str], others: frozenset[str] = _IDLE) -> bool:
    """Say whether a command line is that of a Git command that may have a lock."""
    name = os.path.basename(words[0]) if words else ""  # noqa: PTH119
    return (name == "git" or name.startswith("git-")) and others.isdisjoint(words)


def _is_moving(words: list[str]) -> bool:
    """Say whether a command line is that of a Git command that may move HEAD."""
    return _is_git(words, _READING)


def _written(path: str) -> tuple[int, int] | None:
    """Return which file it is and when it was written, in nanoseconds; None without one."""
    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
