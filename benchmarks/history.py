"""How long `tt log`, `tt blame` and `tt diff` take beside Git's own work, as a Markdown table.

python -m benchmarks.history [--commits 1000] [--tasks 200]
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.measure import Program, in_turns
from benchmarks.plans import make_plan
from benchmarks.world import clean_environment, tt_command

_CUT: Final = "\n[[tasks]]"
_STATES: Final = ("pending", "assigned", "running", "completed")
_TIMES: Final = 7
_EVERYTHING: Final = "1000000"


def main() -> None:
    """Make a history, measure each command in turns with its floor, and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commits", type=int, default=1_000)
    parser.add_argument("--tasks", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tt-bench.") as name:
        top = Path(name) / "repository"
        environment = clean_environment(Path(name))
        _make(top, options.tasks, options.commits, environment)
        print("| case | tt, ms | floor, ms | ratio |\n|---|--:|--:|--:|")
        for what, command, floor in _cases():
            programs = [Program([*tt_command(), *command]), Program(floor)]
            taken, least = in_turns(programs, _TIMES, top, environment)
            ratio = taken.seconds / least.seconds
            print(
                f"| {what} | {taken.seconds * 1000:.0f} | {least.seconds * 1000:.0f} "
                f"| {ratio:.2f} |",
                flush=True,
            )


def _cases() -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield what is measured: a name, the arguments of `tt`, and the program that is its floor."""
    whole = ["git", "log", "--follow", "-p", "--", "tasks.toml"]
    start = [sys.executable, "-I", "-c", "import click, tomli"]
    yield "tt log, all commits", ["log", "-n", _EVERYTHING], whole
    yield "tt log TASK, all commits", ["log", "task-000007", "-n", _EVERYTHING], whole
    yield "tt blame, all tasks", ["-v", "blame"], whole
    yield "tt log; floor: start", ["log"], start
    yield "tt diff HEAD~100; floor: start", ["diff", "HEAD~100"], start


def _make(top: Path, tasks: int, commits: int, environment: dict[str, str]) -> None:
    """Make a repository in which each commit changes the status of one to three tasks."""
    draw = random.Random(1)
    blocks = make_plan(tasks).split(_CUT)
    stream: list[bytes] = []
    for number in range(commits):
        for place in draw.sample(range(1, len(blocks)), draw.randint(1, 3)):
            state = f'status = "{draw.choice(_STATES)}"'
            blocks[place] = re.sub(r'status = "\w+"', state, blocks[place])
        data = _CUT.join(blocks).encode()
        when = 1_700_000_000 + number * 3_600
        stream.append(
            b"commit refs/heads/main\ncommitter B <b@example.invalid> %d +0000\ndata 4\nMove\n"
            b"M 100644 inline tasks.toml\ndata %d\n%s\n" % (when, len(data), data)
        )
    for command, given in (
        (["init", "-q", "-b", "main", str(top)], b""),
        (["-C", str(top), "fast-import", "--quiet"], b"".join(stream)),
        (["-C", str(top), "reset", "-q", "--hard"], b""),
    ):
        subprocess.run(["git", *command], input=given, env=environment, check=True)


if __name__ == "__main__":
    main()
