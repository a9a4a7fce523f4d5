"""Reading one town from the server; nothing is ever written.

The tasks are read before the tombstones, and a tombstone is written before its task's hash is
deleted: a task that is removed meanwhile is seen in one of the two. The town's counter is read last
of all, so that it never is behind what was read with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NoReturn, cast

from tt.adapters.redis.asking import agent_names, endings, find_tasks, town_reads
from tt.adapters.redis.codec import UNNOTICED
from tt.adapters.redis.commands import Commands
from tt.adapters.redis.hashes import HashTexts, Shapes
from tt.adapters.redis.keys import UUID, TownKeys
from tt.adapters.redis.reading import TownReading
from tt.adapters.redis.replies import Reply, ReplyError, refused
from tt.core.model import RUN_FIELDS
from tt.errors import StoreError
from tt.ports import Glimpse, StoreState, Wanted
from tt.record import record

if TYPE_CHECKING:
    from tt.adapters.redis.witness import Witness


@record
class TownLoader:
    """Reads the keys of one town; a `witness` hears all that is read."""

    connection: Commands
    keys: TownKeys
    run_fields: frozenset[str]
    witness: Witness | None = None

    def load(self, ids: Iterable[str], uuids: Mapping[str, str]) -> StoreState:
        """Read the town; see `tt.ports.TaskStore`."""
        reading = TownReading(self.keys, self.run_fields, ids, uuids)
        found = self._task_uuids(reading)
        return self._read(reading, found, self._replies(found))

    def glimpse(
        self, wanted: Wanted, ids: Iterable[str], uuids: Mapping[str, str]
    ) -> Glimpse | None:
        """Read some of the town; see `tt.ports.TaskStore`."""
        from tt.adapters.redis.glimpse import choose, glimpsed  # only a watcher looks so

        there = set(endings(self.connection, self.keys.task("")))
        new = there - wanted.names.keys()
        known = {uuid for uuid in new if UUID.fullmatch(uuid)}
        if any(":" not in ending for ending in new - known):
            return None
        choice = choose(self.keys, wanted, there - (new - known))
        reading = TownReading(self.keys, self.run_fields, ids, uuids, choice.rest)
        replies = self.connection.stream(town_reads(self.keys, choice.uuids))
        return glimpsed(choice, self._read(reading, choice.uuids, replies), uuids)

    def _read(self, reading: TownReading, found: list[str], replies: Iterator[Reply]) -> StoreState:
        shapes = Shapes(UNNOTICED | (RUN_FIELDS - self.run_fields))
        for uuid, reply in zip(found, replies, strict=False):
            if isinstance(reply, list):
                if reply:  # else it was deleted meanwhile
                    reading.add(uuid, shapes.hash(cast("list[bytes]", reply)))
            else:
                self._refuse_task(reading, uuid, reply)
        stones = dict(self._own_hash(next(replies), self.keys.tombstones, shapes))
        (last,) = replies
        town = self._own_hash(last, self.keys.plan, shapes)
        return reading.state(town, stones, self._agent_names(reading.assigned()))

    def agent_uuids(self) -> dict[str, str]:
        """Return the uuids of all of the town's agents by name; of namesakes the lowest."""
        found = endings(self.connection, self.keys.agent(""))
        uuids = [uuid for uuid in found if UUID.fullmatch(uuid)]
        names = agent_names(self.connection, self.keys, uuids)
        return {names[uuid]: uuid for uuid in sorted(names, reverse=True)}

    def _task_uuids(self, reading: TownReading) -> list[str]:
        """List the uuids of the town's task keys; sets keys aside that end in something else."""
        uuids, odd = find_tasks(self.connection, self.keys)
        for ending in odd:
            reading.refuse(ending, "its name does not end in a uuid")
        return uuids

    def _replies(self, uuids: list[str]) -> Iterator[Reply]:
        replies = self.connection.stream(town_reads(self.keys, uuids))
        if self.witness is None:
            return replies
        self.witness.begin(uuids)
        return self.witness.hear(replies)

    def _agent_names(self, uuids: set[str]) -> dict[str, str]:
        names = agent_names(self.connection, self.keys, uuids)
        if self.witness is not None:
            self.witness.hear_names(uuids, names)
        return names

    def _refuse_task(self, reading: TownReading, uuid: str, reply: Reply) -> None:
        if not _is_wrong_type(reply):
            refuse(reply, self.connection.address, "HGETALL")
        reading.refuse(uuid, "it is not a hash")

    def _own_hash(self, reply: Reply, key: str, shapes: Shapes) -> HashTexts:
        """Return one of the hashes without which nothing can be known of the town."""
        if isinstance(reply, list):
            return shapes.hash(cast("list[bytes]", reply))
        if _is_wrong_type(reply):
            raise StoreError(
                f"The key {key} at {self.connection.address} is not a hash, so it is not tt's.",
                "Give the town another name: `name` in tinytown.toml, or --name.",
            )
        return refuse(reply, self.connection.address, "HGETALL")


def refuse(reply: Reply, address: str, command: str) -> NoReturn:
    """Raise StoreError for a reply that `command` should not get."""
    if isinstance(reply, ReplyError):
        raise refused(reply, address, command)
    raise StoreError(f"{address} gave {command} an answer that makes no sense.")


def _is_wrong_type(reply: Reply) -> bool:
    return isinstance(reply, ReplyError) and reply.code == "WRONGTYPE"
