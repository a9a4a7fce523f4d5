"""Waiting for what a server tells, with a deadline."""

from __future__ import annotations

import select
from time import monotonic
from typing import Final

from tt.adapters.redis.heard import Heard
from tt.adapters.redis.tracking import Tracking

SECONDS: Final = 10.0


def heard(tracking: Tracking, seconds: float = SECONDS) -> Heard:
    """Wait until there is something to hear."""
    deadline = monotonic() + seconds
    while not (found := tracking.heard()):
        ready, _, _ = select.select(tracking.filenos, [], [], max(deadline - monotonic(), 0))
        assert ready, "nothing was heard in time"
    return found


def wait_for_news(tracking: Tracking) -> None:
    """Wait until the connection has something to say, if only that it is over."""
    ready, _, _ = select.select(tracking.filenos, [], [], SECONDS)
    assert ready, "nothing happened in time"
