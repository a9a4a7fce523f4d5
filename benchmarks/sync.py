"""How long whole `tt sync` processes take, each beside its floor, as a Markdown table.

python -m benchmarks.sync [--quick] [--sizes 100,1000]
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from benchmarks import floors
from benchmarks.edits import Edits
from benchmarks.measure import Program, Series, in_turns, run
from benchmarks.world import World, scratch_world, tt_command

SIZES = {100: 15, 1_000: 9, 10_000: 7, 100_000: 3}
"""How often each case is run, by the number of tasks."""

MEGABYTES = {10_000: 130.0, 100_000: 700.0}
"""What no process may use more memory than, by the number of tasks."""

GROWTH = 12.0
"""What 100,000 tasks may take at most, in times of 10,000 tasks."""


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to measure. `targets` are the ratios to reach, by the number of tasks."""

    name: str
    program: Program
    floor: Program
    targets: dict[int, float] = field(default_factory=dict)
    check: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class Row:
    """What one case came to."""

    tasks: int
    case: Case
    taken: Series
    floor: Series

    @property
    def ratio(self) -> float:
        return self.taken.seconds / self.floor.seconds

    def __str__(self) -> str:
        verdict = _verdict(self.ratio, self.case.targets.get(self.tasks))
        memory = _verdict(self.taken.megabytes, MEGABYTES.get(self.tasks))
        return (
            f"| {self.tasks:,} | {self.case.name} | {self.taken.seconds * 1000:.0f} "
            f"| {self.floor.seconds * 1000:.0f} | {self.ratio:.2f} | {verdict} "
            f"| {self.taken.megabytes:.0f} | {memory} |"
        )


def main() -> None:
    """Measure and print, in a temporary directory; nothing is left running."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="100 and 1,000 tasks, three times each"
    )
    parser.add_argument("--sizes", help="numbers of tasks, separated by commas")
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")] if options.sizes else list(SIZES)
    if options.quick:
        sizes = [size for size in sizes if size <= 1_000]
    with scratch_world() as world:
        _print_head()
        rows = [row for size in sizes for row in measure(world, size, 3 if options.quick else 0)]
    _print_growth(rows)


def _print_head() -> None:
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}.\n")
    print("| tasks | case | tt, ms | floor, ms | ratio | target | peak MB | target |")
    print("|--:|---|--:|--:|--:|---|--:|---|", flush=True)


def measure(world: World, size: int, times: int = 0) -> Iterator[Row]:
    """Run every case of one size in turns with its floor, printing each row as it is known."""
    for case in cases(world, size):
        turns = times or SIZES.get(size, 3)
        taken, floor = in_turns([case.program, case.floor], turns, world.repository, world.env)
        case.check()
        row = Row(size, case, taken, floor)
        print(row, flush=True)
        yield row


def cases(world: World, size: int) -> Iterator[Case]:
    """Yield the cases of one size; each starts from the state that the one before has left."""
    tt, python = tt_command(), [sys.executable, "-I", "-c"]
    world.begin(size)
    run([*tt, "sync", "push"], world.repository, world.env)
    hashes = world.hashes()
    write = world.prepare("write", [("HSET", key, *values) for key, values in hashes.items()])
    read = world.prepare("read", [("HGETALL", key) for key in hashes])
    reading = Program([*python, floors.TALK, str(world.plan), read, str(world.socket)])
    writing = Program(
        [*python, floors.TALK, str(world.plan), write, str(world.socket)],
        before=lambda: _flush(world),
    )
    push, merge = [*tt, "sync", "push"], [*tt, "sync", "merge"]
    yield Case("first push", Program(push, lambda: world.begin(size)), writing, {10_000: 3.0})
    edits = _begin_synced(world, size, push)
    small = {10_000: 2.5}
    yield Case(
        "push, 10 edits in the file", Program(push, edits.in_file(10)), reading, small, edits.check
    )
    yield Case(
        "merge, 10 edits in Redis", Program(merge, edits.in_store(10)), reading, small, edits.check
    )
    yield Case(
        "merge, 5 edits on each side", Program(merge, edits.in_both(5)), reading, small, edits.check
    )
    yield Case("sync, nothing to do", Program(push), reading)
    if size == min(SIZES):
        start = Program([*python, floors.START])
        yield Case("sync, nothing to do; floor: start", Program(push), start, {size: 5.0})
        yield Case("tt --help; floor: start", Program([*tt, "--help"]), start, {size: 3.5})


def _flush(world: World) -> None:
    world.ask(("FLUSHALL",))


def _begin_synced(world: World, size: int, push: list[str]) -> Edits:
    """Start over with a plan that is pushed: the floor of the first push has emptied the server."""
    world.begin(size)
    run(push, world.repository, world.env)
    return Edits(world, world.hashes())


def _verdict(value: float, target: float | None) -> str:
    if target is None:
        return ""
    return f"≤ {target:g} {'ok' if value <= target else 'OVER'}"


def _print_growth(rows: list[Row]) -> None:
    """Print how the largest plan compares with a tenth of it, case by case."""
    small = {row.case.name: row for row in rows if row.tasks == 10_000}
    large = [row for row in rows if row.tasks == 100_000 and row.case.name in small]
    if large:
        print("\n| case | 100,000 tasks in times of 10,000 | target |\n|---|--:|---|")
    for row in large:
        growth = row.taken.seconds / small[row.case.name].taken.seconds
        print(f"| {row.case.name} | {growth:.1f} | {_verdict(growth, GROWTH)} |")


if __name__ == "__main__":
    main()
