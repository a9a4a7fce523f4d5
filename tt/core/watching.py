"""What a watcher sees happen, and what it has to tell."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from tt.record import field, record

if TYPE_CHECKING:
    from tt.core.report import SyncReport


class Happening(StrEnum):
    """Something happened around a plan; what it was is for a look to find out.

    `SAVED`: its name got other content, another file, or none. `WRITING`: a program has written to
    it and not closed it yet. `GIT`: a file changed by which Git says where the worktree stands.
    """

    SAVED = "saved"
    WRITING = "writing"
    GIT = "git"


class Event(StrEnum):
    """What a watcher tells of."""

    STARTED = "started"
    SYNCED = "synced"
    INVALID = "invalid"
    VALID = "valid"
    REFUSED = "refused"
    WAITING = "waiting"
    ABSENT = "absent"
    BACK = "back"
    OFFLINE = "offline"
    ONLINE = "online"
    RESUMED = "resumed"
    BLIND = "blind"
    DEAF = "deaf"
    PASSED = "passed"
    STOPPED = "stopped"


@record
class News:
    """One thing a watcher has to tell of the plan that messages call `file`.

    `SYNCED` has a report, with changes in it or conflicts, or the first one of a town, which the
    message names then. `INVALID` and `REFUSED` say why nothing is synced until the file changes;
    `WAITING` (Git is at work), `ABSENT` (no plan here) and `OFFLINE` why nothing is synced just
    now; `VALID`, `BACK`, `ONLINE` and `RESUMED` that it is over. `BLIND` and `DEAF` say why the
    plan or Redis is asked from time to time instead of telling by itself; `PASSED` why a plan is
    not watched.
    """

    event: Event
    file: str
    message: str = ""
    hint: str = ""
    report: SyncReport | None = None


@record
class Stamp:
    """What tells at little cost whether a look could find anything new: the same, nothing new.

    `plan` is the file's identity, size and times, None where there is no file; `head` what Git's
    HEAD says; `settings` the same as `plan` of the files with settings.
    """

    plan: tuple[int, ...] | None
    head: bytes = b""
    settings: tuple[tuple[int, ...] | None, ...] = field(default=())
