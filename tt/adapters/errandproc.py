"""Commands of `tt` that run beside a conductor, and are asked how they ended."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tt.adapters.background import own_command
from tt.errors import TTError

_MOST: Final = 1_000_000
"""Bytes of an answer that are kept."""


class ErrandProcess:
    """One command that is under way. It has a session of its own: Ctrl-C is not for it."""

    def __init__(self, arguments: Sequence[str], settings: Mapping[str, str], where: Path) -> None:
        """Start `tt` with `arguments`, which end in `--json`. Raises TTError where that fails."""
        environment = {**os.environ, **settings}
        if paths := environment.get("PYTHONPATH"):
            parts = paths.split(os.pathsep)
            environment["PYTHONPATH"] = os.pathsep.join(map(os.path.abspath, parts))
        try:
            self._process = subprocess.Popen(
                own_command(arguments),
                cwd=where,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise TTError(f"`tt {arguments[0]}` cannot be started: {error.strerror}.") from error
        assert self._process.stdout is not None  # noqa: S101  it is a pipe
        self._out = self._process.stdout
        os.set_blocking(self._out.fileno(), False)
        self._said = b""

    @property
    def pid(self) -> int:
        """Return the number of its process."""
        return self._process.pid

    def fileno(self) -> int:
        """Return the descriptor on which it answers."""
        return self._out.fileno()

    def is_over(self) -> bool:
        """Take in what it has said; say whether that is all.

        What it has started may hold the pipe open after its end.
        """
        has_ended = self._process.poll() is not None
        try:
            while part := os.read(self.fileno(), 65536):
                self._said = (self._said + part)[:_MOST]
        except BlockingIOError:
            return has_ended
        return True

    def answer(self) -> dict[str, object]:
        """Return what it answered. Raises TTError with what it says is wrong."""
        self._out.close()
        code = self._process.wait()
        try:
            found = json.loads(self._said)
        except ValueError:
            found = {}
        if isinstance(data := found.get("data"), dict) and code == 0:
            return data
        error = found.get("error") or {"message": f"It ended with exit code {code}."}
        raise TTError(str(error.get("message")), error.get("hint"))

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()
        self._out.close()
