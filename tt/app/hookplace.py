"""What installing hooks needs of the world: Git, the hooks' directory, and our scripts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tt.core.githooks import Scope
from tt.core.shim import HookFile
from tt.record import record


class HookDirectory(Protocol):
    """One directory of hooks; names are relative to it. Every method raises TTError."""

    def read(self, name: str) -> HookFile | None:
        """Return what is there."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Write a whole script that can be run; one that is there keeps its mode."""
        ...

    def overwrite(self, name: str, data: bytes) -> None:
        """Write a script that is there, and leave its mode alone."""
        ...

    def free(self, name: str) -> str:
        """Return `name`, or one like it that nothing has."""
        ...

    def put_beside(self, name: str, to: str) -> None:
        """Rename a hook to a name that is free."""
        ...

    def put_back(self, name: str, to: str) -> None:
        """Undo `put_beside`."""
        ...

    def remove(self, name: str) -> None:
        """Delete a file."""
        ...

    def leave(self) -> None:
        """Delete the directory itself, and the one above it, where nothing is left in them."""
        ...


class HookGit(Protocol):
    """Git's side of the hooks. Every method raises TTError where Git refuses."""

    @property
    def has_config_hooks(self) -> bool:
        """Say whether this Git runs hooks that are in its configuration."""
        ...

    @property
    def scripts(self) -> Path:
        """Where the scripts are that hooks in the configuration read."""
        ...

    @property
    def default_directory(self) -> Path:
        """Where Git looks for hooks unless it is told otherwise."""
        ...

    def directory(self) -> tuple[Path, Scope]:
        """Return the directory in which Git looks for hooks, and whose it is."""
        ...

    def ours(self) -> dict[str, str]:
        """Return what the repository's own configuration has of ours."""
        ...

    def put(self, key: str, value: str) -> None:
        """Write a key of the repository's own configuration."""
        ...

    def unset(self, key: str) -> None:
        """Take a key out of it."""
        ...

    def merge_attribute(self, path: str) -> str:
        """Return how Git would merge `path`: a driver's name, `union`, `unspecified`, …"""
        ...

    def versions(self, path: Path) -> list[bytes]:
        """Return what the index and HEAD have for a file, as far as they have it."""
        ...

    def reaches(self, event: str, hook: Path, *, by_config: bool) -> bool:
        """Let Git run our hook with a canary, and nobody else's; say whether it arrived."""
        ...


@record
class HookPlace:
    """Where hooks are installed, and with what.

    `plan` is relative to `top`. `program` is the absolute path of `tt`, empty where it is unknown.
    `script` returns our hook for an event, `replace` writes a whole file at once.
    """

    top: Path
    plan: str
    program: str
    git: HookGit
    open: Callable[[Path], HookDirectory]
    script: Callable[[str], bytes]
    replace: Callable[[Path, bytes], None]
