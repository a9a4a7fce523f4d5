"""Which towns a Redis holds, found by the names of their keys."""

from __future__ import annotations

from collections import Counter
from typing import Final

from tt.adapters.redis.commands import Commands, scan
from tt.adapters.redis.keys import PREFIX, TownKeys, split_key
from tt.core.answers import TownFound

_SHOWN: Final = frozenset({"task", "agent", "plan"})


def find_towns(connection: Commands) -> list[TownFound]:
    """List the towns by name, with how many tasks and agents they have."""
    counts: dict[str, Counter[str]] = {}
    for key in scan(connection, PREFIX):
        found = split_key(key.decode(errors="surrogateescape"))
        if found is not None and found[1] in _SHOWN:
            counts.setdefault(found[0], Counter())[found[1]] += 1
    names = sorted(counts)
    branches = connection.pipeline([("HGET", TownKeys(name).plan, "branch") for name in names])
    return [
        TownFound(name, counts[name]["task"], counts[name]["agent"], _text(branch))
        for name, branch in zip(names, branches, strict=True)
    ]


def _text(reply: object) -> str:
    return reply.decode(errors="replace") if isinstance(reply, bytes) else ""
