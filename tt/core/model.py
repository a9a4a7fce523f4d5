"""The plan: tasks by id, each a mapping of fields; what is a plan field and what is a run field."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, cast

from tt.core.values import Value
from tt.record import field, record

META_ID: Final = "[meta]"
"""The id under which the plan's `[meta]` table takes part in changes; no task can have it."""

META_TEXTS: Final = ("description", "default_agent")
"""The keys of `[meta]` that have a meaning, and must be text."""

EMPTY: Final[Mapping[str, Value]] = MappingProxyType({})


class Status(StrEnum):
    """How far a task is; tinytown's spelling."""

    PENDING = "pending"
    ASSIGNED = "assigned"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINISHED: Final = frozenset({"completed", "failed", "cancelled"})
STATUSES: Final = frozenset(str(status) for status in Status)
LIST_FIELDS: Final = frozenset({"tags", "depends_on"})
TASK_FIELDS: Final = ("description", "agent", "status", "parent", "tags", "depends_on")
"""The known fields of a task in the order in which `tt` writes them, after `id`."""

RUN_FIELDS: Final = frozenset({"assigned_to", "started_at", "completed_at", "result"})
"""What comes with a status in Redis; in the file only where `[sync] fields` asks for it."""

_PROGRESS: Final = {"pending": 0, "assigned": 1, "running": 2}


def progress(status: str) -> int:
    """How far along a status is: 0 pending, 1 assigned, 2 running, 3 any finished one."""
    return _PROGRESS.get(status, 3)


@record
class Task:
    """One task: its plan id and its fields, in canonical form.

    Canonical: `description` and `status` are always there; an empty list or empty text means the
    same as none for `tags`, `depends_on`, `agent` and `parent`, and is left out. Other keys are
    the user's, whatever they are. Treat `fields` as read-only; tasks share it freely.
    """

    id: str
    fields: Mapping[str, Value]

    @property
    def description(self) -> str:
        """What is to be done."""
        return cast("str", self.fields["description"])

    @property
    def status(self) -> str:
        """How far it is; a `Status`."""
        return cast("str", self.fields["status"])

    @property
    def agent(self) -> str | None:
        """Who is to do it; None leaves it to the plan's default agent."""
        return cast("str | None", self.fields.get("agent"))

    @property
    def parent(self) -> str | None:
        """The id of the group or stage it belongs to."""
        return cast("str | None", self.fields.get("parent"))

    @property
    def tags(self) -> list[str]:
        """Its labels, in the file's order."""
        return cast("list[str]", self.fields.get("tags", []))

    @property
    def depends_on(self) -> list[str]:
        """The ids of the tasks that must be completed before."""
        return cast("list[str]", self.fields.get("depends_on", []))


@record
class Plan:
    """The content of one plan: `[meta]` and the tasks in the file's order, by id."""

    meta: Mapping[str, Value] = field(default_factory=lambda: EMPTY)
    tasks: Mapping[str, Task] = field(default_factory=dict)

    @property
    def default_agent(self) -> str | None:
        """Who does the tasks that name no agent."""
        return cast("str | None", self.meta.get("default_agent"))
