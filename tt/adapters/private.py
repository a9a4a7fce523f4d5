"""Small files of our own that must be whole or absent: whatever happens while they are written."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from errno import EEXIST
from pathlib import Path


def make_private_directory(path: Path) -> None:
    """Make a directory and those above it that are missing, for this user alone."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def create(path: Path, parts: Iterable[bytes]) -> bool:
    """Create a file with all of `parts` in it; False where there is one already, left as it is.

    It appears whole and on the disk, or not at all. Raises OSError.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        return _appear(temporary, path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def renew(path: Path, data: bytes) -> None:
    """Put a file in the place of the one that is there, for this user alone.

    It appears whole, and after a crash of the system maybe not at all. Raises OSError.
    """
    make_private_directory(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def note(path: Path, text: str) -> None:
    """Keep a short text for later, best effort: where it cannot be kept it was not important."""
    with suppress(OSError):
        make_private_directory(path.parent)
        path.write_text(text, encoding="utf-8")


def noted(path: Path) -> str:
    """Return the text that `note` kept, or nothing."""
    with suppress(OSError, UnicodeDecodeError):
        return path.read_text(encoding="utf-8")
    return ""


def _appear(temporary: Path, path: Path) -> bool:
    """Give a written file its name, unless that is taken."""
    try:
        os.link(temporary, path)
    except OSError as error:
        if error.errno == EEXIST or os.path.lexists(path):
            return False
        temporary.rename(path)  # no links on this filesystem: the worktree's lock must do
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return True
