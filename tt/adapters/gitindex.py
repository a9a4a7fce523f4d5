"""The index that the commit in flight is made of: what it has of one path, and staging that path.

Nothing else in an index is ever touched. `git commit -a` and `-p` give the hook `index.lock`, which
becomes the index; `git commit -- PATH` gives it a file that is thrown away (`next-index-*.lock`),
while the real index is out of reach: what is staged there would be taken back by the next commit.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

from tt.adapters.digest import blob_name
from tt.adapters.gitproc import Finished
from tt.adapters.gitrepo import GitRepository
from tt.errors import TTError
from tt.ports import Staged

_REAL: Final = ("index", "index.lock")
_LOCKED: Final = b"File exists"
_PATIENCE: Final = 0.5
"""Seconds to wait for another Git that holds the index's lock."""


class GitIndex:
    """The `Index` port over a worktree; paths are relative to its top."""

    def __init__(self, repository: GitRepository) -> None:
        self._repository = repository

    @property
    def is_temporary(self) -> bool:
        """Whether it is thrown away after the commit, as that of `git commit -- PATH` is."""
        file = self._repository.index_file
        home = os.path.realpath(file.parent) == os.path.realpath(self._repository.state.git_dir)
        return not (home and file.name in _REAL)

    def read(self, path: Path) -> Staged | None:
        """Return what is staged; None where the path is not in the index, or in conflict."""
        entry = self._entry(path)
        if entry is None:
            return None
        mode, oid = entry
        found = self._repository.objects.read(oid)
        if found is None:
            raise TTError(
                f"Git cannot read what is staged of {path}: blob {oid} is missing.",
                "`git fsck` says what is damaged.",
            )
        return Staged(oid, mode, found.data)

    def holds(self, staged: Staged, path: Path, data: bytes) -> bool:
        """Say whether `staged` is what a file with these bytes would be staged as."""
        return data == staged.data or self._filtered(path, data) == staged.oid

    def stage_file(self, path: Path, staged: Staged, data: bytes) -> None:
        """Stage a file that has these bytes, and its mode as it is.

        Git reads the file itself, so that the index knows its time stamps; where somebody saved it
        meanwhile, or its mode is not the staged one, what was meant is put in place of that.
        """
        name = self._name(path)
        self._run("update-index", "--", name, path=path)
        mode, oid = self._entry(path) or ("", "")
        meant = oid if oid == blob_name(data, len(staged.oid)) else self._filtered(path, data, "-w")
        if (mode, oid) != (staged.mode, meant):
            self._put(path, staged.mode, meant)

    def stage(self, path: Path, staged: Staged, data: bytes) -> None:
        """Put `data` in the place of `staged`, whatever the file has."""
        written = self._run("hash-object", "-w", "--stdin", path=path, given=data)
        self._put(path, staged.mode, written.out.decode("ascii").strip())

    def _entry(self, path: Path) -> tuple[str, str] | None:
        """Return mode and blob of a path that is merged and meant to be committed."""
        answer = self._repository.git(
            "--literal-pathspecs", "ls-files", "--stage", "-z", "--", self._name(path)
        )
        if answer.code != 0:
            raise TTError(f"Git cannot read its index: {answer.words}.")
        entries = [entry.split(b"\t", 1)[0].split() for entry in answer.out.split(b"\0") if entry]
        if len(entries) != 1 or entries[0][2] != b"0" or entries[0][0][:3] != b"100":
            return None
        return entries[0][0].decode(), entries[0][1].decode()

    def _filtered(self, path: Path, data: bytes, *write: str) -> str:
        """Return the name of the blob that Git makes of a file's bytes, line endings and all."""
        name = f"--path={self._name(path)}"
        answer = self._run("hash-object", *write, "--stdin", name, path=path, given=data)
        return answer.out.decode("ascii").strip()

    def _put(self, path: Path, mode: str, oid: str) -> None:
        self._run("update-index", "--cacheinfo", f"{mode},{oid},{self._name(path)}", path=path)

    def _name(self, path: Path) -> str:
        name = self._repository.inside(path)
        if name is None:
            raise TTError(f"{path} leads out of the worktree; nothing of it is staged.")
        return name

    def _run(self, *arguments: str, path: Path, given: bytes = b"") -> Finished:
        """Run a Git command that writes, with a little patience for others that do."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            answer = self._repository.git(*arguments, given=given)
            if answer.code == 0:
                return answer
            if _LOCKED not in answer.err or time.monotonic() > deadline:
                raise TTError(
                    f"{path} could not be staged: {answer.words}.",
                    "It is up to date in the worktree, and the next commit takes it along.",
                )
            time.sleep(0.02)
