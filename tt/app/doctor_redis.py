"""What a look at a server and a town gives reason to say; pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tt.core.health import Finding, RedisFacts
from tt.core.report import StatusReport

_EVICTING: Final = "allkeys-"


def redis_findings(facts: RedisFacts, address: str) -> Iterator[Finding]:
    """Say how a server is that answers at `address`."""
    yield Finding("redis.reached", "ok", f"{facts.version} answers at {address}.")
    if facts.replica:
        yield Finding(
            "redis.role", "warn", "It is a replica: what is in Redis can be pulled, and no more.",
            "Point REDIS_URL at the primary, or at the Sentinels with redis+sentinel://.",
        )  # fmt: skip
    yield from _persistence(facts)
    if facts.policy.startswith(_EVICTING):
        yield Finding(
            "redis.eviction",
            "warn",
            f"It throws away any key when its memory is full (`{facts.policy}`).",
            "A server for work in hand needs `maxmemory-policy noeviction`; tt heals from the "
            "file what is lost, but not what was never pulled.",
        )
    if facts.expiring:
        yield Finding(
            "redis.expiry",
            "warn",
            f"{facts.expiring} of the town's keys will vanish by themselves: they have a TTL.",
            "tt sets none; find out which program does.",
        )


def _persistence(facts: RedisFacts) -> Iterator[Finding]:
    check = "redis.persistence"
    if facts.failing:
        message = "It cannot save its data to disk."
        yield Finding(check, "fail", message, "Look at its log and at the free space of its disk.")
    elif facts.keeps == "nothing":
        yield Finding(
            check, "warn", "It keeps nothing on disk: a restart loses what was never pulled.",
            "`appendonly yes` in its configuration keeps every write.",
        )  # fmt: skip
    elif facts.keeps:
        how = "every write" if facts.keeps == "aof" else "snapshots"
        yield Finding(check, "ok", f"It keeps {how} on disk.")


def town_findings(report: StatusReport, branch: str | None, *, synced: bool) -> Iterator[Finding]:
    """Say how the town stands to the plan; `branch` is the town's, None where there is no town.

    `synced`: this worktree has synced it before.
    """
    yield _town(report, branch, synced=synced)
    if report.conflicts:
        yield Finding(
            "town.conflicts", "warn", f"{_count(len(report.conflicts), 'conflict')} to decide.",
            "`tt conflicts` lists them, with the commands that decide.",
        )  # fmt: skip
    waiting = len(report.to_store) + len(report.to_file)
    if waiting and branch is not None:
        message = f"{_count(waiting, 'change')} not synced yet."
        yield Finding(
            "town.drift", "warn", message, "`tt status` lists them, `tt sync merge` syncs."
        )
    elif branch is not None:
        yield Finding("town.drift", "ok", f"{_count(report.in_step, 'task')} in step.")
    if report.faults:
        message = f"{_count(len(report.faults), 'value')} in Redis cannot be used."
        yield Finding("town.faults", "warn", message, "`tt status` names them.")
    if report.duplicates:
        message = f"{_count(len(report.duplicates), 'second copy', 'second copies')} of tasks."
        yield Finding("town.copies", "warn", message, "`tt dedupe --dry-run` lists them.")


def _town(report: StatusReport, branch: str | None, *, synced: bool) -> Finding:
    check, name = "town", f"The town {report.town}"
    if branch is None and synced:
        message = f"{name} is gone from Redis; the next sync heals it from {report.file}."
        return Finding(check, "warn", message, "`tt sync --dry-run` shows what it would write.")
    if branch is None:
        return Finding(check, "ok", f"{name} is not in Redis yet; `tt sync` makes it.")
    if branch and report.branch and branch != report.branch:
        message = f"{name} follows the branch {branch}, and this is {report.branch}."
        return Finding(check, "warn", message, "Hooks leave it alone; `tt sync` moves it here.")
    return Finding(check, "ok", f"{name} is this repository's.")


def _count(number: int, noun: str, plural: str = "") -> str:
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
