"""Reading a plan file's bytes, and what the system may refuse, in sentences."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Final

from tt.errors import TTError

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES: Final = 256 * 1024 * 1024
"""No plan is larger; a file that is would fill the memory before it could be refused."""

_WHY: Final = {
    errno.EACCES: ("there is no permission", "Look at the rights of the file and its directory."),
    errno.EPERM: ("there is no permission", "Look at the rights of the file and its directory."),
    errno.EROFS: ("the file system is read-only", "Work in a checkout that can be written."),
    errno.ENOSPC: ("the disk is full", "Make room, and try again."),
    errno.EDQUOT: ("the disk quota is used up", "Make room, and try again."),
    errno.EFBIG: ("it would be larger than is allowed", "Raise the file size limit (`ulimit -f`)."),
    errno.ELOOP: ("its symbolic links go in circles", "Look where the links lead."),
    errno.EIO: ("the disk has an error", "See what the system's log says."),
    errno.ENOTDIR: ("a part of its path is no directory", "Look at the path."),
    errno.ENAMETOOLONG: ("its path is too long", "Look at the path."),
    errno.EBUSY: ("it is in use, perhaps mounted by itself", "Mount its directory instead."),
    errno.ENOENT: ("its directory does not exist", "Look at the path."),
}


def refused(what: str, error: OSError) -> TTError:
    """Turn a failure of the system into a sentence; `what` is like `tasks.toml cannot be read`."""
    why, hint = _WHY.get(error.errno or 0, (error.strerror or str(error), None))
    return TTError(f"{what}: {why}.", hint)


def read_bytes(path: Path, name: str) -> bytes | None:
    """Return a file's bytes, None where there is no file. Raises TTError where it has none."""
    try:
        # Without O_NONBLOCK a named pipe of that name would be waited on for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise refused(f"{name} cannot be read", error) from error
    try:
        _check_kind(os.fstat(descriptor), name)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read()
    except OSError as error:
        raise refused(f"{name} cannot be read", error) from error
    finally:
        os.close(descriptor)


def _check_kind(found: os.stat_result, name: str) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise TTError(f"{name} is a directory, not a file.", "Name a plan file.")
    if not stat.S_ISREG(found.st_mode):
        raise TTError(f"{name} is not a regular file.", "Name a plan file.")
    if found.st_size > MAX_BYTES:
        raise TTError(f"{name} is larger than {MAX_BYTES >> 20} MiB: that is no plan.")
