"""The tutorial, word for word: its commands are read out of docs/tutorial.md and run by a shell.

`claude`, `auggie` and `codex` are shell scripts here, which report as their prompts tell them to.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.commands import LIMIT_SECONDS, tasks_of
from tests.support.git_repos import git
from tests.support.pretend_clis import install
from tests.support.redis_server import RedisServer, wait_until
from tests.support.stopping import stop_agents
from tt.adapters.planfile import read_plan
from tt.core.model import Plan

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)( fails)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STAGES = ["lint", "build", "test", "review", "deploy"]


class Block(NamedTuple):
    """One block of the tutorial: commands to run, or a plan to write."""

    kind: str
    fails: bool
    text: str


class Reader:
    """Somebody who does what the tutorial says, in a directory that changes with `cd`."""

    def __init__(self, top: Path, server: RedisServer) -> None:
        self.here, self.server, self.log = top, server, top / "pretend"
        tools = top / "bin"
        install(tools)
        (tools / "tt").write_text(f'#!/bin/sh\nexec {sys.executable} -P -m tt "$@"\n')
        (tools / "tt").chmod(0o755)
        self.environment = {
            **os.environ,
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "REDIS_URL": server.url,
            "PRETEND_LOG": str(self.log),
        }
        self.blocks = iter(
            Block(kind, bool(fails), text)
            for kind, fails, text in BLOCK.findall(TUTORIAL)
            if kind in ("sh", "toml")
        )

    def read(self, last: str) -> str:
        """Do what comes next, up to the block that has `last` in it; return what that printed."""
        for block in self.blocks:
            printed = self._do(block)
            if last in block.text:
                return printed
        raise AssertionError(f"the tutorial does not say {last!r}")

    def _do(self, block: Block) -> str:
        if block.kind == "toml":
            (self.here / "tasks.toml").write_text(block.text, encoding="utf-8")
            return ""
        done = self.run(block.text)
        assert done.returncode == int(block.fails), f"{block.text}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def run(self, commands: str) -> subprocess.CompletedProcess[str]:
        """Run commands as typed into a shell that ends at the first failure."""
        where = self.log.with_suffix(".pwd")
        done = subprocess.run(
            ["/bin/sh", "-e", "-c", f"{commands}\npwd >'{where}'"], cwd=self.here, text=True,
            stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=LIMIT_SECONDS,
            env=self.environment,
        )  # fmt: skip
        if done.returncode == 0:
            self.here = Path(where.read_text().strip())
        return done

    def set(self, what: str, text: str | None) -> None:
        """Tell the agents' programs to `wait` for so many of them, or to `fail` a task."""
        path = self.log.with_suffix(f".{what}")
        if text is None:
            path.unlink(missing_ok=True)
        else:
            path.write_text(text)

    @property
    def begun(self) -> list[str]:
        """The tasks that were begun, in order."""
        return self.log.with_suffix(".begun").read_text().split()

    def committed(self) -> Plan:
        """Return the plan in HEAD."""
        return read_plan(git(self.here, "show", "HEAD:tasks.toml").encode(), "HEAD").plan

    def states(self, town: str) -> dict[str, str]:
        """Return how the town's tasks are."""
        return {name: raw["state"] for name, raw in tasks_of(self.server, town).items()}


@pytest.fixture
def reader(tmp_path: Path, server: RedisServer) -> Iterator[Reader]:
    yield Reader(tmp_path, server)
    stop_agents(server)


def of(plan: Plan) -> dict[str, str]:
    return {name: task.status for name, task in plan.tasks.items()}


