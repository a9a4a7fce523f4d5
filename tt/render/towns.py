"""The towns of one Redis."""

from __future__ import annotations

from collections.abc import Sequence

from tt.core.answers import TownFound
from tt.render.text import Look, columns, count, pad, safe


def town_lines(towns: Sequence[TownFound], here: str | None, address: str, look: Look) -> list[str]:
    """Return a line for each town; the one of this directory has a star."""
    if not towns:
        return [f"No towns at {safe(address)}."]
    width = max(columns(safe(town.name)) for town in towns)
    lines = [f"Towns at {safe(address)}"]
    for town in towns:
        mark = look.paint("*", "green") if town.name == here else " "
        branch = f"  branch {safe(town.branch)}" if town.branch else ""
        agents = f", {count(town.agents, 'agent')}" if town.agents else ""
        lines.append(
            f"{mark} {pad(safe(town.name), width)}  {count(town.tasks, 'task')}{agents}{branch}"
        )
    return lines
