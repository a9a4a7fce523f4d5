"""What TAB offers: task ids and filters, read from the plan as it is; mistakes in it are silent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tt.cli.screen import Flags
from tt.core.model import STATUSES, Plan
from tt.errors import TTError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_KEYS = ("status:", "tag:", "agent:", "parent:", "id:", "text:")


def complete_task(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offer the ids of the plan's tasks, each with its description."""
    from click.shell_completion import CompletionItem

    return [
        CompletionItem(task.id, help=_one_line(task.description))
        for task in _plan(ctx).tasks.values()
        if task.id.startswith(incomplete)
    ]


def complete_filter(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offer the filters' keys, and after one the values that the plan has."""
    from click.shell_completion import CompletionItem

    key, colon, start = incomplete.partition(":")
    if not colon:
        return [CompletionItem(known) for known in _KEYS if known.startswith(incomplete)]
    values = _values(key.lstrip("-!"), _plan(ctx))
    return [CompletionItem(f"{key}:{value}") for value in sorted(values) if value.startswith(start)]


def complete_agent(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offer the names of agents: those in Redis, where it answers at once, and the plan's."""
    from click.shell_completion import CompletionItem

    names = {**dict.fromkeys(_values("agent", _plan(ctx)), ""), **_agents(ctx)}
    return [
        CompletionItem(name, help=state)
        for name, state in sorted(names.items())
        if name.startswith(incomplete)
    ]


def _agents(ctx: click.Context) -> dict[str, str]:
    """Return the agents of the town, by name how they are; no server is started for that."""
    from tt.adapters.redis.opening import connect_running
    from tt.bootstrap import open_project
    from tt.render.text import safe

    options = ctx.find_root().params
    flags = Flags(options.get("town") or ".", options.get("name"), options.get("redis"))
    try:
        with open_project(flags.town, flags.settings, hasty=True) as project:
            if project.config.redis is None:
                connected = connect_running(
                    project.config.home, timeout=project.config.redis_timeout
                )
                if connected is None:
                    return {}
                connected.close()
            agents = project.workshop.agents()
    except TTError:
        return {}
    return {safe(agent.name): str(agent.state) for agent in agents.values()}


def _values(key: str, plan: Plan) -> set[str]:
    tasks = plan.tasks.values()
    if key == "status":
        return set(STATUSES)
    if key == "tag":
        return {tag for task in tasks for tag in task.tags}
    if key == "agent":
        return {task.agent for task in tasks if task.agent}
    if key == "parent":
        return {task.parent for task in tasks if task.parent}
    return {task.id for task in tasks} if key == "id" else set()


def _plan(ctx: click.Context) -> Plan:
    """Read the plan that the command line so far is about; an empty one where it cannot."""
    options = ctx.find_root().params
    flags = Flags(options.get("town") or ".", options.get("name"))
    try:
        with flags.project() as project:
            snapshot = project.plan_file.read()
    except TTError:
        return Plan()
    return Plan() if snapshot is None else snapshot.plan


def _one_line(text: str) -> str:
    from tt.render.text import clip, safe

    return clip(safe(text), 60)
