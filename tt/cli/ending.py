"""How a process that runs until it is told to end hears of that."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import FrameType

_ENDS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ending(alarm: int) -> Iterator[Callable[[], int]]:
    """Give what says which signal has asked to end, 0 for none; a second one does not wait.

    Each signal writes into `alarm`, which wakes the loop. Who was started by `nohup` does not end
    with its terminal.
    """
    asked: list[int] = []

    def ask(number: int, _: FrameType | None) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    wakeup = signal.set_wakeup_fd(alarm, warn_on_full_buffer=False)
    is_kept = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    ends = [number for number in _ENDS if number is not signal.SIGHUP or not is_kept]
    before = {number: signal.signal(number, ask) for number in ends}
    try:
        yield lambda: asked[0] if asked else 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup)
