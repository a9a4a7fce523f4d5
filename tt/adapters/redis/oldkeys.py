"""Keys in forms that tinytown had earlier: names without a town, and JSON texts for hashes.

Nothing is ever overwritten, and each key changes by itself in one step of the server: whatever
ends a migration, another one goes on with what is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from tt.adapters.redis.asking import endings
from tt.adapters.redis.commands import Call, Commands, run_scripts, scan
from tt.adapters.redis.keys import PREFIX, UUID, TownKeys
from tt.adapters.redis.loading import refuse
from tt.adapters.redis.replies import Reply, ReplyError
from tt.core.migrated import OldKey
from tt.errors import StoreError
from tt.record import replace

_OWNED: Final = ("agent", "inbox", "urgent", "activity", "stop", "task")
_HASHES: Final = ("agent", "task")
_BACKLOG: Final = "backlog"
_CLUSTERED: Final = frozenset({"CROSSSLOT", "MOVED", "ASK", "TRYAGAIN"})
_GONE: Final = "ERR no such key"


class RedisOldKeys:
    """The keys in an old form on one server, for one town; see `tt.app.migrating.OldKeys`."""

    __slots__ = ("_connection", "_keys")

    def __init__(self, connection: Commands, keys: TownKeys) -> None:
        self._connection, self._keys = connection, keys

    def check_movable(self) -> None:
        """See that keys can be given another name here. Raises StoreError on a Cluster."""
        (reply,) = self._connection.pipeline([("INFO", "cluster")])
        if isinstance(reply, bytes) and b"cluster_enabled:1" in reply:
            raise self._clustered()

    def names(self) -> list[OldKey]:
        """List the keys that have no town, with the names that they get in this one."""
        found = [
            OldKey(f"{PREFIX}{kind}:{uuid}", self._keys.of(kind, uuid), kind)
            for kind in _OWNED
            for uuid in self._uuids(f"{PREFIX}{kind}:")
        ]
        backlog = f"{PREFIX}{_BACKLOG}"
        if backlog.encode() in scan(self._connection, backlog):  # a node of a Cluster answers, too
            found.append(OldKey(backlog, self._keys.own(_BACKLOG), _BACKLOG))
        taken = self._connection.pipeline(("EXISTS", old.name) for old in found)
        return [
            replace(old, why=_taken(old)) if self._number(reply, "EXISTS") else old
            for old, reply in zip(found, taken, strict=True)
        ]

    def rename(self, wanted: Sequence[OldKey]) -> list[str | None]:
        """Give keys their names. Returns of each why it stays, None where it has gone already."""
        replies = self._connection.pipeline(("RENAMENX", old.key, old.name) for old in wanted)
        return [self._renamed(old, reply) for old, reply in zip(wanted, replies, strict=True)]

    def texts(self) -> list[OldKey]:
        """List the agents and tasks of the town that are no hashes, with their texts."""
        found = [
            OldKey(name, name, kind)
            for kind in _HASHES
            for name in map(self._keys.of(kind, "").__add__, self._uuids(self._keys.of(kind, "")))
        ]
        types = self._connection.pipeline(("TYPE", old.key) for old in found)
        kinds = [self._said(reply, "TYPE") for reply in types]
        odd = [one for one in zip(found, kinds, strict=True) if one[1] not in ("hash", "none")]
        read = self._connection.pipeline(("GET", old.key) for old, _ in odd)
        return list(self._texts(odd, read))

    def convert(self, wanted: Sequence[tuple[OldKey, Mapping[str, str]]]) -> list[str | None]:
        """Make hashes of texts that are as they were read; returns what `rename` does."""

        def call(one: tuple[OldKey, Mapping[str, str]]) -> Call:
            old, fields = one
            flat = [part for pair in fields.items() for part in pair]
            return Call("tohash", old.key, [old.text, *flat])

        fates = {0: "it changed meanwhile", 1: "", 2: None}
        replies = run_scripts(self._connection, wanted, call)
        return [fates[self._number(reply, "tohash.lua")] for reply in replies]

    def _uuids(self, prefix: str) -> list[str]:
        """List the uuids that follow a prefix; what is none belongs to a town of such a name."""
        return sorted(filter(UUID.fullmatch, endings(self._connection, prefix)))

    def _renamed(self, old: OldKey, reply: Reply) -> str | None:
        if isinstance(reply, ReplyError) and reply.text.startswith(_GONE):
            return None
        if isinstance(reply, ReplyError) and reply.code in _CLUSTERED:
            raise self._clustered()
        return "" if self._number(reply, "RENAMENX") else _taken(old)

    def _texts(self, odd: Sequence[tuple[OldKey, str]], read: Sequence[Reply]) -> Iterator[OldKey]:
        """Take the texts; what is of another type stays, and what went meanwhile is left out."""
        for (old, kind), reply in zip(odd, read, strict=True):
            if kind != "string":
                yield replace(old, why=f"it is a {kind}, and no JSON")
            elif isinstance(reply, bytes):
                yield replace(old, text=reply)
            elif not (reply is None or _is_wrong_type(reply)):
                refuse(reply, self._connection.address, "GET")

    def _number(self, reply: Reply, command: str) -> int:
        return reply if isinstance(reply, int) else refuse(reply, self._connection.address, command)

    def _said(self, reply: Reply, command: str) -> str:
        """Return a status, which comes as text or as bytes."""
        if isinstance(reply, ReplyError):
            refuse(reply, self._connection.address, command)
        return reply.decode() if isinstance(reply, bytes) else str(reply)

    def _clustered(self) -> StoreError:
        return StoreError(
            f"{self._connection.address} is a cluster, where no key can be given another name in "
            "one step: the keys of the time before towns would go to other nodes.",
            "Migrate on a Redis that is none: `tt --redis URL migrate`, then `tt --redis URL save "
            "FILE`,\nand `tt restore FILE` here.",
        )


def _taken(old: OldKey) -> str:
    return f"{old.name} is there already"


def _is_wrong_type(reply: Reply) -> bool:
    return isinstance(reply, ReplyError) and reply.code == "WRONGTYPE"
