"""How the user's own server is, in its own words (INFO)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tt.adapters.redis.address import Address
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.home import ServerHome
from tt.record import record


@record
class ServerStatus:
    """How the user's own server is; all after `directory` is unknown while it is not running.

    `saves`: the append-only file is on and its last write went well. `used_memory` is in bytes.
    """

    running: bool
    address: Address
    directory: Path
    pid: int = 0
    version: str = ""
    uptime_s: int = 0
    used_memory: int = 0
    saves: bool = False
    maxmemory_policy: str = ""


def read_status(place: ServerHome, connection: Connection) -> ServerStatus:
    """Ask a running server how it is."""
    return _status(place, _info(connection))


def _info(connection: Connection) -> dict[str, str]:
    reply = connection.execute("INFO")
    text = reply.decode(errors="replace") if isinstance(reply, bytes) else ""
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)


def _status(place: ServerHome, info: Mapping[str, str]) -> ServerStatus:
    valkey = info.get("valkey_version")
    return ServerStatus(
        running=True,
        address=place.address,
        directory=place.directory,
        pid=int(info["process_id"]),
        version=f"valkey {valkey}" if valkey else f"redis {info['redis_version']}",
        uptime_s=int(info["uptime_in_seconds"]),
        used_memory=int(info["used_memory"]),
        saves=info.get("aof_enabled") == "1" and info.get("aof_last_write_status") == "ok",
        maxmemory_policy=info.get("maxmemory_policy", ""),
    )
