"""`tt conductor` as a process, with agents that are processes: plans run to their ends."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import LIMIT_SECONDS, Place, tasks_of
from tests.support.git_repos import git
from tests.support.redis_server import RedisServer, wait_until
from tt.adapters.clock import SystemClock
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.workshop import RedisWorkshop

ROOT = Path(__file__).resolve().parents[2]
TOWN = "here-main"
CHAIN = """\
[meta]
description = "Code Review Pipeline"
default_agent = "developer"

""" + "\n".join(
    f'[[tasks]]\nid = "{name}"\ndescription = "Do {name}"\nagent = "{agent}"\nstatus = "pending"\n'
    + (f'parent = "{parent}"\n' if parent else "")
    for name, agent, parent in (
        ("lint", "linter", ""),
        ("build", "builder", "lint"),
        ("test", "tester", "build"),
        ("review", "reviewer", "test"),
        ("deploy", "deployer", "review"),
    )
)
STAGES = ["lint", "build", "test", "review", "deploy"]
GROUP = """\
[meta]
description = "User Profile Feature Pipeline"

# Epic (parent task)
[[tasks]]
id = "profile-epic"
description = "Implement user profile feature"
status = "pending"
tags = ["epic", "q1-2024"]

""" + "\n".join(
    f'[[tasks]]\nid = "{name}"\ndescription = "Do {name}"\nagent = "{agent}"\nstatus = "pending"\n'
    'parent = "profile-epic"\n'
    for name, agent in (
        ("design", "architect"),
        ("implement", "developer"),
        ("test", "tester"),
        ("review", "reviewer"),
    )
)


class Stand:
    """A place whose plan is conducted, and the processes that take part."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.running: list[subprocess.Popen[str]] = []
        self.connection = Connection.open(place.server.address, 10)
        self.workshop = RedisWorkshop(self.connection, TOWN, SystemClock())

    def plan(self, text: str, settings: str = "") -> None:
        self.place.write(text)
        (self.place.top / "tinytown.toml").write_text(settings)
        git(self.place.top, "add", ".")
        git(self.place.top, "commit", "-qm", "plan")
        assert self.place.tt("sync", "push").code == 0

    def start(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        environment = {**os.environ, "REDIS_URL": self.place.server.url, "PYTHONPATH": str(ROOT)}
        started = subprocess.Popen(
            [sys.executable, *words], cwd=self.place.top, env=environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options,
        )  # fmt: skip
        self.running.append(started)
        return started

    def agent(self, name: str, lease: float = 30, seconds: float = 0) -> subprocess.Popen[str]:
        """Start an agent, and wait until it is there."""
        url = self.place.server.url
        words = ("-m", "tests.support.pretend_agent", url, TOWN, name, str(lease), str(seconds))
        found = self.start(*words)
        assert found.stdout is not None
        assert found.stdout.readline() == "ready\n", found.communicate()
        return found

    def agents(self, *names: str, seconds: float = 0) -> None:
        for name in names:
            self.agent(name, seconds=seconds)

    def conductor(self, *options: str) -> subprocess.Popen[str]:
        return self.start("-m", "tt", "conductor", *options)

    def conducted(self, *options: str) -> tuple[int, str, str]:
        """Run a conductor to its end."""
        found = self.conductor(*options)
        out, err = found.communicate(timeout=LIMIT_SECONDS)
        return found.returncode, out, err

    def happened(self, *kinds: str) -> list[str]:
        """Return the tasks of events of these kinds, in order, as `id` where there is one kind."""
        names = {raw["id"]: name for name, raw in tasks_of(self.place.server, TOWN).items()}
        found = [
            (event.kind, names[str(event.data["task_id"])])
            for event in self.workshop.events(100_000)
            if event.kind in kinds
        ]
        return [name if len(kinds) == 1 else f"{kind} {name}" for kind, name in found]

    def states(self) -> dict[str, str]:
        return {name: raw["state"] for name, raw in tasks_of(self.place.server, TOWN).items()}

    def wait(self, done: Callable[[], bool], what: str, seconds: float = 30) -> None:
        wait_until(done, what, seconds)

    def close(self) -> None:
        for process in self.running:
            with suppress(ProcessLookupError):
                process.kill()
            process.communicate()
        self.connection.close()


@pytest.fixture
def stand(tmp_path: Path, server: RedisServer) -> Iterator[Stand]:
    place = Place.make(tmp_path / "here", server)
    found = Stand(place)
    try:
        yield found
    finally:
        found.close()


def test_the_stages_of_a_chain_are_done_one_after_the_other_and_committed(stand: Stand) -> None:
    stand.plan(CHAIN)
    stand.agents("linter", "builder", "tester", "reviewer", "deployer")
    code, out, err = stand.conducted("--commit")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "✓ All is done: 5 tasks completed."
    assert stand.happened("task_started", "task_completed") == [
        f"task_{what} {name}" for name in STAGES for what in ("started", "completed")
    ]
    committed = git(stand.place.top, "show", "HEAD:tasks.toml")
    assert committed.count('status = "completed"') == 5
    assert stand.place.file.read_text() == committed + ("" if committed.endswith("\n") else "\n")
    assert git(stand.place.top, "status", "--porcelain").strip() == ""
    touched = git(stand.place.top, "log", "--format=", "--name-only", "HEAD~1..").split()
    assert set(touched) == {"tasks.toml"}


def test_the_tasks_of_a_group_are_done_at_the_same_time_and_the_group_lands(stand: Stand) -> None:
    stand.plan(GROUP)
    stand.agents("architect", "developer", "tester", "reviewer", seconds=0.5)
    code, _, err = stand.conducted()
    assert (code, err) == (0, "")
    happened = stand.happened("task_started", "task_completed")
    assert {line.partition(" ")[0] for line in happened[:4]} == {"task_started"}
    assert happened[-1] == "task_completed profile-epic"
    assert set(stand.states().values()) == {"completed"}


def test_a_failing_stage_stops_what_waits_for_it_and_goes_on_from_there_when_it_is_reopened(
    stand: Stand,
) -> None:
    other = '\n[[tasks]]\nid = "docs"\ndescription = "Docs"\nagent = "linter"\n'
    stand.plan(CHAIN.replace("Do test", "Do test [[fail 1]]") + other)
    stand.agents("linter", "builder", "tester", "reviewer", "deployer")
    code, out, _ = stand.conducted()
    assert code == 1
    assert out.splitlines()[-3:] == [
        "✗ Nothing can move: 3 of 6 tasks completed.",
        "    test failed: failed by tester; 2 tasks wait for it",
        "        `tt reopen test` lets it be tried again.",
    ]
    assert stand.states() == {
        "lint": "completed", "build": "completed", "test": "failed", "docs": "completed",
        "review": "pending", "deploy": "pending",
    }  # fmt: skip
    assert stand.place.tt("reopen", "test").code == 0
    code, out, err = stand.conducted()
    assert (code, err) == (0, ""), out
    assert stand.happened("task_started").count("lint") == 1
    assert stand.happened("task_completed")[-3:] == ["test", "review", "deploy"]


def test_a_task_that_fails_is_tried_as_often_again_as_it_says(stand: Stand) -> None:
    plan = CHAIN.replace('"Do test"', '"Do test [[fail 2]]"\nretries = 2')
    stand.plan(plan)
    stand.agents("linter", "builder", "tester", "reviewer", "deployer")
    code, out, _ = stand.conducted()
    assert code == 0
    assert stand.happened("task_started").count("test") == 3
    assert "↺ test failed and is tried again (1 of 2): failed by tester" in out


def test_what_a_killed_agent_was_doing_is_done_by_another_one(stand: Stand) -> None:
    stand.plan('[[tasks]]\nid = "a"\ndescription = "A [[die]]"\nagent = "dev"\n')
    stand.agent("dev", seconds=0.1)
    conductor = stand.conductor()
    stand.wait(lambda: stand.running[0].poll() is not None, "the agent to die")
    assert conductor.stdout is not None
    stand.wait(lambda: any(a.state == "stopped" for a in stand.workshop.agents().values())
               or conductor.poll() is not None, "the dead to be buried")  # fmt: skip
    out, _ = conductor.communicate(timeout=LIMIT_SECONDS)
    assert conductor.returncode == 1
    assert "✗ dev is dead: its process" in out
    assert "a is for dev, who has stopped" in out
    stand.agent("dev")
    code, _, _ = stand.conducted()
    assert code == 0
    assert Counter(stand.happened("task_completed")) == {"a": 1}


def test_a_conductor_that_is_killed_is_followed_by_the_one_that_stands_by(stand: Stand) -> None:
    stand.plan(CHAIN, "[conductor]\nlease = 1\n")
    stand.agents("linter", "builder", "tester")
    first = stand.conductor()
    stand.wait(lambda: stand.states()["test"] == "completed" or first.poll() is not None, "three")
    stand.wait(lambda: first.poll() is not None, "the end of the first, as nobody is reviewer")
    assert first.returncode == 1
    stand.agent("reviewer", seconds=5)  # until the second one is there, however slow
    stand.agent("deployer")
    first = stand.conductor()
    stand.wait(lambda: stand.states()["review"] == "running", "the review")
    second = stand.conductor()
    assert second.stdout is not None
    assert "stands by" in second.stdout.readline()
    first.kill()
    out, err = second.communicate(timeout=LIMIT_SECONDS)
    assert (second.returncode, err) == (0, ""), out
    assert "this one leads now" in out
    assert Counter(stand.happened("task_completed")) == Counter(STAGES)


def test_a_conductor_that_is_killed_again_and_again_loses_nothing_and_does_nothing_twice(
    stand: Stand,
) -> None:
    chance = random.Random(7)
    tasks = "".join(
        f'[[tasks]]\nid = "t{n}"\ndescription = "T{n}"\nagent = "{"ab"[n % 2]}"\n'
        + (f'depends_on = ["t{n - 3}"]\n' if n >= 3 else "")
        for n in range(30)
    )
    stand.plan(tasks, "[conductor]\nlease = 0.3\n")
    stand.agents("a", "b", seconds=0.03)
    for _ in range(6):
        conductor = stand.conductor()
        wanted = len(stand.happened("task_completed")) + chance.randrange(1, 4)
        stand.wait(lambda: len(stand.happened("task_completed")) >= wanted  # noqa: B023
                   or conductor.poll() is not None, "some tasks")  # fmt: skip  # noqa: B023
        conductor.kill()
        conductor.communicate()
    code, out, err = stand.conducted()
    assert (code, err) == (0, ""), out
    everyone = {f"t{n}": 1 for n in range(30)}
    assert Counter(stand.happened("task_completed")) == everyone
    assert Counter(stand.happened("task_assigned")) == everyone
    assert Counter(stand.happened("task_started")) == everyone


def test_ctrl_c_leaves_agents_working_and_says_so(stand: Stand) -> None:
    stand.plan(CHAIN)
    stand.agent("linter", seconds=1)
    conductor = stand.conductor()
    stand.wait(lambda: stand.states()["lint"] == "running", "the agent to begin")
    conductor.send_signal(signal.SIGINT)
    out, err = conductor.communicate(timeout=LIMIT_SECONDS)
    assert (conductor.returncode, err) == (130, "")
    assert "Agents go on working: 1 task under way; `tt conductor` goes on from here." in out
    stand.wait(lambda: stand.states()["lint"] == "completed", "the agent to go on")
    assert stand.workshop.leader() is None


def test_each_thing_that_happens_is_a_document_on_a_line_for_programs(stand: Stand) -> None:
    stand.plan(CHAIN)
    stand.agents("linter", "builder", "tester", "reviewer", "deployer")
    code, out, _ = stand.conducted("--json")
    assert code == 0
    said = [json.loads(line)["data"] for line in out.splitlines()]
    assert [one["task"] for one in said if one["event"] == "completed"] == STAGES
    assert said[-1]["event"] == "ended"
    assert said[-1]["is_completed"] is True


def test_all_is_not_done_where_a_task_cannot_be_read(stand: Stand) -> None:
    stand.plan(GROUP)
    stand.agents("architect", "developer", "tester")
    (review,) = [
        raw for name, raw in tasks_of(stand.place.server, TOWN).items() if name == "review"
    ]
    with stand.place.server.connect() as connection:
        connection.execute("HSET", f"tt:{TOWN}:task:{review['id']}", "state", "no such state")
    code, out, err = stand.conducted()
    assert (code, err) == (1, "")
    assert "✗ Nothing can move: 3 of 4 tasks completed." in out
    assert "review: it cannot be read in Redis, and nobody knows how far" in out
    assert stand.states()["profile-epic"] == "pending"


def test_redis_that_is_restarted_in_the_middle_is_waited_for_and_loses_nothing(
    stand: Stand, launch: Any
) -> None:
    server = launch("--appendonly", "yes", "--appendfsync", "always")
    moved = Stand(Place(stand.place.top, server))
    try:
        moved.plan(CHAIN)
        moved.agents("linter", "builder", "tester", "reviewer", "deployer", seconds=0.3)
        conductor = moved.conductor()
        moved.wait(lambda: moved.states()["build"] == "running", "the second stage")
        server.stop()
        server.start()
        out, err = conductor.communicate(timeout=LIMIT_SECONDS)
        assert (conductor.returncode, err) == (0, ""), out
        assert "✓ Redis is back" in out
        moved.connection.close()
        moved.connection = Connection.open(server.address, 10)
        moved.workshop = RedisWorkshop(moved.connection, TOWN, SystemClock())
        assert moved.happened("task_completed") == STAGES
        assert Counter(moved.happened("task_started")) == Counter(STAGES)
    finally:
        moved.close()


SELF_MADE = """\
default_cli = "shell"

[agent_clis.shell]
command = "cat > /dev/null; echo did $TT_TASK >> done.txt"

[conductor]
lease = 5
"""


def test_agents_that_the_plan_names_are_started_with_the_command_of_the_settings(
    stand: Stand,
) -> None:
    stand.plan(GROUP, SELF_MADE)
    code, out, err = stand.conducted("--spawn")
    try:
        assert (code, err) == (0, ""), out
        assert "+ architect is being started" in out
        assert out.splitlines()[-1] == "✓ All is done: 4 tasks completed."
        assert len((stand.place.top / "done.txt").read_text().splitlines()) == 4
    finally:
        for agent in stand.workshop.agents().values():
            os.kill(agent.pid, signal.SIGKILL)


def test_an_agent_that_cannot_be_started_is_why_nothing_can_move(stand: Stand) -> None:
    stand.plan(CHAIN, 'default_cli = "gone"\n[agent_clis.gone]\ncommand = "no-such-program-1"\n')
    code, out, _ = stand.conducted("--spawn")
    assert code == 1
    why = "The CLI `gone` runs `no-such-program-1`, which is not there"
    assert f"lint is for linter, who is not there: {why}" in out


def on_terminal(stand: Stand, **more: str) -> tuple[int, str]:
    """Run a conductor on a terminal of 24 lines, and return all that it drew."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {**os.environ, "REDIS_URL": stand.place.server.url, "PYTHONPATH": str(ROOT)}
    environment |= {"TERM": "xterm", **more}
    process = subprocess.Popen(
        [sys.executable, "-m", "tt", "conductor"], cwd=stand.place.top, env=environment,
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    stand.running.append(process)  # type: ignore[arg-type]  # it is only ended there
    os.close(theirs)
    drawn = b""
    with suppress(OSError):  # the other end is closed
        while part := os.read(ours, 65536):
            drawn += part
    os.close(ours)
    return process.wait(LIMIT_SECONDS), drawn.decode()


def test_on_a_terminal_the_plan_is_a_tree_that_moves(stand: Stand) -> None:
    stand.plan(GROUP.replace("Do design", "Do \\u001b[2J design"))
    stand.agents("architect", "developer", "tester", "reviewer", seconds=1.5)
    code, drawn = on_terminal(stand)
    assert code == 0
    assert "User Profile Feature Pipeline: " in drawn
    assert "profile-epic" in drawn
    assert "0/4 done" in drawn
    assert "0:01" in drawn
    assert "▶ design is under way: architect" in drawn
    assert "\x1b[2J" not in drawn
    assert "\x1b[34m" in drawn
    assert drawn.rstrip().endswith("✓ All is done: 4 tasks completed.\x1b[0m")


def test_without_colours_the_picture_has_none(stand: Stand) -> None:
    stand.plan(GROUP)
    stand.agents("architect", "developer", "tester", "reviewer", seconds=0.3)
    code, drawn = on_terminal(stand, NO_COLOR="1")
    assert code == 0
    assert "profile-epic" in drawn
    assert not re.search(r"\x1b\[[0-9;]*[1-9][0-9;]*m", drawn)


def test_on_a_dumb_terminal_there_are_lines_alone(stand: Stand) -> None:
    stand.plan(GROUP)
    stand.agents("architect", "developer", "tester", "reviewer", seconds=0.3)
    code, drawn = on_terminal(stand, TERM="dumb")
    assert code == 0
    assert "\x1b" not in drawn
    assert "0/4 done" not in drawn
