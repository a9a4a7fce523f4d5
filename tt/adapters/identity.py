"""Who a repository is, for towns that must not be written by another one.

Two identities: its root commits, which all full clones share, and a random id of this clone and
its worktrees, which a shallow clone has, too. Both are kept in `<common git dir>/tt`, which no
clone, push or commit carries along.
"""

from __future__ import annotations

import os
from contextlib import suppress
from errno import EACCES, EPERM, EROFS
from pathlib import Path
from typing import Final

from tt.adapters.gitrepo import GitRepository
from tt.adapters.private import create, make_private_directory
from tt.errors import TTError

_ID_LENGTH: Final = 32
_HEX: Final = frozenset("0123456789abcdef")
_READ_ONLY: Final = frozenset({EACCES, EPERM, EROFS})


def identities(repository: GitRepository) -> tuple[str, ...]:
    """Return all identities of a repository: root commits, then its private id.

    The private id is left out where it can be neither read nor made (a read-only `.git`). Raises
    TTError where nothing identifies it, or the private id is damaged.
    """
    known = cached_roots(repository)
    try:
        return *known, private_id(repository.private_dir(per_worktree=False))
    except OSError as error:
        if known and error.errno in _READ_ONLY:
            return known
        raise TTError(
            f"The repository's id cannot be kept in {error.filename}: {error.strerror}.",
            "See that the disk has room and the directory can be written.",
        ) from error


def private_id(directory: Path) -> str:
    """Return the random id in `directory`, making one the first time. Raises OSError, TTError."""
    path = directory / "repo"
    if not path.exists():
        make_private_directory(directory)
        create(path, [os.urandom(_ID_LENGTH // 2).hex().encode() + b"\n"])
    text = path.read_bytes().decode("ascii", "replace").strip()
    if len(text) != _ID_LENGTH or not _HEX.issuperset(text):
        raise TTError(
            f"{path} is damaged: it should hold the repository's id, 32 hexadecimal digits.",
            "Bring it back from a backup, or move it aside: tt then makes a new id.",
        )
    return text


def cached_roots(repository: GitRepository) -> tuple[str, ...]:
    """Return the root commits of HEAD, walking the whole history only the first time.

    They stay the same while history grows, apart from unrelated histories that are merged in:
    those roots come along when the cache is next made, on a HEAD that does not descend from here.
    """
    head = repository.state.head
    if head is None:
        return ()
    path = repository.private_dir(per_worktree=False) / "roots"
    with suppress(OSError, ValueError):
        walked, *roots = path.read_text("ascii").split()
        if roots and (walked == head or repository.is_ancestor(walked, head)):
            return tuple(roots)
    found = repository.roots()
    with suppress(OSError):  # only a cache
        make_private_directory(path.parent)
        path.unlink(missing_ok=True)
        create(path, [" ".join((head, *found)).encode("ascii")])
    return found
