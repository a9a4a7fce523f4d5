"""Who conducts a town, and whether silence means death just now."""

from __future__ import annotations

from typing import cast

from tt.adapters.redis.commands import Commands
from tt.adapters.redis.keys import TownKeys
from tt.adapters.redis.replies import RefusedError
from tt.adapters.redis.steps import as_bytes, run_script
from tt.workports import Leader


class Lease:
    """The lease of one town's conductor. The server's clock decides."""

    __slots__ = ("_connection", "_keys")

    def __init__(self, connection: Commands, keys: TownKeys) -> None:
        self._connection, self._keys = connection, keys

    def lead(self, token: str, seconds: float) -> bool:
        """Lead the town; see `tt.workports.Workshop`."""
        args = (as_bytes(token), max(1, round(seconds * 1000)))
        return run_script(self._connection, "lead", [self._key], args) == 1

    def leader(self) -> Leader | None:
        """Say who leads."""
        token, left = self._connection.pipeline([("GET", self._key), ("PTTL", self._key)])
        if not isinstance(token, bytes) or not isinstance(left, int) or left < 0:
            return None
        return Leader(token.decode(errors="replace"), left / 1000)

    def resign(self, token: str) -> bool:
        """Lead no more; see `tt.workports.Workshop`."""
        return run_script(self._connection, "resign", [self._key], (as_bytes(token),)) == 1

    def may_judge(self, lease: float) -> bool:
        """Say whether silence means death; see `tt.workports.Workshop`.

        The town remembers on which run of which server it was seen, and since when. A server that
        it was not seen on before has just started, or has just taken over from another one.
        """
        key = self._keys.own("server")
        run, uptime, now = self._server()
        seen = self._connection.execute("GET", key)
        name, _, since = (
            (seen if isinstance(seen, bytes) else b"").decode("ascii", "replace").partition(" ")
        )
        if name == run and since.isdigit():
            return now - int(since) >= lease
        since_now = now if name else now - min(uptime, now)
        self._connection.execute("SET", key, f"{run} {since_now}")
        return now - since_now >= lease

    def _server(self) -> tuple[str, int, int]:
        """Return the run that this server is in, for how long it has been, and its clock, in s."""
        (now, _) = cast("tuple[bytes, bytes]", self._connection.execute("TIME"))
        try:
            info = cast("bytes", self._connection.execute("INFO", "server")).decode()
        except RefusedError:  # a server that does not say so has to be taken for the same one
            info = ""
        told = dict(line.partition(":")[::2] for line in info.split("\r\n"))
        uptime = told.get("uptime_in_seconds", "")
        return told.get("run_id", "-"), int(uptime) if uptime.isdigit() else 0, int(now)

    @property
    def _key(self) -> str:
        return self._keys.own("conductor")
