"""Where the user's own server lives: a directory and a socket that are nobody else's."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from tt.adapters.redis.address import Address
from tt.errors import StoreError

_MAX_SOCKET_BYTES: Final = 100
"""A socket's path may have 103 bytes on macOS and 107 on Linux, its final zero not counted."""

_SHORT: Final = Path("/tmp")  # noqa: S108 - the directory in it is checked to be ours alone
_OTHER_HOME: Final = (
    "Set TT_HOME to a directory of your own, or REDIS_URL to a Redis that is running."
)


class ServerHome:
    """The directory below `home` with the data, and the socket, as far away as its length asks.

    One home has one directory and one socket, by whatever path it is named. Where the socket's
    path would be too long, it is in a short directory that is computed from user and home.
    """

    __slots__ = ("directory", "socket")

    def __init__(self, home: Path) -> None:
        self.directory = Path(os.path.realpath(home), "redis")
        self.socket = self.directory / "redis.sock"
        if len(os.fsencode(self.socket)) > _MAX_SOCKET_BYTES:
            self.socket = _short_directory(self.directory) / "redis.sock"

    @property
    def address(self) -> Address:
        """Where the server listens when it is up."""
        return Address.unix(str(self.socket))

    def is_private(self) -> bool:
        """Say whether what is at the socket, if anything, can only have been put there by us."""
        return all(_is_private(path) for path in self._directories())

    def prepare(self) -> None:
        """Make the directories, of mode 0700. Raises StoreError where they cannot be ours alone."""
        for path in self._directories():
            try:
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
                _take(path)
            except OSError as error:
                raise StoreError(
                    f"The directory {path} cannot be used: {error.strerror}.", _OTHER_HOME
                ) from error

    def _directories(self) -> tuple[Path, ...]:
        if self.socket.parent == self.directory:
            return (self.directory,)
        return (self.directory, self.socket.parent)


def _short_directory(directory: Path) -> Path:
    from hashlib import sha256  # only long paths need it

    name = sha256(os.fsencode(directory)).hexdigest()[:12]
    return _SHORT / f"tt-{os.geteuid()}-{name}"


def _is_private(path: Path) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return False
    return (
        stat.S_ISDIR(found.st_mode)
        and found.st_uid == os.geteuid()
        and not stat.S_IMODE(found.st_mode) & 0o077
    )


def _take(path: Path) -> None:
    """Make sure of a directory that may have been there before us."""
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise StoreError(f"{path} is not a directory, or is a link to one.", _OTHER_HOME)
    if found.st_uid != os.geteuid():
        raise StoreError(f"The directory {path} belongs to another user.", _OTHER_HOME)
    if stat.S_IMODE(found.st_mode) & 0o077:
        path.chmod(0o700)
