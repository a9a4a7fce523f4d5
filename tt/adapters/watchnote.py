"""The note of who holds a watcher's post: written by who takes it, read by who asks."""

from __future__ import annotations

import json
import os
import time
from typing import Final

from tt.adapters.processes import is_paused, this_host
from tt.core.watcher import Watcher, WatchState
from tt.record import as_dict, replace

MOMENT: Final = 0.5
"""Seconds within which who has just taken the post has written its note."""
_POLL: Final = 0.02
_LONGEST: Final = 4096


def write_note(descriptor: int, watcher: Watcher, place: str) -> None:
    """Write into an open file who has taken the post, and where that was."""
    os.ftruncate(descriptor, 0)
    text = json.dumps({"place": os.path.realpath(place), **as_dict(watcher)})
    os.pwrite(descriptor, text.encode() + b"\n", 0)


def read_note(descriptor: int) -> tuple[Watcher, str]:
    """Read who wrote the note, and where; one with the pid 0 where nothing in it can be read.

    Who has just taken the post writes its note at once, and is given a moment for it.
    """
    deadline = time.monotonic() + MOMENT
    while True:
        try:
            said = json.loads(os.pread(descriptor, _LONGEST, 0))
            place = str(said.pop("place", ""))
            found = Watcher(**said)
            return replace(found, pid=int(found.pid)), place
        except (ValueError, TypeError, AttributeError):
            if time.monotonic() > deadline:
                return Watcher(0, ""), ""
            time.sleep(_POLL)


def hindrance(watcher: Watcher, place: str, here: str) -> WatchState | None:
    """Say what keeps a watcher from its work that it cannot say itself.

    It began in `place`, and is looked for in the directory `here`.
    """
    if watcher.host != this_host():
        return None
    if place and place != os.path.realpath(here):
        why = f"this was {place} when it began, and it looks there; stop it, and start one here"
        return WatchState("not here", why)
    if is_paused(watcher.pid):
        return WatchState("paused", "its process is stopped, as by Ctrl-Z; `fg` lets it go on")
    return None


def who(watcher: Watcher) -> str:
    """Return a watcher in the words of a message."""
    if watcher.pid <= 0:
        return "pid unknown"
    where = {"background": "in the background", "service": "as a service"}.get(watcher.how)
    words = [f"pid {watcher.pid}", f"since {_clock(watcher.started)}"]
    words += [where] if where else ["in a terminal"]
    words += ["for all plans"] if watcher.every else []
    words += [f"on {watcher.host.split(' ')[0]}"] if watcher.host != this_host() else []
    return ", ".join(words)


def look_at(watcher: Watcher) -> str:
    """Say where to read what a watcher does."""
    return f"its log tells: {watcher.log}" if watcher.log else "its terminal tells."


def _clock(time_text: str) -> str:
    date, _, clock = time_text.partition("T")
    return f"{date} {clock[:8]} UTC"
