"""What a server told of a town's keys, kept until somebody asks; its size is bounded."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

from tt.adapters.redis.keys import UUID, TownKeys
from tt.adapters.redis.replies import Reply
from tt.record import field, record

_MOST_TASKS: Final = 10_000
_NO_KEYS: Final[Mapping[str, frozenset[str]]] = MappingProxyType({})
_ENDING: Final = re.compile(rf"([a-z]+(?::[a-z]+)?)(?::({UUID.pattern}))?")


@record
class Heard:
    """What may have changed. True where anything may have.

    `uuids` are of tasks, `town` means the town's own hash or its tombstones, and `lost` anything:
    keys went without being named, or there were too many of them. `keys` are other keys that were
    listened for: by kind (`inbox`, `backlog`) the uuids that they end in, empty for none.
    """

    uuids: frozenset[str] = frozenset()
    town: bool = False
    lost: bool = False
    keys: Mapping[str, frozenset[str]] = field(default_factory=lambda: _NO_KEYS)

    def __bool__(self) -> bool:
        return self.lost or self.town or bool(self.uuids) or bool(self.keys)


class News:
    """What was told since somebody asked; never more than a look at everything is worth."""

    __slots__ = (
        "_count", "_others", "_own", "_prefix", "_starts", "_task", "_town", "_uuids",
        "lost", "town_since_ping",
    )  # fmt: skip

    def __init__(self, keys: TownKeys, prefixes: Collection[str]) -> None:
        """Listen for keys with these prefixes, of which those of keys without a uuid are whole."""
        self._own = frozenset({keys.plan.encode(), keys.tombstones.encode()})
        self._task = keys.task("").encode()
        self._prefix, self._starts = keys.prefix.encode(), tuple(prefixes)
        self._uuids: set[str] = set()
        self._others: dict[str, set[str]] = {}
        self._count = 0
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
        others = {kind: frozenset(uuids) for kind, uuids in self._others.items()}
        heard = Heard(frozenset(self._uuids), self._town, self.lost, others or _NO_KEYS)
        self._uuids, self._others, self._count = set(), {}, 0
        self._town = self.lost = False
        return heard

    def _add_key(self, key: Reply) -> None:
        """Take note of one of our keys. A longer one may be another town's."""
        if key in self._own:
            self._town = self.town_since_ping = True
        elif self._count >= _MOST_TASKS:
            self.lost = True
        elif isinstance(key, bytes) and key.startswith(self._task):
            uuid = key[len(self._task) :].decode("ascii", "replace")
            if UUID.fullmatch(uuid):
                self._add(self._uuids, uuid)
        elif isinstance(key, bytes) and key.startswith(self._prefix):
            self._add_other(key[len(self._prefix) :].decode("ascii", "replace"))

    def _add_other(self, ending: str) -> None:
        """Take note of another kind of key, of which there are few."""
        found = _ENDING.fullmatch(ending)
        if found is not None and (found[2] or ending in self._starts):
            self._add(self._others.setdefault(found[1], set()), found[2] or "")

    def _add(self, heard: set[str], uuid: str) -> None:
        if uuid not in heard:
            heard.add(uuid)
            self._count += 1
