"""Time and memory of whole processes, and what to compare them with, taken in turns."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median


@dataclass(frozen=True, slots=True)
class Run:
    """One process: wall-clock seconds from before its start to its end, and peak memory in MB."""

    seconds: float
    megabytes: float


@dataclass(frozen=True, slots=True)
class Program:
    """A process to measure. `before` makes the state that it starts from, and is not timed."""

    command: Sequence[str]
    before: Callable[[], None] = lambda: None


@dataclass(slots=True)
class Series:
    """The runs of one program; figures are medians, memory is the worst."""

    runs: list[Run] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return median(run.seconds for run in self.runs)

    @property
    def megabytes(self) -> float:
        return max(run.megabytes for run in self.runs)


def run(command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> Run:
    """Run one process to its end; a failure of it ends the benchmark with its own words."""
    start = time.perf_counter()
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)[:200]} ended with {process.returncode}:\n{said.decode()}")
    scale = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return Run(seconds, usage.ru_maxrss / scale)


def in_turns(
    programs: Sequence[Program], times: int, cwd: Path, env: Mapping[str, str]
) -> list[Series]:
    """Run A B A B …, so that a slow moment falls on all; the first round is dropped."""
    series = [Series() for _ in programs]
    for turn in range(times + 1):
        for program, taken in zip(programs, series, strict=True):
            program.before()
            measured = run(program.command, cwd, env)
            if turn:
                taken.runs.append(measured)
    return series
