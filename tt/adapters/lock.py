"""One lock for each worktree: syncs, hooks and the watcher exclude each other with it.

`flock` belongs to the open file: it ends with the process, however that ends, and programs that
are started meanwhile do not get it. The file stays: who unlinks a lock file lets two hold "it".
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tt.adapters.private import make_private_directory
from tt.errors import LockedError, TTError

WAIT: Final = 5.0
"""Seconds to wait for another `tt` before giving up."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.001, 0.05
_LONGEST_NOTE: Final = 200


def open_lock(path: Path) -> int:
    """Open a lock's file; make it, and its directory, where there is none. Raises OSError."""
    make_private_directory(path.parent)
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def take(descriptor: int, wait: float) -> bool:
    """Lock an open file; False where another has it for longer than `wait` seconds.

    Raises OSError.
    """
    deadline, pause = time.monotonic() + wait, _FIRST_PAUSE
    while not _taken(descriptor):
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(pause, left))
        pause = min(pause * 2, _LONGEST_PAUSE)
    return True


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class WorktreeLock:
    """The lock of one worktree, held inside a `with` statement.

    Entering raises LockedError where another `tt` holds it for longer than `wait` seconds, and
    TTError where the directory cannot be written.
    """

    def __init__(self, path: Path, command: str, wait: float = WAIT) -> None:
        """Lock the file `path`; `command` tells others who holds it, as in `tt sync`."""
        self._path = path
        self._note = f"pid {os.getpid()}: {command}"
        self._wait = wait
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._descriptor is not None

    def __enter__(self) -> Self:
        descriptor = self._open()
        try:
            self._lock(descriptor)
            self._write_note(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)

    def _open(self) -> int:
        try:
            return open_lock(self._path)
        except OSError as error:
            raise self._refused(error) from error

    def _lock(self, descriptor: int) -> None:
        try:
            taken = take(descriptor, self._wait)
        except OSError as error:
            raise self._refused(error) from error
        if not taken:
            raise LockedError(
                f"Another tt ({self._holder(descriptor)}) is at work here, and was for "
                f"{self._wait:g} seconds.",
                "Wait until it is done, then run this again.",
            )

    def _write_note(self, descriptor: int) -> None:
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, self._note.encode("utf-8", "replace")[:_LONGEST_NOTE], 0)
        except OSError as error:  # a full disk: a lock without a name would be one, but no sync
            raise self._refused(error) from error

    def _holder(self, descriptor: int) -> str:
        note = os.pread(descriptor, _LONGEST_NOTE, 0).decode("utf-8", "replace")
        return "".join(char if char.isprintable() else "?" for char in note) or "pid unknown"

    def _refused(self, error: OSError) -> TTError:
        return TTError(
            f"The lock {self._path} cannot be taken: {error.strerror}.",
            "See that you may write there and that the disk has room; reading commands work as is.",
        )
