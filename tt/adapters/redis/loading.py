"""Reading one town from the server; nothing is ever written.

The tasks are read before the tombstones, and a tombstone is written before its task's hash is
deleted: a task that is removed meanwhile is seen in one of the two. The town's counter is read last
of all, so that it never is behind what was read with it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NoReturn, cast

from tt.adapters.redis.codec import UNNOTICED
from tt.adapters.redis.commands import Command, Commands, scan
from tt.adapters.redis.hashes import HashTexts, Shapes
from tt.adapters.redis.keys import UUID, TownKeys
from tt.adapters.redis.reading import TownReading
from tt.adapters.redis.replies import Reply, ReplyError, refused
from tt.core.model import RUN_FIELDS
from tt.errors import StoreError
from tt.ports import StoreState
from tt.record import record


@record
class TownLoader:
    """Reads the keys of one town."""

    connection: Commands
    keys: TownKeys
    run_fields: frozenset[str]

    def load(self, ids: Iterable[str], uuids: Mapping[str, str]) -> StoreState:
        """Read the town; see `tt.ports.TaskStore`."""
        reading = TownReading(self.keys, self.run_fields, ids, uuids)
        found = self._task_uuids(reading)
        replies = self.connection.stream(self._reads(found))
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
        return reading.state(town, stones, self.agent_names(reading.assigned()))

    def agent_names(self, uuids: Collection[str]) -> dict[str, str]:
        """Return the names of agents by uuid; those that have none are left out."""
        ordered = sorted(uuids)
        replies = self.connection.pipeline(
            ("HGET", self.keys.agent(uuid), "name") for uuid in ordered
        )
        read = zip(ordered, map(_name, replies), strict=True)
        return {uuid: name for uuid, name in read if name}

    def agent_uuids(self) -> dict[str, str]:
        """Return the uuids of all of the town's agents by name; of namesakes the lowest."""
        uuids = [uuid for uuid in self._endings(self.keys.agent("")) if UUID.fullmatch(uuid)]
        names = self.agent_names(uuids)
        return {names[uuid]: uuid for uuid in sorted(names, reverse=True)}

    def _task_uuids(self, reading: TownReading) -> list[str]:
        """List the uuids of the town's task keys; sets keys aside that end in something else."""
        found = []
        for uuid in self._endings(self.keys.task("")):
            if UUID.fullmatch(uuid):
                found.append(uuid)
            elif ":" not in uuid:  # else a key of a town whose name begins like this one's keys
                reading.refuse(uuid, "its name does not end in a uuid")
        return found

    def _endings(self, prefix: str) -> Iterator[str]:
        start = len(prefix.encode())
        for key in scan(self.connection, prefix):
            yield key[start:].decode(errors="backslashreplace")

    def _reads(self, uuids: Iterable[str]) -> Iterator[Command]:
        prefix = self.keys.task("")
        for uuid in uuids:
            yield "HGETALL", prefix + uuid
        yield "HGETALL", self.keys.tombstones
        yield "HGETALL", self.keys.plan

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


def _name(reply: Reply) -> str:
    """Return the text of a reply; empty where there is none, or no UTF-8."""
    try:
        return reply.decode() if isinstance(reply, bytes) else ""
    except UnicodeDecodeError:
        return ""
