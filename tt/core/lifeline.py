"""What Git's history says of a plan, as data: commits, deeds, and the last touch of each field."""

from __future__ import annotations

from typing import TypeAlias

from tt.core.diff import Change
from tt.core.model import Plan, Task
from tt.core.values import Value
from tt.record import record


@record
class Commit:
    """A commit of the plan's history. `parents` are commits of that history, too.

    `author` and `subject` are anybody's text. `time` is when it was written, `committed` when it
    was committed, both in seconds since 1970. `ends` says that it has parents which this clone, a
    shallow one, does not have.
    """

    id: str
    short: str
    parents: tuple[str, ...]
    author: str
    email: str
    time: int
    committed: int
    subject: str
    ends: bool = False


@record
class Version:
    """The plan as one commit, or the worktree, has it; `file` is its path there.

    `plan` is None where there is no plan, or where `fault` says why it cannot be read.
    """

    plan: Plan | None
    fault: str = ""
    file: str = ""


@record
class Renamed:
    """A task that has another id and is the same in everything else. `task` is as it is now."""

    was: str
    task: Task

    @property
    def id(self) -> str:
        """The plan id that the task has now."""
        return self.task.id


Step: TypeAlias = Change | Renamed


@record
class Deed:
    """What happened to one task at once. `did` are words: created, completed, edited, …"""

    id: str
    did: tuple[str, ...]
    steps: tuple[Step, ...]


@record
class Entry:
    """One commit of a log; None is what is not committed yet.

    `fault` says why this version of the plan cannot be read: it is passed over. `there` is set
    where this clone's history begins: how many of the tasks in question were there already.
    """

    commit: Commit | None
    deeds: tuple[Deed, ...] = ()
    fault: str = ""
    there: int | None = None
    file: str = ""


@record
class Log:
    """The entries that were asked for, newest first; `more` says that there are older ones.

    `file` is what messages call the plan, `path` where it is below the worktree's top.
    """

    file: str
    path: str
    task: str | None
    entries: tuple[Entry, ...]
    more: bool = False


@record
class Touch:
    """One field of a task as it is now, and the commit that made it so; None is no commit yet.

    Where `commit.ends` it was like this already when this clone's history begins.
    """

    task: str
    field: str
    value: Value
    commit: Commit | None


@record
class Blame:
    """The last touches, task by task in the plan's order. `fault` says why what is in the worktree
    was left out: then the values are those of the last commit."""

    file: str
    tasks: tuple[tuple[str, tuple[Touch, ...]], ...]
    fault: str = ""
