"""`tt worktree`: agents that work in Git worktrees of their own."""

from __future__ import annotations

import click

from tt.cli.group import Family
from tt.cli.options import json_option
from tt.cli.screen import Flags, answer, examples
from tt.errors import ExitCode


@click.group(
    cls=Family,
    epilog=examples(
        "tt worktree add dev         make one, on the branch tt/dev",
        "tt spawn dev --worktree     the same, and start the agent in it",
        "tt worktree list            which are ready to be merged",
        "tt worktree remove dev      when its branch is merged",
    ),
)
def worktree() -> None:
    """Let agents work apart from each other, each in a Git worktree and on a branch of its own.

    The plan and its town stay those of this worktree. What an agent commits is on `tt/AGENT`, and
    merging it is yours.
    """


@worktree.command("add")
@click.argument("agent")
@json_option
@click.pass_obj
def add(flags: Flags, /, agent: str, *, as_json: bool) -> int:
    """Make a worktree for an agent; one that is there is kept as it is.

    It is beside this repository, as REPOSITORY-AGENT, or in `agents.worktrees`.
    """
    from tt.app.isolating import provide
    from tt.cli.spawn import check_name
    from tt.render.text import safe

    check_name(agent)
    with flags.project() as project:
        added = provide(project.agent_trees, agent)
    verb = "Made" if added.made else "There is already"
    line = f"{verb} {safe(added.tree.path)}, on the branch {safe(added.tree.branch)}."
    answer(flags, added, lambda _: [line], as_json=as_json)
    return ExitCode.DONE


@worktree.command("list", short_help="List agents' worktrees, and what merging each would be.")
@json_option
@click.pass_obj
def show(flags: Flags, /, *, as_json: bool) -> int:
    """List agents' worktrees, and what merging each would be; needs no Redis."""
    from tt.render.isolation import tree_data, tree_lines

    with flags.project() as project:
        found = project.agent_trees.list()
    data = {"worktrees": tree_data(found)}
    answer(flags, data, lambda look: tree_lines(found, look), as_json=as_json)
    return ExitCode.DONE


@worktree.command("remove")
@click.argument("agent")
@json_option
@click.pass_obj
def remove(flags: Flags, /, agent: str, *, as_json: bool) -> int:
    """Remove an agent's worktree, and its branch.

    Refused while the agent is there, and where something in it is not committed or not merged.
    """
    from tt.app.isolating import remove as remove_tree
    from tt.render.text import safe

    with flags.project() as project:
        removed = remove_tree(project.agent_trees, project.workshop, agent)
    branch = safe(removed.tree.branch)
    kept = "and its branch" if removed.branch_gone else f"but not the branch {branch}"
    line = f"Removed {safe(removed.tree.path)}, {kept}."
    answer(flags, removed, lambda _: [line], as_json=as_json)
    return ExitCode.DONE
