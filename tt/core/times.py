"""Times as tinytown writes them: RFC 3339 in UTC with nanoseconds."""

from __future__ import annotations

import time
from functools import lru_cache


def rfc3339(nanoseconds: int) -> str:
    """Write nanoseconds since 1970 (UTC) as `2026-11-21T01:18:18.244377983+00:00`."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{_second(seconds)}.{rest:09d}+00:00"


def zulu(nanoseconds: int) -> str:
    """Write a time as tinytown does in messages and events: the same, ending in `Z`."""
    return rfc3339(nanoseconds).replace("+00:00", "Z")


def since_1970(text: str) -> float | None:
    """Return the seconds since 1970 that an RFC 3339 time means; None where it is none."""
    from datetime import datetime  # few commands ask how long something took

    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=4)
def _second(seconds: int) -> str:
    """Write a whole second; a push of thousands of tasks asks for the same one each time."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
