"""A real `tt watch --json`, what it says, and a spy who looks at Redis all the time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Any, Final, Self

from tests.support.commands import Place
from tests.support.redis_server import RedisServer, wait_until

SECONDS: Final = 20.0
"""No news take longer, however slow the machine is."""
_ECHO: Final = 0.6
_TICKS: Final = os.sysconf("SC_CLK_TCK")

News = dict[str, Any]
State = Mapping[str, Mapping[str, str]]
"""The tasks of a town by their plan id, without what the clock says."""

_UNPLANNED: Final = frozenset({"created_at", "updated_at", "made", "agent_for"})
_EVERYTHING: Final = """
local found = {}
for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
    found[#found + 1] = redis.call('HGETALL', key)
end
return found
"""


class Watcher:
    """A watcher that runs inside of `with`; it is ended at the end, whatever state it is in.

    `before` are words before its command. With `ready`, it begins when all is in step.
    """

    def __init__(
        self,
        place: Place,
        *options: str,
        before: Sequence[str] = (),
        ready: bool = True,
        **env: str,
    ) -> None:
        self._words = [*before, sys.executable, "-m", "tt", "watch", "--json", *options]
        self._place, self._ready = place, ready
        self._env = {**os.environ, "REDIS_URL": place.server.url, **env}
        self._news: list[News] = []
        self._came = threading.Condition()
        self._read = 0
        self._over = False

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._words,
            cwd=self._place.top,
            env={"PYTHONPATH": os.pathsep.join(sys.path), **self._env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._listen)
        self._reader.start()
        try:
            self.wait_for("started")
            if self._ready:
                self.wait_for("synced")
        except BaseException:
            self._kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, where: TracebackType | None
    ) -> None:
        self._kill()
        if kind is not None:
            print("The watcher said:", *self._news, sep="\n")

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    @property
    def news(self) -> list[News]:
        """All that it has said until now."""
        with self._came:
            return list(self._news)

    @property
    def pushes(self) -> list[News]:
        """Its syncs that changed Redis."""
        return [news for news in self.news if is_push(news)]

    def count(self, event: str) -> int:
        """Say how often it has said that."""
        return sum(news["event"] == event for news in self.news)

    def wait_for(
        self, what: str | Callable[[News], bool], seconds: float = SECONDS, quiet: bool = False
    ) -> News:
        """Return the next news of a kind, behind those that were waited for before.

        `quiet`: no others may come before.
        """
        fact = what if callable(what) else lambda news: bool(news["event"] == what)
        deadline = monotonic() + seconds
        with self._came:
            while True:
                while self._read < len(self._news):
                    news = self._news[self._read]
                    self._read += 1
                    if fact(news):
                        return news
                    assert not quiet, f"{news} came before {what}"
                assert not self._over, f"it ended before {what}: {self._complaint}"
                assert self._came.wait(deadline - monotonic()), f"no {what}: {self._news}"

    def wait_for_push(self, seconds: float = SECONDS) -> News:
        """Return the next sync that changed Redis."""
        return self.wait_for(is_push, seconds)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> list[News]:
        """End it as a user or a session does; return all that it has said until its end."""
        self.send(number)
        return self.await_end()

    def await_end(self) -> list[News]:
        """Wait until it has ended well; return all that it has said."""
        assert self.wait() == 0, self.complaint
        assert self.news[-1]["event"] == "stopped"
        assert self.complaint == ""
        return self.news

    def wait(self, seconds: float = SECONDS) -> int:
        """Wait for its end; return its exit code."""
        code = self._process.wait(seconds)
        self._reader.join(SECONDS)
        return code

    @property
    def complaint(self) -> str:
        """What it had said on standard error when it ended."""
        assert self._over
        return self._complaint

    @staticmethod
    def calm() -> None:
        """Let its echo die away: Redis tells it of its own push, and it looks once more."""
        sleep(_ECHO)

    def cpu(self) -> float:
        """Return the seconds for which it has been computing."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def _listen(self) -> None:
        process = self._process
        assert process.stdout is not None
        assert process.stderr is not None
        rest = ""
        for line in process.stdout:
            try:
                news = json.loads(line)["data"]
            except (ValueError, KeyError):
                rest += line  # an error ends it, and is a document of several lines
                continue
            with self._came:
                self._news.append(news)
                self._came.notify_all()
        self._complaint = process.stderr.read() + rest
        with self._came:
            self._over = True
            self._came.notify_all()

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGCONT)
        self._process.kill()
        self._process.wait()
        self._reader.join(SECONDS)
        for pipe in (self._process.stdout, self._process.stderr):
            assert pipe is not None
            pipe.close()


def is_push(news: News) -> bool:
    """Say whether a sync changed Redis."""
    return news["event"] == "synced" and bool(news["report"]["to_store"])


def state_of(server: RedisServer, town: str) -> State:
    """Return the tasks of a town, all of one moment."""
    with server.connect() as connection:
        return _state(connection.execute("EVAL", _EVERYTHING, 0, f"tt:{town}:task:*"))


def _state(reply: object) -> State:
    assert isinstance(reply, list)
    found = {}
    for flat in reply:
        texts = [item.decode() for item in flat]
        raw = dict(zip(texts[::2], texts[1::2], strict=True))
        (name,) = [tag for tag in json.loads(raw["tags"]) if tag.startswith("plan:")]
        found[name.removeprefix("plan:")] = {
            key: text for key, text in raw.items() if key not in _UNPLANNED
        }
    return found


def pushed_states(place: Place, town: str, *plans: str | bytes) -> list[State]:
    """Return what the town is when each of these plans is pushed; the last one stays."""
    states = []
    for plan in plans:
        place.write(plan)
        place.done("sync", "push")
        states.append(state_of(place.server, town))
    return states


class Spy:
    """Looks at a town again and again, and notes each state that is another than the one before."""

    def __init__(self, server: RedisServer, town: str) -> None:
        self._server, self._keys = server, f"tt:{town}:task:*"
        self._ended = threading.Event()
        self._looks = 0
        self.seen: list[State] = []

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        wait_until(lambda: bool(self.seen), "the spy to see something")
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(SECONDS)

    def look(self) -> None:
        """Wait until it has seen what is there now; it has when it ended."""
        looks = self._looks + 1  # one that had begun before may have seen the past
        wait_until(lambda: self._looks > looks or not self._thread.is_alive(), "the spy to look")

    def assert_saw(self, *states: State) -> None:
        """Check that these were all states in turn, as the watcher should have made them."""
        self.look()
        assert self.seen == list(states)

    def _look(self) -> None:
        with self._server.connect() as connection:
            while not self._ended.is_set():
                state = _state(connection.execute("EVAL", _EVERYTHING, 0, self._keys))
                if not self.seen or self.seen[-1] != state:
                    self.seen.append(state)
                self._looks += 1
                sleep(0.001)
