"""From changes to the writes that make them in a town; pure.

Tombstones are apart: they are written before the hashes of removed tasks are deleted, and taken
away after the hashes of tasks that came back are there. A hash that is there overrides a
tombstone, so that stopping between any two writes leaves a town that reads right.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from tt.adapters.redis.codec import MARKER
from tt.adapters.redis.encoding import Encoder, Writes, status_writes, tags_text
from tt.adapters.redis.keys import TownKeys
from tt.adapters.redis.texts import value_text
from tt.adapters.redis.townhash import META, write_tombstone
from tt.adapters.redis.writes import Create, Delete, Patch, Planned
from tt.core.diff import Added, Change, Edited, Removed
from tt.core.ids import task_uuid
from tt.core.model import META_ID, Task, progress
from tt.core.report import Fault
from tt.core.times import rfc3339
from tt.core.values import ABSENT, MaybeValue
from tt.ports import StoredTask, StoreState

Edits: TypeAlias = Mapping[str, MaybeValue]


def encoder(
    keys: TownKeys, state: StoreState, run_fields: frozenset[str], agents: Mapping[str, str]
) -> Encoder:
    """Return an encoder that knows tasks by the uuid of their real hash, else the computed one."""
    computed: dict[str, str] = {}

    def uuid_of(plan_id: str) -> str:
        stored = state.tasks.get(plan_id)
        if stored is not None:
            return stored.uuid
        if plan_id not in computed:
            computed[plan_id] = state.unread.get(plan_id) or task_uuid(keys.town, plan_id)
        return computed[plan_id]

    seq = state.town.seq if state.town is not None else 0
    return Encoder(keys, uuid_of, run_fields, agents, seq + 1)


def plan_writes(
    state: StoreState,
    changes: Sequence[Change],
    mark: Collection[str],
    encode: Encoder,
    now: int,
) -> Planned:
    """Turn changes into writes, on the ground of what was read into `state`."""
    planning = _Planning(state, encode, now)
    added, removed, edits = _by_task(changes)
    for task in removed:
        planning.remove(task)
    for task in added:
        planning.add(task)
    for plan_id, edited in edits.items():
        if plan_id == META_ID:
            planning.edit_meta(edited)
        else:
            planning.edit(plan_id, edited, plan_id in mark)
    for plan_id in mark:
        if plan_id not in edits and plan_id in state.tasks:
            planning.edit(plan_id, {}, True)
    planned = planning.planned
    if planned:
        stale = state.stones.keys() & state.tasks.keys() - planned.buried.keys()
        planned.freed.update((plan_id, state.stones[plan_id]) for plan_id in stale)
    return planned


def plan_tags(keys: TownKeys, state: StoreState, ids: Iterable[str], now: int) -> Iterator[Patch]:
    """Add the plan tag, and nothing else, to the hashes of `ids` that have none."""
    for plan_id in ids:
        stored = state.tasks.get(plan_id)
        if stored is not None and not stored.tagged:
            tags = tags_text(plan_id, stored.task.tags)
            patch = _patch(keys, stored, {"tags": tags}, rfc3339(now))
            if patch is not None:
                yield patch


def _by_task(
    changes: Iterable[Change],
) -> tuple[list[Task], list[Task], dict[str, dict[str, MaybeValue]]]:
    added, removed = [], []
    edits: dict[str, dict[str, MaybeValue]] = {}
    for change in changes:
        if isinstance(change, Added):
            added.append(change.task)
        elif isinstance(change, Removed):
            removed.append(change.task)
        else:
            edits.setdefault(change.id, {})[change.field] = change.new
    return added, removed, edits


class _Planning:
    """One sync's writes in the making; its methods add to `planned`."""

    __slots__ = ("_encode", "_keys", "_now", "_state", "planned")

    def __init__(self, state: StoreState, encode: Encoder, now: int) -> None:
        self._keys, self._state, self._encode, self._now = encode.keys, state, encode, now
        self.planned = Planned()

    def add(self, task: Task) -> None:
        """Make the task's hash at its computed uuid, and free it of its tombstone."""
        planned = self.planned
        self._look_for_unknown_agent(task.id, task.fields)
        now = self._now + len(planned.writes)  # a nanosecond each keeps the file's order
        planned.writes.append(Create(task, now))
        stone = planned.buried.get(task.id) or self._state.stones.get(task.id)
        if stone is not None:
            planned.freed[task.id] = stone

    def remove(self, task: Task) -> None:
        """Bury the task and delete all of its hashes, copies first."""
        planned, state = self.planned, self._state
        if task.id in state.tombstones:
            return
        planned.buried[task.id] = write_tombstone(task, rfc3339(self._now))
        for copy in state.copies.get(task.id, ()):
            planned.writes.append(Delete(task.id, self._keys.task(copy.uuid), copy.raw))
        stored = state.tasks.get(task.id)
        if stored is not None:
            planned.writes.append(Delete(task.id, self._keys.task(stored.uuid), stored.raw))

    def edit_meta(self, edits: Edits) -> None:
        """Set keys of the plan's `[meta]` in the town's hash."""
        raw = self._state.town.raw if self._state.town is not None else {}
        new: Writes = {
            META + key: None if value is ABSENT else value_text(value)
            for key, value in edits.items()
        }
        new = {name: text for name, text in new.items() if raw.get(name) != text}
        if new:
            old = {name: raw.get(name) for name in new}
            self.planned.writes.append(Patch(META_ID, self._keys.plan, old, new))

    def edit(self, plan_id: str, edits: Edits, whole: bool) -> None:
        """Edit fields of a task; `whole` writes out all its other fields too, and our marker.

        The copies of a task are edited like the one that counts: whichever is read next tells the
        same plan.
        """
        stored = self._state.tasks.get(plan_id)
        if stored is None:
            self.planned.lost.add(plan_id)
            return
        self._look_for_unknown_agent(plan_id, edits)
        stamp = rfc3339(self._now)
        new = self._texts(stored, edits, stamp)
        if whole:
            new = {**self._encode.fields(stored.task), MARKER: "1", **new}
        self._add_patch(stored, new, "agent" in edits)
        for copy in self._state.copies.get(plan_id, ()):
            theirs = self._edits_of_copy(copy, edits)
            self._add_patch(copy, self._texts(copy, theirs, stamp), "agent" in theirs)

    def _texts(self, stored: StoredTask, edits: Edits, stamp: str) -> Writes:
        """Return the new texts of a hash's fields, with what comes with a new status."""
        new: Writes = {}
        status = edits.get("status")
        if isinstance(status, str):
            new.update(status_writes(status, stamp, stored.raw))
        for name, value in edits.items():
            if not self._encode.unknown_agent(name, value):
                hash_field, text = self._encode.field(stored.task.id, name, value)
                new[hash_field] = text
        return new

    def _edits_of_copy(self, copy: StoredTask, edits: Edits) -> Edits:
        """Leave out of `edits` what a copy has no part in: a run that is not its own.

        A copy that is as far along as the new status, or further, would count next: it follows.
        """
        status = edits.get("status")
        follows = isinstance(status, str) and progress(copy.task.status) >= progress(status)
        apart = self._encode.run_fields if follows else self._encode.run_fields | {"status"}
        return {name: value for name, value in edits.items() if name not in apart}

    def _add_patch(self, stored: StoredTask, new: Writes, agent_edited: bool) -> None:
        if agent_edited or ("agent" in new and new["agent"] != stored.raw.get("agent")):
            assigned = new.get("assigned_to", stored.raw.get("assigned_to"))
            new["agent_for"] = assigned if new.get("agent") else None
        patch = _patch(self._keys, stored, new, rfc3339(self._now))
        if patch is not None:
            self.planned.writes.append(patch)

    def _look_for_unknown_agent(self, plan_id: str, fields: Edits) -> None:
        if "assigned_to" not in self._encode.run_fields:
            return
        name = fields.get("assigned_to", ABSENT)
        if self._encode.unknown_agent("assigned_to", name):
            key = f"{self._keys.town}: {plan_id} assigned_to"
            self.planned.faults.append(Fault(key, f"no agent of the town is called {name!r}"))


