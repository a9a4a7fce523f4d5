"""How long a save takes to Redis, and what a watcher costs that waits, as Markdown tables.

python -m benchmarks.watch [--quick] [--sizes 1000,10000] [--times 50] [--idle 60]
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

import hiredis

from benchmarks.plans import task_ids
from benchmarks.world import TOWN, World, scratch_world, tt_command
from tt.core.ids import task_uuid

SIZES: Final = {1_000: 50.0, 10_000: 250.0}
"""What a save may take beside the debounce, in ms, by the number of tasks."""

IDLE: Final = 0.2
"""Percent of one core that a watcher may take while nothing happens."""

MEGABYTES: Final = 60.0
"""What an idle watcher may hold; its children count."""

_DEBOUNCE: Final = 0.1  # the default of `watch.debounce`
_PATIENCE: Final = 60.0
_BETWEEN: Final = 0.5
"""Seconds from when a save has arrived to the next one: by then the base is saved, too."""
_WARM: Final = 3
"""Saves before those that count."""

_SYNCER: Final = """
import sys
from tt.app.sync import Request, synced
from tt.bootstrap import open_project
from tt.core.report import Direction
from tt.recollection import Recollection

recollection = Recollection()
for line in sys.stdin:
    with open_project(".", {}, "benchmark") as project:
        project.recollection = recollection
        memory = recollection.memory(project.town)
        memory.hear(None)
        synced(project.site, Request(Direction.PUSH, keep_file=True), memory=memory)
"""
"""Syncs at each line that it reads, as a watcher does after the debounce."""


class Editor:
    """Saves the plan again and again, each time with another task's description edited."""

    def __init__(self, world: World, size: int) -> None:
        self._world, self._names = world, list(task_ids(size))
        self._text = world.plan.read_text(encoding="utf-8")
        self._saved = 0

    def save(self, wake: Callable[[], None]) -> float:
        """Save, and return the seconds from the rename to the value readable in Redis."""
        self._saved += 1
        key, value = self._edit(self._names[self._saved * 37 % len(self._names)])
        fresh = self._world.plan.with_suffix(".fresh")
        fresh.write_text(self._text, encoding="utf-8")
        with Reader(self._world.socket) as reader:
            start = time.perf_counter()
            fresh.replace(self._world.plan)
            wake()
            wait_for(lambda: reader.ask("HGET", key, "description") == value)
            return time.perf_counter() - start

    def _edit(self, name: str) -> tuple[str, bytes]:
        """Edit a task in the text; return its key and its new description."""
        before, mark, after = self._text.partition(f'id = "{name}"\ndescription = "')
        words = f"Saved as number {self._saved}"
        self._text = before + mark + words + after[after.index('"') :]
        return f"tt:{TOWN}:task:{task_uuid(TOWN, name)}", words.encode()


class Reader:
    """A connection that is asked one thing after another."""

    def __init__(self, path: Path) -> None:
        self._link = socket.socket(socket.AF_UNIX)
        self._link.connect(str(path))
        self._replies = hiredis.Reader()

    def ask(self, *command: str) -> object:
        """Do one command and return its reply."""
        self._link.sendall(hiredis.pack_command(command))  # type: ignore[arg-type]
        while (reply := self._replies.gets()) is False:
            self._replies.feed(self._link.recv(1 << 16))
        return reply

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self._link.close()


def wait_for(happened: Callable[[], bool], pause: float = 0.0002) -> None:
    """Wait until something has happened; the benchmark ends where it never does."""
    deadline = time.perf_counter() + _PATIENCE
    while not happened():
        if time.perf_counter() > deadline:
            sys.exit("A save has not arrived in Redis.")
        time.sleep(pause)


@dataclass(slots=True)
class Watched:
    """What one process came to. `idle` is in percent of one core; None where it was not asked."""

    seconds: list[float] = field(default_factory=list)
    idle: float | None = None
    megabytes: float | None = None


