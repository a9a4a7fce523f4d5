"""The files in a directory of Git's hooks, and the scripts of ours that go there."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tt.adapters.configfile import replace_file
from tt.core.shim import HookFile
from tt.errors import TTError

_NAME = "tt"


class HookFiles:
    """One directory of hooks. Names are relative to it; every method raises TTError."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def read(self, name: str) -> HookFile | None:
        """Return what is there, a symlink that leads nowhere included."""
        path = self.directory / name
        if not os.path.lexists(path):
            return None
        with _saying_what_failed(path):
            link = str(path.readlink()) if path.is_symlink() else None
            data = path.read_bytes() if path.is_file() else b""
        return HookFile(data, path.is_file() and os.access(path, os.X_OK), link)

    def write(self, name: str, data: bytes) -> None:
        """Write a whole script; one that is there keeps its mode, a new one can be run."""
        path = self.directory / name
        with _saying_what_failed(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, data)
            if not os.access(path, os.X_OK):
                path.chmod(path.stat().st_mode | 0o111 & ~_umask())

    def overwrite(self, name: str, data: bytes) -> None:
        """Write a script that is there, and leave its mode alone."""
        with _saying_what_failed(self.directory / name):
            replace_file(self.directory / name, data)

    def free(self, name: str) -> str:
        """Return `name`, or one like it that nothing has."""
        number, free = 1, name
        while os.path.lexists(self.directory / free):
            number += 1
            free = f"{name}-{number}"
        return free

    def put_beside(self, name: str, to: str) -> None:
        """Rename a hook to a name that is free; a relative symlink goes on leading where it did."""
        self._move(name, to, "../" if "/" in to else "")

    def put_back(self, name: str, to: str) -> None:
        """Undo `put_beside`."""
        self._move(name, to, "")
        with suppress(OSError):  # others of that directory may still be in use
            if "/" in name:
                (self.directory / name).parent.rmdir()

    def _move(self, name: str, to: str, up: str) -> None:
        source, target = self.directory / name, self.directory / to
        with _saying_what_failed(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            link = str(source.readlink()) if source.is_symlink() else None
            if link is None or link.startswith("/") or "/" not in name + to:
                source.rename(target)
                return
            target.symlink_to(up + link if up else link.removeprefix("../"))
            source.unlink()

    def remove(self, name: str) -> None:
        """Delete a file."""
        with _saying_what_failed(self.directory / name):
            (self.directory / name).unlink()

    def leave(self) -> None:
        """Delete the directory itself, and the one above it, where nothing is left in them."""
        with suppress(OSError):
            self.directory.rmdir()
            self.directory.parent.rmdir()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextmanager
def _saying_what_failed(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TTError(
            f"{error.filename or path} cannot be read or written: {error.strerror}.",
            "Where Git's directory may not be written, as in a sandbox, run this outside of it.",
        ) from error


def script(event: str) -> bytes:
    """Return our hook for an event, as it is in `hooks/` of the project."""
    package = Path(__file__).resolve().parents[1]
    for directory in (package / "hooks", package.parent / "hooks"):
        with suppress(FileNotFoundError):
            return (directory / event).read_bytes()
    raise TTError(f"This installation of tt lacks its hook for {event}.", "Install tt again.")


def own_program() -> str:
    """Return the absolute path of the `tt` that runs, empty where it is not known by one.

    Symlinks are not followed: what a package tool links to changes with each version.
    """
    from shutil import which

    beside = Path(sys.executable).with_name(_NAME)
    for given in (sys.argv[0], str(beside), which(_NAME) or ""):
        path = os.path.abspath(given)  # noqa: PTH100  symlinks are not to be followed
        if os.path.basename(given) == _NAME and os.access(path, os.X_OK) and os.path.isfile(path):  # noqa: PTH113, PTH119
            return path
    return ""
