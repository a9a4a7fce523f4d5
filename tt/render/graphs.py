"""What waits for what, as lines of text: in the manner of `git log --graph`, time going down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from tt.core.lanes import Knot, Turn, strands
from tt.core.model import Task
from tt.core.network import Network
from tt.render.jsonout import task_data
from tt.render.text import Look, columns, count, pad, safe
from tt.render.tree import COLORS, SYMBOLS, groups_data, progress_text, status_counts

GROUP: Final = "▣"
"""The symbol of a group; tasks have those of their statuses."""
_LONGEST_ID: Final = 36
_SHOWN: Final = 400
"""Tasks that are shown unless all are asked for."""
_NAMED: Final = 3
_PLAIN: Final = str.maketrans({
    "│": "|", "─": "-", "├": "+", "┤": "+", "┬": ".", "┴": "'", "┼": "+", "╭": ".", "╮": ".",
    "╯": "'", "╰": "'", "←": "<", "↓": "|", GROUP: "#",
    **dict.fromkeys(SYMBOLS.values(), "o"),
    SYMBOLS["completed"]: "*", SYMBOLS["failed"]: "x", SYMBOLS["cancelled"]: "-",
})  # fmt: skip
"""What is drawn where symbols may not be."""


def graph_lines(found: Network, look: Look) -> list[str]:
    """Draw a graph, each task below what it waits for, and say how large it is."""
    drawn = strands(found)
    total = len(found.tasks) + len(found.groups)
    shown = _first(drawn.lines, total if look.all else _SHOWN)
    heads = [_knot(line, found) if isinstance(line, Knot) else _turn(line) for line in shown]
    knots = [line for line in shown if isinstance(line, Knot)]
    width = min(max((columns(safe(line.node)) for line in knots), default=0), _LONGEST_ID)
    left = max(map(len, heads), default=0)
    lines = [look.paint(safe(found.title), "bold")] if found.title else []
    for line, head in zip(shown, heads, strict=True):
        cells = head if look.symbols else head.translate(_PLAIN)
        if isinstance(line, Knot):
            lines.append(_row(line, pad(cells, left), found, width, look))
        else:
            lines.append(look.paint(cells, "dim"))
    if len(knots) < total:
        lines.append(f"… and {total - len(knots):,} more; `tt -v graph` shows all.")
    return [*lines, look.paint(_summary(found, drawn.levels), "dim")]


def _first(lines: Sequence[Knot | Turn], most: int) -> list[Knot | Turn]:
    """Return the lines up to the last of the first `most` tasks."""
    shown: list[Knot | Turn] = []
    for line in lines:
        most -= isinstance(line, Knot)
        if most < 0:
            break
        shown.append(line)
    return shown


def _knot(line: Knot, found: Network) -> str:
    cells = [" "] * (2 * max(line.at + 1, len(line.lanes)))
    for lane, is_open in enumerate(line.lanes):
        cells[2 * lane] = "│" if is_open else " "
    if line.joins is not None:
        _draw_across(cells, line.joins, line.at)
        cells[2 * line.joins] = "╭" if line.begins else "├"
        cells[2 * line.joins + 1] = "←"
    task = found.tasks.get(line.node)
    cells[2 * line.at] = GROUP if task is None else SYMBOLS.get(task.status, "?")
    return "".join(cells).rstrip()


def _turn(line: Turn) -> str:
    last = max(*line.to, line.start) if line.to else line.start
    cells = [" "] * (2 * max(last + 1, len(line.lanes)))
    for lane, is_open in enumerate(line.lanes):
        cells[2 * lane] = "│" if is_open else " "
    if line.to == (line.start,):
        cells[2 * line.start] = "↓"
        return "".join(cells).rstrip()
    ends = [*line.to, line.start]
    low, high = min(ends), max(ends)
    _draw_across(cells, low, high)
    for lane in line.to:
        cells[2 * lane] = _corner(lane, low, high, is_new=lane in line.begun)
    cells[2 * line.start] = _source(line.start, low, high, goes_on=line.start in line.to)
    return "".join(cells).rstrip()


def _draw_across(cells: list[str], low: int, high: int) -> None:
    """Draw a line from lane to lane, below those that it only crosses."""
    for at in range(2 * low + 1, 2 * high):
        cells[at] = "─" if cells[at] == " " else cells[at]


def _corner(lane: int, low: int, high: int, *, is_new: bool) -> str:
    """Return what is drawn where a line comes to a lane from its side."""
    if lane == low:
        return "╭" if is_new else "├"
    if lane == high:
        return "╮" if is_new else "┤"
    return "┬" if is_new else "┼"


def _source(lane: int, low: int, high: int, *, goes_on: bool) -> str:
    """Return what is drawn below the node that lines lead away from."""
    if lane == low:
        return "├" if goes_on else "╰"
    if lane == high:
        return "┤" if goes_on else "╯"
    return "┼" if goes_on else "┴"


def _row(line: Knot, head: str, found: Network, width: int, look: Look) -> str:
    task = found.named(line.node)
    status = task.status
    symbol = f"{SYMBOLS.get(status, '?')} " if look.symbols else ""
    state = pad(f"{symbol}{safe(status)}", 11 if look.symbols else 9)
    extra = _extra(task, line, found)
    identifier = pad(safe(task.id), width)
    used = columns(f"{head}  {identifier}  {state}  {extra}") + 2
    text = look.fit(safe(task.description), used)
    colors = COLORS.get(status, ())
    name = look.paint(identifier, "bold") if line.node in found.groups else identifier
    parts = [look.paint(head, *colors), name, look.paint(state, *colors), text]
    return "  ".join(part for part in [*parts, look.paint(extra, "dim")] if part).rstrip()


def _extra(task: Task, line: Knot, found: Network) -> str:
    """Return progress, agent, and what the drawing does not say, as far as there is some."""
    progress = found.progress.get(task.id) if task.id in found.groups else None
    agent = found.agent(task)
    parts = [progress_text(progress)] if progress else []
    parts += [f"@{safe(agent)}"] if agent else []
    parts += [f"after {_names(line.untold)}"] if line.untold else []
    lost = found.lost.get(task.id, ())
    parts += [f"waits for {_names(lost)}, which nobody has"] if lost else []
    return " ".join(parts)


def _names(identifiers: Sequence[str]) -> str:
    names = [safe(identifier) for identifier in identifiers[:_NAMED]]
    more = len(identifiers) - len(names)
    return ", ".join(names) + (f" and {more:,} more" if more else "")


def _summary(found: Network, levels: int) -> str:
    counted = Counter(task.status for task in found.tasks.values())
    number = len(found.tasks)
    parts = [count(number, "task")]
    parts += [count(levels, "level")] if number else []
    parts += [count(len(found.groups), "group")] if found.groups else []
    hidden = f"; {found.hidden:,} more in the plan" if found.hidden else ""
    states = status_counts(counted)
    return f"{', '.join(parts)}{': ' if states else ''}{states}{hidden}"


def graph_data(found: Network) -> dict[str, object]:
    """Return a graph for programs: nodes, groups, and what waits for what."""
    return {
        "title": found.title,
        "tasks": [
            {
                **task_data(task),
                "group": found.around.get(task.id),
                "held_by": found.holders.get(task.id),
            }
            for task in found.tasks.values()
        ],
        "groups": [
            {**task_data(group), "group": found.around.get(group.id)}
            for group in found.groups.values()
        ],
        "progress": groups_data({name: found.progress[name] for name in found.groups}),
        "edges": found.edges,
        "lost": found.lost,
        "hidden": found.hidden,
    }
