"""Times as tinytown writes them: RFC 3339 in UTC with nanoseconds."""

from __future__ import annotations

import time


def rfc3339(nanoseconds: int) -> str:
    """Write nanoseconds since 1970 (UTC) as `2026-11-21T01:18:18.244377983+00:00`."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest:09d}+00:00"
