"""The report of a sync: the line that tinytown's documentation shows, then what changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

from tt.core.diff import Change
from tt.core.report import Direction, StatusReport, SyncReport
from tt.render.changes import change_lines, tally
from tt.render.conflicts import conflict_lines
from tt.render.text import Look, count, safe

_HEADS: Final = {
    Direction.PUSH: "⬆️  {verb} {n} tasks from {file} to Redis",
    Direction.PULL: "⬇️  {verb} {n} tasks from Redis to {file}",
    Direction.MERGE: "🔄  {verb} {n} tasks of {file} and Redis",
}
_DONE: Final = {Direction.PUSH: "Pushed", Direction.PULL: "Pulled", Direction.MERGE: "Merged"}
_FEW: Final = 5
_T = TypeVar("_T")


def head(report: SyncReport) -> str:
    """Return the first line, the same on a terminal and in a pipe; N is always a bare number."""
    verb = f"Would {report.direction.value}" if report.dry_run else _DONE[report.direction]
    return _HEADS[report.direction].format(verb=verb, n=report.in_step, file=safe(report.file))


def sync_lines(report: SyncReport, look: Look) -> list[str]:
    """Return a sync's report; one that changed nothing and is in step is one line."""
    lines = [head(report)]
    lines += _written(report, look)
    lines += _waiting(report, look)
    lines += aside_lines(report, safe(report.file), look)
    lines += [look.paint(f"  {safe(note)}", "dim") for note in report.notes]
    lines += conflict_lines(report.conflicts, safe(report.file), look)
    return lines


def _written(report: SyncReport, look: Look) -> Iterator[str]:
    file = safe(report.file)
    both = bool(report.to_store and report.to_file)
    more = "" if report.dry_run else " (tt sync log)"
    for changes, arrow in (
        (report.to_store, f"{file} → Redis"),
        (report.to_file, f"Redis → {file}"),
    ):
        if both or (changes and report.direction is Direction.MERGE):
            yield look.paint(f"  {arrow}: {tally(changes)}", "bold")
        yield from change_lines(changes, look, more=more)


def _waiting(report: SyncReport, look: Look) -> Iterator[str]:
    file = safe(report.file)
    yield from _wait(report.waiting_file, f"Redis has what {file} has not", "pull", look)
    yield from _wait(report.waiting_store, f"{file} has what Redis has not", "push", look)


def _wait(changes: Sequence[Change], what: str, direction: str, look: Look) -> list[str]:
    if not changes:
        return []
    title = f"  {what}: {tally(changes)}; `tt sync {direction}` brings it over"
    return [
        look.paint(title, "cyan"),
        *change_lines(changes, look, indent="    ", limit=_FEW),
    ]


def aside_lines(report: SyncReport | StatusReport, file: str, look: Look) -> list[str]:
    """Return what was seen on the way and needs nobody at once."""
    return [look.paint(line, "yellow") for line in _asides(report, file, look)]


def _asides(report: SyncReport | StatusReport, file: str, look: Look) -> Iterator[str]:
    for kept in _some(report.kept, look):
        yield (
            f"  kept {safe(kept.store)} for {safe(kept.id)}: {file} went back to {safe(kept.file)} "
            f"without an edit (tt reopen {safe(kept.id)} says it on purpose)"
        )
    for fault in _some(report.faults, look):
        yield f"  set aside {safe(fault.key)}: {safe(fault.why)}"
    if report.duplicates:
        names = {duplicate.id for duplicate in report.duplicates}
        copies = count(len(report.duplicates), "more copy", "more copies")
        tasks = count(len(names), "task")
        yield f"  Redis has {copies} of {tasks}; the furthest along counts (tt dedupe)"
    if isinstance(report, SyncReport) and report.named:
        shown = ", ".join(safe(name) for name in _some(report.named, look))
        rest = "" if look.all or len(report.named) <= _FEW else ", …"
        yield f"  ids made for {count(len(report.named), 'task')}: {shown}{rest}"


def _some(items: Sequence[_T], look: Look) -> Sequence[_T]:
    return items if look.all else items[:_FEW]
