"""What the hooks add to Git's commands, in times of the least that a Python program takes.

python -m benchmarks.hooks [--quick] [--sizes 100,1000] [--times N]
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks import floors
from benchmarks.measure import Program, Series, in_turns
from benchmarks.twins import EVENTS, Twin, make_planless, make_twins
from benchmarks.world import World, scratch_world

SIZES = {100: 25, 1_000: 25, 10_000: 9}
"""How often each case is run, by the number of tasks."""

MANY = 50
"""How many tasks change in a case where tasks change."""

NO_PLAN = 1.2
"""What a commit may take at most where there is no plan, in times of one with empty hooks."""

_COMMIT = ("commit", "-q", "-m", "Change")
_MERGE = ("merge", "-q", "offered")
_REBASE = ("rebase", "-q", "offered")


@dataclass(frozen=True, slots=True)
class Case:
    """One Git command, to be run in both twins after `bare` and `hooked` have prepared them.

    `targets` are what the hooks may add, in times of the floor, by the number of tasks. `check`
    ends the benchmark where the hooks did not do their work.
    """

    name: str
    command: Sequence[str]
    bare: Callable[[], None]
    hooked: Callable[[], None]
    target: float | None = None
    check: Callable[[], None] = lambda: None


def main() -> None:
    """Measure and print, in a temporary directory; nothing is left running."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="100 and 1,000 tasks, five times each")
    parser.add_argument("--sizes", help="numbers of tasks, separated by commas")
    parser.add_argument("--times", type=int, default=0, help="how often each case is run")
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")] if options.sizes else list(SIZES)
    if options.quick:
        sizes = [size for size in sizes if size <= 1_000]
    times = options.times or (5 if options.quick else 0)
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}.\n")
    with scratch_world() as world:
        _print_cases(world, sizes, times)
        _print_planless(world, times or max(SIZES.values()))


def cases(bare: Twin, hooked: Twin) -> Iterator[Case]:
    """Yield what is measured; each starts from the state that the one before has left."""
    ours, theirs = bare.edits, hooked.edits
    yield Case("commit, nothing to sync", _COMMIT, bare.stage, hooked.stage, 4.0)
    pulls = both(theirs.in_store(MANY), hooked.stage)
    yield Case(f"commit that pulls {MANY} states", _COMMIT, bare.stage, pulls, 8.0, theirs.check)
    yield Case(
        f"merge of {MANY} edited tasks", _MERGE,
        bare.offering(ours.in_file(MANY)), hooked.offering(theirs.in_file(MANY)),
        8.0, theirs.check,
    )  # fmt: skip
    yield Case(
        "merge without the plan", _MERGE, bare.offering(bare.change), hooked.offering(hooked.change)
    )
    yield Case("rebase of 10 commits", _REBASE, lambda: bare.fork(10), lambda: hooked.fork(10))


def both(first: Callable[[], None], second: Callable[[], None]) -> Callable[[], None]:
    """Return what does one and then the other."""

    def do() -> None:
        first()
        second()

    return do


def _print_cases(world: World, sizes: Sequence[int], times: int) -> None:
    print("| tasks | Git command | without, ms | with, ms | added | floor, ms | ratio | target |")
    print("|--:|---|--:|--:|--:|--:|--:|---|", flush=True)
    for size in sizes:
        bare, hooked = make_twins(world, size)
        for case in cases(bare, hooked):
            programs = [
                Program([sys.executable, "-I", "-c", floors.START]),
                Program(bare.words(case.command), case.bare),
                Program(hooked.words(case.command), case.hooked),
            ]
            turns = times or SIZES.get(size, 9)
            floor, without, with_hooks = in_turns(programs, turns, world.root, world.env)
            case.check()
            _print_row(size, case, floor, without, with_hooks)


def _print_row(size: int, case: Case, floor: Series, without: Series, with_hooks: Series) -> None:
    pairs = zip(without.runs, with_hooks.runs, strict=True)
    added = median(after.seconds - before.seconds for before, after in pairs)
    ratio = added / floor.seconds
    target = case.target if size == 1_000 else None
    cells = [
        f"{size:,}", case.name, _ms(without.seconds), _ms(with_hooks.seconds), _ms(added),
        _ms(floor.seconds), f"{ratio:.2f}", _verdict(ratio, target),
    ]  # fmt: skip
    print(f"| {' | '.join(cells)} |", flush=True)


def _print_planless(world: World, times: int) -> None:
    """Compare a commit where there is no plan with what empty hooks take."""
    given = {"ours": None, f"{len(EVENTS)} empty": EVENTS, "1 empty": ("pre-commit",), "none": ()}
    twins = [make_planless(world, f"planless-{n}", hooks) for n, hooks in enumerate(given.values())]
    programs = [Program(twin.words(_COMMIT), twin.stage) for twin in twins]
    ours, *others = in_turns(programs, 2 * times, world.root, world.env)
    print("\n| commit where there is no plan | ms | ratio | target |\n|---|--:|--:|---|")
    print(f"| our hooks | {ours.seconds * 1000:.1f} | | |")
    for name, other in zip(list(given)[1:], others, strict=True):
        pairs = zip(ours.runs, other.runs, strict=True)
        ratio = median(one.seconds / two.seconds for one, two in pairs)
        target = NO_PLAN if "empty" in name else None
        ms = f"{other.seconds * 1000:.1f}"
        print(f"| hooks: {name} | {ms} | {ratio:.2f} | {_verdict(ratio, target)} |")


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f}"


def _verdict(value: float, target: float | None) -> str:
    if target is None:
        return ""
    return f"≤ {target:g} {'ok' if value <= target else 'OVER'}"


if __name__ == "__main__":
    main()
