"""What a server says of itself, as far as it concerns a plan's safety; reads only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tt.adapters.redis.commands import Commands, scan
from tt.adapters.redis.keys import TownKeys, split_key
from tt.adapters.redis.replies import Reply
from tt.core.health import RedisFacts

_OK: Final = ("", "ok")


def redis_facts(connection: Commands, town: str | None) -> RedisFacts:
    """Ask a server how it is and what it knows of a town. Raises StoreError.

    What the user's rights do not reach is left open.
    """
    info, save = connection.pipeline([("INFO",), ("CONFIG", "GET", "save")])
    said = _lines(info)
    valkey = said.get("valkey_version")
    return RedisFacts(
        version=f"Valkey {valkey}" if valkey else f"Redis {said.get('redis_version', '')}".strip(),
        replica=said.get("role") == "slave",
        keeps=_keeps(said, save),
        failing=said.get("rdb_last_bgsave_status", "") not in _OK
        or said.get("aof_last_write_status", "") not in _OK,
        policy=said.get("maxmemory_policy", ""),
        expiring=0 if town is None else _expiring(connection, town),
        branch=None if town is None else _branch(connection, town),
    )


def _lines(reply: Reply) -> Mapping[str, str]:
    text = reply.decode(errors="replace") if isinstance(reply, bytes) else ""
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)


def _keeps(said: Mapping[str, str], save: Reply) -> str:
    """Say how data gets to disk; empty where the server does not tell."""
    if said.get("aof_enabled") == "1":
        return "aof"
    if not isinstance(save, list) or len(save) != 2:
        return ""
    return "rdb" if save[1] else "nothing"


def _expiring(connection: Commands, town: str) -> int:
    """Count the keys of tasks and of the town itself that expire; some of tinytown's shall."""
    keys = scan(connection, TownKeys(town).prefix)
    ours = [key for key in keys if _lasts(split_key(key.decode(errors="surrogateescape")), town)]
    ends = connection.pipeline([("PTTL", key) for key in ours])
    return sum(isinstance(end, int) and end >= 0 for end in ends)


def _lasts(found: tuple[str, str] | None, town: str) -> bool:
    return found is not None and found[0] == town and found[1] != "agent"


def _branch(connection: Commands, town: str) -> str | None:
    """Return the branch of a town, empty where it does not say; None where there is no town."""
    branch, tasks = connection.pipeline(
        [("HGET", TownKeys(town).plan, "branch"), ("EXISTS", TownKeys(town).plan)]
    )
    if isinstance(branch, bytes):
        return branch.decode(errors="replace")
    return "" if tasks == 1 else None
