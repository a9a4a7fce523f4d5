"""The tasks of one town in Redis: read at one go, written by compare-and-set.

What writes is imported when something is to be written: most syncs find that nothing is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from tt.adapters.bulk import undisturbed
from tt.adapters.redis.commands import Commands
from tt.adapters.redis.keys import TownKeys
from tt.adapters.redis.loading import TownLoader
from tt.core.diff import Change
from tt.ports import NO_UUIDS, Applied, Claim, Clock, Glimpse, StoreState, Wanted

if TYPE_CHECKING:
    from tt.adapters.redis.witness import Witness
    from tt.adapters.redis.writing import TownWriter

_NO_FIELDS: Final[frozenset[str]] = frozenset()


class RedisTaskStore:
    """One town on one server. `run_fields` are the run fields that the file has, too.

    A `witness` knows what `load` read last, while nothing was written since.
    """

    __slots__ = ("_clock", "_connection", "_keys", "_loader", "_run_fields", "_witness")

    def __init__(
        self,
        connection: Commands,
        town: str,
        clock: Clock,
        run_fields: frozenset[str] = _NO_FIELDS,
        witness: Witness | None = None,
    ) -> None:
        self._connection = connection
        self._keys = TownKeys(town)
        self._clock = clock
        self._run_fields = run_fields
        self._witness = witness
        self._loader = TownLoader(connection, self._keys, run_fields, witness)

    @property
    def address(self) -> str:
        """How messages call the server; never holds a password."""
        return self._connection.address

    @property
    def run_fields(self) -> frozenset[str]:
        """The run fields that the file has, too."""
        return self._run_fields

    def load(self, ids: Iterable[str] = (), uuids: Mapping[str, str] = NO_UUIDS) -> StoreState:
        """Read the town; see `tt.ports.TaskStore`."""
        with undisturbed():
            return self._loader.load(ids, uuids)

    def glimpse(
        self, wanted: Wanted, ids: Iterable[str], uuids: Mapping[str, str]
    ) -> Glimpse | None:
        """Read some of the town; see `tt.ports.TaskStore`."""
        if self._witness is not None:
            self._witness.forget()
        with undisturbed():
            return self._loader.glimpse(wanted, ids, uuids)

    def apply(
        self,
        state: StoreState,
        changes: Sequence[Change],
        claim: Claim,
        *,
        mark: Collection[str] = (),
    ) -> Applied:
        """Make `changes`; see `tt.ports.TaskStore`."""
        from tt.adapters.redis.planning import encoder, names_agents

        agents = self._loader.agent_uuids() if names_agents(changes, self._run_fields) else {}
        encode = encoder(self._keys, state, self._run_fields, agents)
        with undisturbed():
            return self._writer().apply(state, changes, claim, mark, encode)

    def tag(self, state: StoreState, ids: Collection[str]) -> None:
        """Write the plan tag; see `tt.ports.TaskStore`."""
        self._writer().tag(state, ids)

    def touch(self, claim: Claim) -> int:
        """Raise the counter; see `tt.ports.TaskStore`."""
        return self._writer().touch(claim)

    def remove_duplicates(self, state: StoreState) -> int:
        """Delete copies; see `tt.ports.TaskStore`."""
        return self._writer().remove_duplicates(state)

    def _writer(self) -> TownWriter:
        from tt.adapters.redis.writing import TownWriter

        if self._witness is not None:
            self._witness.forget()
        return TownWriter(self._connection, self._keys, self._clock.now_ns())
