"""A town kept in a file, put back, or made empty."""

from __future__ import annotations

from tt.core.worked import Cleared, Restored, Saved
from tt.render.text import Look, count, safe


def saved_lines(found: Saved, look: Look) -> list[str]:
    """Return where a town is kept now."""
    told = f"Saved {safe(found.town)}: {count(found.keys, 'key')} in {safe(found.file)}"
    return [look.paint(told, "green")]


def restored_lines(found: Restored, town: str, look: Look) -> list[str]:
    """Return what was put back."""
    whose = "" if found.town == town else f" (it was {safe(found.town)})"
    lines = [] if found.before is None else [f"What was there is in {safe(found.before.file)}"]
    told = f"Restored {safe(town)}{whose}: {count(found.keys, 'key')} from {safe(found.file)}"
    return [
        *lines,
        look.paint(told, "green"),
        "Agents in it may be gone since: `tt recover` gives back what they held.",
    ]


def cleared_lines(found: Cleared, town: str, look: Look) -> list[str]:
    """Return what was taken away."""
    parts = [count(found.agents, "agent"), count(found.tasks, "task")]
    parts += [f"{found.backlog:,} in the backlog"] if found.backlog else []
    lines = [look.paint(f"Reset {safe(town)}: removed {', '.join(parts)}.", "green")]
    if found.given_back:
        lines.append(f"{count(found.given_back, 'task')} of agents given back.")
    if found.saved is not None:
        lines.append(f"What was there is in {safe(found.saved.file)}; `tt restore` puts it back.")
    return lines
