"""Which names in which directories a plan hangs on: its own, and those of all links on the way."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from tt.core.watching import Happening
from tt.record import record

GIT_NAMES: Final = frozenset({
    "HEAD", "index", "index.lock", "ORIG_HEAD", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD",
    "BISECT_LOG", "rebase-merge", "rebase-apply",
})  # fmt: skip
"""What changes in Git's directory of a worktree when Git changes where the worktree stands."""

_MOST_LINKS: Final = 40
"""As many as Linux follows."""

Identity = tuple[int, int]
"""Device and inode: another directory under the same name has another one."""


@record
class Place:
    """A directory, the names in it that count, and what it means when one of them changes.

    `identity` is None where the directory may not even be looked at.
    """

    directory: str
    names: frozenset[str]
    what: Happening
    identity: Identity | None


@record
class Scene:
    """All that one plan hangs on. Two that are equal need the same watches.

    `file` is where the plan's bytes are, behind all links, whether it exists or not.
    """

    places: tuple[Place, ...]
    file: str


def survey(plan: Path, git_dir: Path | None) -> Scene:
    """Look at how things are now; a handful of `stat` calls. Never raises."""
    names: dict[str, set[str]] = {}
    path = os.path.abspath(plan)  # noqa: PTH100  `Path.absolute` keeps `..`, and costs ten times
    for _ in range(_MOST_LINKS):
        directory, name = os.path.split(path)
        there, missing = _standing(directory)
        names.setdefault(there, set()).add(missing or name)
        target = None if missing else _link(path)
        if target is None:
            break
        path = os.path.join(directory, target)  # noqa: PTH118
    places = [_place(directory, found, Happening.SAVED) for directory, found in names.items()]
    if git_dir is not None:
        places.append(_place(os.fspath(git_dir), GIT_NAMES, Happening.GIT))
    return Scene(tuple(places), path)


def _place(directory: str, names: set[str] | frozenset[str], what: Happening) -> Place:
    return Place(directory, frozenset(names), what, _identity(directory))


def _standing(directory: str) -> tuple[str, str]:
    """Return the directory, or the nearest one above that exists and the name missing in it."""
    missing = ""
    while _identity(directory) is None:
        above, name = os.path.split(directory)
        if above == directory:
            break
        directory, missing = above, name
    return directory, missing


def _identity(directory: str) -> Identity | None:
    try:
        found = os.stat(directory)  # noqa: PTH116
    except (OSError, ValueError):
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISDIR(found.st_mode) else None


def _link(path: str) -> str | None:
    """Return where a symbolic link leads; None for all else."""
    try:
        return os.readlink(path)  # noqa: PTH115
    except (OSError, ValueError):
        return None
