"""`tt demo`: the whole loop in a scratch repository, with the real commands, a Redis of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Final

import click

from tt.app import demo as story
from tt.bootstrap import demo_repository, demo_town
from tt.cli.screen import Flags, examples, say
from tt.errors import TTError
from tt.record import record
from tt.render.text import Look, safe

if TYPE_CHECKING:
    from tt.adapters.redis.demotown import DemoTown
    from tt.adapters.scratch import ScratchRepository

_TOWN: Final = "profile-demo-main"
_WIDTH: Final = 78


@click.command(epilog=examples("tt demo"))
@click.pass_obj
def demo(flags: Flags) -> None:
    """Show in a few seconds how a plan and Redis stay in step.

    It happens in a scratch directory with a Redis of its own; nothing of yours is touched, and
    nothing is left behind.
    """
    with tempfile.TemporaryDirectory(prefix="tt-demo-") as folder:
        stage = Stage.build(Path(folder), flags.look)
        try:
            for scene in story.scenes():
                stage.play(scene)
        finally:
            stage.clear()
    say(["", "That was all of it; the scratch directory and its Redis are gone again.", *_NEXT])


_NEXT: Final = (
    "In a repository of yours:  tt init, tt hooks install, tt plan --init, and commit as ever.",
)


@record
class Stage:
    """The scratch directory with everything that the story needs."""

    top: Path
    environment: Mapping[str, str]
    repository: ScratchRepository
    town: DemoTown
    look: Look

    @classmethod
    def build(cls, folder: Path, look: Look) -> Stage:
        """Make the repository with its plan committed, and start a private Redis."""
        top, home = folder / "profile-demo", folder / "home"
        top.mkdir()
        home.mkdir(mode=0o700)
        repository = demo_repository(top)
        (top / "tasks.toml").write_text(story.PLAN, encoding="utf-8")
        repository.commit("tasks.toml", "Plan the profile feature")
        return cls(top, _environment(home), repository, demo_town(home / ".tt", _TOWN), look)

    def clear(self) -> None:
        """Stop what was started."""
        self.repository.close()
        self.town.stop()

    def play(self, scene: story.Scene) -> None:
        """Do what a scene says, and show it."""
        if isinstance(scene, story.Say):
            say(
                [
                    "",
                    *(
                        self.look.paint(line, "bold")
                        for line in fill(scene.text, _WIDTH).split("\n")
                    ),
                ]
            )
        elif isinstance(scene, story.Run):
            self._run(scene)
        elif isinstance(scene, story.Agent):
            key = self.town.write(scene.task, scene.fields)
            words = " ".join(f"{name} '{value}'" for name, value in scene.fields.items())
            self._show("redis>", f"HSET …{key[-13:]} {words}   # {scene.task}")
        elif isinstance(scene, story.Edit):
            self._edit(scene)
        else:
            self._show("$", "git diff -U0 tasks.toml")
            say(_body(self.repository.diff("tasks.toml"), self.look))

    def _show(self, prompt: str, text: str) -> None:
        say([f"{self.look.paint(prompt, 'dim')} {self.look.paint(safe(text), 'cyan')}"])

    def _run(self, scene: story.Run) -> None:
        self._show("$", " ".join(("tt", *scene.words)))
        color = "--color" if self.look.color else "--no-color"
        ended = subprocess.run(
            [sys.executable, "-m", "tt", color, *scene.words],
            cwd=self.top, env=dict(self.environment), stdin=subprocess.DEVNULL,
            capture_output=True, check=False, timeout=60, encoding="utf-8",
        )  # fmt: skip
        say((ended.stdout + ended.stderr).splitlines())
        if ended.returncode != scene.expect:
            raise TTError(
                f"`tt {' '.join(scene.words)}` ended with {ended.returncode} in the demonstration.",
                "Please report it with what is shown above.",
            )

    def _edit(self, scene: story.Edit) -> None:
        path = self.top / "tasks.toml"
        before = path.read_text(encoding="utf-8")
        path.write_text(before.replace(scene.old, scene.new, 1), encoding="utf-8")
        added = [line for line in scene.new.strip().splitlines() if line and line not in scene.old]
        for line in added:
            self._show("tasks.toml:", line)


def _body(diff: str, look: Look) -> list[str]:
    """Colour the lines of a diff, without its header."""
    colours = {"+": "green", "-": "red", "@": "dim"}
    lines = [line for line in diff.splitlines() if not line.startswith(_HEADER)]
    return [
        look.paint(safe(line), *([colours[line[0]]] if line[:1] in colours else []))
        for line in lines
    ]


_HEADER: Final = ("diff ", "index ", "--- ", "+++ ")


def _environment(home: Path) -> dict[str, str]:
    """Return an environment in which nothing of the user's is found: settings, Redis, Git."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TT_", "GIT_", "XDG_", "REDIS_"))
    }
    return {**kept, "HOME": str(home), "TT_HOME": str(home / ".tt"), "PYTHONIOENCODING": "utf-8"}
