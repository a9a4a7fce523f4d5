"""A whole town read into values, and written back at one go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, cast

from tt.adapters.redis.commands import Arg, Command, Commands, scan
from tt.adapters.redis.keys import TownKeys
from tt.adapters.redis.replies import Reply, ReplyError, refused
from tt.adapters.redis.towns import own_keys
from tt.core.saved import Content, SavedKey
from tt.errors import TTError

_PASSING: Final = (b"alive:", b"conductor", b"server")
"""What says how things are just now, and would say so wrongly later."""
_READS: Final[dict[str, tuple[str, tuple[Arg, ...]]]] = {
    "string": ("GET", ()),
    "list": ("LRANGE", (0, -1)),
    "set": ("SMEMBERS", ()),
    "hash": ("HGETALL", ()),
    "zset": ("ZRANGE", (0, -1, "WITHSCORES")),
    "stream": ("XRANGE", ("-", "+")),
}
_PUSHES: Final = {"list": "RPUSH", "set": "SADD"}
_CHUNK: Final = 1_000
"""Elements in one command."""


def dump_town(connection: Commands, keys: TownKeys) -> list[SavedKey]:
    """Read every key of a town in the order of their names. Raises StoreError.

    Keys are read one after the other: what changes meanwhile is saved as it was or as it is.
    """
    prefix = keys.prefix.encode()
    found = sorted(own_keys(scan(connection, keys.prefix), keys))
    names = [key for key in found if not key[len(prefix) :].startswith(_PASSING)]
    kinds = [_said(reply) for reply in _replies(connection, [("TYPE", name) for name in names])]
    asked = [(name, kind) for name, kind in zip(names, kinds, strict=True) if kind in _READS]
    commands: list[Command] = []
    for name, kind in asked:
        command, args = _READS[kind]
        commands += (command, name, *args), ("PTTL", name)
    replies = _replies(connection, commands)
    read = zip(asked, replies[::2], replies[1::2], strict=True)
    return [
        SavedKey(name[len(prefix) :], kind, max(-1, cast("int", ttl)), _content(kind, value))
        for (name, kind), value, ttl in read
        if ttl != -2  # it went meanwhile
    ]


def load_town(
    connection: Commands, keys: TownKeys, saved: Iterable[SavedKey], *, replace: bool
) -> int:
    """Write a town in one transaction; see `tt.workports.Workshop`."""
    prefix, saved = keys.prefix.encode(), list(saved)
    there = own_keys(scan(connection, keys.prefix), keys)
    written = [prefix + one.ending for one in saved]
    if len(own_keys(written, keys)) < len(written):
        raise TTError(f"That save has keys of another town than {keys.town} in it.")
    watched = list(dict.fromkeys([*written, *there]))
    if watched:
        connection.execute("WATCH", *watched)
    now_there = own_keys(scan(connection, keys.prefix), keys)
    if now_there and not replace:
        connection.execute("UNWATCH")
        raise TTError(
            f"The town {keys.town} is not empty: it has {len(now_there)} keys.",
            "Restore into another one (`--name`), or say that this one is to be replaced.",
        )
    writes = [("UNLINK", key) for key in now_there]
    commands = [command for one in saved for command in _writes(prefix + one.ending, one)]
    *replies, done = connection.pipeline([("MULTI",), *writes, *commands, ("EXEC",)])
    _check([*replies, done, *(done if isinstance(done, list) else ())], connection.address)
    if done is None:
        raise TTError(
            f"The town {keys.town} changed while it was to be restored; nothing was written.",
            "Stop what works in it (`tt stop`), and restore again.",
        )
    return len(saved)


def _content(kind: str, value: Reply) -> Content:
    if kind == "string" or not isinstance(value, list):
        return cast("bytes", value)
    if kind in _PUSHES or kind == "stream":
        return cast("list[Any]", value)
    return [list(pair) for pair in zip(value[::2], value[1::2], strict=True)]


def _writes(key: bytes, one: SavedKey) -> list[Command]:
    """Return what makes one key."""
    commands = _makes(key, one)
    return [*commands, ("PEXPIRE", key, one.ttl)] if one.ttl >= 0 else commands


def _makes(key: bytes, one: SavedKey) -> list[Command]:
    if isinstance(one.content, bytes):
        return [("SET", key, one.content)]
    if one.kind == "stream":
        return [("XADD", key, where, *parts) for where, parts in one.content]
    if one.kind in _PUSHES:
        return [(_PUSHES[one.kind], key, *part) for part in _chunks(one.content)]
    if one.kind == "hash":
        return [("HSET", key, *_flat(part)) for part in _chunks(one.content)]
    turned = [[score, member] for member, score in one.content]
    return [("ZADD", key, *_flat(part)) for part in _chunks(turned)]


def _chunks(items: list[Any]) -> list[list[Any]]:
    return [items[at : at + _CHUNK] for at in range(0, len(items), _CHUNK)]


def _flat(pairs: list[Any]) -> list[Any]:
    return [part for pair in pairs for part in pair]


def _replies(connection: Commands, commands: Sequence[Command]) -> list[Reply]:
    replies = connection.pipeline(commands)
    _check(replies, connection.address)
    return replies


def _check(replies: Iterable[Reply], address: str) -> None:
    for reply in replies:
        if isinstance(reply, ReplyError):
            raise refused(reply, address, "what saves a town")


def _said(reply: Reply) -> str:
    """Return a status, which hiredis gives as text or as bytes."""
    return reply.decode() if isinstance(reply, bytes) else str(reply)
