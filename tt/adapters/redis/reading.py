"""From the hashes of a town to a `StoreState`; pure: the in-memory twin reads the same way."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple, cast

from tt.adapters.redis.codec import MARKER, BadHashError, Hash, decode, split_tags
from tt.adapters.redis.hashes import HashTexts
from tt.adapters.redis.keys import UUID, TownKeys
from tt.adapters.redis.townhash import read_tombstones, read_town
from tt.core.ids import made_id, task_uuid
from tt.core.model import Task, progress
from tt.core.report import Duplicate, Fault
from tt.core.values import Value
from tt.ports import StoredTask, StoreState
from tt.record import replace

_DIGITS: Final = 19
"""A counter with more digits than this was never counted."""


class Rest(NamedTuple):
    """What is there and is not read: hashes, as what they are known. Ids that are `asked` for are
    read, wherever they are."""

    names: Mapping[str, str]
    asked: frozenset[str]


class TownReading:
    """A town being read: hashes come in one by one, `state` says what they are together.

    `ids` are plan ids known to the caller, `uuids` their uuids where those are not the computed
    ones; a hash that lost its plan tag is known by them. `rest` is what is not read of the town.
    """

    __slots__ = (
        "_aside", "_assigned", "_children", "_faults", "_ids", "_keys",
        "_known", "_orphans", "_rest", "_run_fields", "_stored", "_untagged",
    )  # fmt: skip

    def __init__(
        self,
        keys: TownKeys,
        run_fields: frozenset[str],
        ids: Iterable[str],
        uuids: Mapping[str, str],
        rest: Rest | None = None,
    ) -> None:
        self._keys = keys
        self._run_fields = run_fields
        self._ids = frozenset(ids)
        self._rest = rest or Rest({}, self._ids)
        self._known = _KnownUuids(keys.town, self._ids, uuids)
        self._stored: list[StoredTask] = []
        self._untagged: list[StoredTask] = []
        self._children: list[StoredTask] = []
        self._orphans: set[str] = set()
        self._assigned: list[StoredTask] = []
        self._aside: list[tuple[str, str | None]] = []
        self._faults: list[Fault] = []

    def add(self, uuid: str, raw: Hash) -> None:
        """Take in one task's hash."""
        try:
            plan_id, fields = decode(uuid, raw, self._run_fields)
        except BadHashError as error:
            self.refuse(uuid, str(error), raw)
            return
        complete = raw.get(MARKER) == "1"
        if plan_id is None:
            self._untagged.append(StoredTask(Task("", fields), uuid, raw, complete, False))
            return
        stored = StoredTask(Task(plan_id, fields), uuid, raw, complete, made=_made_when(raw))
        self._stored.append(stored)
        if type(raw) is not HashTexts or raw.shape.linked:
            self._link(stored)

    def refuse(self, uuid: str, why: str, raw: Hash | None = None) -> None:
        """Set one task's key aside; where its tags say a plan id, that id is set aside."""
        self._faults.append(Fault(self._keys.task(uuid), why))
        try:
            plan_id = split_tags((raw or {}).get("tags", "[]"))[0]
        except BadHashError:
            plan_id = None
        self._aside.append((uuid, plan_id))

    def assigned(self) -> set[str]:
        """Return the uuids of all agents that tasks are assigned to."""
        named = {
            stored.raw["assigned_to"]
            for stored in (*self._assigned, *self._untagged)
            if "assigned_to" in stored.raw
        }
        return {uuid for uuid in named if UUID.fullmatch(uuid)}

    def state(self, town: Hash, stones: Hash, agents: Mapping[str, str]) -> StoreState:
        """Return what was read. `agents` are names by uuid, `stones` the tombstones' raw texts."""
        self._name_untagged()
        for stored in self._assigned:
            self._follow_assignment(stored, agents)
        dangling = self._name_parents()
        tasks, copies = self._grouped(dangling)
        aside = frozenset((self._ids_aside() | self._misnamed(tasks)) - tasks.keys())
        faults = self._faults
        tombstones = {
            plan_id: task
            for plan_id, task in read_tombstones(self._keys.tombstones, stones, faults)
            if plan_id not in tasks and plan_id not in aside
        }
        return StoreState(
            town=read_town(self._keys.plan, town, faults),
            tasks=tasks,
            tombstones=tombstones,
            faults=tuple(faults),
            duplicates=tuple(self._duplicates(tasks, copies)),
            aside=aside,
            copies=copies,
            stones=stones,
            orphans=frozenset(self._orphans),
        )

    def _link(self, stored: StoredTask) -> None:
        if "parent_id" in stored.raw:
            self._children.append(stored)
        if "assigned_to" in stored.raw:
            self._assigned.append(stored)

    def _name_untagged(self) -> None:
        """Give a plan id to each hash that does not say its own."""
        for stored in self._untagged:
            fields, description = stored.task.fields, stored.task.description
            plan_id = self._known.id_of(stored.uuid) or made_id(description, stored.uuid)
            named = replace(stored, task=Task(plan_id, fields))
            self._stored.append(named)
            self._link(named)

    def _follow_assignment(self, stored: StoredTask, agents: Mapping[str, str]) -> None:
        """Let an assignment that came after `agent` was written override it; a task of no plan is
        for whoever has it.

        The fields are still ours to change here: nobody has seen them.
        """
        fields, raw = cast("dict[str, Value]", stored.task.fields), stored.raw
        name = agents.get(raw["assigned_to"])
        if "assigned_to" in self._run_fields:
            fields["assigned_to"] = name or raw["assigned_to"]
        follows = "agent" in fields if stored.tagged else True
        if name and follows and raw.get("agent_for") != raw["assigned_to"]:
            fields["agent"] = name

    def _name_parents(self) -> set[str]:
        """Name parents by their plan ids; return the uuids of hashes that name theirs wrongly.

        Those are hashes whose parent nobody knows, and those that name it by the uuid of a hash
        that is lost: the parent will be made again, at the uuid that is computed for it.
        """
        if not self._children:
            return set()
        ids = {uuid: plan_id for uuid, plan_id in self._aside if plan_id is not None}
        ids.update({stored.uuid: stored.task.id for stored in self._stored})
        dangling = set()
        for stored in self._children:
            uuid = stored.raw["parent_id"]
            if not uuid:
                continue
            there = ids.get(uuid) or self._rest.names.get(uuid)
            parent = there or self._known.id_of(uuid)
            if parent:
                cast("dict[str, Value]", stored.task.fields)["parent"] = parent
            if there is None:
                self._orphans.add(stored.task.id)
                if parent is None or not self._known.is_computed(uuid):
                    dangling.add(stored.uuid)
        return dangling

    def _grouped(
        self, dangling: Collection[str]
    ) -> tuple[dict[str, StoredTask], dict[str, tuple[StoredTask, ...]]]:
        """Return the hash that counts of each task, and the others where there are others.

        A hash with a parent that nobody knows is an incomplete one: it does not say all. Tasks
        that the caller did not know come last, in the order in which they were made.
        """
        ids = self._ids
        new = [stored for stored in self._stored if stored.task.id not in ids]
        ordered = self._stored
        if new:
            known = (stored for stored in self._stored if stored.task.id in ids)
            ordered = [*known, *sorted(new, key=_made_at)]
        if dangling:
            ordered = [
                replace(stored, complete=False) if stored.uuid in dangling else stored
                for stored in ordered
            ]
        tasks = {stored.task.id: stored for stored in ordered}
        copies = self._copies(ordered) if len(tasks) < len(ordered) else {}
        tasks.update((plan_id, group[0]) for plan_id, group in copies.items())
        return tasks, {plan_id: group[1:] for plan_id, group in copies.items()}

    def _copies(self, ordered: Iterable[StoredTask]) -> dict[str, tuple[StoredTask, ...]]:
        """Group the hashes of each task that has several, the one that counts first."""
        groups: dict[str, list[StoredTask]] = {}
        for stored in ordered:
            groups.setdefault(stored.task.id, []).append(stored)
        return {
            plan_id: tuple(sorted(group, key=self._counts))
            for plan_id, group in groups.items()
            if len(group) > 1
        }

    def _counts(self, stored: StoredTask) -> tuple[int, bool, str]:
        """Sort key of the hashes of one task: the furthest along, then the one at our own uuid."""
        task = stored.task
        computed = task_uuid(self._keys.town, task.id)
        return -progress(task.status), stored.uuid != computed, stored.uuid

    def _ids_aside(self) -> set[str]:
        found = {plan_id or self._known.id_of(uuid) for uuid, plan_id in self._aside}
        return {plan_id for plan_id in found if plan_id is not None}

    def _misnamed(self, tasks: Mapping[str, StoredTask]) -> set[str]:
        """Set known tasks aside that have no hash because the one in their place says another id.

        They cannot be made where something is, and nobody knows what whoever wrote it meant.
        """
        lacking = (self._ids & self._rest.asked) - tasks.keys() if self._stored else ()
        found = {stored.uuid: stored.task.id for stored in self._stored} if lacking else {}
        misnamed = set()
        for plan_id in sorted(lacking):
            uuid = task_uuid(self._keys.town, plan_id)
            if uuid in found:
                why = f"its plan tag says `{found[uuid]}`, and its uuid `{plan_id}`"
                self._faults.append(Fault(self._keys.task(uuid), why))
                misnamed.add(plan_id)
        return misnamed

    def _duplicates(
        self, tasks: Mapping[str, StoredTask], copies: Mapping[str, tuple[StoredTask, ...]]
    ) -> Iterable[Duplicate]:
        for plan_id, group in copies.items():
            counts = self._keys.task(tasks[plan_id].uuid)
            for copy in group:
                yield Duplicate(plan_id, self._keys.task(copy.uuid), copy.task.status, counts)


