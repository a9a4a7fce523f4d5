"""A sign of life on standard error while something takes longer than half a second."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_FIRST: Final = 0.5
_NEXT: Final = 0.25
_ERASE: Final = b"\r\x1b[K"


@contextmanager
def patience(what: str) -> Iterator[None]:
    """Show `what` and the seconds it takes, on a terminal only, and erase it at the end.

    With a timer's signal instead of a thread: what it interrupts goes on by itself (PEP 475), and
    processes that are started meanwhile do not inherit it.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield
        return
    import signal

    started, shown = time.monotonic(), False

    def show(*_: object) -> None:
        nonlocal shown
        shown = True
        seconds = time.monotonic() - started
        os.write(2, _ERASE + f"tt: {what} … {seconds:.0f} s".encode())

    before = signal.signal(signal.SIGALRM, show)
    signal.setitimer(signal.ITIMER_REAL, _FIRST, _NEXT)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if shown:
            os.write(2, _ERASE)
