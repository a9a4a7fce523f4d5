"""Groups as convoys, in lines: how far, who is at it, and what it waits for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from tt.core.convoys import Convoy, Epic, Worker
from tt.render.text import Look, clip, columns, count, pad, safe
from tt.render.tree import progress_text

_COLORS: Final = {Convoy.OPEN: "blue", Convoy.LANDED: "green", Convoy.CLOSED: "dim"}
_BAR: Final = 10
_NAMED: Final = 4
_LONGEST_ID: Final = 36


def epic_lines(found: Sequence[Epic], shown: Sequence[Epic], look: Look) -> list[str]:
    """List the groups that are `shown` of those that were `found`, each with what is to say."""
    width = min(max((columns(safe(epic.id)) for epic in shown), default=0), _LONGEST_ID)
    lines = []
    for epic in shown:
        lines.append(_head(epic, width, look))
        lines += [look.paint(f"    {look.fit(line, 4)}", "dim") for line in _details(epic)]
    return [*lines, look.paint(_summary(found, shown), "dim")]


def _head(epic: Epic, width: int, look: Look) -> str:
    convoy = look.paint(pad(epic.convoy, 6), _COLORS[epic.convoy])
    progress = f"{_bar(epic, look)}{progress_text(epic.progress)}"
    over = f" ({safe(epic.status)})" if epic.convoy is Convoy.CLOSED else ""
    name = look.paint(pad(safe(epic.id), width), "bold")
    used = max(width, columns(safe(epic.id))) + 6 + columns(progress) + columns(over) + 6
    text = look.fit(safe(epic.description), used)
    return f"{name}  {convoy}{over}  {progress}  {text}".rstrip()


def _bar(epic: Epic, look: Look) -> str:
    if not look.symbols or not epic.progress.total:
        return ""
    full = _BAR * epic.progress.done // epic.progress.total
    return "▰" * full + "▱" * (_BAR - full) + " "


def _details(epic: Epic) -> Iterator[str]:
    if epic.workers:
        yield f"at work: {_listed([_worker(worker) for worker in epic.workers])}"
    if epic.ready:
        yield f"ready: {_listed(list(map(safe, epic.ready)))}"
    if epic.waits_for:
        yield f"waits for: {_listed(list(map(safe, epic.waits_for)))}"
    if epic.convoy is Convoy.LANDED:
        yield "all of its tasks are done; the conductor closes it"


def _worker(worker: Worker) -> str:
    verb = "has" if worker.status == "assigned" else "does"
    return f"{safe(worker.agent) or 'somebody'} {verb} {safe(worker.task)}"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return clip(", ".join(names[:_NAMED]), 200) + (f" and {more:,} more" if more > 0 else "")


def _summary(found: Sequence[Epic], shown: Sequence[Epic]) -> str:
    if not found:
        return "There are no groups: a group is a parent without an agent, or tagged `epic`."
    counted = Counter(epic.convoy for epic in found)
    states = ", ".join(f"{counted[state]:,} {state}" for state in Convoy if counted[state])
    hidden = "; --all lists the closed ones" if len(shown) < len(found) else ""
    return f"{count(len(found), 'group')}: {states}{hidden}"


def epic_data(found: Sequence[Epic]) -> dict[str, object]:
    """Return groups for programs."""
    return {
        "epics": [
            {
                "id": epic.id, "description": epic.description, "state": epic.convoy,
                "status": epic.status, "parent": epic.parent or None,
                "done": epic.progress.done, "total": epic.progress.total,
                "by_status": epic.progress.by_status, "workers": epic.workers,
                "ready": epic.ready, "waits_for": epic.waits_for,
            }
            for epic in found
        ]
    }  # fmt: skip
