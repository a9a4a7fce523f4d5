"""A watcher at work for hours: what it needs after so many saves, and whether that grows.

python -m benchmarks.soak --saves 100000 --tasks 100
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.plans import task_ids
from benchmarks.world import TOWN, World, scratch_world, tt_command

_LINES: Final = 20
"""How many lines the curve has."""
_LIMIT: Final = 30.0
"""Seconds in which a save has to be in Redis."""
_LOOKS: Final = 8
_BETWEEN_LOOKS: Final = 0.02
_REST: Final = 5.0
"""Seconds in which a sync is over, and its children with it, however busy the machine is."""
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_GROWTH: Final = 2.0
"""Megabytes by which memory may be more at the end than after a tenth of the saves."""


class Needs(NamedTuple):
    """What a process has at one moment; memory in MB, `cpu` the seconds it has computed."""

    megabytes: float
    files: int
    threads: int
    children: int
    zombies: int
    cpu: float

    @classmethod
    def of(cls, pid: int) -> Needs:
        """Look at a process."""
        proc = Path("/proc") / str(pid)
        fields = _stat(pid)
        tasks = list((proc / "task").iterdir())
        children = [int(word) for task in tasks for word in (task / "children").read_text().split()]
        return cls(
            int((proc / "statm").read_text().split()[1]) * _PAGE / 1e6,
            len(list((proc / "fd").iterdir())),
            len(tasks),
            len(children),
            sum(_is_zombie(child) for child in children),
            (int(fields[11]) + int(fields[12])) / _TICKS,
        )


def _stat(pid: int) -> list[str]:
    """Return the fields of `/proc/PID/stat` behind the program's name."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()


def _is_zombie(pid: int) -> bool:
    """Say whether a process has ended, and nobody has asked how."""
    try:
        return _stat(pid)[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):  # somebody has
        return False


class Soak:
    """A plan that is saved again and again, and its watcher."""

    def __init__(self, world: World, pid: int, tasks: int) -> None:
        self._world, self._pid = world, pid
        self._lines = world.plan.read_text(encoding="utf-8").splitlines(keepends=True)
        self._spots = [at for at, line in enumerate(self._lines) if line.startswith("description")]
        self._spots = self._spots[-tasks:]  # the first one is the plan's own
        (keys,) = world.ask(("KEYS", f"tt:{TOWN}:task:*"))
        assert isinstance(keys, list)
        ids = world.ask(*(("HGET", key, "tags") for key in keys))
        self._keys = {_plan_id(tags): key for tags, key in zip(ids, keys, strict=True)}
        self._ids = list(task_ids(tasks))

    def save(self, number: int) -> float:
        """Save another text, and return how many seconds passed until Redis had it."""
        spot = number % len(self._spots)
        text = f"Save number {number}"
        self._lines[self._spots[spot]] = f'description = "{text}"\n'
        new = self._world.plan.with_name(".new")
        new.write_text("".join(self._lines), encoding="utf-8")
        start = time.perf_counter()
        new.replace(self._world.plan)
        while not self._has(self._keys[self._ids[spot]], text.encode()):
            if time.perf_counter() - start > _LIMIT:
                raise TimeoutError(f"save {number} did not reach Redis")
            time.sleep(0.001)
        return time.perf_counter() - start

    def _has(self, key: bytes, text: bytes) -> bool:
        return self._world.ask(("HGET", key, "description")) == [text]

    def needs(self) -> Needs:
        """Say what the watcher needs when it rests: Redis has a save before the sync is over."""
        looks: list[Needs] = []
        deadline = time.perf_counter() + _REST
        while len(looks) < _LOOKS or (looks[-1].children and time.perf_counter() < deadline):
            time.sleep(_BETWEEN_LOOKS)
            looks.append(Needs.of(self._pid))
        return min(looks, key=lambda needs: (needs.children, needs.files))


def _plan_id(tags: object) -> str:
    assert isinstance(tags, bytes)
    return tags.decode().partition('"plan:')[2].partition('"')[0]


@contextmanager
def soaking(tasks: int, debounce: float, *options: str) -> Iterator[Soak]:
    """Watch a plan of so many tasks, until the end of the block."""
    with scratch_world() as world:
        world.begin(tasks)
        with (world.repository / "tinytown.toml").open("a", encoding="utf-8") as settings:
            settings.write(f"[watch]\ndebounce = {debounce}\n")
        command = [*tt_command(), "watch", "--json", *options]
        with subprocess.Popen(
            command, cwd=world.repository, env=world.env, stdout=subprocess.PIPE, text=True
        ) as watcher:
            try:
                assert watcher.stdout is not None
                while '"synced"' not in watcher.stdout.readline():
                    if watcher.poll() is not None:
                        raise ChildProcessError("the watcher has ended")
                with _read_away(watcher):
                    yield Soak(world, watcher.pid, tasks)
            finally:
                watcher.terminate()


@contextmanager
def _read_away(process: subprocess.Popen[str]) -> Iterator[None]:
    """Read what a process says, so that it never waits for us."""
    sink = subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()
        sink.wait()


def soak(saves: int, tasks: int, debounce: float, *options: str) -> list[Needs]:
    """Save so often, print the curve, and return it; the first point is the one after a tenth."""
    curve: list[Needs] = []
    print(f"{'saves':>8} {'ms':>6} {'cpu ms':>6} {'MB':>7} files threads children zombies")
    with soaking(tasks, debounce, *options) as work:
        every, took, spent = max(saves // _LINES, 1), 0.0, work.needs().cpu
        for number in range(1, saves + 1):
            took += work.save(number)
            if number % every == 0:
                now = work.needs()
                each, cpu = took / every * 1000, (now.cpu - spent) / every * 1000
                print(
                    f"{number:8} {each:6.1f} {cpu:6.1f} {now.megabytes:7.1f} {now.files:5} "
                    f"{now.threads:7} {now.children:8} {now.zombies:7}",
                    flush=True,
                )
                took, spent = 0.0, now.cpu
                if number * 10 >= saves:
                    curve.append(now)
    return curve


def faults(curve: list[Needs]) -> list[str]:
    """Say what has grown between the first point of a curve and its last."""
    first, last = curve[0], curve[-1]
    found = [name for name in ("files", "threads", "children") if _more(name, first, last)]
    grown = last.megabytes - first.megabytes
    if grown > _GROWTH:
        found.append(f"memory, by {grown:.1f} MB")
    return found + (["zombies"] if last.zombies else [])


def _more(name: str, first: Needs, last: Needs) -> bool:
    return bool(getattr(last, name) > getattr(first, name))


def main() -> int:
    """Soak as the command line says; end with 1 where something has grown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--saves", type=int, default=1000)
    parser.add_argument("--tasks", type=int, default=100)
    parser.add_argument("--debounce", type=float, default=0.01)
    parser.add_argument("--two-way", action="store_true")
    told = parser.parse_args()
    options = ["--two-way"] if told.two_way else []
    found = faults(soak(told.saves, told.tasks, told.debounce, *options))
    print(f"grown: {', '.join(found)}" if found else "flat")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
