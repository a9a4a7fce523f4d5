"""What happened in one town, and what its agents say they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast

from tt.adapters.redis.commands import Commands
from tt.adapters.redis.happenings import event_text, oldest_first, read_event, streams
from tt.adapters.redis.keys import TownKeys
from tt.adapters.redis.replies import Reply
from tt.adapters.redis.steps import Step, as_bytes
from tt.ports import Clock
from tt.workports import Happened

_LINES: Final = 10
_SECONDS: Final = 3_600


def keep_activity(step: Step, keys: TownKeys, agent: str, line: str) -> None:
    """Let a step add a line to an agent's activity."""
    key = keys.of("activity", agent)
    step.do("LPUSH", key, as_bytes(line))
    step.do("LTRIM", key, 0, _LINES - 1)
    step.do("EXPIRE", key, _SECONDS)


class Chronicle:
    """The events of one town, and the activity of its agents."""

    __slots__ = ("_clock", "_connection", "_keys")

    def __init__(self, connection: Commands, keys: TownKeys, clock: Clock) -> None:
        self._connection, self._keys, self._clock = connection, keys, clock

    def log(self, agent: str, line: str) -> None:
        """Add a line to an agent's activity; see `tt.workports.Workshop`."""
        step = Step()
        keep_activity(step, self._keys, agent, line)
        step.run(self._connection)

    def activity(self, agent: str) -> list[str]:
        """Read the lines of an agent's activity, newest first."""
        reply = self._connection.execute("LRANGE", self._keys.of("activity", agent), 0, -1)
        return [part.decode(errors="backslashreplace") for part in cast("list[bytes]", reply)]

    def tell(self, kind: str, message: str, data: Mapping[str, object]) -> None:
        """Write an event; see `tt.workports.Workshop`."""
        step = Step()
        text = event_text(kind, message, self._clock.now_ns(), data)
        step.tell(streams(self._keys, str(data.get("agent_id", ""))), kind, text)
        step.run(self._connection)

    def events(self, count: int, agent: str, after: str) -> Sequence[Happened]:
        """Read events, oldest first; see `tt.workports.Workshop`."""
        key = streams(self._keys, agent)[-1]
        if not after:
            newest = self._connection.execute("XREVRANGE", key, "+", "-", "COUNT", count)
            return oldest_first(newest)
        later = self._connection.execute("XRANGE", key, f"({after}", "+", "COUNT", count)
        return [read_event(entry) for entry in cast("list[Reply]", later)]
