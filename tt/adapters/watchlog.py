"""The log of a watcher that has no terminal: lines with date and time, in files that stay small."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from tt.adapters.private import make_private_directory

LARGEST: Final = 1_000_000
"""Bytes after which a log becomes the newest of the old ones."""
OLD_LOGS: Final = 3

_STANDARD: Final = (1, 2)
_CODEC: Final = ("utf-8", "backslashreplace")


def open_log(path: Path) -> int:
    """Open a log to write at its end, for this user alone; make it where there is none."""
    make_private_directory(path.parent)
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


class WatchLog:
    """What stands in for standard output and standard error, as far as a watcher uses these.

    What comes without it, from a program that is started or from an interpreter that fails, goes
    to the same file. What cannot be written is lost: a full disk ends no watcher. Raises OSError
    only where the log cannot be opened at first.
    """

    encoding = "utf-8"

    def __init__(self, path: Path, largest: int = LARGEST) -> None:
        self._path, self._largest = path, largest
        self._descriptor = open_log(path)
        self._owned = _is_standard_output(self._descriptor)
        self._part = ""

    def write(self, text: str) -> int:
        """Write whole lines; what is no line yet waits for the rest of it."""
        *lines, self._part = (self._part + text).split("\n")
        if lines:
            now = time.strftime("%Y-%m-%d %H:%M:%S%z")
            self._append("".join(f"{now}  {line}\n" for line in lines if line).encode(*_CODEC))
            if not self._owned:
                with suppress(OSError):  # the journal of a service, as a rule
                    os.write(1, "".join(f"{line}\n" for line in lines if line).encode(*_CODEC))
        return len(text)

    def flush(self) -> None:
        """Do nothing: each line is written at once."""

    def isatty(self) -> bool:
        """Say that this is no terminal."""
        return False

    def _append(self, data: bytes) -> None:
        with suppress(OSError):
            os.write(self._descriptor, data)
            if os.fstat(self._descriptor).st_size >= self._largest:
                self._rotate()

    def _rotate(self) -> None:
        """Give every log the name of the next older one; the oldest is lost."""
        names = [
            self._path,
            *(self._path.with_name(f"{self._path.name}.{n + 1}") for n in range(OLD_LOGS)),
        ]
        for older, newer in zip(names[:0:-1], names[-2::-1], strict=True):
            with suppress(FileNotFoundError):
                newer.replace(older)
        fresh = open_log(self._path)
        os.dup2(fresh, self._descriptor, inheritable=False)
        os.close(fresh)
        if self._owned:
            for standard in _STANDARD:
                os.dup2(self._descriptor, standard)


def _is_standard_output(descriptor: int) -> bool:
    try:
        return os.path.sameopenfile(1, descriptor)
    except OSError:
        return True
