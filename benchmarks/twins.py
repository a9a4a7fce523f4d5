"""Two repositories with the same content, one of them with the hooks, and Git's work in both."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from benchmarks.edits import Edits
from benchmarks.measure import run
from benchmarks.world import World, tt_command

SHIMS: Final = Path(__file__).resolve().parents[1] / "hooks"
EVENTS: Final = tuple(sorted(path.name for path in SHIMS.iterdir() if "-" in path.name))

_EMPTY: Final = "#!/bin/sh\n"
_NO_HOOKS: Final = ("-c", "core.hooksPath=/dev/null")
_QUIET: Final = {"gc.auto": "0", "advice.skippedCherryPicks": "false"}


@dataclass(slots=True)
class Twin:
    """One repository. What its methods do runs no hook: only what is measured does."""

    world: World
    edits: Edits
    _count: int = field(default=0)

    def change(self) -> None:
        """Change a file that is not the plan."""
        self._count += 1
        (self.world.repository / "notes.txt").write_text(f"{self._count}\n", encoding="utf-8")

    def stage(self) -> None:
        """Change a file that is not the plan, and stage it."""
        self.change()
        self._git("add", "notes.txt")

    def offering(self, edit: Callable[[], None]) -> Callable[[], None]:
        """Return what makes a commit with `edit` in it on `offered`, one ahead of `main`."""

        def offer() -> None:
            self._git("checkout", "-q", "-B", "offered")
            edit()
            self._git("add", ".")
            self._git("commit", "-q", "-m", "Offer")
            self._git("checkout", "-q", "main")

        return offer

    def fork(self, commits: int) -> None:
        """Let `main` and `offered` go apart: by `commits` commits and by one."""
        self._git("checkout", "-q", "-B", "offered")
        self.stage()
        self._git("commit", "-q", "-m", "Offer")
        self._git("checkout", "-q", "main")
        for number in range(commits):
            name = f"file-{number}.txt"
            (self.world.repository / name).write_text(f"{self._count}\n", encoding="utf-8")
            self._git("add", name)
            self._git("commit", "-q", "-m", f"Change {name}")

    def words(self, command: Sequence[str]) -> list[str]:
        """Return a Git command as it is measured, hooks and all."""
        return ["git", "-C", str(self.world.repository), *command]

    def _git(self, *words: str) -> None:
        self.world.git(*_NO_HOOKS, *words)


def make_twins(world: World, size: int) -> tuple[Twin, Twin]:
    """Make a repository without hooks and one with them; the plan of the latter is pushed."""
    bare = replace(world, folder="bare")
    for one in (bare, world):
        one.begin(size)
        _configure(one)
    _lay_hooks(world.repository, {event: (SHIMS / event).read_text() for event in EVENTS})
    run([*tt_command(), "sync", "push"], world.repository, world.env)
    hashes = world.hashes()
    return Twin(bare, Edits(bare, hashes)), Twin(world, Edits(world, hashes))


def make_planless(world: World, folder: str, hooks: Sequence[str] | None) -> Twin:
    """Make a repository without a plan. `hooks` are empty ones; None stands for ours."""
    one = replace(world, folder=folder)
    one.begin(0)
    one.git(*_NO_HOOKS, "rm", "-q", "tasks.toml", "tinytown.toml")
    one.git(*_NO_HOOKS, "commit", "-q", "-m", "No plan")
    _configure(one)
    ours = {event: (SHIMS / event).read_text() for event in EVENTS}
    _lay_hooks(one.repository, ours if hooks is None else dict.fromkeys(hooks, _EMPTY))
    return Twin(one, Edits(one, {}))


def _configure(world: World) -> None:
    for name, value in _QUIET.items():
        world.git("config", name, value)


def _lay_hooks(repository: Path, scripts: dict[str, str]) -> None:
    folder = repository / ".git" / "hooks"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for event, text in scripts.items():
        (folder / event).write_text(text, encoding="utf-8")
        (folder / event).chmod(0o755)
