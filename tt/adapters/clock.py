"""The machine's own time."""

from __future__ import annotations

import time


class SystemClock:
    """A `Clock` of the ports."""

    def now_ns(self) -> int:
        """Return nanoseconds since 1970, UTC."""
        return time.time_ns()