def main() -> None:
    """Measure and print, in a temporary directory; nothing is left running."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="1,000 tasks, ten saves, idle for 10 s"
    )
    parser.add_argument("--sizes", help="numbers of tasks, separated by commas")
    parser.add_argument("--times", type=int, default=50, help="how often the plan is saved")
    parser.add_argument("--idle", type=float, default=60.0, help="seconds without any")
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")] if options.sizes else list(SIZES)
    times, idle = (10, 10.0) if options.quick else (options.times, options.idle)
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}.\n")
    print("| tasks | case | median, ms | worst, ms | target | idle, % of a core | target "
          "| MB | target |")  # fmt: skip
    print("|--:|---|--:|--:|---|--:|---|--:|---|", flush=True)
    with scratch_world() as world:
        for size in sizes[:1] if options.quick else sizes:
            report(size, "sync in a process that remembers", direct(world, size, times), 0)
            report(size, "tt watch", watching(world, size, times, idle), _DEBOUNCE)


def report(size: int, case: str, taken: Watched, debounce: float) -> None:
    """Print one row; the debounce is taken off."""
    times = [(seconds - debounce) * 1000 for seconds in taken.seconds]
    cells = [f"{size:,}", case, f"{median(times):.0f}", f"{max(times):.0f}"]
    cells += [_verdict(median(times), SIZES.get(size))]
    for value, target in ((taken.idle, IDLE), (taken.megabytes, MEGABYTES)):
        cells += ["", ""] if value is None else [f"{value:.2g}", _verdict(value, target)]
    print(f"| {' | '.join(cells)} |", flush=True)


def direct(world: World, size: int, times: int) -> Watched:
    """Measure the sync alone: nobody has to notice the save, and nothing is waited for."""
    world.begin(size)
    editor = Editor(world, size)
    with running(world, [sys.executable, "-c", _SYNCER]) as process:

        def wake() -> None:
            assert process.stdin is not None
            process.stdin.write(b"\n")
            process.stdin.flush()

        return Watched(saves(editor, times, wake))


def watching(world: World, size: int, times: int, idle: float) -> Watched:
    """Measure a whole `tt watch`: saves, then silence."""
    world.begin(size)
    editor = Editor(world, size)
    with running(world, [*tt_command(), "watch"]) as process:
        wait_for(lambda: world.ask(("HGET", f"tt:{TOWN}:plan", "seq")) != [None], 0.05)
        time.sleep(2 * _BETWEEN)
        taken = Watched(saves(editor, times, lambda: None))
        if Path("/proc/self/stat").exists():
            time.sleep(4 * _BETWEEN)
            before = ticks(process.pid)
            time.sleep(idle)
            used = (ticks(process.pid) - before) / os.sysconf("SC_CLK_TCK")
            taken.idle, taken.megabytes = 100 * used / idle, held(process.pid)
        return taken


def saves(editor: Editor, times: int, wake: Callable[[], None]) -> list[float]:
    """Save so often, and some times before."""
    seconds = []
    for _ in range(_WARM + times):
        seconds.append(editor.save(wake))
        time.sleep(_BETWEEN)
    return seconds[_WARM:]


@contextmanager
def running(world: World, command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process in the repository until the block ends."""
    root = Path(__file__).resolve().parents[1]
    log = world.root / "log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            command,
            cwd=world.repository,
            env={"PYTHONPATH": str(root), **world.env},
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
            if process.poll() is not None:
                sys.exit(f"The process ended by itself:\n{log.read_text()}")
        finally:
            if process.stdin is not None:
                process.stdin.close()
            process.send_signal(signal.SIGTERM)
            process.wait()


def ticks(pid: int) -> int:
    """Return the processor time of a process and its children in ticks."""
    times = [_stat(one)[11:15] for one in family(pid)]
    return sum(sum(map(int, each)) for each in times)


def held(pid: int) -> float:
    """Return the resident memory of a process and its children, in MB."""
    pages = sum(int(_stat(one)[21]) for one in family(pid))
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def family(pid: int) -> list[int]:
    """Return a process and its children, and theirs."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += family(int(child))
    return found


def _stat(pid: int) -> list[str]:
    """Return what `/proc/PID/stat` says, from the state on."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _verdict(value: float, target: float | None) -> str:
    if target is None:
        return ""
    return f"≤ {target:g} {'ok' if value <= target else 'OVER'}"


if __name__ == "__main__":
    main()
