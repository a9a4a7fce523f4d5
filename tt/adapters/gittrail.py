"""Following a plan through its names: which path it had at each commit, and what it was before.

Where the plan appears at a commit, it may have had another name in that commit's parents: the one
that `sync.file` in their `tinytown.toml` says, or the one that Git finds it was renamed from.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from tt.adapters.gitrepo import GitRepository
from tt.config.files import read_layer
from tt.config.keys import KEYS, PROJECT_FILE
from tt.core.lifeline import Commit
from tt.errors import TTError

Blobs: TypeAlias = Mapping[tuple[str, str], str | None]
"""The blob at (commit, path), None where that commit has no such file."""

_BATCH: Final = 20_000


def blobs_at(
    repository: GitRepository, wanted: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], str | None]:
    """Look up the blobs at many commits and paths in one go."""
    found: dict[tuple[str, str], str | None] = {}
    for start in range(0, len(wanted), _BATCH):
        part = wanted[start : start + _BATCH]
        asked = b"".join(os.fsencode(f"{commit}:{path}\n") for commit, path in part)
        answer = repository.git("cat-file", "--batch-check", given=asked)
        lines = answer.out.splitlines()
        if answer.code != 0 or len(lines) != len(part):
            raise TTError(
                f"Git cannot read its own data: {answer.words}.", "`git fsck` says what is damaged."
            )
        found |= dict(zip(part, map(_blob, lines), strict=True))
    return found


def _blob(line: bytes) -> str | None:
    words = line.split(b" ")
    return words[0].decode("ascii") if len(words) == 3 and words[1] == b"blob" else None


class Trail:
    """The names of one plan. `before` are, by commit, its names in that commit's parents."""

    def __init__(self, repository: GitRepository, name: str) -> None:
        """Begin with the name that the plan has now."""
        self.names = [name]
        self._repository = repository
        self._before: dict[str, list[str]] = {}

    def places(self, commits: Sequence[Commit], blobs: Blobs) -> dict[str, str]:
        """Say which path the plan has at each of the commits, given newest first."""
        places: dict[str, str] = {}
        for commit in commits:
            here = places.setdefault(commit.id, self.names[0])
            for parent in commit.parents:
                if parent not in places:
                    candidates = (here, *self._before.get(commit.id, ()))
                    there = (name for name in candidates if blobs.get((parent, name)))
                    places[parent] = next(there, here)
        return places

    def explore(self, commits: Sequence[Commit], blobs: Blobs, places: Mapping[str, str]) -> bool:
        """Ask at each commit where the plan appears what it was before; say if that is news."""
        news = False
        for commit in commits:
            name = places[commit.id]
            if commit.id in self._before or not _appears(commit, name, blobs, places):
                continue
            self._before[commit.id] = self._names_before(commit.id, name)
            self.names += [one for one in self._before[commit.id] if one not in self.names]
            news = news or bool(self._before[commit.id])
        return news

    def _names_before(self, commit: str, name: str) -> list[str]:
        """Return what the plan that appears at a commit was called in the parents without it."""
        answer = self._repository.git("rev-parse", f"{commit}^@")
        parents = answer.out.decode("ascii").split() if answer.code == 0 else []
        found: list[str] = []
        for parent in parents:
            if not has_path(self._repository, parent, name):
                said = configured_name(self._repository, parent)
                if said in (None, name) or not has_path(self._repository, parent, str(said)):
                    said = self._renamed_from(parent, commit, name)
                found += [said] if said is not None and said not in found else []
        return found

    def _renamed_from(self, parent: str, commit: str, name: str) -> str | None:
        answer = self._repository.git(
            "diff-tree", "-r", "-M", "--diff-filter=R", "--name-status", "-z", parent, commit
        )
        words = os.fsdecode(answer.out).split("\0")
        pairs = zip(words[1::3], words[2::3], strict=False)
        return next((old for old, new in pairs if new == name), None)


def _appears(commit: Commit, name: str, blobs: Blobs, places: Mapping[str, str]) -> bool:
    if not blobs.get((commit.id, name)):
        return False
    parents = commit.parents
    return not parents or not all(blobs.get((parent, places[parent])) for parent in parents)


def has_path(repository: GitRepository, revision: str, path: str) -> bool:
    """Say whether a commit has something at a path. Raises TTError where that is damaged."""
    name = f"{revision}:{path}"
    if repository.git("rev-parse", "--verify", "--quiet", name).code != 0:
        return False
    if repository.git("cat-file", "-e", name).code != 0:
        raise TTError(
            f"Git cannot read {name}: the object is missing or damaged.",
            "`git fsck` says what is damaged.",
        )
    return True


def configured_name(repository: GitRepository, revision: str) -> str | None:
    """Return the plan's path as a commit's own `tinytown.toml` has it; None where that is broken.

    A commit that says nothing has the default.
    """
    answer = repository.git("cat-file", "blob", f"{revision}:{PROJECT_FILE}")
    try:
        layer = read_layer(answer.out if answer.code == 0 else b"", PROJECT_FILE, project=True)
    except TTError:
        return None
    said = str(layer.values.get("sync.file", KEYS["sync.file"].default))
    return os.path.normpath(said) if said else None
