"""What the rows of the matrix begin with."""

from __future__ import annotations

from tests.matrix.versions import START, text
from tests.matrix.world import PLAN_FILE, World
from tests.support.hooked import lay_recording_hooks


def files(world: World) -> None:
    """Lay down a repository without a commit and what is in it beside the plan."""
    world.shell.init(world.here)
    lay_recording_hooks(world.here / ".git" / "hooks")
    world.put("src/app.py", "print('one')\n")
    world.put("old.txt", "old\n")
    world.put("notes.txt", "notes\n")
    world.put("ä name.txt", "not ASCII, and a space\n")
    world.put("run.sh", "#!/bin/sh\n").chmod(0o755)
    (world.here / "link").symlink_to("notes.txt")


def committed(world: World) -> None:
    """Commit the plan and the rest, four times; the hooks are not installed yet."""
    files(world)
    for number in range(3):
        world.put("src/log.txt", f"{number}\n")
        world.git("add", "--all")
        world.git("commit", "-q", "-m", f"Step {number}")
    world.put(PLAN_FILE, text(START))
    world.git("add", "--all")
    world.git("commit", "-q", "-m", "Plan")


def in_step(world: World) -> None:
    """Go on until the hooks are installed and plan and Redis are in step; nothing is dirty."""
    committed(world)
    hook_up(world)
    world.tt("sync", "merge")


def hook_up(world: World, where: str = "here") -> None:
    """Install the hooks, and commit what that adds to the tracked files."""
    world.shell.install_hooks(world.root / where)
    if world.git("status", "--porcelain", where=where):
        world.git("add", "--all", where=where)
        world.git("commit", "-q", "-m", "Hook up", where=where)


def busy(world: World) -> None:
    """Be in the middle of other work: staged and unstaged changes of every kind beside the plan."""
    in_step(world)
    world.put("src/app.py", "print('two')\n")
    world.put("src/new.py", "new\n")
    world.git("add", "src")
    world.git("rm", "-q", "old.txt")
    world.put("src/app.py", "print('three')\n")
    world.put("notes.txt", "unstaged\n")
    (world.here / "run.sh").chmod(0o644)
    world.put("later.txt", "to be added\n")
    world.git("add", "--intent-to-add", "later.txt")
    world.put("scratch.txt", "untracked\n")


def topic(world: World) -> None:
    """Have a branch `topic` that edits the plan (`t`), and a commit of something else on main."""
    in_step(world)
    world.git("switch", "-q", "-c", "topic")
    world.commit("t", "Edit on topic")
    world.git("switch", "-q", "main")
    world.put("src/app.py", "print('two')\n")
    world.git("commit", "-q", "-a", "-m", "Work on main")