def _patch(keys: TownKeys, stored: StoredTask, new: Writes, stamp: str) -> Patch | None:
    """Return the patch of what really changes, compared on exactly these fields.

    What is to be absent, and is, is compared, too: a status that takes an assignment away must not
    overlook a new one. Nor must who writes `agent`.
    """
    raw = stored.raw
    changed = {name: text for name, text in new.items() if raw.get(name) != text}
    if not changed:
        return None
    old = {name: raw.get(name) for name, text in new.items() if text is None or name in changed}
    if "agent" in changed or "agent_for" in changed:
        old["assigned_to"] = raw.get("assigned_to")
    return Patch(stored.task.id, keys.task(stored.uuid), old, {**changed, "updated_at": stamp})


def plan_deletes(keys: TownKeys, state: StoreState) -> Iterator[Delete]:
    """Delete all copies of tasks, and bury none: their plan ids live on."""
    for plan_id, copies in state.copies.items():
        for copy in copies:
            yield Delete(plan_id, keys.task(copy.uuid), copy.raw)


def names_agents(changes: Iterable[Change], run_fields: frozenset[str]) -> bool:
    """Say whether writing `changes` takes the names of the town's agents."""
    if "assigned_to" not in run_fields:
        return False
    return any(
        (isinstance(change, Edited) and change.field == "assigned_to")
        or (isinstance(change, Added) and "assigned_to" in change.task.fields)
        for change in changes
    )
