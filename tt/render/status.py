"""A plan and its town at a glance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from tt.core.groups import Progress
from tt.core.report import StatusReport, SyncRecord
from tt.record import names_of
from tt.render.changes import change_lines, tally
from tt.render.conflicts import conflict_lines
from tt.render.history import when
from tt.render.syncreport import aside_lines
from tt.render.text import Look, count, safe
from tt.render.tree import COLORS, ORDER, SYMBOLS, groups_data, progress_text

_FEW = 10


def status_lines(
    report: StatusReport,
    groups: Mapping[str, Progress],
    look: Look,
    watched: str = "",
    crew: Sequence[str] = (),
) -> list[str]:
    """Return the town, its tasks by state, its groups, and how file and Redis differ.

    `watched` says who watches the plan, where that is to be told; `crew` what is to be told of
    agents.
    """
    lines = [*_where(report, look), *([f"Watch  {watched}"] if watched else [])]
    lines += _tasks(report, look)
    lines += _groups(groups, look)
    lines += ["", *crew] if crew else []
    if report.store_error is not None:
        return [*lines, "", look.paint(safe(report.store_error), "red")]
    lines += ["", *_drift(report, look)]
    lines += aside_lines(report, safe(report.file), look)
    return [*lines, *conflict_lines(report.conflicts, safe(report.file), look)]


def _where(report: StatusReport, look: Look) -> list[str]:
    branch = f" (branch {safe(report.branch)})" if report.branch else ""
    redis = (
        safe(report.address) if report.store_error is None else f"{safe(report.address)}, silent"
    )
    lines = [
        f"Town   {look.paint(safe(report.town), 'bold')}{branch}",
        f"Plan   {safe(report.file)}",
        f"Redis  {redis}",
    ]
    if report.last is not None:
        lines.append(f"Synced {_last(report.last)}")
    return lines


def _last(record: SyncRecord) -> str:
    return f"{when(record.time)} ({safe(record.direction)} {safe(record.name)})"


def _tasks(report: StatusReport, look: Look) -> list[str]:
    counted = Counter(task.status for task in report.plan.tasks.values())
    states = [
        look.paint(
            f"{SYMBOLS[state] + ' ' if look.symbols else ''}{counted[state]:,} {state}",
            *COLORS[state],
        )
        for state in ORDER
        if counted[state]
    ]
    total = count(len(report.plan.tasks), "task")
    return ["", f"{total}{': ' if states else ''}{', '.join(states)}"]


def _groups(groups: Mapping[str, Progress], look: Look) -> list[str]:
    shown = list(groups.items())[: None if look.all else _FEW]
    width = max((len(safe(name)) for name, _ in shown), default=0)
    lines = [f"  {safe(name).ljust(width)}  {progress_text(progress)}" for name, progress in shown]
    if len(groups) > len(shown):
        lines.append(f"  … and {count(len(groups) - len(shown), 'more group')}")
    return lines


def _drift(report: StatusReport, look: Look) -> list[str]:
    file = safe(report.file)
    if not report.to_store and not report.to_file:
        return [look.paint(f"In step: {count(report.in_step, 'task')} on both sides.", "green")]
    lines: list[str] = []
    for changes, title in (
        (report.to_store, f"{file} has what Redis has not (tt sync)"),
        (report.to_file, f"Redis has what {file} has not (tt sync merge)"),
    ):
        if changes:
            lines.append(look.paint(f"{title}: {tally(changes)}", "cyan"))
            lines += change_lines(changes, look, limit=_FEW)
    return lines


def status_data(report: StatusReport, groups: Mapping[str, Progress]) -> dict[str, object]:
    """Return the same for programs; the plan itself is `tt plan --json`'s to tell."""
    data = {name: getattr(report, name) for name in names_of(report)}
    del data["plan"]
    by_status = Counter(task.status for task in report.plan.tasks.values())
    return {
        **data,
        "tasks": len(report.plan.tasks),
        "by_status": by_status,
        "groups": groups_data(groups),
    }
