"""What starts services with a user's session: systemd on Linux, launchd on macOS."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from tt.core.service import Service, Turned, launchd_agent, systemd_unit
from tt.errors import TTError

_SECONDS: Final = 60
"""How long a start may take; systemd answers when the watcher is up."""
_LEAVING: Final = 5.0
"""Seconds in which launchd lets go of an agent that it was told to forget."""
_POLL: Final = 0.1


class Systemd:
    """The user's own systemd. A `Keeper` of services."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Find where the user's units are."""
        config = environ.get("XDG_CONFIG_HOME", "")
        base = Path(config) if config.startswith("/") else _home() / ".config"
        self._directory = base / "systemd" / "user"

    def path(self, name: str) -> Path:
        """Return where the unit is."""
        return self._directory / f"{name}.service"

    def description(self, service: Service) -> bytes:
        """Return the unit's text. Raises TTError."""
        return systemd_unit(service)

    def start(self, name: str, *, changed: bool) -> Turned:
        """Enable and start the unit; one that runs after an older text is started again."""
        unit = f"{name}.service"
        calls = [["daemon-reload"], ["enable", "--now", unit]]
        return _calls(["systemctl", "--user"], [*calls, *([["restart", unit]] if changed else [])])

    def stop(self, name: str) -> Turned:
        """Stop and disable the unit."""
        return _calls(["systemctl", "--user"], [["disable", "--now", f"{name}.service"]])

    def forget(self, name: str) -> None:
        """Have systemd see that the unit is gone; nothing leads to it any more."""
        link = self._directory / "default.target.wants" / f"{name}.service"
        if link.is_symlink():  # systemd could not be reached, or it would be gone
            link.unlink()
        _calls(["systemctl", "--user"], [["daemon-reload"]])


class Launchd:
    """The user's own launchd. A `Keeper` of services."""

    def __init__(self) -> None:
        """Find where the user's agents are."""
        self._directory = _home() / "Library" / "LaunchAgents"
        self._domain = f"gui/{os.getuid()}"

    def path(self, name: str) -> Path:
        """Return where the property list is."""
        return self._directory / f"{name}.plist"

    def description(self, service: Service) -> bytes:
        """Return the property list. Raises TTError."""
        return launchd_agent(service)

    def start(self, name: str, *, changed: bool) -> Turned:
        """Load the agent, which starts it; one that is loaded with an older text is loaded anew."""
        target = f"{self._domain}/{name}"
        if self._is_loaded(target):
            if not changed:
                return _calls(["launchctl"], [["kickstart", target]])
            self._unload(target)
        load = ["bootstrap", self._domain, str(self.path(name))]
        return _calls(["launchctl"], [["enable", target], load])

    def stop(self, name: str) -> Turned:
        """Unload the agent, which ends it."""
        target = f"{self._domain}/{name}"
        return self._unload(target) if self._is_loaded(target) else Turned()

    def forget(self, name: str) -> None:
        """Do nothing: an agent that is not loaded is known by its file alone."""

    def _is_loaded(self, target: str) -> bool:
        return _call(["launchctl", "print", target]) is None

    def _unload(self, target: str) -> Turned:
        """Unload an agent, and wait until it is: a new one would be refused before that."""
        turned = _calls(["launchctl"], [["bootout", target]])
        deadline = time.monotonic() + _LEAVING
        while not turned.trouble and self._is_loaded(target) and time.monotonic() < deadline:
            time.sleep(_POLL)
        return turned


def session_keeper(platform: str, environ: Mapping[str, str]) -> Systemd | Launchd:
    """Return what starts services here. Raises TTError where that is nothing we know."""
    if platform == "darwin":
        return Launchd()
    if platform.startswith("linux"):
        return Systemd(environ)
    raise TTError(
        f"Services are for systemd and launchd, and there is none of them on {platform}.",
        "Start `tt watch --background` from where your session starts programs.",
    )


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError as error:
        raise TTError("There is no home directory for a service.", "Set HOME.") from error


def _calls(program: Sequence[str], calls: Sequence[Sequence[str]]) -> Turned:
    """Make calls one after the other; at the first that fails, tell which are left."""
    for number, call in enumerate(calls):
        trouble = _call([*program, *call])
        if trouble is not None:
            left = tuple(shlex.join([*program, *each]) for each in calls[number:])
            return Turned(trouble, left)
    return Turned()


def _call(command: Sequence[str]) -> str | None:
    """Run a command to its end; return why it failed, None where it did not."""
    from subprocess import DEVNULL, PIPE, TimeoutExpired, run

    try:
        done = run(command, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE, timeout=_SECONDS,
                   check=False)  # fmt: skip
    except FileNotFoundError:
        return f"There is no `{command[0]}` here"
    except (OSError, TimeoutExpired) as error:
        return f"`{shlex.join(command)}` did not end well: {error}"
    if done.returncode == 0:
        return None
    said = ""
    with suppress(IndexError):
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()[0]
    return said.rstrip(".") or f"`{shlex.join(command)}` ended with {done.returncode}"
