"""The two hashes of a town that are ours alone: whose it is, and what was removed; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from tt.adapters.redis.codec import Hash
from tt.adapters.redis.texts import is_utf8, read_value, shown, value_text
from tt.core.model import LIST_FIELDS, META_TEXTS, STATUSES, Task
from tt.core.report import Fault
from tt.core.values import Value
from tt.errors import StoreError
from tt.ports import Town

META: Final = "meta:"
MAX_IDENTITIES: Final = 8
"""How many identities of its repository a town remembers."""


def read_town(key: str, raw: Hash, faults: list[Fault]) -> Town | None:
    """Read the town's hash, None where it is empty; adds to `faults` what cannot be used."""
    if not raw:
        return None
    meta, aside = _read_meta(key, raw, faults)
    return Town(
        repo=shown(raw.get("repo", "")),
        branch=shown(raw.get("branch", "")),
        seq=_read_seq(key, raw.get("seq", "0"), faults),
        epoch=shown(raw.get("epoch", "")),
        meta=meta,
        aside=aside,
        raw=raw,
    )


def counter(text: str) -> int | None:
    """Read a town's counter; None where it is none, or none that Redis can count on from."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _read_seq(key: str, text: str, faults: list[Fault]) -> int:
    seq = counter(text)
    if seq is not None:
        return seq
    faults.append(Fault(f"{key} seq", "it is no counter"))
    return 0


def _read_meta(key: str, raw: Hash, faults: list[Fault]) -> tuple[dict[str, Value], frozenset[str]]:
    """Return the plan's `[meta]`, and the keys of it whose values cannot be used."""
    meta: dict[str, Value] = {}
    aside = set()
    for name, text in raw.items():
        if name.startswith(META):
            try:
                meta[name[len(META) :]] = _meta_value(name, text)
            except ValueError as error:
                faults.append(Fault(f"{key} {shown(name)}", str(error)))
                aside.add(name[len(META) :])
    return meta, frozenset(aside)


def _meta_value(name: str, text: str) -> Value:
    """Read one value. Raises ValueError where a plan's file could not hold it there."""
    if not is_utf8(name):
        raise ValueError("its name is not UTF-8")
    try:
        value = read_value(text)
    except ValueError as error:
        raise ValueError(f"it is no value of a plan: {error}") from error
    if name[len(META) :] in META_TEXTS and not isinstance(value, str):
        raise ValueError("it is not text")
    return value


def foreign_town(town: str, address: str) -> StoreError:
    """Say that a town is not this repository's."""
    return StoreError(
        f"The town {town} at {address} belongs to another repository.",
        "Give this one a name of its own: `name` in tinytown.toml, or --name.",
    )


def write_tombstone(task: Task, stamp: str) -> str:
    """Write down a removed task; the time makes each removal's text its own."""
    return value_text({"at": stamp, "task": dict(task.fields)})


def read_tombstones(
    key: str, stones: Mapping[str, str], faults: list[Fault]
) -> Iterator[tuple[str, Task]]:
    """Read the tombstones. One that says nothing readable still says that its task was removed."""
    for identifier, text in stones.items():
        if not is_utf8(identifier):
            faults.append(Fault(f"{key} {shown(identifier)}", "it is no plan id"))
            continue
        try:
            yield identifier, Task(identifier, _read_fields(text))
        except ValueError as error:
            faults.append(Fault(f"{key} {identifier}", f"it is no tombstone: {error}"))
            yield identifier, Task(identifier, {"description": "", "status": "pending"})


def _read_fields(text: str) -> Mapping[str, Value]:
    stone = read_value(text)
    fields = stone.get("task") if isinstance(stone, dict) else None
    if not isinstance(fields, dict) or not _is_task(fields):
        raise ValueError("it holds no task")
    return fields


def _is_task(fields: Mapping[str, Value]) -> bool:
    texts = (fields.get("agent", ""), fields.get("parent", ""), fields.get("description"))
    lists = (fields.get(name, []) for name in LIST_FIELDS)
    status = fields.get("status")
    return (
        isinstance(status, str)
        and status in STATUSES
        and all(isinstance(text, str) for text in texts)
        and all(
            isinstance(items, list) and all(isinstance(item, str) for item in items)
            for items in lists
        )
    )
