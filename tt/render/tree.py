"""The plan as a tree with states; plain, indented lines when it is not for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from tt.core.answers import PlanView
from tt.core.groups import Progress, Row
from tt.core.model import Plan
from tt.render.text import Look, columns, count, pad, safe

SYMBOLS: Final[Mapping[str, str]] = {
    "pending": "○", "assigned": "◔", "running": "◐", "completed": "●", "failed": "✗",
    "cancelled": "⊘",
}  # fmt: skip
COLORS: Final[Mapping[str, tuple[str, ...]]] = {
    "pending": (), "assigned": ("cyan",), "running": ("blue",), "completed": ("green",),
    "failed": ("red",), "cancelled": ("dim",),
}  # fmt: skip
ORDER: Final = ("pending", "assigned", "running", "completed", "failed", "cancelled")
_LONGEST_ID: Final = 36


def plan_lines(view: PlanView, look: Look) -> list[str]:
    """Return the plan: what it is, its tasks as a tree, and how many are how far."""
    plan, rows = view.plan, view.rows
    title = plan.meta.get("description")
    lines = [look.paint(safe(title), "bold")] if isinstance(title, str) and title else []
    heads = [_guide(row, look) + safe(row.task.id) for row in rows]
    width = min(max((columns(head) for head in heads), default=0), _LONGEST_ID)
    lines += [_line(row, plan, head, width, look) for row, head in zip(rows, heads, strict=True)]
    shown = [row.task.status for row in rows if not row.context]
    return [*lines, _summary(shown, len(plan.tasks), look)]


def _guide(row: Row, look: Look) -> str:
    *outer, last = row.last[1:] or (True,)
    if not row.last[1:]:
        return ""
    if not look.symbols:
        return "  " * len(row.last[1:])
    return "".join("   " if end else "│  " for end in outer) + ("└─ " if last else "├─ ")


def _line(row: Row, plan: Plan, head: str, width: int, look: Look) -> str:
    status = row.task.status
    symbol = f"{SYMBOLS.get(status, '?')} " if look.symbols else ""
    state = pad(f"{symbol}{safe(status)}", 11 if look.symbols else 9)
    text = safe(row.task.description)
    extra = _extra(row, plan)
    used = columns(f"{pad(head, width)}  {state}  {extra}") + 2
    styles = ("dim",) if row.context else COLORS.get(status, ())
    shown = look.paint(pad(head, width), "dim") if row.context else pad(head, width)
    parts = [shown, look.paint(state, *styles), look.fit(text, used), look.paint(extra, "dim")]
    return "  ".join(part for part in parts if part).rstrip()


def _extra(row: Row, plan: Plan) -> str:
    """Return progress, agent, dependencies and tags, as far as there are some."""
    task = row.task
    agent = task.agent or (None if row.progress else plan.default_agent)
    parts = [progress_text(row.progress)] if row.progress else []
    parts += [f"@{safe(agent)}"] if agent else []
    parts += [f"#{safe(tag)}" for tag in task.tags]
    parts += (
        [f"after {', '.join(safe(item) for item in task.depends_on)}"] if task.depends_on else []
    )
    return " ".join(parts)


def progress_text(progress: Progress) -> str:
    """Return `3/5 done`, with what is under way or has gone wrong."""
    others = [
        f"{progress.by_status[status]} {status}"
        for status in ("running", "failed")
        if progress.by_status.get(status)
    ]
    return ", ".join([f"{progress.done}/{progress.total} done", *others])


def _summary(shown: Iterable[str], total: int, look: Look) -> str:
    counted = Counter(shown)
    number = sum(counted.values())
    of = "" if number == total else f" of {total:,}"
    states = status_counts(counted)
    return look.paint(f"{count(number, 'task')}{of}{': ' if states else ''}{states}", "dim")


def status_counts(counted: Mapping[str, int]) -> str:
    """Return `3 pending, 1 running, 1 completed`, in the order of a task's life."""
    return ", ".join(f"{counted[status]:,} {status}" for status in ORDER if counted.get(status))


def plan_data(view: PlanView) -> dict[str, object]:
    """Return a listing for programs: the tasks that were asked for, and every group's progress."""
    return {
        "file": view.file,
        "meta": view.plan.meta,
        "tasks": view.tasks,
        "groups": groups_data(view.groups),
        "by_status": Counter(task.status for task in view.tasks),
    }


def groups_data(groups: Mapping[str, Progress]) -> dict[str, object]:
    """Return the progress of groups for programs."""
    return {
        name: {"done": found.done, "total": found.total, "by_status": found.by_status}
        for name, found in groups.items()
    }
