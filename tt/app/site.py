"""Where a use case works: the ports of one plan in one worktree and one town, wired together."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from tt.ports import BaseStore, Clock, Identity, Journal, PlanFile, Repository, TaskStore
from tt.record import record


@record
class Site:
    """One plan, its town, and everything that is needed to keep the two in step.

    `path` is the plan's path below the worktree's top, as Git names it. `lock` gives the one lock
    under which this worktree may be written. `max_delete` bounds how many tasks may disappear at
    once without somebody insisting. `saved` is told when a base was saved: the plan is in use here.
    """

    town: str
    branch: str
    path: Path
    file: PlanFile
    bases: BaseStore
    journal: Journal
    store: TaskStore
    repository: Repository | None
    identity: Identity
    clock: Clock
    lock: Callable[[], AbstractContextManager[object]]
    max_delete: int = 20
    saved: Callable[[], None] = lambda: None
