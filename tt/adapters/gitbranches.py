"""Which branches a repository still has, anywhere: its own, its worktrees', its remotes'."""

from __future__ import annotations

import os

from tt.adapters.gitproc import Finished
from tt.adapters.gitrepo import GitRepository
from tt.errors import TTError

_HEADS = "refs/heads/"
_REMOTES = "refs/remotes/"


class Branches:
    """The branches of a repository as they were when they were read."""

    def __init__(self, own: frozenset[str], tracked: frozenset[str]) -> None:
        """Take the repository's own branches, and its remotes' as `<remote>/<branch>`."""
        self._own = own
        self._tracked = tracked

    def has(self, branch: str) -> bool:
        """Say whether a branch is there, in this repository or, as far as is known, on a remote.

        A remote's name may have slashes, too: what could be the branch of one is taken for it.
        """
        return branch in self._own or any(name.endswith(f"/{branch}") for name in self._tracked)


def read_branches(repository: GitRepository) -> Branches:
    """Read all branches; one that is checked out counts before its first commit. Raises TTError."""
    own: set[str] = set()
    tracked: set[str] = set()
    for ref in _lines(repository, "for-each-ref", "--format=%(refname)", _HEADS, _REMOTES):
        (own if ref.startswith(_HEADS) else tracked).add(_short(ref))
    for line in _lines(repository, "worktree", "list", "--porcelain"):
        kind, _, ref = line.partition(" ")
        if kind == "branch":
            own.add(_short(ref))
    return Branches(frozenset(own), frozenset(tracked))


def _short(ref: str) -> str:
    return ref.removeprefix(_HEADS).removeprefix(_REMOTES)


def _lines(repository: GitRepository, *arguments: str) -> list[str]:
    answer: Finished = repository.git(*arguments)
    if answer.code != 0:
        raise TTError(
            f"Git cannot list the branches of {repository.state.top}: {answer.words}.",
            "`git fsck` says what is damaged.",
        )
    return os.fsdecode(answer.out).splitlines()
