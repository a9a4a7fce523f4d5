"""The history of syncs, and what taking one back did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tt.core.diff import Change
from tt.core.report import SyncRecord, UndoReport
from tt.render.changes import change_lines, tally
from tt.render.text import Look, count, safe

_FEW = 5


def history_lines(records: Sequence[SyncRecord], look: Look) -> list[str]:
    """Return what each sync changed, newest first."""
    if not records:
        return ["No sync has changed anything here yet."]
    lines: list[str] = []
    for record in records:
        lines += _record(record, look)
    return lines


def _record(record: SyncRecord, look: Look) -> list[str]:
    conflicts = f", {count(record.conflicts, 'conflict')}" if record.conflicts else ""
    title = (
        f"{look.paint(safe(record.name), 'yellow')}  {when(record.time)}  {safe(record.direction)}"
    )
    lines = [f"{title}{conflicts}"]
    for changes, side in ((record.to_store, "Redis"), (record.to_file, "the file")):
        if changes:
            lines.append(look.paint(f"  to {side}: {tally(changes)}", "dim"))
            lines += change_lines(changes, look, indent="    ", limit=_FEW)
    if record.omitted:
        lines.append(look.paint(f"    … and {count(record.omitted, 'more change')}", "dim"))
    return lines


def when(time: str) -> str:
    """Return a record's time without its fraction: `2026-01-31 12:00:05 UTC`."""
    date, _, clock = safe(time).partition("T")
    return f"{date} {clock[:8]} UTC"


def undo_lines(report: UndoReport, look: Look) -> list[str]:
    """Return what an undo changed, or what stands in its way."""
    name = safe(report.record.name)
    if report.blocked:
        newer = tally(report.blocked)
        return [
            f"The sync {name} was not taken back: newer changes stand on it ({newer}).",
            *change_lines(report.blocked, look),
        ]
    if not report.to_store and not report.to_file:
        return [f"The sync {name} is taken back already: there is nothing to change."]
    return [f"Took back the sync {name} of {when(report.record.time)}", *_undone(report, look)]


def _undone(report: UndoReport, look: Look) -> Iterator[str]:
    sides = [(report.to_store, "in Redis"), (report.to_file, "in the file")]
    if set(_told(report.to_store)) == set(_told(report.to_file)):
        sides = [(report.to_store, "on both sides")]
    for changes, where in sides:
        if changes:
            yield look.paint(f"  {where}: {tally(changes)}", "bold")
            yield from change_lines(changes, look)


def _told(changes: Sequence[Change]) -> list[str]:
    return [repr(change) for change in changes]
