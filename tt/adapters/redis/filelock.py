"""A lock that the kernel gives back when the last process that holds it ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from tt.errors import StoreError

_POLL_SECONDS: Final = 0.005


class FileLock:
    """An exclusive lock on a file of its own; the file stays when the lock is given back."""

    __slots__ = ("path",)

    def __init__(self, path: Path) -> None:
        self.path = path

    def take(self) -> int | None:
        """Take the lock if it is free: the open file that holds it until every copy is closed."""
        opened = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(opened)
            return None
        return opened

    def is_free(self) -> bool:
        """Say whether nobody holds the lock at this moment."""
        taken = self.take()
        if taken is not None:
            os.close(taken)
        return taken is not None

    @contextmanager
    def held(self, deadline: float) -> Iterator[None]:
        """Hold the lock; wait for it until `deadline`, after that raise StoreError."""
        while (taken := self.take()) is None:
            if monotonic() > deadline:
                raise StoreError(
                    f"Another process holds {self.path} and does not give it back.",
                    "It starts or stops the Redis server; wait for it, then try again.",
                )
            sleep(_POLL_SECONDS)
        try:
            yield
        finally:
            os.close(taken)
