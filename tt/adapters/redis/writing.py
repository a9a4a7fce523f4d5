"""Writing one town: planned writes as calls of scripts, in an order that can stop anywhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, cast

from tt.adapters.redis.commands import Call, Commands, run_scripts
from tt.adapters.redis.encoding import Encoder, tags_text
from tt.adapters.redis.keys import TownKeys
from tt.adapters.redis.loading import refuse
from tt.adapters.redis.planning import plan_deletes, plan_tags, plan_writes
from tt.adapters.redis.replies import Reply
from tt.adapters.redis.townhash import MAX_IDENTITIES, foreign_town
from tt.adapters.redis.writes import Create, Delete, Planned, Write
from tt.core.diff import Change
from tt.core.times import rfc3339
from tt.ports import Applied, Claim, StoreState

_STONES_A_CALL: Final = 1_000


class TownWriter:
    """Writes the keys of one town. `now` is the time that is written, in nanoseconds since 1970."""

    __slots__ = ("_connection", "_keys", "_now", "address")

    def __init__(self, connection: Commands, keys: TownKeys, now: int) -> None:
        self._connection = connection
        self._keys = keys
        self._now = now
        self.address = connection.address

    def apply(
        self,
        state: StoreState,
        changes: Sequence[Change],
        claim: Claim,
        mark: Collection[str],
        encode: Encoder,
    ) -> Applied:
        """Make `changes`; see `tt.ports.TaskStore`."""
        planned = plan_writes(state, changes, mark, encode, self._now)
        seq = state.town.seq if state.town is not None else 0
        if planned:
            seq = self._write(planned, encode, claim)
        return Applied(frozenset(planned.lost), seq, tuple(planned.faults))

    def tag(self, state: StoreState, ids: Collection[str]) -> None:
        """Write the plan tag; see `tt.ports.TaskStore`."""
        patches = list(plan_tags(self._keys, state, ids, self._now))
        _lost(patches, run_scripts(self._connection, patches, _call), self.address)

    def touch(self, claim: Claim) -> int:
        """Raise the counter; see `tt.ports.TaskStore`."""
        (reply,) = self._run([self._claim(claim, raises=True)])
        return self._claimed(reply)

    def remove_duplicates(self, state: StoreState) -> int:
        """Delete copies; see `tt.ports.TaskStore`."""
        deletes = list(plan_deletes(self._keys, state))
        replies = run_scripts(self._connection, deletes, _call)
        _lost(deletes, replies, self.address)
        return sum(reply == 1 for reply in replies)

    def _write(self, planned: Planned, encode: Encoder, claim: Claim) -> int:
        """Write what is planned, add to `planned.lost`, and return the counter.

        Nothing is written before the town is known to be ours, no hash is deleted before all
        tombstones stand, and the counter is raised last.
        """
        self._claimed(self._run([self._claim(claim, raises=False)])[0])
        self._bury(planned.buried)
        wanted = [*planned.writes, self._claim(claim, raises=True)]
        *replies, claimed = run_scripts(
            self._connection, wanted, lambda write: _call(write, encode)
        )
        planned.lost |= _lost(planned.writes, replies, self.address)
        self._free(planned.stones_to_free())
        return self._claimed(claimed)

    def _run(self, calls: Sequence[Call]) -> list[Reply]:
        return run_scripts(self._connection, calls, lambda call: call)

    def _claim(self, claim: Claim, *, raises: bool) -> Call:
        raised = "1" if raises else "0"
        args = (claim.repo, claim.branch, claim.epoch, claim.floor, raised, MAX_IDENTITIES)
        return Call("claim", self._keys.plan, args)

    def _claimed(self, reply: Reply) -> int:
        """Return the counter that a claim says. Raises StoreError where it was refused."""
        if not isinstance(reply, list):
            refuse(reply, self.address, "claim.lua")
        seq = cast("int", reply[0])
        if seq < 0:
            raise foreign_town(self._keys.town, self.address)
        return seq

    def _bury(self, stones: Mapping[str, str]) -> None:
        key = self._keys.tombstones
        replies = self._connection.pipeline(("HSET", key, *pairs) for pairs in _in_calls(stones))
        self._expect_numbers(replies, "HSET")

    def _free(self, stones: Mapping[str, str]) -> None:
        calls = [Call("free", self._keys.tombstones, pairs) for pairs in _in_calls(stones)]
        self._expect_numbers(self._run(calls), "free.lua")

    def _expect_numbers(self, replies: Iterable[Reply], command: str) -> None:
        for reply in replies:
            if not isinstance(reply, int):
                refuse(reply, self.address, command)


def _lost(writes: Sequence[Write], replies: Sequence[Reply], address: str) -> set[str]:
    """Return the ids whose compare-and-set was lost."""
    lost = set()
    for write, reply in zip(writes, replies, strict=True):
        if not isinstance(reply, int):
            refuse(reply, address, "EVALSHA")
        if reply == 0:
            lost.add(write.id)
    return lost


def _call(write: Write | Call, encode: Encoder | None = None) -> Call:
    if isinstance(write, Call):
        return write
    if isinstance(write, Create):
        assert encode is not None  # noqa: S101  only `apply` creates
        return _create_call(write, encode)
    if isinstance(write, Delete):
        return Call("delete", write.key, [_bytes(text) for text in _flat(write.old)])
    compared = [_bytes(part) for name, text in write.old.items() for part in (name, _maybe(text))]
    changed = [_bytes(part) for name, text in write.new.items() for part in (name, _maybe(text))]
    return Call("patch", write.key, [len(write.old), *compared, *changed])


def _create_call(write: Create, encode: Encoder) -> Call:
    """Leave to the script the names of the fields that are in each hash: half of what is sent."""
    task, stamp, uuid = write.task, rfc3339(write.now), encode.uuid_of(write.task.id)
    args = [uuid, task.description, task.status, stamp, tags_text(task.id, task.tags)]
    args += _flat(encode.others(task, stamp))
    return Call("create", encode.keys.task(uuid), args)


def _flat(pairs: Mapping[str, str]) -> list[str]:
    return [part for pair in pairs.items() for part in pair]


def _maybe(text: str | None) -> str:
    return "" if text is None else "=" + text


def _bytes(text: str) -> bytes:
    """Give back the bytes that a text was read from, no UTF-8 among them."""
    return text.encode(errors="surrogateescape")


def _in_calls(stones: Mapping[str, str]) -> Iterator[list[bytes]]:
    flat = [_bytes(part) for part in _flat(stones)]
    for start in range(0, len(flat), 2 * _STONES_A_CALL):
        yield flat[start : start + 2 * _STONES_A_CALL]
