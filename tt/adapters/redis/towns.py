"""Which towns a Redis holds, found by the names of their keys, and removing one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from tt.adapters.redis.commands import Commands, scan
from tt.adapters.redis.keys import PREFIX, TownKeys, split_key
from tt.adapters.redis.replies import ReplyError, refused
from tt.core.answers import TownFound

_SHOWN: Final = frozenset({"task", "agent", "plan"})
_BUSY: Final = (b"assigned", b"running")
_CHUNK: Final = 500
"""Keys that the server removes in one go."""


def find_towns(connection: Commands) -> list[TownFound]:
    """List the towns by name, with how many tasks and agents they have."""
    counts: dict[str, Counter[str]] = {}
    for key in scan(connection, PREFIX):
        found = split_key(key.decode(errors="surrogateescape"))
        if found is not None and found[1] in _SHOWN:
            counts.setdefault(found[0], Counter())[found[1]] += 1
    names = sorted(counts)
    claims = connection.pipeline([("HMGET", _plan_key(name), "branch", "repo") for name in names])
    return [
        TownFound(name, counts[name]["task"], counts[name]["agent"], *_claim(reply))
        for name, reply in zip(names, claims, strict=True)
    ]


def busy_tasks(connection: Commands, town: str) -> int:
    """Count the tasks of a town that somebody holds or works on. Raises StoreError."""
    keys = scan(connection, TownKeys(town).task(""))
    states = connection.pipeline([("HGET", key, "state") for key in keys])
    for state in states:
        if isinstance(state, ReplyError) and state.code != "WRONGTYPE":
            raise refused(state, connection.address, "HGET")
    return sum(state in _BUSY for state in states)


def remove_town(connection: Commands, town: str) -> int:
    """Remove every key of a town, whatever its kind, and return how many there were.

    The hash that says whose it is goes last, so that a removal which was cut short can be
    completed. A town `a:b` is no part of the town `a`. Raises StoreError.
    """
    keys = TownKeys(town)
    found = own_keys(scan(connection, keys.prefix), keys)
    last = _plan_key(town)
    others = [key for key in found if key != last]
    for start in range(0, len(others), _CHUNK):
        connection.execute("UNLINK", *others[start : start + _CHUNK])
    connection.execute("UNLINK", last)
    return len(found)


def own_keys(found: Sequence[bytes], keys: TownKeys) -> list[bytes]:
    """Leave out the keys of towns whose names go on where this one's ends."""
    split = (split_key(key.decode(errors="surrogateescape")) for key in found)
    others = {one[0] for one in split if one is not None} - {keys.town}
    prefixes = tuple(TownKeys(name).prefix.encode(errors="surrogateescape") for name in others)
    return [key for key in found if not key.startswith(prefixes)]


def _plan_key(town: str) -> bytes:
    """Return the key as bytes: other tools' names need not be UTF-8."""
    return TownKeys(town).plan.encode(errors="surrogateescape")


def _claim(reply: object) -> tuple[str, str]:
    """Return branch and owner; a town that no `tt` has claimed has neither."""
    texts = reply if isinstance(reply, list) else [None, None]
    branch, repo = (one.decode(errors="replace") if isinstance(one, bytes) else "" for one in texts)
    return branch, repo
