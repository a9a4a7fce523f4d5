"""Three machines, one plan: they share nothing but Redis, which may be a cluster or fail over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.clusters import Watched
from tests.support.commands import LIMIT_SECONDS
from tests.support.git_repos import git, init
from tests.support.redis_server import Launch, RedisServer, free_port, wait_until
from tests.support.workshops import check_history
from tt.adapters.clock import SystemClock
from tt.adapters.redis.address import Address
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.opening import open_connection
from tt.adapters.redis.workshop import RedisWorkshop
from tt.cli.agentorders import Orders, words_for
from tt.core.agents import Agent
from tt.errors import StoreError

ROOT = Path(__file__).resolve().parents[2]
TOWN = "{team}-main"
COUNT = 9
PLAN = '[meta]\ndefault_agent = "worker"\n\n' + "\n".join(
    f'[[tasks]]\nid = "t{number}"\ndescription = "Task {number}"\nstatus = "pending"\nretries = 1\n'
    + (f'depends_on = ["t{number - 3}"]\n' if number >= 3 else "")
    for number in range(COUNT)
)
SETTINGS = """\
name = "{team}-main"

[sync]
repo = "a-team"

[redis]
timeout = 1.0

[conductor]
lease = 3.0

[agents]
grace = 0.5

[agent_clis.sleeper]
command = "sleep 0.2"
"""


class Host:
    """One machine: a clone, a home and a name of its own, and what runs there."""

    def __init__(self, top: Path, url: str) -> None:
        self.top, self.name = top, top.name
        home = top.parent / f"{top.name}-home"
        self.environment = {
            **os.environ, "REDIS_URL": url, "HOME": str(home), "TT_HOME": str(home / ".tt"),
            "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        home.mkdir()
        self.running: list[subprocess.Popen[str]] = []

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start `tt` here."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.other_host", self.name, *words], cwd=self.top,
            env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.running.append(process)
        return process

    def agent(self, name: str) -> subprocess.Popen[str]:
        """Start an agent that works here."""
        return self.start(*words_for(Orders(name, "sleeper", role="worker", how="foreground")))

    def done(self, *words: str) -> str:
        """Run a command that has to succeed."""
        process = self.start(*words)
        out, _ = process.communicate(timeout=LIMIT_SECONDS)
        assert process.returncode == 0, out
        return out

    def close(self) -> None:
        """End what runs here, and show what it said: that is read where a test fails."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            for process in self.running:
                process.send_signal(number)
            for process in self.running:
                with suppress(subprocess.TimeoutExpired):
                    out, _ = process.communicate(timeout=5)
                    print(f"--- {self.name}: {process.args[3:6]}", out[-4000:], sep="\n")


class Hosts:
    """Three machines, of which each asks Redis by the same address."""

    def __init__(self, room: Path, url: str) -> None:
        self.address = Address.parse(url)
        first = init(room / "one")
        (first / "tasks.toml").write_text(PLAN)
        (first / "tinytown.toml").write_text(SETTINGS)
        git(first, "add", ".")
        git(first, "commit", "-qm", "plan")
        for name in ("two", "three"):
            git(room, "clone", "-q", "one", name)
        self.one, self.two, self.three = (
            Host(room / name, url) for name in ("one", "two", "three")
        )

    def close(self) -> None:
        print(self.states())
        for host in (self.one, self.two, self.three):
            host.close()

    def shop(self) -> tuple[Connection, RedisWorkshop]:
        made = open_connection(self.address, town=TOWN)
        return made, RedisWorkshop(made, TOWN, SystemClock())

    def states(self) -> Counter[str]:
        """Count the tasks in each state; nothing while Redis is away."""
        try:
            connection, shop = self.shop()
            with connection:
                return Counter(job.state for job in shop.board().jobs.values())
        except StoreError:
            return Counter()

    def agents(self) -> dict[str, Agent]:
        """Return the agents by their names."""
        connection, shop = self.shop()
        with connection:
            return {agent.name: agent for agent in shop.agents().values()}

    def begin(self) -> subprocess.Popen[str]:
        """Push the plan, start agents on two machines and conductors on two; return the first."""
        self.one.done("sync", "push")
        self.two.agent("two-a")
        self.two.agent("two-b")
        self.three.agent("three-a")
        self.wait(lambda: len(self.agents()) == 3, "three agents")
        conductor = self.one.start("conductor")
        self.three.start("conductor")
        self.wait(lambda: self.states()["completed"] >= 3, "three tasks")
        return conductor

    def wait(self, done: Callable[[], bool], what: str) -> None:
        wait_until(done, what, LIMIT_SECONDS)

    def finish(self) -> None:
        """Wait until all is completed, and see it in the file of each machine; and how it went."""
        self.wait(lambda: self.states()["completed"] == COUNT, "all to be completed")
        for host in (self.one, self.two, self.three):
            host.done("sync", "merge")
            assert (host.top / "tasks.toml").read_text().count('"completed"') == COUNT
        connection, shop = self.shop()
        with connection:
            events = shop.events(100_000)
            assert set(check_history(events).values()) == {"completed"}
        assert {agent.host for agent in self.agents().values()} == {"two", "three"}
        ended = Counter(str(one.data["task_id"]) for one in events if one.kind == "task_completed")
        assert len(ended) == COUNT
        assert set(ended.values()) == {1}


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Callable[[str], Hosts]]:
    there: list[Hosts] = []

    def make(url: str) -> Hosts:
        there.append(Hosts(tmp_path, url))
        return there[-1]

    try:
        yield make
    finally:
        for hosts in there:
            hosts.close()


@pytest.mark.parametrize("redis_binary", ["valkey"], indirect=True)
def test_an_agent_and_a_conductor_that_die_on_other_machines_are_followed_by_others_in_a_cluster(
    cluster_ports: list[int], made: Callable[[str], Hosts]
) -> None:
    hosts = made(f"redis+cluster://:hunter2@127.0.0.1:{cluster_ports[0]}")
    conductor = hosts.begin()
    os.kill(hosts.agents()["two-b"].pid, signal.SIGKILL)
    conductor.kill()
    hosts.finish()


@pytest.mark.parametrize("redis_binary", ["valkey"], indirect=True)
def test_a_failover_in_the_middle_of_a_run_loses_nothing(
    watched: Watched, launch_redis: Launch, made: Callable[[str], Hosts]
) -> None:
    port = free_port()
    replica = launch_redis("--port", str(port), "--replicaof", f"127.0.0.1 {watched.primary_port}")
    with watched.sentinel.connect() as sentinel:
        wait_until(lambda: _knows_replica(sentinel), "the Sentinel to know the replica", 30)
        hosts = made(f"redis+sentinel://127.0.0.1:{watched.sentinel_port}/main")
        hosts.begin()
        # Else the old primary would go on taking, for some seconds, what nobody keeps.
        with watched.primary.connect() as connection:
            connection.execute("CONFIG", "SET", "min-replicas-to-write", 1)
        sentinel.execute("SENTINEL", "FAILOVER", "main")
        wait_until(lambda: _is_primary(replica), "the failover", LIMIT_SECONDS)
        hosts.finish()


def _knows_replica(sentinel: Connection) -> bool:
    found = sentinel.execute("SENTINEL", "REPLICAS", "main")
    return isinstance(found, list) and any(
        isinstance(each, list) and b"master-link-status" in each and b"ok" in each for each in found
    )


def _is_primary(server: RedisServer) -> bool:
    with suppress(StoreError), server.connect() as connection:  # a failover cuts connections
        role = connection.execute("ROLE")
        return isinstance(role, list) and role[0] == b"master"
    return False
