"""The stored form of one sync's record: what it changed, at most so many changes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from tt.adapters.base_codec import DamagedError, member
from tt.core.diff import Added, Change, Edited, Removed
from tt.core.model import Task
from tt.core.report import SyncRecord
from tt.core.values import ABSENT, MaybeValue, Value, dump, load
from tt.record import replace

MOST_CHANGES: Final = 500
"""How many changes a record lists, of both sides together; the others it counts."""


def shortened(record: SyncRecord) -> SyncRecord:
    """Return `record` with at most MOST_CHANGES changes, the others counted in `omitted`."""
    to_store = record.to_store[:MOST_CHANGES]
    to_file = record.to_file[: MOST_CHANGES - len(to_store)]
    cut = len(record.to_store) + len(record.to_file) - len(to_store) - len(to_file)
    return replace(record, to_store=to_store, to_file=to_file, omitted=record.omitted + cut)


def encode_record(record: SyncRecord) -> bytes:
    """Write a record, shortened and without its name, which is where it is kept."""
    record = shortened(record)
    document: dict[str, Value] = {
        "time": record.time,
        "direction": str(record.direction),
        "to_store": [_from_change(change) for change in record.to_store],
        "to_file": [_from_change(change) for change in record.to_file],
        "conflicts": record.conflicts,
        "omitted": record.omitted,
    }
    return dump(document).encode("utf-8", "surrogatepass")


def decode_record(data: bytes, name: str) -> SyncRecord:
    """Read what `encode_record` wrote; raises ValueError for anything else."""
    document = load(data.decode("utf-8", "surrogatepass"))
    if not isinstance(document, dict):
        raise DamagedError("a record is not a table")
    return SyncRecord(
        name,
        member(document, "time", str),
        member(document, "direction", str),
        tuple(_to_change(change) for change in member(document, "to_store", list)),
        tuple(_to_change(change) for change in member(document, "to_file", list)),
        member(document, "conflicts", int),
        member(document, "omitted", int),
    )


def _from_change(change: Change) -> dict[str, Value]:
    if isinstance(change, Edited):
        edit: dict[str, Value] = {"edited": change.id, "field": change.field}
        return edit | _present("old", change.old) | _present("new", change.new)
    kind = "added" if isinstance(change, Added) else "removed"
    return {kind: change.id, "fields": dict(change.task.fields)}


def _present(name: str, value: MaybeValue) -> dict[str, Value]:
    return {} if value is ABSENT else {name: value}


def _to_change(stored: Value) -> Change:
    if not isinstance(stored, dict):
        raise DamagedError("a change is not a table")
    if "edited" in stored:
        old, new = (_maybe(stored, name) for name in ("old", "new"))
        return Edited(member(stored, "edited", str), member(stored, "field", str), old, new)
    fields = cast("Mapping[str, Value]", member(stored, "fields", dict))
    if "added" in stored:
        return Added(Task(member(stored, "added", str), fields))
    return Removed(Task(member(stored, "removed", str), fields))


def _maybe(stored: Mapping[str, Value], name: str) -> MaybeValue:
    return stored.get(name, ABSENT)
