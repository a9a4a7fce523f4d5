"""What a server told of a town's keys, kept until somebody asks; its size is bounded."""

from __future__ import annotations

from typing import Final

from tt.adapters.redis.keys import UUID, TownKeys
from tt.adapters.redis.replies import Reply
from tt.record import record

_MOST_TASKS: Final = 10_000


@record
class Heard:
    """What may have changed. True where anything may have.

    `uuids` are of tasks, `town` means the town's own hash or its tombstones, and `lost` anything:
    keys went without being named, or there were too many of them.
    """

    uuids: frozenset[str] = frozenset()
    town: bool = False
    lost: bool = False

    def __bool__(self) -> bool:
        return self.lost or self.town or bool(self.uuids)


class News:
    """What was told since somebody asked; never more than a look at everything is worth."""

    __slots__ = ("_own", "_task", "_town", "_uuids", "lost", "town_since_ping")

    def __init__(self, keys: TownKeys) -> None:
        self._own = frozenset({keys.plan.encode(), keys.tombstones.encode()})
        self._task = keys.task("").encode()
        self._uuids: set[str] = set()
        self._town = self.town_since_ping = self.lost = False

    def add(self, told: list[Reply]) -> None:
        """Take in what the server tells: that some keys changed, or that any may have."""
        match told:
            case [b"invalidate", None]:
                self.lost = True
            case [b"invalidate", list(keys)]:
                for key in keys:
                    self._add_key(key)

    def take(self) -> Heard:
        """Return what was told, and forget it."""
        heard = Heard(frozenset(self._uuids), self._town, self.lost)
        self._uuids = set()
        self._town = self.lost = False
        return heard

    def _add_key(self, key: Reply) -> None:
        """Take note of one of our keys. A longer one may be another town's."""
        if key in self._own:
            self._town = self.town_since_ping = True
        elif len(self._uuids) >= _MOST_TASKS:
            self.lost = True
        elif isinstance(key, bytes) and key.startswith(self._task):
            uuid = key[len(self._task) :].decode("ascii", "replace")
            if UUID.fullmatch(uuid):
                self._uuids.add(uuid)
