"""What a migration found of earlier tinytowns, what it did, and what it left."""

from __future__ import annotations

from collections import Counter
from typing import Final

from tt.core.migrated import Migrated, OldKey
from tt.render.text import Look, count, safe

_KINDS: Final = {
    "agent": ("agent", "agents"), "inbox": ("inbox", "inboxes"),
    "urgent": ("inbox of urgent messages", "inboxes of urgent messages"),
    "activity": ("activity log", "activity logs"), "stop": ("stop flag", "stop flags"),
    "task": ("task", "tasks"),
}  # fmt: skip
_SHOWN: Final = 20
"""So many keys are listed, unless all are asked for."""


def survey_lines(found: Migrated, address: str) -> list[str]:
    """Return what is about to be done, for somebody who is asked."""
    town, what = safe(found.town), "made hashes" if found.hashes else "renamed"
    where = f"in {safe(address)}"
    head = f"Converting {town} {where}:" if found.hashes else f"Migrating to {town} {where}:"
    return [head, f"    {_kinds(found)} would be {what}"]


def migrated_lines(found: Migrated, address: str, look: Look) -> list[str]:
    """Return what was done, or would be; what stays, and why; what comes next."""
    lines = [*_head(found, address, look), *_kept(found, look)]
    if found.left:
        lines.append("What stays is as it was: look at it, and run this again.")
    return [*lines, *_next(found)]


def migrated_data(found: Migrated, *, dry_run: bool) -> dict[str, object]:
    """Return the same for programs; `why` says why a key stays."""

    def keys(some: tuple[OldKey, ...]) -> list[dict[str, str]]:
        return [
            {"key": one.key, "name": one.name, "kind": one.kind}
            | ({"why": one.why} if one.why else {})
            for one in some
        ]

    return {
        "town": found.town, "hash": found.hashes, "dry_run": dry_run, "done": found.done,
        "keys": keys(found.keys), "left": keys(found.left), "waiting": found.waiting,
    }  # fmt: skip


def _head(found: Migrated, address: str, look: Look) -> list[str]:
    town = safe(found.town)
    if found.done:
        told = f"Made hashes in {town}" if found.hashes else f"Renamed to {town}"
        said = f"{told}: {_kinds(found)}." if found.keys else f"{told}: nothing."
        return [look.paint(said, "green") if found.keys else said]
    if found.keys:
        told = f"Would make hashes in {town}" if found.hashes else f"Would rename to {town}"
        arrows = [one.key if found.hashes else f"{one.key} → {one.name}" for one in found.keys]
        return [f"{told}: {_kinds(found)}.", *_limited([f"  {safe(one)}" for one in arrows], look)]
    if found.left:
        return []
    if found.hashes:
        return [f"Every agent and task of {town} is a hash: there is nothing to convert."]
    return [f"Every key of tinytown's in {safe(address)} has a town: there is nothing to migrate."]


def _kept(found: Migrated, look: Look) -> list[str]:
    sign = look.paint("=", "dim")
    return _limited([f"{sign} {safe(one.key)} stays: {safe(one.why)}" for one in found.left], look)


def _next(found: Migrated) -> list[str]:
    """Name the other half, where there is work for it."""
    if not found.waiting:
        return []
    some, town = count(found.waiting, "key"), safe(found.town)
    if found.hashes:
        return [f"Left to do: {some} without a town; `tt migrate` gives this one's name."]
    return [f"Left to do: {some} of {town} with JSON; `tt migrate --hash` makes hashes of it."]


def _kinds(found: Migrated) -> str:
    """Count by kind: `1 agent, 2 inboxes and the backlog`."""
    counts = Counter(one.kind for one in found.keys)
    parts = [count(counts[kind], *names) for kind, names in _KINDS.items() if counts[kind]]
    parts += ["the backlog"] if counts["backlog"] else []
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))


def _limited(lines: list[str], look: Look) -> list[str]:
    if look.all or len(lines) <= _SHOWN:
        return lines
    return [*lines[:_SHOWN], f"  … and {len(lines) - _SHOWN:,} more; `tt -v` shows all."]
