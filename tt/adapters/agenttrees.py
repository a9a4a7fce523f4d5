"""Git worktrees for agents: made, looked at and removed by `git worktree`.

Nothing in here forces Git: what it would lose, it keeps.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from shlex import quote
from typing import Final, NamedTuple

from tt.adapters.gitfind import foreign_environment
from tt.adapters.gitproc import Finished, run
from tt.adapters.gitrepo import GitRepository
from tt.core.isolation import BRANCHES, AgentTree, Merge, agent_of_branch
from tt.errors import TTError

_HEADS: Final = "refs/heads/"
_PATIENCE: Final = 3600.0
"""Seconds of silence granted to a checkout: a large one says nothing while it is under way."""


class _Entry(NamedTuple):
    """One worktree as `git worktree list` has it."""

    path: Path
    branch: str
    missing: bool
    locked: bool


class AgentTrees:
    """The worktrees of one repository's agents, seen from the plan's own worktree."""

    def __init__(self, repository: GitRepository, folder: str = "") -> None:
        """`folder` is where they are made, by the agent's name, relative to the main worktree; by
        default they are beside it, as `<repository>-<agent>`."""
        self._repository, self._folder = repository, folder

    def find(self, agent: str) -> AgentTree | None:
        """Return an agent's worktree; None where it has none."""
        for entry in self._entries():
            if entry.branch == BRANCHES + agent:
                return self._looked_at(entry)
        return None

    def list(self) -> list[AgentTree]:
        """Look at the worktrees of all agents, by their paths."""
        entries = [entry for entry in self._entries() if agent_of_branch(entry.branch)]
        return [self._looked_at(entry) for entry in sorted(entries)]

    def add(self, agent: str) -> AgentTree:
        """Make a worktree at HEAD on the agent's branch, or on that branch where it is there.

        Raises TTError where Git refuses.
        """
        path, branch = self.place(agent), BRANCHES + agent
        known = self._git("rev-parse", "--verify", "--quiet", f"{_HEADS}{branch}").code == 0
        new = ("-b", branch, "--", str(path), "HEAD")
        answer = self._long("add", "--quiet", *(("--", str(path), branch) if known else new))
        if answer.code != 0:
            raise TTError(
                f"Git cannot make the worktree {path}: {answer.words}.",
                "`git worktree list` shows those that are there.",
            )
        found = self.find(agent)
        if found is None:
            raise TTError(f"The worktree {path} was made, and is gone again.")
        return found

    def remove(self, tree: AgentTree) -> bool:
        """Remove a worktree, and its branch where all of it is merged; say whether the branch is
        gone, too. Raises TTError where Git sees something in it that would be lost."""
        words = ("prune",) if tree.missing else ("remove", "--", tree.path)
        answer = self._long(*words)
        if answer.code != 0:
            raise TTError(
                f"Git keeps the worktree {tree.path}: {answer.words}.",
                f"`git -C {quote(tree.path)} status` shows what is in it.",
            )
        return self._git("branch", "--quiet", "-d", "--", tree.branch).code == 0

    def place(self, agent: str) -> Path:
        """Return where an agent's worktree is made."""
        main = self._main
        if self._folder:
            return Path(os.path.normpath(main / Path(self._folder).expanduser() / agent))
        return main.with_name(f"{main.name}-{agent}")

    @property
    def _main(self) -> Path:
        """The main worktree, or the bare repository in its place."""
        return next(self._entries()).path

    def _entries(self) -> Iterator[_Entry]:
        answer = self._git("worktree", "list", "--porcelain")
        if answer.code != 0:
            raise TTError(
                f"Git cannot list the worktrees of {self._repository.state.top}: {answer.words}."
            )
        for block in os.fsdecode(answer.out).strip().split("\n\n"):
            said = dict(line.partition(" ")[::2] for line in block.splitlines())
            yield _entry(said)

    def _looked_at(self, entry: _Entry) -> AgentTree:
        """Ask what is in a worktree and in its branch."""
        ahead = self._count(f"HEAD..{_HEADS}{entry.branch}")
        merge, clashes = self._merge(entry.branch) if ahead else (Merge.NOTHING, ())
        return AgentTree(
            agent_of_branch(entry.branch), str(entry.path), entry.branch, ahead,
            0 if entry.missing else self._changed(entry.path), merge, clashes,
            entry.missing, entry.locked,
        )  # fmt: skip

    def _count(self, commits: str) -> int:
        answer = self._git("rev-list", "--count", commits)
        if answer.code != 0:
            raise TTError(f"Git cannot compare {commits}: {answer.words}.")
        return int(answer.out)

    def _changed(self, path: Path) -> int:
        """Count the files of a worktree with uncommitted work, new ones too."""
        words = ["-C", str(path), "status", "--porcelain", "--untracked-files=all", "-z"]
        answer = run(words, foreign_environment(os.environ))
        if answer.code != 0:
            raise TTError(f"Git cannot say what is in {path}: {answer.words}.")
        return len([entry for entry in answer.out.split(b"\0") if entry[2:3] == b" "])

    def _merge(self, branch: str) -> tuple[Merge, tuple[str, ...]]:
        """Merge in Git's store alone, and say how it goes; Git before 2.38 cannot."""
        words = ("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z")
        answer = self._git(*words, "HEAD", f"{_HEADS}{branch}")
        tree, *clashes = os.fsdecode(answer.out).rstrip("\0").split("\0")
        if answer.code == 1 and tree:
            return Merge.CONFLICTS, tuple(dict.fromkeys(filter(None, clashes)))
        if answer.code != 0:
            return Merge.UNKNOWN, ()
        head = self._git("rev-parse", "HEAD^{tree}").out.decode("ascii").strip()
        return (Merge.NOTHING if tree.strip() == head else Merge.CLEAN), ()

    def _long(self, *words: str) -> Finished:
        """Let Git work on files, for as long as it takes."""
        top = str(self._repository.state.top)
        return run(["-C", top, "worktree", *words], self._repository.environment, b"", _PATIENCE)

    def _git(self, *words: str) -> Finished:
        return self._repository.git(*words)


def _entry(said: Mapping[str, str]) -> _Entry:
    branch = said.get("branch", "").removeprefix(_HEADS)
    return _Entry(Path(said["worktree"]), branch, "prunable" in said, "locked" in said)
