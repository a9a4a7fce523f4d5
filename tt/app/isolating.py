"""Giving an agent a worktree of its own, and taking it away when nothing is lost with it."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote
from typing import Protocol

from tt.core.agents import GONE
from tt.core.isolation import AgentTree, Merge
from tt.errors import TTError
from tt.record import record
from tt.workports import Workshop


class Trees(Protocol):
    """The worktrees of a repository's agents. Every method raises TTError where Git refuses."""

    def find(self, agent: str) -> AgentTree | None:
        """Return an agent's worktree; None where it has none."""
        ...

    def list(self) -> Sequence[AgentTree]:
        """Look at those of all agents."""
        ...

    def add(self, agent: str) -> AgentTree:
        """Make one at HEAD, on the agent's branch."""
        ...

    def remove(self, tree: AgentTree) -> bool:
        """Remove one, and its branch where that is merged; say whether the branch is gone, too."""
        ...


@record
class Added:
    """An agent's worktree, which was made just now or was there."""

    tree: AgentTree
    made: bool


@record
class Removed:
    """A worktree that is no more; `branch_gone` says whether its branch went with it."""

    tree: AgentTree
    branch_gone: bool


def provide(trees: Trees, agent: str) -> Added:
    """Return the agent's worktree; make it where there is none."""
    found = trees.find(agent)
    if found is not None and not found.missing:
        return Added(found, made=False)
    if found is not None:
        trees.remove(found)
    return Added(trees.add(agent), made=True)


def remove(trees: Trees, workshop: Workshop, agent: str) -> Removed:
    """Remove an agent's worktree. Raises TTError where something would be lost, or the agent is at
    work in it; StoreError where that cannot be known."""
    found = trees.find(agent)
    if found is None:
        raise TTError(f"The agent {agent} has no worktree.", "`tt worktree list` shows all.")
    _check_unused(workshop, agent)
    _check_saved(found)
    return Removed(found, trees.remove(found))


def _check_unused(workshop: Workshop, name: str) -> None:
    for agent in workshop.agents().values():
        if agent.name == name and agent.state not in GONE:
            raise TTError(
                f"The agent {name} is {agent.state}, and its worktree is where it works.",
                f"`tt close {name}` lets it finish, `tt wait {name}` waits until it has.",
            )


def _check_saved(tree: AgentTree) -> None:
    if tree.changed:
        files = "1 file" if tree.changed == 1 else f"{tree.changed:,} files"
        raise TTError(
            f"{tree.path} has uncommitted work in it ({files}).",
            f"`git -C {quote(tree.path)} status` shows it; commit it there.",
        )
    if tree.ahead and tree.merge is not Merge.NOTHING:
        one = tree.ahead == 1
        commits = "1 commit that is" if one else f"{tree.ahead:,} commits that are"
        it = "it" if one else "them"
        branch = quote(tree.branch)
        raise TTError(
            f"The branch {tree.branch} has {commits} not merged.",
            f"`git log HEAD..{branch}` shows {it}, `git merge {branch}` brings {it} in.",
        )
