"""All that a server is told to do, by whomever: to prove that at some time nothing was written."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from tests.support.redis_server import RedisServer, wait_until

_LINE: Final = re.compile(r'^\+[\d.]+ \[\d+ [^\]]*\] "([^"]*)"(.*)$')
_WRITES: Final = frozenset({"HSET", "HDEL", "HINCRBY", "DEL", "UNLINK", "SET", "RENAME"})


class Write(NamedTuple):
    """A command that writes a key; `said` is all of it, as the server quotes it."""

    command: str
    said: str

    @property
    def removes(self) -> bool:
        """Whether it takes a key, or a part of one, away."""
        return self.command in ("HDEL", "DEL", "UNLINK")


class Overheard:
    """What a server has done since `overhearing` began, also inside of scripts."""

    def __init__(self, server: RedisServer, link: socket.socket) -> None:
        self._server, self._link = server, link
        self._lines: list[tuple[str, str]] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with self._link.makefile("r", encoding="utf-8", errors="replace") as stream:
            for line in stream:
                if found := _LINE.match(line):
                    self._lines.append((found[1].upper(), found[2]))

    def mark(self) -> int:
        """Return where it is, after all that has been done until now."""
        sign = f"mark-{len(self._lines)}"
        with self._server.connect() as connection:
            connection.execute("ECHO", sign)
        wait_until(lambda: self._find(sign) is not None, "MONITOR to tell of a mark")
        found = self._find(sign)
        assert found is not None
        return found

    def _find(self, sign: str) -> int | None:
        said = ("ECHO", f' "{sign}"')
        return self._lines.index(said) if said in self._lines else None

    def writes(self, start: int, end: int | None = None, about: str = "tt:") -> list[Write]:
        """Return what was written between two marks to keys that have `about` in them."""
        lines = self._lines[start:end]
        return [Write(*line) for line in lines if line[0] in _WRITES and f'"{about}' in line[1]]


@contextmanager
def overhearing(server: RedisServer) -> Iterator[Overheard]:
    """Listen to a server until the end of the block."""
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(str(server.socket))
        link.sendall(b"MONITOR\r\n")
        assert link.recv(5) == b"+OK\r\n"
        yield Overheard(server, link)
        link.shutdown(socket.SHUT_RDWR)
