"""What a terminal shows while a conductor is at work: the plan as a tree that moves.

`rich` draws it. Every text is made safe before it gets there, and none is read as markup.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, TextIO

from tt.core.groups import Row, tree
from tt.core.jobs import Job
from tt.core.ledger import HELD, Ledger
from tt.core.model import Plan, Task
from tt.core.times import since_1970
from tt.render.text import Look, clip, columns, pad, safe
from tt.render.tree import COLORS, SYMBOLS, progress_text, status_counts

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

_LEAST: Final = 5
_LONGEST_ID: Final = 36
_AROUND: Final = 3
"""Lines beside the tree: the heading, what is left out, and the one with the cursor."""
_NAME: Final = 24


class View:
    """The lower lines of a terminal; what is said stays above them. To be closed."""

    def __init__(self, out: TextIO, look: Look, activity: Callable[[str], str]) -> None:
        """`activity` returns the last line of an agent's log, by its uuid."""
        from rich.console import Console
        from rich.live import Live

        self._console = Console(
            file=out, color_system="standard" if look.color else None, force_terminal=True,
            highlight=False, markup=False, emoji=False, soft_wrap=False, no_color=not look.color,
        )  # fmt: skip
        self._look, self._activity = look, activity
        self._rows: list[Row] = []
        self._left_out = 0
        self._live: Live = Live(
            console=self._console, auto_refresh=False, transient=True, vertical_overflow="crop",
            redirect_stdout=False, redirect_stderr=False,
        )  # fmt: skip
        self._live.start()

    def say(self, line: str) -> None:
        """Say a line that stays; colours in it are ours."""
        from rich.text import Text

        self._console.print(Text.from_ansi(line), soft_wrap=True)

    def lay_out(self, ledger: Ledger) -> None:
        """Choose what is shown: all of a plan that fits, else what is under way or went wrong."""
        room = max(self._console.size.height - _AROUND, _LEAST)
        plan = Plan(ledger.meta, ledger.tasks)
        wanted = None if len(ledger.tasks) <= room else _telling(ledger)[:room]
        rows = tree(plan, wanted)
        self._rows, self._left_out = rows[:room], len(ledger.tasks) - len(rows[:room])

    def draw(self, ledger: Ledger, now: float) -> None:
        """Draw it as it is; `now` are seconds since 1970."""
        self._live.update(self._picture(ledger, now), refresh=True)

    def close(self) -> None:
        """Leave only what was said."""
        self._live.stop()

    def _picture(self, ledger: Ledger, now: float) -> Text:
        from rich.text import Text

        picture = Text(no_wrap=True, overflow="ellipsis")
        picture.append(_heading(ledger), style="bold")
        width = min(max((_width(row) for row in self._rows), default=0), _LONGEST_ID)
        for row in self._rows:
            if row.task.id in ledger.uuids:
                picture.append("\n")
                for text, style in self._row(row, ledger, width, now):
                    picture.append(text, style=style)
        if self._left_out > 0:
            picture.append(f"\n… and {self._left_out:,} more", style="dim")
        return picture

    def _row(self, row: Row, ledger: Ledger, width: int, now: float) -> Iterator[tuple[str, str]]:
        job = ledger.job(row.task.id)
        status = job.state
        style = " ".join(COLORS.get(status, ()))
        yield f"{SYMBOLS.get(status, '?')} ", style
        yield pad(clip("  " * _depth(row) + safe(row.task.id), width), width), ""
        yield f"  {status:<9}", style
        if row.progress is not None:
            yield f"  {progress_text(row.progress)}", "dim"
            return
        agent = ledger.agents.get(job.agent)
        if job.state not in HELD:
            yield f"  {clip(safe(job.task.description), _NAME * 2)}", "dim"
            return
        yield f"  {clip(safe(agent.name), _NAME) if agent else 'held elsewhere'}", "cyan"
        if job.state == "running":
            yield f"  {_lasted(job, now)}", ""
            yield f"  {safe(self._activity(job.agent)) if agent else ''}", "dim"


def _telling(ledger: Ledger) -> list[Task]:
    """Return the tasks that say most just now: under way, then failed, then pending ones."""
    order = {"running": 0, "assigned": 1, "failed": 2, "pending": 3}
    return sorted(ledger.tasks.values(), key=lambda task: order.get(task.status, 4))


def _heading(ledger: Ledger) -> str:
    leaves = (task for task in ledger.tasks.values() if task.id not in ledger.shape.groups)
    title = ledger.meta.get("description")
    counts: Mapping[str, int] = Counter(task.status for task in leaves)
    named = f"{safe(title)}: " if isinstance(title, str) and title else ""
    return f"{named}{status_counts(counts)}"


def _depth(row: Row) -> int:
    return len(row.last) - 1


def _width(row: Row) -> int:
    return 2 * _depth(row) + columns(safe(row.task.id))


def _lasted(job: Job, now: float) -> str:
    began = since_1970(job.started_at)
    seconds = 0 if began is None else max(int(now - began), 0)
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
