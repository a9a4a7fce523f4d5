"""Playing a scene: twice with Git, once without `tt`, and looking at everything afterwards."""

from __future__ import annotations

import re
import shutil
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from tests.matrix.scenes import CONDITIONS, Make, Scene
from tests.matrix.shown import Shown, Surroundings, show
from tests.matrix.versions import ANY, NONE
from tests.matrix.world import Sides, Template, World, others, sides
from tests.support.commands import Ended
from tests.support.effort import EFFORT
from tests.support.hooked import Shell, install_program, lay_recording_hooks
from tests.support.redis_server import RedisServer

OURS = ("pre-commit", "post-commit", "post-merge", "post-checkout", "post-rewrite", "pre-push")
SECONDS = 5.0
"""The most that a command may take, hooks and all, on however slow a machine."""

_DRIVER = re.compile(r"tt: \S+: \d+ conflict")
_NO_NEWS = re.compile("no town|follows the branch|Redis is ahead")


@dataclass
class Stage:
    """Where scenes are played: worlds that were made once, and what Git alone makes of scenes."""

    directory: Path
    server: RedisServer
    templates: dict[Make, Template] = field(default_factory=dict)
    alone: dict[str, Surroundings] = field(default_factory=dict)

    def world(self, scene: Scene) -> World:
        """Return the world that a scene begins with."""
        if scene.start not in self.templates:
            self.templates[scene.start] = self._made(scene.start)
        world = self.templates[scene.start].restore()
        scene.prepare(world)
        world.record.unlink(missing_ok=True)
        return world

    def _made(self, start: Make) -> Template:
        shell = Shell(install_program(self.directory / "bin"), self.server)
        world = World(self.directory / "wörld with a space", shell)
        world.flush()
        shutil.rmtree(world.root, ignore_errors=True)
        world.root.mkdir()
        start(world)
        return Template.take(world, self.directory / f"copy-{len(self.templates)}")

    def without_us(self, scene: Scene) -> Surroundings:
        """Return what there is after a scene where only the user's own hooks run."""
        if scene.title not in self.alone:
            world = self.world(scene)
            for hooks in [path for path in world.root.rglob("hooks") if path.is_dir()]:
                shutil.rmtree(hooks)
                lay_recording_hooks(hooks)
            played = [world.step(step, **scene.env) for step in scene.steps]
            self.alone[scene.title] = show(world, scene.place, played).beside
        return self.alone[scene.title]


def cells(rows: Sequence[Scene]) -> list[ParameterSet]:
    """List the cells to be played: all of them, or a third of them where tests are to be quick."""
    every = [
        pytest.param(scene, condition, id=f"{scene.title}-{condition}")
        for scene in rows
        for condition in CONDITIONS
    ]
    return every[:: 3 if EFFORT == "dev" else 1]


def play(stage: Stage, scene: Scene, condition: str) -> None:
    """Play a scene while Redis is in a condition, and check all that is there afterwards."""
    alone = stage.without_us(scene)
    world = stage.world(scene)
    env = dict(scene.env)
    if condition != "unchanged":
        world.agents_write(scene.agents, scene.place.town)
    if condition == "flushed":
        world.flush()
    if condition == "unreachable":
        env["REDIS_URL"] = f"unix://{stage.directory}/nobody"
    beside = others(world, scene.place.town)

    played = [world.step(step, **env) for step in scene.steps]

    shown = show(world, scene.place, played)
    now = sides(world, scene.place, shown.head, shown.staged)
    assert_sides(now, scene.expected(condition), played)
    assert shown.beside == alone, said(played)
    assert alone.codes == (scene.codes or (0,) * len(scene.steps))
    assert others(world, scene.place.town) == beside
    assert ours(alone) == scene.hooks.split()
    assert_said(scene, condition, played)
    assert_git_sees_what_differs(shown, now, world.root / scene.place.where / scene.place.path)
    for ended in played:
        assert ended.seconds < SECONDS, ended


def ours(alone: Surroundings) -> list[str]:
    """List the hooks that Git ran of which we have one."""
    return [line.split()[0] for line in alone.record if line.split()[0] in OURS]


def said(played: list[Ended]) -> str:
    """Return what all commands wrote."""
    return "\n".join(f"[{one.code}] {one.out}{one.err}" for one in played)


def assert_sides(now: Sides, wanted: Sides, played: list[Ended]) -> None:
    """Check that each place has its version; `?` stands for one that no edits make."""
    for name in Sides._fields:
        if getattr(wanted, name) != ANY:
            assert (name, getattr(now, name)) == (name, getattr(wanted, name)), said(played)


def assert_said(scene: Scene, condition: str, played: list[Ended]) -> None:
    """Check that a hook of ours says no more than a line, and which when it is to say one."""
    lines = [line for one in played for line in one.err.splitlines()]
    from_hooks = [line for line in lines if line.startswith("tt: ") and not _DRIVER.match(line)]
    assert "Traceback" not in said(played)
    assert len(from_hooks) <= len(scene.hooks.split()), lines
    if condition == "unreachable" and scene.expected("changed") != scene.expected(condition):
        assert from_hooks, "what was left out is told"
    if condition == "unchanged" and scene.expected(condition).redis == scene.before:
        assert not [line for line in from_hooks if not _NO_NEWS.search(line)], lines


def assert_git_sees_what_differs(shown: Shown, now: Sides, file: Path) -> None:
    """Check that Git takes the plan for changed just where it is, time stamps or not."""
    if NONE in (now.head, now.staged, now.file):
        return
    runs = "x" in stat.filemode(file.stat().st_mode)
    changed = now.staged != now.file or runs != (shown.beside.modes[1][2:8] == "100755")
    wanted = ("M" if now.head != now.staged else " ") + ("M" if changed else " ")
    assert (shown.status[:2] or "  ") == wanted
