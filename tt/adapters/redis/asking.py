"""What a look asks of one town, and in which order; the same town is always asked the same."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple, cast

from tt.adapters.redis.commands import Command, Commands, scan
from tt.adapters.redis.keys import UUID, TownKeys
from tt.adapters.redis.replies import Reply


class Found(NamedTuple):
    """The uuids of a town's tasks in order, and the endings of its tasks' keys that are none."""

    uuids: list[str]
    odd: list[str]


def find_tasks(connection: Commands, keys: TownKeys) -> Found:
    """List the task keys of a town, without those of a town whose name begins like this one's."""
    found = Found([], [])
    for ending in endings(connection, keys.task("")):
        if UUID.fullmatch(ending):
            found.uuids.append(ending)
        elif ":" not in ending:
            found.odd.append(ending)
    found.uuids.sort()
    return found


def endings(connection: Commands, prefix: str) -> Iterator[str]:
    """Yield what follows `prefix` in the keys that begin with it."""
    start = len(prefix.encode())
    for key in scan(connection, prefix):
        yield key[start:].decode(errors="backslashreplace")


def town_reads(keys: TownKeys, uuids: Iterable[str]) -> Iterator[Command]:
    """Yield what reads these tasks, then the tombstones, then the town's own hash."""
    prefix = keys.task("")
    for uuid in uuids:
        yield "HGETALL", prefix + uuid
    yield "HGETALL", keys.tombstones
    yield "HGETALL", keys.plan


def agent_names(connection: Commands, keys: TownKeys, uuids: Collection[str]) -> dict[str, str]:
    """Return the names of agents by uuid; those that have none are left out."""
    ordered = sorted(uuids)
    replies = connection.pipeline(("HGET", keys.agent(uuid), "name") for uuid in ordered)
    read = zip(ordered, map(_name, replies), strict=True)
    return {uuid: name for uuid, name in read if name}


def pulse(connection: Commands, town: str) -> tuple[Reply, Reply]:
    """Return the epoch and the counter of a town, as they are; None where it has none.

    They change with whatever `tt` writes, and not with what agents do. Raises StoreError.
    """
    reply = connection.execute("HMGET", TownKeys(town).plan, "epoch", "seq")
    epoch, seq = cast("list[Reply]", reply)
    return epoch, seq


def _name(reply: Reply) -> str:
    """Return the text of a reply; empty where there is none, or no UTF-8."""
    try:
        return reply.decode() if isinstance(reply, bytes) else ""
    except UnicodeDecodeError:
        return ""
