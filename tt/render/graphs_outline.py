"""What the languages of graphs have in common: names for nodes, what is said of them, colours, and
groups within groups. How each writes it down is its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from tt.core.model import Task
from tt.core.network import Network
from tt.render.text import clip, safe
from tt.render.tree import progress_text

_LONGEST: Final = 60
COLORS: Final[Mapping[str, tuple[str, str]]] = {
    "pending": ("#f6f8fa", "#8c959f"), "assigned": ("#ddf4ff", "#54aeff"),
    "running": ("#b6e3ff", "#0969da"), "completed": ("#dafbe1", "#2da44e"),
    "failed": ("#ffebe9", "#cf222e"), "cancelled": ("#eaeef2", "#8c959f"),
}  # fmt: skip
"""What a task of each status is filled with, and its border."""


def node_names(found: Network) -> dict[str, str]:
    """Map ids to names of our own, which no language can take for anything else."""
    names = {name: f"g{number}" for number, name in enumerate(found.groups)}
    return names | {name: f"n{number}" for number, name in enumerate(found.tasks)}


def task_words(task: Task, found: Network) -> tuple[str, str, str]:
    """Return the lines of a task: its id, what it is, how far it is and whose."""
    agent = found.agent(task)
    state = f"{task.status} @{agent}" if agent else task.status
    return task.id, clip(safe(task.description), _LONGEST), state


def group_words(group: Task, found: Network) -> tuple[str, str]:
    """Return a group's id, and how far it is."""
    return group.id, progress_text(found.progress[group.id])


def outline(
    found: Network, group: Callable[[Task], Sequence[str]], task: Callable[[Task], str], end: str
) -> Iterator[str]:
    """Yield lines for all groups and tasks, each as deep as it is in.

    `group` returns the line that opens a group, and those that come first in it; `end` closes it.
    """
    inside = found.members()
    todo = [iter(inside[""])]
    while todo:
        indent = "    " * len(todo)
        one = next(todo[-1], None)
        if one is None:
            todo.pop()
            if todo:
                yield f"{indent[4:]}{end}"
        elif one in found.groups:
            opening, *first = group(found.groups[one])
            yield f"{indent}{opening}"
            yield from (f"{indent}    {line}" for line in first)
            todo.append(iter(inside[one]))
        else:
            yield f"{indent}{task(found.tasks[one])}"
