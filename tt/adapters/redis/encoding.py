"""One task as the fields of a Redis hash, to be written; pure. `codec` reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias, cast

from tt.adapters.redis.codec import MARKER, PLAN_TAG, RUN_CLAIM, RUN_MARKS, USER_KEY, Hash
from tt.adapters.redis.keys import UUID, TownKeys
from tt.adapters.redis.texts import list_text, value_text
from tt.core.model import FINISHED, TASK_FIELDS, Task
from tt.core.times import rfc3339
from tt.core.values import ABSENT, MaybeValue, Value
from tt.record import field, record

Writes: TypeAlias = dict[str, "str | None"]
"""New texts of hash fields; None takes the field away."""

_NO_FIELDS: Final[frozenset[str]] = frozenset()
_IN_EACH: Final = frozenset({"description", "status", "tags"})
_HASH_FIELD: Final = {"status": "state", "parent": "parent_id"}


@record
class Encoder:
    """Writes the tasks of one town as hash fields. `uuid_of` gives the uuid of a plan id.

    `run_fields` are the run fields that the file has, too; `agents` the uuids of agents by name.
    `seq` is what the town's counter will be at least when it is written.
    """

    keys: TownKeys
    uuid_of: Callable[[str], str]
    run_fields: frozenset[str] = _NO_FIELDS
    agents: Mapping[str, str] = field(default_factory=dict)
    seq: int = 1

    def create(self, task: Task, now: int) -> dict[str, str]:
        """Return the whole hash of a new task, made at `now` (nanoseconds since 1970)."""
        stamp = rfc3339(now)
        return {
            "id": self.uuid_of(task.id),
            "description": task.description,
            "state": task.status,
            "created_at": stamp,
            "updated_at": stamp,
            "tags": tags_text(task.id, task.tags),
            MARKER: "1",
            **self.others(task, stamp),
        }

    def others(self, task: Task, stamp: str) -> dict[str, str]:
        """Return what is in a new task's hash beside that which is in each one."""
        texts: dict[str, str] = {"made": str(self.seq)}
        if task.status != "pending":
            came = status_writes(task.status, stamp, {})
            texts.update((name, text) for name, text in came.items() if text is not None)
        for name, value in task.fields.items():
            if name not in _IN_EACH:
                hash_field, text = self.field(task.id, name, value)
                if text is not None:
                    texts[hash_field] = text
        if "assigned_to" in texts and "agent" in texts:
            texts["agent_for"] = texts["assigned_to"]
        return texts

    def fields(self, task: Task) -> Writes:
        """Return the hash fields of all fields of a task, its plan tag among them."""
        texts: Writes = {"tags": tags_text(task.id, task.tags)}
        for name, value in task.fields.items():
            hash_field, text = self.field(task.id, name, value)
            if text is not None:
                texts[hash_field] = text
        return texts

    def field(self, task_id: str, name: str, value: MaybeValue) -> tuple[str, str | None]:
        """Return the hash field of one field of a task, and its text; None for none.

        An `assigned_to` whose agent nobody knows has no text either: see `unknown_agent`.
        """
        if name == "agent":
            return name, None if value is ABSENT else cast("str", value)
        if name == "tags":
            return name, tags_text(task_id, [] if value is ABSENT else cast("list[str]", value))
        if name not in TASK_FIELDS and name not in self.run_fields:
            return USER_KEY + name, None if value is ABSENT else value_text(value)
        hash_field = _HASH_FIELD.get(name, name)
        return hash_field, None if value is ABSENT else self._text(name, value)

    def _text(self, name: str, value: Value) -> str | None:
        if name == "depends_on":
            return list_text(cast("list[str]", value))
        if name == "parent":
            return self.uuid_of(cast("str", value))
        if name == "assigned_to":
            return self._agent_uuid(value)
        return str(value)

    def unknown_agent(self, name: str, value: MaybeValue) -> bool:
        """Say whether this is an assignment to an agent that the town does not know."""
        return (
            name == "assigned_to"
            and name in self.run_fields
            and (value is not ABSENT and self._agent_uuid(value) is None)
        )

    def _agent_uuid(self, value: Value) -> str | None:
        text = str(value)
        return text if UUID.fullmatch(text) else self.agents.get(text)


def tags_text(task_id: str, tags: list[str]) -> str:
    """Write tags with the plan tag last, where `split_tags` takes it from."""
    return list_text([*tags, PLAN_TAG + task_id])


def status_writes(status: str, stamp: str, had: Hash) -> Writes:
    """Return what comes with a status that we write into a hash that was `had`.

    Whoever works on the task has lost it: somebody else has said what becomes of it.
    """
    gone: Writes = {RUN_CLAIM: None}
    if status in FINISHED:
        return {"completed_at": stamp, **gone}
    gone |= {"completed_at": None, "result": None}
    if status == "running":
        return {"started_at": had.get("started_at", stamp), **gone}
    gone["started_at"] = None
    if status == "pending":
        gone |= {"assigned_to": None, "agent_for": None}
        gone.update((name, None) for name in RUN_MARKS.intersection(had))
    return gone
