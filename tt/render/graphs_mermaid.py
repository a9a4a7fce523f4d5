"""A graph in Mermaid's language, as forges draw it in Markdown.

Nodes have names of our own, so that no id can break the syntax. In labels everything but letters,
digits, blanks and commas is written as an entity: quotes, brackets, and what Mermaid takes for
Markdown or HTML.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tt.core.model import Task
from tt.core.network import Because, Network
from tt.render.text import clip, safe
from tt.render.tree import ORDER, progress_text

MOST_ARROWS: Final = 500
"""More than that Mermaid refuses to draw, where nobody has set its `maxEdges`."""
_LONGEST: Final = 60
_STYLES: Final = {
    "pending": "fill:#f6f8fa,stroke:#8c959f,color:#1f2328",
    "assigned": "fill:#ddf4ff,stroke:#54aeff,color:#1f2328",
    "running": "fill:#b6e3ff,stroke:#0969da,stroke-width:2px,color:#1f2328",
    "completed": "fill:#dafbe1,stroke:#2da44e,color:#1f2328",
    "failed": "fill:#ffebe9,stroke:#cf222e,stroke-width:2px,color:#1f2328",
    "cancelled": "fill:#eaeef2,stroke:#8c959f,stroke-dasharray:4,color:#6e7781",
}


def mermaid_lines(found: Network) -> list[str]:
    """Return a flowchart; groups are subgraphs, the arrow of a stage is a thick one."""
    names = {name: f"g{number}" for number, name in enumerate(found.groups)}
    names |= {name: f"n{number}" for number, name in enumerate(found.tasks)}
    arrows = [
        f"    {names[edge.before]} {'==>' if edge.because is Because.STAGE else '-->'} "
        f"{names[edge.after]}"
        for edge in found.arrows()
    ]
    statuses = {task.status for task in found.tasks.values()}
    styles = [f"    classDef {name} {_STYLES[name]}" for name in ORDER if name in statuses]
    return ["flowchart LR", *_nodes(found, names), *arrows, *styles]


def _nodes(found: Network, names: dict[str, str]) -> Iterator[str]:
    inside = found.members()
    todo = [("", iter(inside[""]))]
    while todo:
        group, members = todo[-1]
        indent = "    " * len(todo)
        one = next(members, None)
        if one is None:
            todo.pop()
            if group:
                yield f"{indent[4:]}end"
        elif one in found.groups:
            yield f'{indent}subgraph {names[one]}["{_group(found.groups[one], found)}"]'
            todo.append((one, iter(inside[one])))
        else:
            task = found.tasks[one]
            style = f":::{task.status}" if task.status in _STYLES else ""
            yield f'{indent}{names[one]}["{_task(task, found)}"]{style}'


def _group(task: Task, found: Network) -> str:
    return _escaped(f"{task.id}, {progress_text(found.progress[task.id])}")


def _task(task: Task, found: Network) -> str:
    agent = found.agent(task)
    lines = [task.id, clip(safe(task.description), _LONGEST)]
    lines += [f"{task.status} @{agent}" if agent else task.status]
    return "<br/>".join(map(_escaped, lines))


def _escaped(text: str) -> str:
    return "".join(
        char if char in " ," or char.isalnum() else f"#{ord(char)};" for char in safe(text)
    )
