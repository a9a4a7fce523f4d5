"""A graph in Graphviz's language, for `dot`.

Nodes have names of our own, so that no id can break the syntax; what is said of them stands in
quotes, with backslashes, quotes and ampersands escaped, so that dot reads none as its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tt.core.model import Task
from tt.core.network import Because, Edge, Network
from tt.render.text import clip, safe
from tt.render.tree import progress_text

_LONGEST: Final = 60
_STYLES: Final = {
    "pending": 'fillcolor="#f6f8fa", color="#8c959f"',
    "assigned": 'fillcolor="#ddf4ff", color="#54aeff"',
    "running": 'fillcolor="#b6e3ff", color="#0969da", penwidth=2',
    "completed": 'fillcolor="#dafbe1", color="#2da44e"',
    "failed": 'fillcolor="#ffebe9", color="#cf222e", penwidth=2',
    "cancelled": 'fillcolor="#eaeef2", color="#8c959f", style="filled,rounded,dashed"',
}
_HEAD: Final = (
    "    rankdir=LR; compound=true; newrank=true;",
    '    node [shape=box, style="filled,rounded", fillcolor=white, fontname="sans-serif"];',
    '    edge [color="#57606a"];',
)


def dot_lines(found: Network) -> list[str]:
    """Return a digraph; groups are clusters, the arrow of a stage is a bold one."""
    names = {name: f"g{number}" for number, name in enumerate(found.groups)}
    names |= {name: f"n{number}" for number, name in enumerate(found.tasks)}
    arrows = [_arrow(edge, found, names) for edge in found.arrows()]
    title = [f"    label={_quoted(found.title)}; labelloc=t;"] if found.title else []
    return ["digraph plan {", *_HEAD, *title, *_nodes(found, names), *arrows, "}"]


def _nodes(found: Network, names: dict[str, str]) -> Iterator[str]:
    """Yield clusters and nodes; each cluster has an unseen point, where its arrows are tied."""
    inside = found.members()
    todo = [("", iter(inside[""]))]
    while todo:
        group, members = todo[-1]
        indent = "    " * len(todo)
        one = next(members, None)
        if one is None:
            todo.pop()
            if group:
                yield f"{indent[4:]}}}"
        elif one in found.groups:
            yield f"{indent}subgraph cluster_{names[one]} {{"
            yield f"{indent}    label={_group(found.groups[one], found)}; labeljust=l; margin=12;"
            yield f'{indent}    {names[one]} [shape=point, style=invis, label=""];'
            todo.append((one, iter(inside[one])))
        else:
            task = found.tasks[one]
            said = [f"label={_task(task, found)}", _STYLES.get(task.status, "style=filled")]
            yield f"{indent}{names[one]} [{', '.join(said)}];"


def _arrow(edge: Edge, found: Network, names: dict[str, str]) -> str:
    said = ["style=bold"] if edge.because is Because.STAGE else []
    said += [f"ltail=cluster_{names[edge.before]}"] if edge.before in found.groups else []
    said += [f"lhead=cluster_{names[edge.after]}"] if edge.after in found.groups else []
    attributes = f" [{', '.join(said)}]" if said else ""
    return f"    {names[edge.before]} -> {names[edge.after]}{attributes};"


def _group(task: Task, found: Network) -> str:
    return _quoted(f"{task.id}: {progress_text(found.progress[task.id])}")


def _task(task: Task, found: Network) -> str:
    agent = found.agent(task)
    state = f"{task.status} @{agent}" if agent else task.status
    return _quoted(task.id, clip(safe(task.description), _LONGEST), state)


def _quoted(*lines: str) -> str:
    escaped = [
        safe(line).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
        for line in lines
    ]  # fmt: skip
    return '"' + "\\n".join(escaped) + '"'
