"""Who started a watcher and waits to hear that it is up: `tt watch --background`, or systemd."""

from __future__ import annotations

import json
import os
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Final

from tt.core.watcher import How, WatchState
from tt.errors import TTError

STARTED_AS: Final = "TT_WATCH_AS"
"""The variable by which a watcher knows how it was started: `background:FD` or `service`."""
_SOCKET: Final = "NOTIFY_SOCKET"


class Starter:
    """The other end of a start. Nobody may be there, and then nothing is told."""

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        """Take what concerns the start out of `environ`: no program that we start gets it."""
        kind, _, number = environ.pop(STARTED_AS, "").partition(":")
        self.how: How = "foreground"
        self._pipe: int | None = None
        if kind == "service":
            self.how = "service"
        elif kind == "background":
            self.how = "background"
            self._pipe = _own(number)
        self._socket = environ.pop(_SOCKET, "") if self.how == "service" else ""

    def begun(self, state: WatchState) -> None:
        """Say how it goes; the first time that says that the watcher is at its post."""
        self._answer({"problem": state.problem})
        self._notify(f"READY=1\nSTATUS={' '.join((state.problem or state.state).split())}")

    def failed(self, error: TTError) -> None:
        """Say why there will be no watcher."""
        self._answer({"error": error.message, "hint": error.hint, "code": int(error.exit_code)})

    def _notify(self, said: str) -> None:
        """Tell systemd."""
        if not self._socket:
            return
        import socket

        address = f"\0{self._socket[1:]}" if self._socket.startswith("@") else self._socket
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
            link.sendto(said.encode("utf-8", "replace"), address)

    def _answer(self, answer: dict[str, object]) -> None:
        if self._pipe is not None:
            with suppress(OSError):
                os.write(self._pipe, json.dumps(answer).encode() + b"\n")
            os.close(self._pipe)
            self._pipe = None


def _own(number: str) -> int | None:
    """Return the open file that we inherited; no program of ours shall inherit it in turn."""
    try:
        descriptor = int(number)
        os.set_inheritable(descriptor, False)
    except (ValueError, OSError):
        return None
    return descriptor
