"""How fast agents come to their tasks, and what a conductor costs, as Markdown tables.

python -m benchmarks.agents [--quick] [--chain 40] [--tasks 1000] [--size 10000] [--idle 60]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple, cast

from benchmarks.plans import make_plan
from benchmarks.watch import ticks, wait_for
from benchmarks.world import TOWN, World, scratch_world, tt_command
from tt.core.agents import Agent, AgentState
from tt.core.conducting import Orders, Seen, decide
from tt.core.jobs import Board, Job
from tt.core.ledger import Ledger
from tt.core.model import Task

LATENCY: Final = 50.0
"""Milliseconds from the completion of a task to the start of the next agent's program."""
THROUGHPUT: Final = 3.0
"""What many tasks may take through agents, in times of the same processes one after another."""
DECISION: Final = 50.0
"""Milliseconds of deciding one step."""
IDLE: Final = 0.5
"""Percent of one core that a conductor may take while nothing happens."""

_CREW: Final = 8
_STEPS: Final = 20
"""How often a step is decided."""
_SETTLED: Final = 3.0
"""Seconds after which a conductor has looked at everything."""

_STAMP: Final = "#!/bin/sh\ndate +%s%N >>stamps\nexec cat >/dev/null\n"
_NOTHING: Final = "#!/bin/sh\nexec cat >/dev/null\n"
_PYTHON: Final = f"#!/bin/sh\nexec {sys.executable} -I -c 'import sys; sys.stdin.read()'\n"