def test_the_tutorial_ends_as_it_says(reader: Reader) -> None:
    assert "4 tasks, 1 level, 1 group: 4 pending" in reader.read("tt graph")
    spawned = reader.read("tt spawn architect")
    assert spawned.count("🤖 Spawned agent") == 4

    reader.set("wait", "4")  # nobody goes on before all four are at it
    conducted = reader.read("tt conductor\n")
    reader.set("wait", None)
    assert "⬆️  Pushed 5 tasks from tasks.toml to Redis" in conducted
    assert conducted.endswith("✓ All is done: 4 tasks completed.\n")
    assert sorted(reader.begun) == ["design", "implement", "review", "test"]

    status = reader.read("tt status")
    assert "📋 Assigned task" in status
    assert "Town   profile-main (branch main)" in status

    reader.read("tt conductor --commit")
    committed = reader.committed()
    assert set(of(committed).values()) == {"completed"}
    assert len(committed.tasks) == 6
    assert committed.meta["description"] == "User Profile Feature Pipeline"
    assert git(reader.here, "status", "--porcelain") == ""

    reader.log.with_suffix(".begun").unlink()
    reader.set("fail", "test")
    conducted = reader.read("tt conductor --commit")
    assert "test failed: It does not compile; 2 tasks wait for it" in conducted
    assert "`tt reopen test` lets it be tried again." in conducted
    assert list(of(reader.committed()).values()) == [
        "completed", "completed", "failed", "pending", "pending",
    ]  # fmt: skip

    reader.set("fail", None)
    told = reader.read("tt reopen test")
    assert "✓ All is done: 5 tasks completed." in told
    assert told.count("test") > 1
    assert reader.begun == ["lint", "build", "test", "test", "review", "deploy"]
    assert of(reader.committed()) == dict.fromkeys(STAGES, "completed")
    assert git(reader.here, "status", "--porcelain") == ""
    reader.read("tt stop")
    assert next(reader.blocks, None) is None


BESIDE = """\
[[tasks]]
id = "compile"
description = "Compile"
agent = "dev"

[[tasks]]
id = "package"
description = "Package"
agent = "dev"
parent = "compile"

[[tasks]]
id = "publish"
description = "Publish"
agent = "dev"
depends_on = ["package"]

[[tasks]]
id = "docs"
description = "Write it down"
agent = "writer"

[[tasks]]
id = "announce"
description = "Tell others"
agent = "writer"
depends_on = ["docs"]
"""


def test_a_failure_stops_what_depends_on_it_and_nothing_else(reader: Reader) -> None:
    reader.run("git init -q beside && cd beside")
    (reader.here / "tasks.toml").write_text(BESIDE)
    reader.set("fail", "compile")
    started = "tt spawn dev --cli claude; tt spawn writer --cli auggie; tt sync push"
    assert reader.run(f"git add . && git commit -qm Plan && {started}").returncode == 0
    ended = reader.run("tt conductor --commit")
    assert ended.returncode == 1
    assert "compile failed: It does not compile; 2 tasks wait for it" in ended.stdout
    assert of(reader.committed()) == {
        "compile": "failed", "package": "pending", "publish": "pending",
        "docs": "completed", "announce": "completed",
    }  # fmt: skip

    reader.set("fail", None)
    assert reader.run("tt reopen compile && tt conductor --commit").returncode == 0
    assert set(of(reader.committed()).values()) == {"completed"}
    assert sorted(reader.begun) == sorted(
        ["compile", "compile", "package", "publish", "docs", "announce"]
    )


def test_a_graph_of_what_redis_has_says_who_has_what(reader: Reader) -> None:
    reader.run("git init -q live && cd live")
    (reader.here / "tasks.toml").write_text(
        '[[tasks]]\nid = "g"\ndescription = "Group"\n\n'
        '[[tasks]]\nid = "a"\ndescription = "A"\nagent = "coder"\nparent = "g"\n\n'
        '[[tasks]]\nid = "b"\ndescription = "B"\nagent = "coder"\ndepends_on = ["g"]\n'
    )
    reader.set("wait", "9")  # until it is told otherwise
    started = "tt sync push && tt spawn dev --role coder --cli claude && tt conductor --once"
    assert reader.run(started).returncode == 0
    wait_until(lambda: reader.states("live-main")["a"] == "running", "a to be running")
    assert reader.run("tt graph --live").stdout.splitlines() == [
        "o  a  running    A  @dev",
        "|",
        "#  g  pending    Group  0/1 done, 1 running",
        "|",
        "o  b  pending    B  @coder",
        "2 tasks, 2 levels, 1 group: 1 pending, 1 running",
    ]
    assert reader.run("tt epics --live").stdout.splitlines() == [
        "g  open    0/1 done, 1 running  Group",
        "    at work: dev does a",
        "1 group: 1 open",
    ]
    reader.set("wait", None)
    assert reader.run("tt conductor").returncode == 0
    assert reader.run("tt epics --live --all").stdout.startswith("g  closed (completed)  1/1 done")