class _KnownUuids:
    """The plan ids that a caller knows, by uuid; computed when the first one is asked for."""

    __slots__ = ("_computed", "_ids", "_town", "_uuids")

    def __init__(self, town: str, ids: Collection[str], uuids: Mapping[str, str]) -> None:
        self._town, self._ids, self._uuids = town, ids, uuids
        self._computed: dict[str, str] | None = None

    def id_of(self, uuid: str) -> str | None:
        """Return the plan id of a uuid; None for one that nobody here has heard of."""
        if self._computed is None:
            self._computed = {task_uuid(self._town, plan_id): plan_id for plan_id in self._ids}
            self._computed.update((known, plan_id) for plan_id, known in self._uuids.items())
        return self._computed.get(uuid)

    def is_computed(self, uuid: str) -> bool:
        """Say whether a uuid that `id_of` knows is the computed one, and not another tool's."""
        return uuid not in self._uuids.values()


def _made_when(raw: Hash) -> int:
    """Return the town's counter at which `tt` made a hash; 0 where another tool did."""
    text = raw.get("made", "")
    return int(text) if text.isdecimal() and text.isascii() and len(text) < _DIGITS else 0


def _made_at(stored: StoredTask) -> str:
    """Sort key: when the hash was made. It decides nothing but the order of a list."""
    return stored.raw.get("created_at", "") + stored.uuid
