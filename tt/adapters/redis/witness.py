"""What a look read of a town, as one digest: the same digest is the same look.

A hash that did not change is sent in the same bytes (where a server sends it otherwise, all there
is to lose is time). So whoever looked once, and knows what was to be seen, need not read it again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from marshal import dumps
from typing import Any, Final

from tt.adapters.digest import new_digest
from tt.adapters.redis.asking import agent_names, find_tasks, town_reads
from tt.adapters.redis.commands import Commands
from tt.adapters.redis.keys import TownKeys
from tt.adapters.redis.replies import Reply

_PLAIN: Final = 2
"""The newest form of `marshal` that depends on values alone, and not on which objects are one."""


class Witness:
    """Hears what one look after another reads, and forgets the look before."""

    __slots__ = ("_hash", "agents")

    def __init__(self) -> None:
        self.agents: tuple[str, ...] = ()
        """The uuids of the agents whose names were read."""
        self._hash: Any = None

    def begin(self, uuids: list[str]) -> None:
        """Begin a look at these tasks."""
        self.agents = ()
        self._hash = new_digest()
        self._add(uuids)

    def hear(self, replies: Iterable[Reply]) -> Iterator[Reply]:
        """Pass replies on as they come."""
        for reply in replies:
            self._add(reply)
            yield reply

    def hear_names(self, uuids: Collection[str], names: Mapping[str, str]) -> None:
        """Take in which agents were asked for, and what they are called."""
        self.agents = tuple(sorted(uuids))
        self._add([self.agents, sorted(names.items())])

    def forget(self) -> None:
        """Have seen nothing: what was read is not what is there any more."""
        self._hash = None

    @property
    def digest(self) -> str | None:
        """The digest of the last look; None where there was none, or where it met an error."""
        return None if self._hash is None else str(self._hash.hexdigest())

    def _add(self, value: Any) -> None:
        if self._hash is None:
            return
        try:
            self._hash.update(dumps(value, _PLAIN))
        except ValueError:  # a reply that is an error
            self._hash = None


def look_over(connection: Commands, keys: TownKeys, agents: Collection[str]) -> str | None:
    """Return the digest that a look would have now, if it asked for these agents.

    None where there is something that only a look can judge. Raises StoreError.
    """
    uuids, odd = find_tasks(connection, keys)
    if odd:
        return None
    witness = Witness()
    witness.begin(uuids)
    for _ in witness.hear(connection.stream(town_reads(keys, uuids))):
        pass
    witness.hear_names(agents, agent_names(connection, keys, agents))
    return witness.digest
