"""Real agents in a real town, whose programs are shell scripts; all of it is gone at the end."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from tests.support.commands import Ended, Place
from tests.support.redis_server import wait_until
from tt.adapters.clock import SystemClock
from tt.adapters.lives import born_of
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.identifiers import new_uuid
from tt.adapters.redis.workshop import RedisWorkshop
from tt.core.agents import SUPERVISOR, Agent
from tt.core.jobs import Job
from tt.core.messages import Kind, Message, Priority
from tt.errors import StoreError
from tt.workports import Terms

TT: Final = f"{sys.executable} -P -m tt"
"""What calls `tt` in a script."""
SECONDS: Final = 30.0


class Crew:
    """The agents of one place. Their settings are written at once; inside of `with` they work."""

    def __init__(self, place: Place, town: str, lease: float = 30.0) -> None:
        self.place, self.town = place, town
        self._scripts: dict[str, str] = {}
        self._settings = [f'name = "{town}"', "[conductor]", f"lease = {lease}", "[agents]"]
        self._settings += ["grace = 1.0"]
        self._started: dict[int, str] = {}
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        self.connect()
        self._write()
        return self

    def connect(self) -> None:
        """Look at the town by a new connection, as soon as the server has loaded."""
        if self._connection is not None:
            self._connection.close()
        self.wait(self._is_up, "the server to be up")
        self._connection = self.place.server.connect()
        self.shop = RedisWorkshop(self._connection, self.town, SystemClock())

    def _is_up(self) -> bool:
        try:
            self.place.server.connect().close()
        except StoreError:
            return False
        return True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for log in sorted(self.logs.glob("*.log")):
            print(f"--- {log.name}", log.read_text(errors="replace")[-3000:], sep="\n")
        for pid, born in self._started.items():
            for number in (signal.SIGTERM, signal.SIGKILL):
                if born_of(pid) == born:
                    with suppress(ProcessLookupError):
                        os.kill(pid, number)
                    with suppress(AssertionError):
                        wait_until(lambda p=pid, b=born: born_of(p) != b, "its end")  # type: ignore[misc]
        if self._connection is not None:
            self._connection.close()

    @property
    def top(self) -> Path:
        """The worktree's top."""
        return self.place.top

    @property
    def logs(self) -> Path:
        """Where the agents' logs are."""
        return self.top / ".tt" / "logs"

    def script(self, name: str, text: str, **keys: str) -> None:
        """Give the agents a CLI of this name: a shell script, in which `$TT` calls `tt`."""
        path = self.top / f"{name}.sh"
        path.write_text(f"#!/bin/sh\nTT='{TT}'\n{text}\n")
        path.chmod(0o755)
        self._scripts[name] = "".join(
            f"{key} = {json.dumps(value)}\n"
            for key, value in {"command": f"./{name}.sh", **keys}.items()
        )
        self._write()

    def settings(self, text: str) -> None:
        """Add lines to the settings."""
        self._settings.append(text)
        self._write()

    def _write(self) -> None:
        parts = [*self._settings]
        parts += [f"[agent_clis.{name}]\n{text}" for name, text in self._scripts.items()]
        (self.top / "tinytown.toml").write_text("\n".join(parts) + "\n")

    def tt(self, *words: str, **env: str) -> Ended:
        """Run a command as a process."""
        return self.place.process(*words, **env)

    def done(self, *words: str, **env: str) -> Ended:
        """Run a command that has to succeed."""
        ended = self.tt(*words, **env)
        assert ended.code == 0, ended
        return ended

    def spawn(self, name: str, cli: str, *words: str, **env: str) -> Agent:
        """Start an agent."""
        data = self.done("spawn", name, "--cli", cli, *words, "--json", **env).data
        return self._known(data)

    def restart(self, name: str, *words: str) -> Agent:
        """Start an agent again."""
        return self._known(self.done("restart", name, *words, "--json").data)

    def _known(self, data: Any) -> Agent:
        agent = self.agent(data["agent"]["uuid"])
        self._started[agent.pid] = agent.born
        return agent

    def agent(self, uuid: str) -> Agent:
        """Return an agent as it is now."""
        found = self.shop.agent(uuid)
        assert found is not None
        return found

    def task(self, agent: Agent, description: str = "Do it", **terms: float) -> Job:
        """Hand out a new task."""
        job = self.shop.make(description)
        given = Terms(int(terms.get("retries", 0)), terms.get("timeout", 0.0))
        outcome = self.shop.hand_out(job, agent.uuid, given, SUPERVISOR)
        assert outcome.done
        assert outcome.job is not None
        return outcome.job

    def job(self, job: Job | str) -> Job:
        """Return a task as it is now."""
        uuid = job if isinstance(job, str) else job.uuid
        return self.shop.jobs([uuid])[uuid]

    def until(self, job: Job, state: str) -> Job:
        """Wait until a task is in a state."""
        self.wait(lambda: self.job(job).state == state, f"{job.task.id} to be {state}")
        return self.job(job)

    def until_agent(self, agent: Agent, state: str) -> Agent:
        """Wait until an agent is in a state."""
        self.wait(lambda: self.agent(agent.uuid).state == state, f"{agent.name} to be {state}")
        return self.agent(agent.uuid)

    def wait(self, fact: Callable[[], bool], what: str) -> None:
        """Wait for something to be so."""
        wait_until(fact, what, SECONDS)

    def wait_for_file(self, name: str) -> str:
        """Wait until a script has written a whole line into a file; return its text."""
        path = self.top / name
        self.wait(lambda: path.exists() and path.read_text().endswith("\n"), f"{name} to be there")
        return path.read_text()

    def send(self, agent: Agent, kind: Kind, sender: str = SUPERVISOR, **content: object) -> None:
        """Send a message."""
        self.shop.send(
            Message(
                new_uuid(),
                sender,
                agent.uuid,
                kind,
                content,
                Priority.NORMAL,
                "2026-01-01T00:00:00Z",
            )
        )

    def log(self, name: str) -> str:
        """Return an agent's log."""
        return (self.logs / f"{name}.log").read_text()


def is_there(pid: int) -> bool:
    """Say whether a process lives; one that has ended and waits for its parent does not."""
    return born_of(pid) != ""