class Crowd:
    """Agents of a world whose program is a script, and a plan for them."""

    def __init__(self, world: World, script: str) -> None:
        self._world, self._script = world, script
        self.cli = world.repository / "agent.sh"

    def plan(self, text: str) -> None:
        """Make the repository anew with this plan, and push it."""
        self._world.begin(1)
        self._world.plan.write_text(text, encoding="utf-8")
        self.cli.write_text(self._script, encoding="utf-8")
        self.cli.chmod(0o755)
        settings = f'name = "{TOWN}"\n[agent_clis.script]\ncommand = "./agent.sh"\n'
        (self._world.repository / "tinytown.toml").write_text(settings, encoding="utf-8")
        self.tt("sync", "push")

    def tt(self, *words: str) -> str:
        """Run a command in the repository; a failure of it ends the benchmark."""
        done = subprocess.run(
            [*tt_command(), *words], cwd=self._world.repository, env=self._world.env, check=False,
            capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode != 0:
            sys.exit(f"tt {' '.join(words)} ended with {done.returncode}:\n{done.stderr}")
        return done.stdout

    @contextmanager
    def at_work(self, count: int) -> Iterator[None]:
        """Have so many agents until the block ends."""
        for number in range(count):
            self.tt("spawn", f"w{number}", "--cli", "script", "--role", "worker", "--json")
        try:
            yield
        finally:
            self.tt("stop")
            for number in range(count):
                self.tt("wait", f"w{number}", "--timeout", "30")

    def pids(self) -> list[int]:
        """Return the processes of all agents, and that of the server."""
        (info,) = self._world.ask(("INFO", "server"))
        (server,) = re.findall(rb"process_id:(\d+)", cast("bytes", info))
        listed = json.loads(self.tt("list", "--json"))["data"]["agents"]
        return [int(server), *(agent["pid"] for agent in listed)]

    def ends(self) -> list[float]:
        """Return when tasks were completed, by the server's clock, in seconds since 1970."""
        (events,) = self._world.ask(("XRANGE", f"tt:{TOWN}:events", "-", "+"))
        found = cast("list[tuple[bytes, list[bytes]]]", events)
        done = [one for one, fields in found if b"task_completed" in fields]
        return [int(one.partition(b"-")[0]) / 1000 for one in done]


def main() -> None:
    """Measure and print, in a temporary directory; nothing is left running."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="less of everything; a minute")
    parser.add_argument("--chain", type=int, default=40, help="tasks, one after the other")
    parser.add_argument("--tasks", type=int, default=1_000, help="tasks that do nothing")
    parser.add_argument("--size", type=int, default=10_000, help="tasks of a conductor's plan")
    parser.add_argument("--idle", type=float, default=60.0, help="seconds without anything")
    options = parser.parse_args()
    if options.quick:
        options.chain, options.tasks, options.idle = 10, 100, 10.0
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}.\n")
    print("| case | figure | target |\n|---|--:|---|", flush=True)
    with scratch_world() as world:
        gaps = [1000 * gap for gap in handovers(world, options.chain)]
        row(f"from a completion to the next program, median of {len(gaps)}, ms", median(gaps),
            LATENCY)  # fmt: skip
        row("the same, worst, ms", max(gaps))
        for name, script in (("`sh`", _NOTHING), ("Python", _PYTHON)):
            through, bare = crowd(world, script, options.tasks)
            what = f"{options.tasks:,} tasks, programs that start {name} and end"
            row(f"{what}: {_CREW} agents, s", through.seconds)
            row(f"{what}: one after the other, s", bare.seconds)
            row(f"{what}: ratio", through.seconds / bare.seconds, THROUGHPUT)
            if has_proc():
                row(f"{what}: processor's time of all, ms a task", 1000 * through.cpu)
                row(f"{what}: the same of the programs alone, ms", 1000 * bare.cpu)
        row(f"deciding a step of {options.size:,} tasks, ms", 1000 * decision(options.size),
            DECISION)  # fmt: skip
        if has_proc():
            row(f"an idle conductor of {options.size:,} tasks, % of a core",
                idle(world, options.size, options.idle), IDLE)  # fmt: skip


def row(case: str, value: float, target: float | None = None) -> None:
    """Print one row."""
    verdict = f"≤ {target:g} {'ok' if value <= target else 'OVER'}" if target else ""
    print(f"| {case} | {value:.3g} | {verdict} |", flush=True)


def handovers(world: World, count: int) -> list[float]:
    """Return the seconds from each completion in a chain to the next program's first command.

    Two agents take turns, and a conductor hands the tasks out.
    """
    people = Crowd(world, _STAMP)
    people.plan("\n".join(
        f'[[tasks]]\nid = "t{number}"\ndescription = "T"\nagent = "w{number % 2}"\n'
        + (f'depends_on = ["t{number - 1}"]\n' if number else "")
        for number in range(count + 1)
    ))  # fmt: skip
    with people.at_work(2):
        people.tt("conductor")
        stamps = (world.repository / "stamps").read_text().split()
        begun = [int(stamp) / 1e9 for stamp in stamps]
        return [start - end for end, start in zip(people.ends(), begun[1:], strict=False)]


class Cost(NamedTuple):
    """What many tasks took: seconds in all, and of the processors' for each."""

    seconds: float
    cpu: float


def crowd(world: World, script: str, count: int) -> tuple[Cost, Cost]:
    """Return what many tasks take through agents, and their programs alone.

    From before the conductor's start to the last completion; the agents are there already.
    """
    people = Crowd(world, script)
    people.plan("\n".join(
        f'[[tasks]]\nid = "t{number}"\ndescription = "T"\nagent = "worker"\n'
        for number in range(count)
    ))  # fmt: skip
    with people.at_work(_CREW):
        others, before, begun = people.pids(), _own_cpu(), time.time()
        cpu = -sum(map(_cpu_of, others))
        people.tt("conductor")
        cpu += sum(map(_cpu_of, others)) + _own_cpu() - before
        through = Cost(people.ends()[-1] - begun, cpu / count)
        return through, one_by_one(people.cli, count)


def one_by_one(program: Path, count: int) -> Cost:
    """Return what a program takes so many times, each run after the one before."""
    before, begun = _own_cpu(), time.perf_counter()
    for _ in range(count):
        subprocess.run([program], stdin=subprocess.DEVNULL, check=True)
    return Cost(time.perf_counter() - begun, (_own_cpu() - before) / count)


def has_proc() -> bool:
    """Whether the system tells what other processes take."""
    return Path("/proc/self/stat").exists()


def _own_cpu() -> float:
    """Return the processors' seconds of this process and of those that it has waited for."""
    own = os.times()
    return own.user + own.system + own.children_user + own.children_system


def _cpu_of(pid: int) -> float:
    """Return the processors' seconds of another process and its children, where that is known."""
    return ticks(pid) / os.sysconf("SC_CLK_TCK") if has_proc() else 0.0


def decision(size: int) -> float:
    """Return the processor's seconds of deciding a step, the median, with much to hand out."""
    ledger = _ledger(size)
    taken = []
    for _ in range(_STEPS):
        begun = time.thread_time()
        decide(ledger, Orders(), Seen())
        taken.append(time.thread_time() - begun)
    return median(taken)


def _ledger(size: int) -> Ledger:
    """Make a town of a plan of this size, with an agent for each of its names; a third is done."""
    import tomli

    jobs, agents = {}, {}
    raw = tomli.loads(make_plan(size))
    for number, fields in enumerate(raw["tasks"]):
        name = str(fields.pop("id"))
        status = "completed" if number % 3 == 0 and "parent" in fields else "pending"
        jobs[name] = Job(name, Task(name, {**fields, "status": status}))
        if agent := str(fields.get("agent", "")):
            agents[agent] = Agent(agent, agent, AgentState.IDLE, lease=30, alive=True)
    return Ledger(Board(jobs, agents, raw["meta"]))


def idle(world: World, size: int, seconds: float) -> float:
    """Return what a conductor takes while it waits, in percent of one core: an agent lives, and has
    a task that does not end."""
    people = Crowd(world, "#!/bin/sh\nexec sleep 600\n")
    people.plan(make_plan(size))
    people.tt("spawn", "architect", "--cli", "script")
    conductor = subprocess.Popen(
        [*tt_command(), "conductor"], cwd=world.repository, env=world.env,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(lambda: world.ask(("GET", f"tt:{TOWN}:conductor")) != [None], 0.05)
        time.sleep(_SETTLED)
        before = ticks(conductor.pid)
        time.sleep(seconds)
        if conductor.poll() is not None:
            sys.exit(f"The conductor ended with {conductor.returncode}.")
        return 100 * (ticks(conductor.pid) - before) / os.sysconf("SC_CLK_TCK") / seconds
    finally:
        conductor.terminate()
        conductor.wait()
        people.tt("kill", "architect", "--now")
        people.tt("wait", "architect", "--timeout", "30")


if __name__ == "__main__":
    main()
