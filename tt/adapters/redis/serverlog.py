"""The log of the user's own server: what it said last, for messages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from tt.adapters.redis.address import printable
from tt.errors import StoreError

_MAX_BYTES: Final = 1_000_000
_TAIL_BYTES: Final = 4096
_MAX_TEXT: Final = 300
_PREFIX: Final = re.compile(r"^\d+:[A-Z] \d+ \w+ \d+ [\d:.]+ [.*#-] ")


class ServerLog:
    """The file; kept from growing for ever by setting a long one aside at a start."""

    __slots__ = ("_start", "path")

    def __init__(self, path: Path) -> None:
        self.path = path
        self._start = 0

    @property
    def hint(self) -> str:
        """Where the rest of the story is."""
        return f"The log {self.path} says more; REDIS_URL can name another Redis."

    def begin(self) -> None:
        """Mark where a new run begins."""
        self._start = self.path.stat().st_size if self.path.exists() else 0
        if self._start > _MAX_BYTES:
            self.path.replace(self.path.with_suffix(".old.log"))
            self._start = 0

    def failed(self, what: str) -> StoreError:
        """Make the error that says what the server did not do, and what it said to that."""
        return StoreError(f"The Redis server {what}: {self.last()}", self.hint)

    def last(self) -> str:
        """Return the last line of this run, without time and process; made fit for a message."""
        try:
            with self.path.open("rb") as log:
                log.seek(max(self._start, self.path.stat().st_size - _TAIL_BYTES))
                text = log.read().decode(errors="replace")
        except OSError as error:
            return f"its log cannot be read: {error.strerror}"
        lines = [line for line in text.splitlines() if line.strip()]
        if not lines:
            return "it left no word in its log"
        return printable(_PREFIX.sub("", lines[-1]))[:_MAX_TEXT]
