"""A town in memory: the full twin of the Redis task store, for tests and rehearsals.

It holds the same hashes, reads and plans them with the same pure code, and differs only in what
executes the writes: contract tests run the same suite on both.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from tt.adapters.redis.encoding import Encoder
from tt.adapters.redis.glimpse import choose, glimpsed
from tt.adapters.redis.keys import TownKeys
from tt.adapters.redis.planning import encoder, plan_deletes, plan_tags, plan_writes
from tt.adapters.redis.reading import TownReading
from tt.adapters.redis.townhash import MAX_IDENTITIES, counter, foreign_town
from tt.adapters.redis.writes import Create, Delete, Patch, Planned, Write
from tt.core.diff import Change
from tt.core.model import META_ID
from tt.ports import NO_UUIDS, Applied, Claim, Clock, Glimpse, StoreState, Wanted
from tt.record import field, record

_NO_FIELDS: Final[frozenset[str]] = frozenset()


@record(frozen=False)
class MemoryTown:
    """The keys of one town: task hashes by uuid, agents' names by uuid, and our two hashes."""

    tasks: dict[str, dict[str, str]] = field(default_factory=dict)
    agents: dict[str, str] = field(default_factory=dict)
    plan: dict[str, str] = field(default_factory=dict)
    stones: dict[str, str] = field(default_factory=dict)


class MemoryTaskStore:
    """A `TaskStore` on a `MemoryTown`; several may share one, as clones share a server."""

    address = "memory"

    def __init__(
        self,
        memory: MemoryTown,
        town: str,
        clock: Clock,
        run_fields: frozenset[str] = _NO_FIELDS,
    ) -> None:
        self._memory = memory
        self._keys = TownKeys(town)
        self._clock = clock
        self._run_fields = run_fields

    def load(self, ids: Iterable[str] = (), uuids: Mapping[str, str] = NO_UUIDS) -> StoreState:
        """Read the town; see `tt.ports.TaskStore`."""
        reading = TownReading(self._keys, self._run_fields, ids, uuids)
        memory = self._memory
        for uuid, raw in memory.tasks.items():
            reading.add(uuid, dict(raw))
        return reading.state(dict(memory.plan), dict(memory.stones), memory.agents)

    @property
    def run_fields(self) -> frozenset[str]:
        """The run fields that the file has, too."""
        return self._run_fields

    def glimpse(
        self, wanted: Wanted, ids: Iterable[str], uuids: Mapping[str, str]
    ) -> Glimpse | None:
        """Read some of the town; see `tt.ports.TaskStore`."""
        memory = self._memory
        choice = choose(self._keys, wanted, set(memory.tasks))
        reading = TownReading(self._keys, self._run_fields, ids, uuids, choice.rest)
        for uuid in choice.uuids:
            reading.add(uuid, dict(memory.tasks[uuid]))
        state = reading.state(dict(memory.plan), dict(memory.stones), memory.agents)
        return glimpsed(choice, state, uuids)

    def apply(
        self,
        state: StoreState,
        changes: Sequence[Change],
        claim: Claim,
        *,
        mark: Collection[str] = (),
    ) -> Applied:
        """Make `changes`; see `tt.ports.TaskStore`."""
        agents = self._memory.agents
        uuids = {agents[uuid]: uuid for uuid in sorted(agents, reverse=True)}
        encode = encoder(self._keys, state, self._run_fields, uuids)
        planned = plan_writes(state, changes, mark, encode, self._clock.now_ns())
        seq = state.town.seq if state.town is not None else 0
        if planned:
            seq = self._write(planned, encode, claim)
        return Applied(frozenset(planned.lost), seq, tuple(planned.faults))

    def tag(self, state: StoreState, ids: Collection[str]) -> None:
        """Write the plan tag; see `tt.ports.TaskStore`."""
        for patch in plan_tags(self._keys, state, ids, self._clock.now_ns()):
            self._patch(patch)

    def touch(self, claim: Claim) -> int:
        """Raise the counter; see `tt.ports.TaskStore`."""
        self._claim(claim)
        plan = self._memory.plan
        seq = max(counter(plan.get("seq", "0")) or 0, claim.floor) + 1
        plan["seq"] = str(seq)
        return seq

    def remove_duplicates(self, state: StoreState) -> int:
        """Delete copies; see `tt.ports.TaskStore`."""
        before = len(self._memory.tasks)
        for delete in plan_deletes(self._keys, state):
            self._delete(delete)
        return before - len(self._memory.tasks)

    def _write(self, planned: Planned, encode: Encoder, claim: Claim) -> int:
        self._claim(claim)
        self._memory.stones.update(planned.buried)
        for write in planned.writes:
            if not self._written(write, encode):
                planned.lost.add(write.id)
        for plan_id, text in planned.stones_to_free().items():
            if self._memory.stones.get(plan_id) == text:
                del self._memory.stones[plan_id]
        return self.touch(claim)

    def _claim(self, claim: Claim) -> None:
        """Do what `claim.lua` does."""
        plan = self._memory.plan
        owners, ours = plan.get("repo", "").split(), claim.repo.split()
        if owners and not set(owners) & set(ours):
            raise foreign_town(self._keys.town, self.address)
        names = list(dict.fromkeys(owners + ours))
        for name in [name for name in names if name not in ours][
            : max(0, len(names) - MAX_IDENTITIES)
        ]:
            names.remove(name)
        said = {
            "repo": " ".join(names[:MAX_IDENTITIES]),
            "branch": claim.branch,
            "epoch": claim.epoch,
        }
        plan.update({name: text for name, text in said.items() if text})

    def _written(self, write: Write, encode: Encoder) -> bool:
        if isinstance(write, Create):
            return self._create(write, encode)
        return self._patch(write) if isinstance(write, Patch) else self._delete(write)

    def _create(self, write: Create, encode: Encoder) -> bool:
        made = encode.create(write.task, write.now)
        if made["id"] in self._memory.tasks:
            return False
        self._memory.tasks[made["id"]] = made
        return True

    def _patch(self, write: Patch) -> bool:
        raw = self._memory.plan if write.id == META_ID else self._memory.tasks.get(_uuid(write))
        if raw is None or any(raw.get(name) != text for name, text in write.old.items()):
            return False
        for name, text in write.new.items():
            if text is None:
                raw.pop(name, None)
            else:
                raw[name] = text
        return True

    def _delete(self, write: Delete) -> bool:
        """Delete the hash that `write` says; one that is gone is as good."""
        raw = self._memory.tasks.get(_uuid(write))
        if raw is not None and raw != dict(write.old):
            return False
        self._memory.tasks.pop(_uuid(write), None)
        return True


def _uuid(write: Patch | Delete) -> str:
    return write.key.rpartition(":")[2]
