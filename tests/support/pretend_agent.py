"""An agent that only pretends to work, as a process: `python -m tests.support.pretend_agent …`.

It takes what is handed to it, claims it, waits, and reports. `[[fail 2]]` in a description lets the
first two attempts fail, `[[die]]` kills the agent in the middle of the first. A Redis that goes
away is waited for.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable
from typing import TypeVar

from tt.adapters.clock import SystemClock
from tt.adapters.lives import born_of
from tt.adapters.processes import this_host
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.identifiers import new_uuid
from tt.adapters.redis.url import parse_address
from tt.adapters.redis.workshop import RedisWorkshop
from tt.core.agents import Agent, AgentState
from tt.core.jobs import Job
from tt.errors import StoreError

T = TypeVar("T")
PAUSE = 0.002


class Pretender:
    """One agent, and its work."""

    def __init__(self, url: str, town: str, name: str, lease: float, seconds: float) -> None:
        self.url, self.town, self.seconds = url, town, seconds
        self.connect()
        pid = os.getpid()
        made = Agent(
            new_uuid(), name, AgentState.IDLE, cli="pretend", lease=lease,
            host=this_host(), pid=pid, born=born_of(pid),
        )  # fmt: skip
        self.agent = self.workshop.enlist(made)

    def connect(self) -> None:
        self.connection = Connection.open(parse_address(self.url), 10)
        self.workshop = RedisWorkshop(self.connection, self.town, SystemClock())

    def again(self, ask: Callable[[], T]) -> T:
        """Do something that may be done twice, until it is done."""
        while True:
            try:
                return ask()
            except StoreError:
                time.sleep(10 * PAUSE)
                self.reconnect()

    def reconnect(self) -> None:
        try:
            self.connect()
            self.workshop.untake(self.agent.uuid)
        except StoreError:
            return

    def run(self) -> None:
        due = 0.0
        while True:
            if time.monotonic() >= due:
                due = time.monotonic() + self.agent.lease / 3
                self.again(lambda: self.workshop.beat(self.agent, {}))
            message = self.again(lambda: self.workshop.take(self.agent.uuid))
            if message is None:
                time.sleep(PAUSE)
                continue
            self.take_on(message.text("task_id"))
            self.again(lambda: self.workshop.settle(self.agent.uuid, message))  # noqa: B023

    def take_on(self, uuid: str) -> None:
        token = new_uuid()
        outcome = self.again(lambda: self.workshop.claim(uuid, self.agent.uuid, token=token))
        if outcome.done and outcome.job is not None:
            count = self.again(lambda: self.connection.execute("INCR", f"pretend:{uuid}"))
            self.work(outcome.job, int(str(count)))

    def work(self, job: Job, attempt: int) -> None:
        text, agent = job.task.description, self.agent
        time.sleep(self.seconds)
        if "[[die]]" in text and attempt == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        failing = re.search(r"\[\[fail (\d+)\]\]", text)
        fails = failing is not None and attempt <= int(failing[1])
        state = "failed" if fails else "completed"
        said = f"{state} by {agent.name}"
        self.again(
            lambda: self.workshop.finish(
                job.uuid,
                "failed" if fails else "completed",
                said,
                claim=job.claim,
                by=agent.uuid,
            )
        )
        self.again(lambda: self.workshop.set_state(agent.uuid, AgentState.IDLE))


if __name__ == "__main__":
    pretender = Pretender(*sys.argv[1:4], float(sys.argv[4]), float(sys.argv[5]))
    print("ready", flush=True)
    pretender.run()
