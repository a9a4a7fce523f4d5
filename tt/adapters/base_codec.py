"""The stored form of a base, the same in Git and in files: JSON, version 1.

The header holds all but the tasks, in the typed form of `tt.core.values`. Tasks are spread over
shards by the hash of their id, so that a sync of a few tasks in thousands writes a few small
pieces. A shard is `["plain",{<id>:{<fields>}}]` where JSON has a type for every value in it, which
Python's C code writes and reads by itself, and `["typed",…]` in the typed form elsewhere.
Bytes depend on the content alone: ids are sorted, field order is kept.
"""

from __future__ import annotations

import json
import zlib
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, TypeVar, cast

from tt.core.base import Base
from tt.core.model import Task
from tt.core.values import Literal, Value, dump, load

FORMAT: Final = 1
"""The version of the stored form; a higher one is never guessed at."""

_PLAIN: Final = b'["plain",'
_FEW_TASKS: Final = 300
_MOST_SHARDS: Final = 1024
_FILL: Final = 100  # tasks a shard when the number of shards is chosen
_CROWDED, _SPARSE = 160, 10  # tasks a shard at which it is chosen again

_set_id = Task.__dict__["id"].__set__
_set_fields = Task.__dict__["fields"].__set__


class DamagedError(ValueError):
    """What is stored is not what `tt` writes."""


class NewerFormatError(ValueError):
    """The base was written by a later version of `tt`."""


class _NotPlainError(TypeError):
    """A value that only the typed form can hold."""


class Header(NamedTuple):
    """A base without its tasks, and what it takes to know that all of them were read.

    `gone` are the ids of tasks that a shard may still hold and the base does not.
    """

    base: Base
    shards: int
    total: int
    gone: frozenset[str]


def shard_count(tasks: int, current: int = 0) -> int:
    """Choose how many shards hold so many tasks; stays with `current` until it really does not fit.

    >>> [shard_count(n) for n in (300, 1_000, 10_000, 100_000)]
    [1, 16, 256, 1024]
    """
    if current == 1 and tasks <= 2 * _FEW_TASKS:
        return 1
    fits = current * _SPARSE <= tasks <= current * _CROWDED
    if current > 1 and (fits or (current == _MOST_SHARDS and tasks > current * _SPARSE)):
        return current
    if tasks <= _FEW_TASKS:
        return 1
    shards = 16
    while shards < _MOST_SHARDS and tasks > shards * _FILL:
        shards *= 4
    return shards


def shard_of(task_id: str, shards: int) -> int:
    """Return the number of the shard that a task belongs to."""
    return zlib.crc32(task_id.encode("utf-8", "surrogatepass")) % shards


def encode_tasks(tasks: Iterable[Task]) -> bytes:
    """Write one shard."""
    fields = {task.id: task.fields for task in sorted(tasks, key=lambda task: task.id)}
    try:
        text = _ENCODER.encode(["plain", fields])
    except _NotPlainError:
        text = dump(["typed", {key: dict(value) for key, value in fields.items()}])
    return text.encode("utf-8", "surrogatepass")


def decode_tasks(data: bytes, into: dict[str, Task]) -> None:
    """Read one shard, adding its tasks to `into`; raises ValueError for what is no shard."""
    document = json.loads(data) if data.startswith(_PLAIN) else _load(data)
    if not (isinstance(document, list) and len(document) == 2 and isinstance(document[1], dict)):
        raise DamagedError("a shard of tasks has an unknown form")
    fields = document[1]
    if not {dict}.issuperset(map(type, fields.values())):
        raise DamagedError("a task is not a table of fields")
    # A record's own __init__ takes four times as long, and there may be 100,000 tasks.
    tasks = [object.__new__(Task) for _ in fields]
    deque(map(_set_id, tasks, fields), maxlen=0)
    deque(map(_set_fields, tasks, fields.values()), maxlen=0)
    into.update(zip(fields, tasks, strict=True))


def encode_header(base: Base, shards: int, gone: Iterable[str] = ()) -> bytes:
    """Write all of `base` but its tasks and its version; `gone` as in `Header`."""
    document: dict[str, Value] = {
        "format": FORMAT,
        "seq": base.seq,
        "epoch": base.epoch,
        "repo": base.repo,
        "shards": shards,
        "tasks": len(base.tasks),
        "gone": cast("list[Value]", sorted(gone)),
        "meta": dict(base.meta),
        "deleted": cast("list[Value]", sorted(base.deleted)),
        "uuids": cast("dict[str, Value]", dict(sorted(base.uuids.items()))),
    }
    if base.head is not None:
        document["head"] = base.head
    return dump(document).encode("utf-8", "surrogatepass")


def decode_header(data: bytes) -> Header:
    """Read what `encode_header` wrote; raises NewerFormatError, or ValueError for anything else."""
    document = _load(data)
    if not isinstance(document, dict):
        raise DamagedError("its header is not a table")
    version = member(document, "format", int)
    if version > FORMAT:
        raise NewerFormatError(f"it has format {version}, this `tt` knows {FORMAT}")
    base = Base(
        meta=cast("Mapping[str, Value]", member(document, "meta", dict)),
        deleted=frozenset(cast("list[str]", member(document, "deleted", list))),
        uuids=cast("Mapping[str, str]", member(document, "uuids", dict)),
        seq=member(document, "seq", int),
        epoch=member(document, "epoch", str),
        head=member(document, "head", str) if "head" in document else None,
        repo=member(document, "repo", str),
    )
    gone = frozenset(cast("list[str]", member(document, "gone", list)))
    return Header(base, member(document, "shards", int), member(document, "tasks", int), gone)


_Kind = TypeVar("_Kind", int, str, list[Value], dict[str, Value])


def member(document: Mapping[str, Value], name: str, kind: type[_Kind]) -> _Kind:
    """Return a member of a stored table; raises ValueError where it has another type."""
    value = document.get(name)
    if not isinstance(value, kind):
        raise DamagedError(f"`{name}` is missing or has a wrong type")
    return value


def _load(data: bytes) -> Value:
    return load(data.decode("utf-8", "surrogatepass"))


def _plain(value: object) -> object:
    """Tell the JSON encoder what to do with what JSON has no type for."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Literal):
        raise _NotPlainError
    raise TypeError(f"no value of a plan: {value!r}")


_ENCODER: Final = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, separators=(",", ":"), default=_plain
)
