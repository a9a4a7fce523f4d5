"""Agents' worktrees in lines: what is in them, and which are ready to be merged."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote
from typing import Final

from tt.core.isolation import AgentTree, Merge
from tt.record import as_dict
from tt.render.text import Look, columns, count, pad, safe

_CLASHES: Final = 3


def tree_lines(trees: Sequence[AgentTree], look: Look) -> list[str]:
    """List worktrees: whose, on which branch, how it stands, and where."""
    width = max((columns(safe(tree.agent)) for tree in trees), default=0)
    branch = max((columns(safe(tree.branch)) for tree in trees), default=0)
    lines = [
        f"{pad(safe(tree.agent), width)}  {pad(safe(tree.branch), branch)}  {_painted(tree, look)}"
        f"  {look.paint(safe(tree.path), 'dim')}"
        for tree in trees
    ]
    return lines or ["No agent has a worktree of its own; `tt worktree add AGENT` makes one."]


def merge_lines(trees: Sequence[AgentTree], look: Look) -> list[str]:
    """Say which branches have something for HEAD, and what to do with each; nothing of others."""
    lines = [
        f"    {safe(tree.branch)} {_painted(tree, look)}{_step(tree)}"
        for tree in trees
        if tree.has_news
    ]
    return [look.paint("Branches of agents:", "bold"), *lines] if lines else []


def _painted(tree: AgentTree, look: Look) -> str:
    color = "green" if tree.is_ready else "yellow" if tree.has_news else "dim"
    return look.paint(standing(tree), color)


def standing(tree: AgentTree) -> str:
    """Say how a worktree stands in a few words."""
    commits = count(tree.ahead, "commit")
    if tree.missing:
        return f"is gone, but its branch has {commits}" if tree.ahead else "is gone"
    if tree.changed:
        return f"has uncommitted work in {count(tree.changed, 'file')}"
    if not tree.ahead:
        return "has nothing new"
    if tree.merge is Merge.NOTHING:
        return "is merged"
    if tree.merge is Merge.CONFLICTS:
        return f"conflicts ({commits}): {_files(tree.clashes)}"
    sure = "" if tree.merge is Merge.CLEAN else ", whether it conflicts this Git cannot tell"
    return f"is ready to merge ({commits}{sure})"


def _files(names: Sequence[str]) -> str:
    more = len(names) - _CLASHES
    return ", ".join(map(safe, names[:_CLASHES])) + (f" and {more:,} more" if more > 0 else "")


def _step(tree: AgentTree) -> str:
    """Return what to do about it; it will be pasted."""
    merge = f": `git merge {quote(safe(tree.branch))}`"
    return merge if tree.is_ready else f": {safe(tree.path)}"


def tree_data(trees: Sequence[AgentTree]) -> list[dict[str, object]]:
    """Return worktrees for programs."""
    return [{**as_dict(tree), "ready": tree.is_ready} for tree in trees]
