"""A real `tt watch --json` process: what it told, what it needs, and how it ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Final, NamedTuple

from tests.support.redis_server import wait_until

LIMIT_SECONDS: Final = 30.0
"""However slow the machine is: what has not happened by then does not happen."""

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_UTIME, _STIME = 11, 12
"""Where they are in `/proc/PID/stat`, counted from behind the program's name."""


class Needs(NamedTuple):
    """What a process has at one moment; `cpu` in seconds, `memory` in bytes."""

    cpu: float
    memory: int
    files: int
    threads: int
    children: int


@dataclass
class Watchman:
    """A watcher at work. Its news are counted: to wait for the next ones, `mark` where they are."""

    process: subprocess.Popen[str]
    errors: Path

    def __post_init__(self) -> None:
        self.news: list[dict[str, Any]] = []
        self._came = threading.Condition()
        self._over = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._came:
                self.news.append(json.loads(line)["data"])
                self._came.notify_all()
        with self._came:
            self._over = True
            self._came.notify_all()

    def mark(self) -> int:
        """Return how many news there were until now."""
        return len(self.news)

    def told(self, since: int = 0) -> list[str]:
        """Return what was told, in a word each."""
        return [one["event"] for one in self.news[since:]]

    def wait(self, event: str, since: int = 0, seconds: float = LIMIT_SECONDS) -> dict[str, Any]:
        """Wait for news of a kind, and return the first of it."""

        def found() -> dict[str, Any] | None:
            return next((one for one in self.news[since:] if one["event"] == event), None)

        with self._came:
            came = self._came.wait_for(lambda: found() or self._over, seconds)
        one = found()
        assert one, f"{event} did not come ({came}): {self.news[since:]} {self.complaints}"
        return one

    def wait_for_end_or(self, event: str) -> None:
        """Wait until it is over, or has told news of a kind."""
        with self._came:
            came = self._came.wait_for(lambda: self._over or event in self.told(), LIMIT_SECONDS)
        assert came, self.news

    @property
    def complaints(self) -> str:
        """All that it wrote to standard error."""
        return self.errors.read_text(errors="replace")

    @property
    def changes(self) -> list[dict[str, Any]]:
        """All changes that it told to have made in Redis."""
        reports = (one["report"] for one in self.news if "report" in one)
        return [change for report in reports for change in report["to_store"]]

    def needs(self) -> Needs:
        """Say what it needs now."""
        proc = Path("/proc") / str(self.process.pid)
        fields = (proc / "stat").read_text().rpartition(")")[2].split()
        ticks = int(fields[_UTIME]) + int(fields[_STIME])
        memory = int((proc / "statm").read_text().split()[1]) * _PAGE
        tasks = list((proc / "task").iterdir())
        children = [(task / "children").read_text().split() for task in tasks]
        files = len(list((proc / "fd").iterdir()))
        return Needs(ticks / _TICKS, memory, files, len(tasks), sum(map(len, children)))

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()
        self.process.wait()
        self._reader.join()

    def close(self) -> None:
        """End it where nobody did, and let go of it."""
        if self.process.poll() is None:
            self.kill()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def ended(self, seconds: float = LIMIT_SECONDS) -> int:
        """Wait for its end and for its last words; return its exit code."""
        code = self.process.wait(seconds)
        self._reader.join(seconds)
        return code

    def stop(self) -> float:
        """Ask it to end, which has to go well; return how many seconds that took."""
        start = monotonic()
        self.send(signal.SIGTERM)
        assert (self.ended(), self.complaints) == (0, "")
        return monotonic() - start


def start_watchman(top: Path, environment: Mapping[str, str], *options: str) -> Watchman:
    """Start a watcher; who does so ends it. `environment` has a `tt` on its PATH."""
    errors = top.parent / f"{top.name}-watch-errors"
    with errors.open("a") as stream:
        process = subprocess.Popen(
            ["tt", "watch", "--json", *options],
            cwd=top,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stream,
            encoding="utf-8",
            start_new_session=True,
        )
    return Watchman(process, errors)


@contextmanager
def watching(top: Path, environment: Mapping[str, str], *options: str) -> Iterator[Watchman]:
    """Watch until the end of the block, where it has to end well, unless it has ended before."""
    watchman = start_watchman(top, environment, *options)
    try:
        watchman.wait("started")
        yield watchman
        if watchman.process.poll() is None:
            watchman.stop()
    finally:
        watchman.close()


def wait_for_text(path: Path, text: str, seconds: float = LIMIT_SECONDS) -> None:
    """Wait until a file says something."""
    wait_until(lambda: path.exists() and text in path.read_text(), f"{text!r} in {path}", seconds)
