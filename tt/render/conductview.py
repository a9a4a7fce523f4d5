"""What a terminal shows while a conductor is at work: the plan as a tree that moves.

`rich` draws it. Every text is made safe before it gets there, and none is read as markup.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TextIO

from tt.core.groups import Row, tree
from tt.core.jobs import Job
from tt.core.ledger import HELD, Ledger
from tt.core.model import Plan, Task
from tt.core.times import since_1970
from tt.render.footer import Footer, Line
from tt.render.text import Look, clip, columns, pad, safe
from tt.render.tree import COLORS, SYMBOLS, progress_text, status_counts

if TYPE_CHECKING:
    from rich.text import Text

_LEAST: Final = 5
_LONGEST_ID: Final = 36
_AROUND: Final = 3
"""Lines beside the tree: the heading, what is left out, and the one with the cursor."""
_NAME: Final = 24
_STATUS: Final = 14
"""Columns of a task's status, with what is around it."""


class View:
    """The lower lines of a terminal; what is said stays above them. To be closed."""

    def __init__(self, out: TextIO, look: Look, activity: Callable[[str], str]) -> None:
        """`activity` returns the last line of an agent's log, by its uuid."""
        from rich.console import Console

        self._console = Console(
            file=out, color_system="standard" if look.color else None, force_terminal=True,
            highlight=False, markup=False, emoji=False, no_color=not look.color,
        )  # fmt: skip
        self._out, self._activity = out, activity
        self._rows: list[Row] = []
        self._left_out = 0
        self._laid_out = (0, 0)
        self._footer = Footer(out, self._size)

    @property
    def width(self) -> int:
        """How many columns the terminal has now."""
        return self._size()[0]

    @property
    def fits(self) -> bool:
        """Whether the terminal is as large as it was when the picture was laid out."""
        return self._laid_out == self._size()

    def say(self, lines: Sequence[str]) -> None:
        """Say lines that stay; colours in them are ours."""
        self._footer.say(lines)

    def lay_out(self, ledger: Ledger) -> None:
        """Choose what is shown: all of a plan that fits, else what is under way or went wrong."""
        self._laid_out = self._size()
        room = max(self._laid_out[1] - _AROUND, _LEAST)
        wanted = None
        if len(ledger.tasks) > room:
            room = max(room * 3 // 4, _LEAST)  # what is said is to be seen as well
            wanted = _telling(ledger)[:room]
        rows = tree(Plan(ledger.meta, ledger.tasks), wanted)
        self._rows, self._left_out = rows[:room], len(ledger.tasks) - len(rows[:room])

    def draw(self, ledger: Ledger, now: float) -> None:
        """Draw it as it is; `now` are seconds since 1970."""
        width = max(self.width - 1, 1)
        self._footer.draw([self._line(text, width) for text in self._picture(ledger, width, now)])

    def close(self) -> None:
        """Leave only what was said."""
        self._footer.close()

    def _size(self) -> tuple[int, int]:
        with suppress(OSError, ValueError):
            size = os.get_terminal_size(self._out.fileno())
            if size.columns > 0 and size.lines > 0:
                return size.columns, size.lines
        return self._console.size.width, self._console.size.height

    def _line(self, text: Text, width: int) -> Line:
        text.truncate(width, overflow="ellipsis")
        with self._console.capture() as drawn:
            self._console.print(text, end="", soft_wrap=True)
        return Line(drawn.get(), text.cell_len)

    def _picture(self, ledger: Ledger, width: int, now: float) -> Iterator[Text]:
        from rich.text import Text

        yield Text(_heading(ledger, width), style="bold")
        most = min(_LONGEST_ID, max(width // 2 - _STATUS, _LEAST))
        wide = min(max((_width(row) for row in self._rows), default=0), most)
        for row in self._rows:
            if row.task.id in ledger.uuids:
                yield Text.assemble(*self._row(row, ledger, wide, now))
        if self._left_out > 0:
            yield Text(f"… and {self._left_out:,} more", style="dim")

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


def _heading(ledger: Ledger, width: int) -> str:
    """Return the plan's title, as far as there is room beside what counts."""
    leaves = (task for task in ledger.tasks.values() if task.id not in ledger.shape.groups)
    title = ledger.meta.get("description")
    counts = status_counts(Counter(task.status for task in leaves))
    room = width - columns(counts) - 2
    named = isinstance(title, str) and title and room >= _LEAST
    return f"{clip(safe(str(title)), room)}: {counts}" if named else counts


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
