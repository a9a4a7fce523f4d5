"""A graph in Graphviz's language, for `dot`.

Nodes have names of our own, so that no id can break the syntax; what is said of them stands in
quotes, with backslashes, quotes and ampersands escaped, so that dot reads none as its own.
"""

from __future__ import annotations

from typing import Final

from tt.core.model import Task
from tt.core.network import Because, Edge, Network
from tt.render.graphs_outline import COLORS, group_words, node_names, outline, task_words
from tt.render.text import safe

_MORE: Final = {
    "running": ", penwidth=2", "failed": ", penwidth=2",
    "cancelled": ', style="filled,rounded,dashed"',
}  # fmt: skip
_HEAD: Final = (
    "    rankdir=LR; compound=true; newrank=true;",
    '    node [shape=box, style="filled,rounded", fillcolor=white, fontname="sans-serif"];',
    '    edge [color="#57606a"];',
)


def dot_lines(found: Network) -> list[str]:
    """Return a digraph; groups are clusters, the arrow of a stage is a bold one.

    Each cluster has an unseen point, where its arrows are tied.
    """
    names = node_names(found)

    def group(task: Task) -> list[str]:
        return [
            f"subgraph cluster_{names[task.id]} {{",
            f"label={_quoted(': '.join(group_words(task, found)))}; labeljust=l; margin=12;",
            f'{names[task.id]} [shape=point, style=invis, label=""];',
        ]

    def node(task: Task) -> str:
        label = _quoted(*task_words(task, found))
        return f"{names[task.id]} [label={label}, {_style(task.status)}];"

    title = [f"    label={_quoted(found.title)}; labelloc=t;"] if found.title else []
    arrows = [_arrow(edge, found, names) for edge in found.arrows()]
    return ["digraph plan {", *_HEAD, *title, *outline(found, group, node, "}"), *arrows, "}"]


def _style(status: str) -> str:
    if status not in COLORS:
        return "style=filled"
    fill, stroke = COLORS[status]
    return f'fillcolor="{fill}", color="{stroke}"{_MORE.get(status, "")}'


def _arrow(edge: Edge, found: Network, names: dict[str, str]) -> str:
    said = ["style=bold"] if edge.because is Because.STAGE else []
    said += [f"ltail=cluster_{names[edge.before]}"] if edge.before in found.groups else []
    said += [f"lhead=cluster_{names[edge.after]}"] if edge.after in found.groups else []
    attributes = f" [{', '.join(said)}]" if said else ""
    return f"    {names[edge.before]} -> {names[edge.after]}{attributes};"


def _quoted(*lines: str) -> str:
    escaped = [
        safe(line).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
        for line in lines
    ]  # fmt: skip
    return '"' + "\\n".join(escaped) + '"'
