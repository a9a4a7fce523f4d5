"""Letting the user's session start a watcher, and taking that back; twice is once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tt.core.service import Done, Service, Serving, Turned, is_unchanged
from tt.errors import TTError


class Keeper(Protocol):
    """What starts programs with the user's session: systemd, or launchd."""

    def path(self, name: str) -> Path:
        """Return where a service of this name is described."""
        ...

    def description(self, service: Service) -> bytes:
        """Return what describes it. Raises TTError."""
        ...

    def start(self, name: str, *, changed: bool) -> Turned:
        """Start a service now and with each session; anew where its description changed."""
        ...

    def stop(self, name: str) -> Turned:
        """Stop a service now and for all sessions; its description is still there."""
        ...

    def forget(self, name: str) -> None:
        """Take note that the description is gone."""
        ...


Replace = Callable[[Path, bytes], None]


def install(keeper: Keeper, service: Service, replace: Replace) -> Serving:
    """Describe the service and start it. Raises TTError where somebody has edited what is there."""
    path, data = keeper.path(service.name), keeper.description(service)
    try:
        before = path.read_bytes() if path.exists() else None
        if before is not None and before != data and not is_unchanged(before):
            raise _edited(path)
        if before != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace(path, data)
    except OSError as error:
        raise _unwritable(path, error) from error
    done: Done = "kept" if before == data else "made" if before is None else "changed"
    turned = keeper.start(service.name, changed=done == "changed")
    return Serving(service.name, str(path), done, turned)


def uninstall(keeper: Keeper, name: str) -> Serving:
    """Stop the service and remove its description, unless somebody has edited that."""
    path = keeper.path(name)
    try:
        if not path.exists():
            return Serving(name, str(path), "absent", Turned())
        edited = not is_unchanged(path.read_bytes())
        turned = keeper.stop(name)
        if not edited:
            path.unlink()
            keeper.forget(name)
    except OSError as error:
        raise _unwritable(path, error) from error
    return Serving(name, str(path), "kept" if edited else "removed", turned, edited)


def _edited(path: Path) -> TTError:
    return TTError(
        f"{path} was edited since it was installed, and is left as it is.",
        "Keep your changes beside it (`systemctl --user edit` makes a file for them), move this "
        "one away, and install again.",
    )


def _unwritable(path: Path, error: OSError) -> TTError:
    return TTError(f"{error.filename or path} cannot be read or written: {error.strerror}.")
