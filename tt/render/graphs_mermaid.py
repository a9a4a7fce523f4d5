"""A graph in Mermaid's language, as forges draw it in Markdown.

Nodes have names of our own, so that no id can break the syntax. In labels everything but letters,
digits, blanks, commas and what stands inside a word is written as an entity: quotes, brackets, and
what Mermaid takes for Markdown or HTML.
"""

from __future__ import annotations

import re
from typing import Final

from tt.core.model import Task
from tt.core.network import Because, Network
from tt.render.graphs_outline import COLORS, group_words, node_names, outline, task_words
from tt.render.text import safe
from tt.render.tree import ORDER

MOST_ARROWS: Final = 500
"""More than that Mermaid refuses to draw, where nobody has set its `maxEdges`."""
_TEXT: Final = "#1f2328"
_ENTITIES: Final = r"(?!(?<=[^\W_])[-/](?=[^\W_])|@(?=[^\W_]))(?:_|[^\w ,…])"
"""What is no letter or digit, and neither inside a word (`a-b`, `1/4`) nor before one (`@dev`)."""
_MORE: Final = {
    "running": f"stroke-width:2px,color:{_TEXT}", "failed": f"stroke-width:2px,color:{_TEXT}",
    "cancelled": "stroke-dasharray:4,color:#6e7781",
}  # fmt: skip


def mermaid_lines(found: Network) -> list[str]:
    """Return a flowchart; groups are subgraphs, the arrow of a stage is a thick one."""
    names = node_names(found)

    def group(task: Task) -> list[str]:
        return [f'subgraph {names[task.id]}["{_escaped(", ".join(group_words(task, found)))}"]']

    def node(task: Task) -> str:
        label = "<br/>".join(map(_escaped, task_words(task, found)))
        style = f":::{task.status}" if task.status in COLORS else ""
        return f'{names[task.id]}["{label}"]{style}'

    arrows = [
        f"    {names[edge.before]} {'==>' if edge.because is Because.STAGE else '-->'} "
        f"{names[edge.after]}"
        for edge in found.arrows()
    ]
    statuses = {task.status for task in found.tasks.values()}
    styles = [f"    classDef {name} {_style(name)}" for name in ORDER if name in statuses]
    return ["flowchart LR", *outline(found, group, node, "end"), *arrows, *styles]


def _style(status: str) -> str:
    fill, stroke = COLORS[status]
    return f"fill:{fill},stroke:{stroke},{_MORE.get(status, f'color:{_TEXT}')}"


def _escaped(text: str) -> str:
    return re.sub(_ENTITIES, lambda found: f"#{ord(found[0])};", safe(text))
