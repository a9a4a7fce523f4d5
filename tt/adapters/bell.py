"""What wakes a loop that sleeps on file descriptors: rung by threads and by signals."""

from __future__ import annotations

import os
from collections import deque
from contextlib import suppress
from typing import Generic, Self, TypeVar

_T = TypeVar("_T")
_ENOUGH = 4096


class Bell(Generic[_T]):
    """A pipe that becomes readable when somebody has something to say."""

    def __init__(self) -> None:
        self._out, self._in = os.pipe()
        for end in (self._out, self._in):
            os.set_blocking(end, False)
        self._said: deque[_T] = deque()

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._out

    @property
    def alarm(self) -> int:
        """The descriptor for `signal.set_wakeup_fd`."""
        return self._in

    def ring(self, what: _T) -> None:
        """Say something; from any thread, and after the end in vain."""
        self._said.append(what)
        with suppress(OSError):  # full: it rings already
            os.write(self._in, b"\0")

    def heard(self) -> list[_T]:
        """Return what was said since the last time."""
        with suppress(BlockingIOError):
            while len(os.read(self._out, _ENOUGH)) == _ENOUGH:
                pass
        said = []
        while self._said:
            said.append(self._said.popleft())
        return said

    def close(self) -> None:
        """Hear nothing any more; once."""
        os.close(self._out)
        os.close(self._in)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
