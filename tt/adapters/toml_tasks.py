"""Removing whole `[[tasks]]` blocks from a text and adding new ones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from tt.adapters.toml_lines import blanks_end, blanks_start, lead_start, top_end, without_lines
from tt.adapters.toml_pieces import Pieces
from tt.adapters.toml_scan import Section, sections
from tt.adapters.toml_write import newline_of, task_lines
from tt.core.model import Task

_COMMENT_LINES: Final = re.compile(r"(?:[ \t]*+#[^\n]*+(?:\n|\Z))*")


def remove_tasks(pieces: Pieces, indexes: Sequence[int]) -> None:
    """Cut out tasks with the comments right above them and their sub-tables, wherever they are.

    Comments that a blank line parts from the task stay, and so do other tables in between.
    """
    last = pieces.last
    for number in sorted((index + 1 for index in indexes), reverse=True):
        while last > number and not pieces[last]:
            last -= 1
        _remove_task(pieces, number, followed=number < last)


def _remove_task(pieces: Pieces, number: int, *, followed: bool) -> None:
    before, rest = pieces[number - 1], _without_own(pieces[number], followed=followed)
    before = before[: lead_start(before, len(before), sections(before)[-1].end)]
    blanks = blanks_end(rest, 0)
    if followed or rest[blanks:]:
        rest = rest[blanks:]
    else:
        before, rest = before[: blanks_start(before, len(before))], ""
    pieces[number - 1], pieces[number] = before, rest


def _without_own(text: str, *, followed: bool) -> str:
    """Cut a task's sections out of the piece that begins with it."""
    found = sections(text)
    for place in reversed(range(1, len(found))):
        section = found[place]
        if section.path[0] != "tasks":
            continue
        end = _trail_end(text, section.end, followed=followed)
        if place == 1:
            return text[end:]
        start = lead_start(text, section.start, found[place - 1].end)
        text = without_lines(text, start, end)
    return text


def _trail_end(text: str, end: int, *, followed: bool) -> int:
    """Return where the comments end that follow a section's last line, and are not the next's."""
    comments = _COMMENT_LINES.match(text, end)
    trail = comments.end() if comments else end
    if trail == len(text):
        return end if followed else trail
    return trail if blanks_end(text, trail) > trail else end


def add_tasks(pieces: Pieces, number: int, tasks: Sequence[Task]) -> None:
    """Put new tasks after the last line that the task of this piece has, or where piece 0 ends."""
    text = pieces[number]
    followed = any(pieces[later] for later in range(number + 1, pieces.last + 1))
    at = _own_end(text, followed=followed) if number else len(text)
    above, rest = text[:at], text[at:]
    newline = newline_of(text)
    blocks = newline.join(task_lines(task, newline) for task in tasks)
    if above.endswith("\n") or not above:
        gap = newline if above.strip() and blanks_start(above, at) == at else ""
    else:
        gap = newline * 2
        blocks = blocks if rest or followed else blocks.removesuffix(newline)
    is_open = (rest or followed) and not blanks_end(rest, 0)
    pieces[number] = above + gap + blocks + (newline if is_open else "") + rest


def _own_end(text: str, *, followed: bool) -> int:
    own: list[Section] = [section for section in sections(text)[1:] if section.path[0] == "tasks"]
    return _trail_end(text, own[-1].end, followed=followed)


def with_no_tasks(text: str) -> str:
    """Say `tasks = []` at the top, for a file that would else be no plan without its last task."""
    at = top_end(text, "")
    newline = newline_of(text)
    above, rest = text[:at], text[at:]
    if above and not above.endswith("\n"):
        above += newline
    return f"{above}tasks = []{newline}{rest}"
