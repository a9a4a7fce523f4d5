"""Parents and dependencies as a graph: what is missing, what goes in circles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from tt.core.model import Plan
from tt.core.problem import Problem

_COMPARISONS: Final = 10_000
"""About how many ids are looked at for near ones: for each dead link all of them are."""


Fault: TypeAlias = tuple[tuple[str, str], ...]
"""The (task, field) steps that are at fault; for a missing task, one step and ("", its id)."""


def graph_problems(plan: Plan, indexes: Mapping[str, int]) -> list[Problem]:
    """List unknown parents and dependencies, and every cycle once."""
    guesses = _COMPARISONS // max(len(plan.tasks), 1)
    problems = [
        _missing(plan, indexes, link, guess=count < guesses)
        for count, link in enumerate(missing_links(plan))
    ]
    return problems + [_cycle(cycle, plan, indexes) for cycle in cycles(plan)]


def missing_links(plan: Plan) -> Iterator[tuple[str, str, str]]:
    """Yield (task id, field, id it names) where a parent or a dependency is not in the plan."""
    tasks = plan.tasks
    for task in tasks.values():
        parent = task.parent
        if parent is not None and parent not in tasks:
            yield task.id, "parent", parent
        if "depends_on" in task.fields:
            for wanted in task.depends_on:
                if wanted not in tasks:
                    yield task.id, "depends_on", wanted


def _missing(
    plan: Plan, indexes: Mapping[str, int], link: tuple[str, str, str], *, guess: bool
) -> Problem:
    task, field, wanted = link
    hint = None
    if guess:
        from difflib import get_close_matches  # slow to import, and seldom needed

        near = get_close_matches(wanted, list(plan.tasks), n=1)
        hint = f"did you mean `{near[0]}`?" if near else None
    what = "parent" if field == "parent" else "dependency"
    return Problem(
        what, f"unknown {what} `{wanted}` of `{task}`", ("tasks", indexes[task], field), hint
    )


def links(plan: Plan, task_id: str) -> Iterator[tuple[str, str]]:
    """Yield (field, id) for the parent and each dependency of a task that exist."""
    task = plan.tasks[task_id]
    if task.parent in plan.tasks:
        yield "parent", str(task.parent)
    for wanted in task.depends_on:
        if wanted in plan.tasks:
            yield "depends_on", wanted


def cycles(plan: Plan) -> list[list[tuple[str, str]]]:
    """List the cycles as [(task id, field that leads to the next), …], each once.

    Parent and depends_on edges are one graph: a task that waits for its own child never starts.
    """
    found: list[list[tuple[str, str]]] = []
    done: set[str] = set()
    for start, task in plan.tasks.items():
        if start not in done and ("parent" in task.fields or "depends_on" in task.fields):
            _walk(plan, start, done, found)
    return found


def _walk(plan: Plan, start: str, done: set[str], found: list[list[tuple[str, str]]]) -> None:
    """Search depth first from `start` without recursion; chains may be thousands long."""
    path: list[tuple[str, str]] = []
    on_path: dict[str, int] = {start: 0}
    stack = [(start, links(plan, start))]
    while stack:
        node, edges = stack[-1]
        del path[len(stack) - 1 :]
        step = next(edges, None)
        if step is None:
            stack.pop()
            on_path.pop(node)
            done.add(node)
            continue
        field, target = step
        path.append((node, field))
        if target in on_path:
            found.append(path[on_path[target] :])
        elif target not in done:
            on_path[target] = len(stack)
            stack.append((target, links(plan, target)))


def _cycle(cycle: list[tuple[str, str]], plan: Plan, indexes: Mapping[str, int]) -> Problem:
    closing, field = max(cycle, key=lambda step: indexes[step[0]])
    around = " → ".join(f"`{step[0]}`" for step in [*cycle, cycle[0]])
    return Problem(
        "cycle", f"these tasks wait for each other: {around}", ("tasks", indexes[closing], field)
    )


def faults(plan: Plan) -> Iterator[Fault]:
    """Yield what is wrong with the parents and dependencies of a plan, each fault once."""
    for task, name, wanted in missing_links(plan):
        yield ((task, name), ("", wanted))
    for cycle in cycles(plan):
        start = cycle.index(min(cycle))
        yield tuple(cycle[start:] + cycle[:start])


def why(fault: Fault) -> str:
    """Say in words what a fault would be."""
    if fault[-1][0] == "":
        (task, name), (_, wanted) = fault
        return f"`{task}` would name `{wanted}`, which is gone, in its `{name}`"
    around = " → ".join(f"`{task}`" for task, _ in (*fault, fault[0]))
    return f"these tasks would wait for each other: {around}"
