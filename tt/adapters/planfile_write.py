"""Replacing a file at one stroke: whoever reads it sees the old bytes or the new, never a mix."""

from __future__ import annotations

import errno
import os
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from tt.adapters.planfile_disk import read_bytes, refused
from tt.errors import FileMovedError, TTError

_SUFFIX: Final = ".tmp"
_STALE_SECONDS: Final = 3600
"""How old a temporary file is before it is taken for one that a killed process left."""


def replace_bytes(path: Path, name: str, before: bytes | None, data: bytes) -> None:
    """Make `data` the content of the file that has been `before` (None: that was not there).

    The new content is on the disk before it takes the old one's place, and the directory's entry
    too when this returns. A symlink's target is replaced, not the link. Raises FileMovedError
    where the file is no longer `before`, TTError where the system refuses; then nothing changed.
    """
    try:
        target = Path(os.path.realpath(path))
        mode = _writable_mode(target, name)
        _sweep(target)
        temporary = _filled(target, data, mode)
        try:
            if read_bytes(target, name) != before:
                raise FileMovedError(
                    f"{name} was changed by somebody else in the meantime.",
                    "Run the command again.",
                )
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
        _sync_directory(target.parent)
    except OSError as error:
        raise refused(f"{name} cannot be written", error) from error


def _writable_mode(target: Path, name: str) -> os.stat_result | None:
    """Return what the new file takes over of the old one; refuse where that is read-only.

    The directory's rights would let it be replaced, but a read-only file is somebody's wish.
    """
    try:
        found = target.stat()
    except FileNotFoundError:
        return None
    if os.statvfs(target).f_flag & os.ST_RDONLY:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))
    if not found.st_mode & stat.S_IWUSR or not os.access(target, os.W_OK):
        raise TTError(
            f"{name} is read-only, so it was left as it is.",
            f"Allow writing (`chmod u+w {name}`), and run the command again.",
        )
    return found


def _filled(target: Path, data: bytes, like: os.stat_result | None) -> Path:
    """Write a temporary file beside the target, with its rights, down to the disk."""
    temporary = target.with_name(f".{target.name}.{os.urandom(6).hex()}{_SUFFIX}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o666 if like is None else 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if like is not None:
                _take_over(descriptor, like)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _take_over(descriptor: int, like: os.stat_result) -> None:
    """Give a file the owner and rights of another; the owner only where that is allowed."""
    if (like.st_uid, like.st_gid) != (os.geteuid(), os.getegid()):
        with suppress(PermissionError):
            os.fchown(descriptor, like.st_uid, like.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(like.st_mode))


def _sweep(target: Path) -> None:
    """Remove temporary files that a killed process left long ago."""
    start = f".{target.name}."
    with os.scandir(target.parent) as entries:
        left = [entry for entry in entries if entry.name.startswith(start)]
    for entry in left:
        with suppress(OSError):
            if (
                entry.name.endswith(_SUFFIX)
                and entry.stat().st_mtime < time.time() - _STALE_SECONDS
            ):
                Path(entry.path).unlink()


def _sync_directory(directory: Path) -> None:
    """Bring the new name to the disk; the file is right already, so a refusal is no failure."""
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
