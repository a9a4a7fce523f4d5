"""The worktrees in which this user has plans: one small file for each, for `tt watch --all`.

A disk that is not there comes back, and its worktrees with it. So each is noted with the place
where its disk is mounted, and is forgotten only where that is, and the worktree is not.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from tt.adapters.digest import digest_of
from tt.adapters.private import renew
from tt.config.keys import PROJECT_FILE

_DIRECTORY: Final = "worktrees"
_NAME: Final = 32
_PLAN: Final = "tasks.toml"


def register(home: Path, top: Path) -> None:
    """Note that there are plans in the worktree at `top`; best effort, and once is enough."""
    name = os.fsencode(top)
    path = home / _DIRECTORY / digest_of(name)[:_NAME]
    with suppress(OSError):
        if not path.exists():
            renew(path, name + b"\0" + os.fsencode(_mount(top)))


def registered(home: Path) -> list[Path]:
    """List the worktrees that are there and have something of ours in them, by their paths.

    One that was removed from beside others is forgotten.
    """
    found = []
    for path, top, mount in _entries(home):
        if has_plans(top):
            found.append(top)
        elif top.parent.is_dir() and _is_gone(top, mount):
            _forget(path)
    return sorted(found)


def has_plans(top: str | Path) -> bool:
    """Say whether there is something of ours in a directory."""
    return any(Path(top, name).exists() for name in (_PLAN, PROJECT_FILE))


def forget_gone(home: Path) -> list[Path]:
    """Forget the worktrees that are gone, with whatever was around them; return which."""
    gone = [(path, top) for path, top, mount in _entries(home) if _is_gone(top, mount)]
    for path, _ in gone:
        _forget(path)
    return sorted(top for _, top in gone)


def _entries(home: Path) -> Iterator[tuple[Path, Path, Path]]:
    try:
        paths = sorted((home / _DIRECTORY).iterdir())
    except OSError:
        return
    for path in paths:
        if path.name.startswith("."):
            continue  # one that is being written
        with suppress(OSError, ValueError):
            top, mount = path.read_bytes().split(b"\0")
            yield path, Path(os.fsdecode(top)), Path(os.fsdecode(mount))


def _is_gone(top: Path, mount: Path) -> bool:
    """Say whether a directory is gone for good, and not only its disk away."""
    return not os.path.lexists(top) and mount.is_mount()


def _mount(top: Path) -> Path:
    """Return where the disk of an existing directory is mounted."""
    return next((path for path in (top, *top.parents) if path.is_mount()), top)


def _forget(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
