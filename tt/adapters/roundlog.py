"""What one run of an agent's program prints: in a file that stays small, its end in memory."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

LARGEST: Final = 4_000_000
"""Bytes after which a round's log begins anew; what was before is kept once, as `….log.1`."""
KEPT_ROUNDS: Final = 50
"""Rounds of an agent whose logs are kept."""

_TAIL: Final = 32 * 1024
_ESCAPES: Final = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)")


class RoundLog:
    """The log of one round. The file is made with the first output; a full disk stops nothing."""

    __slots__ = ("_descriptor", "_echo", "_largest", "_path", "_size", "_tail")

    def __init__(
        self, path: Path, echo: Callable[[bytes], None] | None = None, largest: int = LARGEST
    ) -> None:
        """Write to `path`; `echo` is given the same."""
        self._path, self._echo, self._largest = path, echo, largest
        self._descriptor, self._size = -1, 0
        self._tail = b""

    def write(self, data: bytes) -> None:
        """Take in some output."""
        self._tail = (self._tail + data if len(data) < _TAIL else data)[-_TAIL:]
        if self._echo is not None:
            self._echo(data)
        with suppress(OSError):
            if self._descriptor < 0 or self._size >= self._largest:
                self._begin()
            os.write(self._descriptor, data)
            self._size += len(data)

    def last_lines(self, count: int = 10, longest: int = 2_000) -> str:
        """Return the last lines of the output as text, without colours and empty lines."""
        text = _ESCAPES.sub("", self._tail.decode("utf-8", "replace"))
        lines = [
            line.rpartition("\r")[2].rstrip() for line in text.replace("\r\n", "\n").split("\n")
        ]
        said = "\n".join([line for line in lines if line][-count:])
        return said if len(said) <= longest else "… " + said[-longest:]

    def close(self) -> None:
        """Write no more; once or more often."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _begin(self) -> None:
        """Open the file, anew where it is too large."""
        if self._descriptor >= 0:
            self.close()
            self._path.replace(f"{self._path}.1")
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        self._descriptor = os.open(self._path, flags, 0o600)
        self._size = 0


def round_log_path(logs: Path, agent: str, number: int) -> Path:
    """Return where a round's output goes; the name is tinytown's."""
    return logs / f"{agent}_round_{number}.log"


def forget_old_round(logs: Path, agent: str, number: int) -> None:
    """Remove the log that is one too many when this round begins."""
    old = round_log_path(logs, agent, number - KEPT_ROUNDS)
    for path in (old, f"{old}.1"):
        with suppress(OSError):
            os.unlink(path)  # noqa: PTH108  one call of the system, once a round
