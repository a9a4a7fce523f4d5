"""A commit of one path on top of HEAD, made with an index of its own: the user's stays as it is.

It is `git commit` that makes it, so that the user's hooks, identity and signature are in it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from tt.adapters.gitproc import Finished, run
from tt.adapters.gitrepo import GitRepository
from tt.adapters.private import make_private_directory
from tt.errors import TTError
from tt.ports import Staged

_PATIENCE: Final = 3600.0
"""Seconds of silence granted to a commit: the user's hooks may test for long."""


class GitCommitter:
    """The `Committer` port over a worktree."""

    def __init__(self, repository: GitRepository) -> None:
        self._repository = repository

    def committed(self, path: Path) -> Staged | None:
        """Return the file as HEAD has it; None where it has none."""
        answer = self._repository.git(
            "--literal-pathspecs", "ls-tree", "-z", "HEAD", "--", self._name(path)
        )
        entry = answer.out.split(b"\t", 1)[0].split()
        if answer.code != 0 or len(entry) != 3 or entry[1] != b"blob":  # mode, kind and name
            return None
        found = self._repository.objects.read(entry[2].decode("ascii"))
        return None if found is None else Staged(found.oid, entry[0].decode(), found.data)

    def commit(self, path: Path, before: Staged, data: bytes, message: str) -> str:
        """Commit HEAD's tree with `data` in the place of `before`; return the commit.

        Raises TTError where a hook of the user's refuses it, or HEAD moved meanwhile: then there is
        no such commit.
        """
        head = self._asked("rev-parse", "--verify", "HEAD^{commit}")
        folder = self._repository.private_dir(per_worktree=True)
        make_private_directory(folder)
        index = folder / f"index.{os.urandom(6).hex()}"
        try:
            self._with(index, "read-tree", head)
            blob = self._with(index, "hash-object", "-w", "--stdin", given=data)
            self._with(index, "update-index", "--cacheinfo",
                       f"{before.mode},{blob},{self._name(path)}")  # fmt: skip
            self._with(index, "commit", "--quiet", "--message", message)
        finally:
            index.unlink(missing_ok=True)
            index.with_name(f"{index.name}.lock").unlink(missing_ok=True)
        return self._made(head)

    def _made(self, head: str) -> str:
        """Return the new commit, once it is sure that it stands on what it was made from."""
        made = self._asked("rev-parse", "--verify", "HEAD^{commit}")
        parents = self._asked("rev-list", "--parents", "--max-count=1", made).split()[1:]
        if parents == [head]:
            return made
        self._asked("update-ref", "-m", "tt commit: HEAD moved meanwhile", "HEAD", parents[0], made)
        raise TTError(
            "Somebody else committed here at the same moment; nothing of theirs was changed.",
            "Run `tt commit` again.",
        )

    def _asked(self, *arguments: str) -> str:
        return _words(self._repository.git(*arguments))

    def _with(self, index: Path, *arguments: str, given: bytes = b"") -> str:
        """Run Git with an index of our own, and in the user's language: their hooks run in it."""
        ours = {"GIT_INDEX_FILE": str(index), "TT_HOOKS": "0"}
        environment = {**self._repository.environment, **ours}
        language = os.environ.get("LC_ALL")
        if language is None:
            environment.pop("LC_ALL", None)
        else:
            environment["LC_ALL"] = language
        top = str(self._repository.state.top)
        return _words(run(["-C", top, *arguments], environment, given, _PATIENCE))

    def _name(self, path: Path) -> str:
        name = self._repository.inside(path)
        if name is None:
            raise TTError(f"{path} leads out of the worktree and cannot be committed.")
        return name


def _words(answer: Finished) -> str:
    if answer.code == 0:
        return answer.out.decode("utf-8", "surrogateescape").strip()
    said = (answer.err or answer.out).decode("utf-8", "replace").strip()
    raise TTError(f"Git did not make the commit: {said or answer.words}.", "Nothing is committed.")
