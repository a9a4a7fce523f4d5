"""How long the merge driver takes, beside the start of Python and the reading of three plans.

python -m benchmarks.merge [--times 15] [--corpus DIR]
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.plans import make_plan
from benchmarks.world import tt_command

SIZES = (100, 1_000)
TARGET = 5.0
"""How many starts of `python -I -c "import tomli"` a merge may take beside the reading."""

_START = "import tomli"
_READ = "import sys, tomli; [tomli.loads(open(n, newline='').read()) for n in sys.argv[1:]]"
_NAMES = ("base", "ours", "theirs")


@dataclass(frozen=True, slots=True)
class Merge:
    """Three versions of a plan, and whether they are in conflict."""

    name: str
    versions: tuple[bytes, bytes, bytes]


@dataclass(frozen=True, slots=True)
class Row:
    """Medians in seconds: a bare start, a start that reads the three, `git merge-file`, and us."""

    name: str
    start: float
    read: float
    git: float
    taken: float

    @property
    def ratio(self) -> float:
        """How many bare starts it takes beside the reading."""
        return (self.taken - (self.read - self.start)) / self.start

    def __str__(self) -> str:
        verdict = "ok" if self.ratio <= TARGET else "OVER"
        times = (self.taken, self.start, self.read - self.start, self.git)
        cells = [f"{seconds * 1000:.0f}" for seconds in times]
        return f"| {self.name} | {' | '.join(cells)} | {self.ratio:.2f} | ≤ {TARGET:g} {verdict} |"


def main() -> None:
    """Measure and print, in a temporary directory."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--times", type=int, default=15, help="how often each is run")
    parser.add_argument("--corpus", type=Path, help="a directory of real merges, in directories")
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}.\n")
    print("| merge | tt, ms | start, ms | reading, ms | git merge-file, ms | starts | target |")
    print("|---|--:|--:|--:|--:|--:|---|", flush=True)
    with TemporaryDirectory(prefix="tt-bench-") as directory:
        for merge in (*generated(), *(real(options.corpus) if options.corpus else ())):
            print(measure(merge, Path(directory), options.times), flush=True)


def generated() -> Iterator[Merge]:
    """Yield merges of plans of our own."""
    for size in SIZES:
        base = make_plan(size).encode()
        apart = tuple(_edited(base, seed, every=50) for seed in (1, 2))
        close = tuple(_edited(base, seed, every=5) for seed in (3, 4))
        yield Merge(f"{size:,} tasks, 2 % edited on each side", (base, *apart))
        yield Merge(f"{size:,} tasks, 20 % edited on each side", (base, *close))


def _edited(base: bytes, seed: int, every: int) -> bytes:
    """Edit one task in `every`, each side by a key of its own, and add two tasks at the end."""
    random = Random(seed)
    blocks = base.decode().split("[[tasks]]\n")
    for at in random.sample(range(1, len(blocks)), max(len(blocks) // every, 1)):
        blocks[at] = blocks[at].rstrip("\n") + f'\nnote_{seed} = "seen"\n\n'
    new = [f'id = "new-{seed}-{n}"\ndescription = "New"\n\n' for n in range(2)]
    return "[[tasks]]\n".join([*blocks, *new]).encode()


def real(corpus: Path) -> Iterator[Merge]:
    """Yield the real merges below a directory that have the most text."""

    def size(base: Path) -> int:
        return sum(file.stat().st_size for file in base.parent.iterdir())

    for path in sorted(corpus.glob("*/base.toml"), key=size, reverse=True)[:5]:
        base, ours, theirs = (path.with_name(f"{name}.toml").read_bytes() for name in _NAMES)
        yield Merge(f"real merge {path.parent.name}", (base, ours, theirs))


def measure(merge: Merge, directory: Path, times: int) -> Row:
    """Run everything in turns and take the medians."""
    python = [sys.executable, "-I", "-c"]
    commands = [
        [*python, _START],
        [*python, _READ, *_NAMES],
        ["git", "merge-file", "-p", "-q", "ours", "base", "theirs"],
        [*tt_command(), "merge-driver", *_NAMES, "tasks.toml", "7"],
    ]
    seconds: list[list[float]] = [[] for _ in commands]
    for _ in range(times):
        for taken, command in zip(seconds, commands, strict=True):
            for name, content in zip(_NAMES, merge.versions, strict=True):
                (directory / name).write_bytes(content)
            taken.append(_run(command, directory))
        if (directory / "ours").read_bytes() == merge.versions[1]:
            sys.exit(f"{merge.name}: nothing was merged")
    start, read, git, taken = map(median, seconds)
    return Row(merge.name, start, read, git, taken)


def _run(command: list[str], directory: Path) -> float:
    begun = time.perf_counter()
    done = subprocess.run(
        command, cwd=directory, env=dict(os.environ), capture_output=True, check=False
    )
    taken = time.perf_counter() - begun
    if done.returncode > 100:
        sys.exit(f"{' '.join(command)[:100]} ended with {done.returncode}:\n{done.stderr.decode()}")
    return taken


if __name__ == "__main__":
    main()
