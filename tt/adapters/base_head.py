"""The commit that HEAD is, where nothing else of a base is news: a note beside Git.

Each commit moves HEAD, and most change nothing that the base is about. A version of the base for
each of them would crowd the syncs out of the history that did something. The note is good for one
version only. It is not worth a wait for the disk: without it the base says which commit HEAD was at
an earlier sync, as if the later ones had not been run.
"""

from __future__ import annotations

from typing import Final

from tt.adapters.base_names import escape
from tt.adapters.gitrepo import GitRepository
from tt.adapters.private import noted, renew

_HEX: Final = frozenset("0123456789abcdef")


class HeadNote:
    """The note on the base of one town in one worktree."""

    __slots__ = ("_path",)

    def __init__(self, repository: GitRepository, town: str) -> None:
        self._path = repository.private_dir(per_worktree=True) / "heads" / escape(town)

    def read(self, version: str) -> str | None:
        """Return the commit that is noted for this version of the base."""
        known, _, head = noted(self._path).rstrip("\n").partition(" ")
        return head if known == version and _names_commit(head, version) else None

    def keep(self, version: str, head: str) -> bool:
        """Note it, unless it is noted; say whether it stands."""
        if not _names_commit(head, version):
            return False
        if self.read(version) != head:
            try:
                renew(self._path, f"{version} {head}\n".encode())
            except OSError:
                return False
        return True


def _names_commit(head: str, version: str) -> bool:
    """Say whether it can be a commit's full name, as the version is one; half a note has none."""
    return len(head) == len(version) and _HEX.issuperset(head)
