"""A terminal on which a picture moves: what is typed is not shown in it, a new size is heard."""

from __future__ import annotations

import os
import signal
import sys
import termios
from collections.abc import Callable
from contextlib import suppress
from typing import Final

_MODES: Final = 3
"""Where the local modes are in what `termios.tcgetattr` returns."""


def calm_terminal(resized: Callable[[], None]) -> Callable[[], None]:
    """Show nothing of what is typed, and call `resized` at each new size; return what ends that.

    What is typed meanwhile is there for whoever reads next; Ctrl-C works as ever. A terminal that
    is not ours, since we run in the background, is left alone.
    """
    before = signal.signal(signal.SIGWINCH, lambda *_: resized())
    restore = _without_echo()

    def end() -> None:
        restore()
        signal.signal(signal.SIGWINCH, before)

    return end


def _without_echo() -> Callable[[], None]:
    with suppress(OSError, ValueError, AttributeError, termios.error):
        number = sys.stdin.fileno()
        if os.tcgetpgrp(number) == os.getpgrp():
            modes = termios.tcgetattr(number)
            silent = [*modes]
            silent[_MODES] &= ~termios.ECHO
            termios.tcsetattr(number, termios.TCSANOW, silent)
            return lambda: _set(number, modes)
    return lambda: None


def _set(number: int, modes: list[object]) -> None:
    with suppress(termios.error):
        termios.tcsetattr(number, termios.TCSADRAIN, modes)  # type: ignore[arg-type]  # as they were got
