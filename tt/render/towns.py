"""The towns of one Redis, and what became of those whose branch is gone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tt.core.answers import TownFound, Verdict
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


def prune_lines(verdicts: Sequence[Verdict], look: Look) -> list[str]:
    """Return a line for each town whose branch is gone: it can go, or why it stays."""
    if not verdicts:
        return ["No town of this repository has lost its branch."]
    return [_verdict_line(verdict, look) for verdict in verdicts]


def _verdict_line(verdict: Verdict, look: Look) -> str:
    town = verdict.town
    sign = look.paint("-", "red") if verdict.goes else look.paint("=", "dim")
    gone = f"{safe(town.name)}  {count(town.tasks, 'task')}, branch {safe(town.branch)} is gone"
    return f"{sign} {gone}" if verdict.goes else f"{sign} {gone}; it stays: {safe(verdict.why)}"


def pruned_lines(
    verdicts: Sequence[Verdict], removed: Sequence[TownFound], look: Look, *, done: bool
) -> list[str]:
    """Return what became of them, after `prune_lines`."""
    able = sum(verdict.goes for verdict in verdicts)
    if not able:
        return []
    if not done:
        return [f"Nothing was removed; with --yes {count(able, 'town')} would be."]
    busy = able - len(removed)
    lines = [look.paint(f"Removed {count(len(removed), 'town')}.", "green")]
    return [*lines, f"{count(busy, 'town')} got work meanwhile and stayed."] if busy else lines


def forgotten_lines(worktrees: Sequence[Path]) -> list[str]:
    """Return a line for each worktree that is gone and that `tt watch --all` looks for no more."""
    return [f"Forgot the worktree {safe(str(top))}, which is gone." for top in worktrees]
