"""A graph as one SVG picture that needs nothing else: no script, no font, no other file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final
from xml.sax.saxutils import escape

from tt.core.layers import ACROSS, HEAD, Box, Drawing, Point, Size, lay_out
from tt.core.model import Task
from tt.core.network import Because, Network
from tt.render.graphs_outline import COLORS
from tt.render.text import clip, columns, safe
from tt.render.tree import SYMBOLS, progress_text

_LETTER: Final = 7.3
"""How wide a letter is taken to be: monospaced, 12 pixels high."""
_PAD: Final = 10.0
_HEIGHT: Final = 52.0
_TITLE: Final = 34.0
_LONGEST: Final = 34
_STYLE: Final = """\
text { font: 12px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #1f2328 }
.name { font-weight: bold } .said { fill: #57606a } .title { font-size: 15px; font-weight: bold }
.group { fill: #afb8c1; fill-opacity: .14; stroke: #afb8c1; stroke-dasharray: 5 3 }
.line { fill: none; stroke: #6e7781; stroke-width: 1.3 } .stage { stroke-width: 2.2 }"""
_ARROW: Final = (
    '<defs><marker id="end" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8"'
    ' markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z" fill="#6e7781"/>'
    "</marker></defs>"
)
# XML has no word for these, however they are written.
_NO_XML: Final = {0xFFFE: "\ufffd", 0xFFFF: "\ufffd"}


def svg_lines(found: Network) -> list[str]:
    """Return the picture's text."""
    arrows = found.arrows()
    sizes = {name: _size(task, found) for name, task in found.tasks.items()}
    titles = {
        name: columns(_group_text(task, found)) * _LETTER for name, task in found.groups.items()
    }
    edges = [(edge.before, edge.after) for edge in arrows]
    drawing = lay_out(sizes, found.members(), edges, titles)
    top = _TITLE if found.title else 0.0
    width = max(drawing.size.width, columns(safe(found.title)) * 9.3 + 2 * _PAD)
    height = drawing.size.height + top
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
        f"<title>{_text(found.title or 'plan')}</title>",
        f"<style>{_STYLE}</style>",
        _ARROW,
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        *_heading(found.title),
        f'<g transform="translate(0 {top:.0f})">',
        *(_group(name, drawing.boxes[name], found) for name in found.groups),
        *_lines(drawing, [edge.because for edge in arrows]),
        *(_task(task, drawing.boxes[name], found) for name, task in found.tasks.items()),
        "</g>",
        "</svg>",
    ]


def _heading(title: str) -> list[str]:
    return [f'<text class="title" x="14" y="24">{_text(title)}</text>'] if title else []


def _size(task: Task, found: Network) -> Size:
    widest = max(map(columns, _words(task, found)))
    return Size(widest * _LETTER + 2 * _PAD, _HEIGHT)


def _words(task: Task, found: Network) -> tuple[str, str, str]:
    """Return the three lines of a task's box."""
    agent = found.agent(task)
    state = f"{SYMBOLS.get(task.status, '?')} {safe(task.status)}"
    said = f"{state}  @{safe(agent)}" if agent else state
    return (
        clip(safe(task.id), _LONGEST),
        clip(safe(task.description), _LONGEST),
        clip(said, _LONGEST),
    )


def _group_text(task: Task, found: Network) -> str:
    return f"{clip(safe(task.id), _LONGEST)}  {progress_text(found.progress[task.id])}"


def _group(name: str, box: Box, found: Network) -> str:
    task = found.groups[name]
    return (
        f'<g><title>{_text(task.description)}</title>{_rectangle(box)} class="group" rx="8"/>'
        f'<text class="name" x="{box.x + _PAD:.1f}" y="{box.y + HEAD - 5:.1f}">'
        f"{_text(_group_text(task, found))}</text></g>"
    )


def _task(task: Task, box: Box, found: Network) -> str:
    fill, stroke = COLORS.get(task.status, ("#ffffff", "#8c959f"))
    name, description, state = map(_text, _words(task, found))
    x = box.x + _PAD
    return (
        f"<g><title>{_text(f'{task.id}: {task.description}')}</title>{_rectangle(box)}"
        f' fill="{fill}" stroke="{stroke}" rx="6"/>'
        f'<text class="name" x="{x:.1f}" y="{box.y + 17:.1f}">{name}</text>'
        f'<text x="{x:.1f}" y="{box.y + 31:.1f}">{description}</text>'
        f'<text class="said" x="{x:.1f}" y="{box.y + 45:.1f}">{state}</text></g>'
    )


def _rectangle(box: Box) -> str:
    return (
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}"'
    )


def _lines(drawing: Drawing, because: Sequence[Because]) -> Iterator[str]:
    for points, why in zip(drawing.lines, because, strict=True):
        kind = "line stage" if why is Because.STAGE else "line"
        yield f'<path class="{kind}" d="{_curve(points)}" marker-end="url(#end)"/>'


def _curve(points: Sequence[Point]) -> str:
    """Bend from point to point, level where it leaves one and comes to the next."""
    parts = [f"M{points[0].x:.1f} {points[0].y:.1f}"]
    for here, there in pairwise(points):
        reach = max((there.x - here.x) / 2, ACROSS / 2)
        parts.append(
            f"C{here.x + reach:.1f} {here.y:.1f} {there.x - reach:.1f} {there.y:.1f}"
            f" {there.x:.1f} {there.y:.1f}"
        )
    return "".join(parts)


def _text(text: str) -> str:
    return escape(safe(text).translate(_NO_XML))
