"""The rows about `git commit` in all its forms."""

from __future__ import annotations

from typing import Final

from tests.matrix.scenes import EDIT, PLAIN, PUSHED, Scene
from tests.matrix.starts import busy, files, hook_up, in_step
from tests.matrix.versions import PLAN, text
from tests.matrix.world import PLAN_FILE, Place, World
from tests.support.hooked import git

COMMIT: Final = git("commit", "-q", "-m", "Work")
BOTH: Final = "pre-commit post-commit"
AMEND: Final = "pre-commit post-commit post-rewrite"


def edit(world: World) -> None:
    """Edit the plan and stage nothing of it."""
    world.write("e")


def edit_staged(world: World) -> None:
    """Edit the plan and stage all of it."""
    world.write("e")
    world.git("add", PLAN_FILE)


def one_of_two(world: World) -> None:
    """Make two edits and stage the first."""
    edit_staged(world)
    world.write("ef")


def two(world: World) -> None:
    """Make two edits, far apart, in an otherwise clean worktree; stage neither."""
    world.write("ef")


def undone(world: World) -> None:
    """Stage an edit, and undo it in the worktree."""
    edit_staged(world)
    world.write("")


def unborn(world: World) -> None:
    """Have hooks and a plan that is in step with Redis before the first commit; all is staged."""
    files(world)
    world.put(PLAN_FILE, PLAN)
    world.shell.install_hooks(world.here)
    world.git("add", "--all")
    world.tt("sync", "merge")


def untracked(world: World) -> None:
    """Have a plan that is in step with Redis and in no commit."""
    files(world)
    world.git("add", "--all")
    world.git("commit", "-q", "-m", "Start")
    hook_up(world)
    world.put(PLAN_FILE, PLAN)
    world.tt("sync", "merge")


def add_plan(world: World) -> None:
    """Stage the plan."""
    world.git("add", PLAN_FILE)


def intend(world: World) -> None:
    """Tell Git that the plan is to be added later."""
    world.git("add", "--intent-to-add", PLAN_FILE)
    world.put("notes.txt", "more\n")
    world.git("add", "notes.txt")


def other_work(world: World) -> None:
    """Stage another file."""
    world.put("notes.txt", "more\n")
    world.git("add", "notes.txt")


def remove(world: World) -> None:
    """Remove the plan, from the index too."""
    world.git("rm", "-q", PLAN_FILE)


def forget(world: World) -> None:
    """Remove the plan from the index only."""
    world.git("rm", "-q", "--cached", PLAN_FILE)


def rename(world: World) -> None:
    """Rename the plan, and say so in the settings."""
    world.git("mv", PLAN_FILE, "plan.toml")
    world.put("tinytown.toml", '[sync]\nfile = "plan.toml"\n')
    world.git("add", "--all")


def rename_alone(world: World) -> None:
    """Rename the plan without a word to the settings."""
    world.git("mv", PLAN_FILE, "plan.toml")


def remove_task(world: World) -> None:
    """Take a task out of the plan that nothing depends on, and stage that."""
    world.put(PLAN_FILE, text("").partition('\n[[tasks]]\nid = "ship"')[0])
    world.git("add", PLAN_FILE)


NOT_TRACKED: Final = ("- - · · ·", "- - · a ·", "- - · a ·", "- - · · ·")
PARTIAL: Final = ("e e ef ef ef", "ea ea efa efa efa", "e e ef a ·", "e e ef ef ef")

COMMITS: Final = (
    Scene("`git commit` of other files", busy, (COMMIT,), PLAIN, BOTH),
    Scene("`git commit`, edit staged", busy, (COMMIT,), EDIT, BOTH, edit_staged),
    Scene(
        "`git commit`, edit not staged", busy, (COMMIT,),
        ("· · e e e", "a a ea ea ea", "· · e a ·", "· · e e e"), BOTH, edit,
    ),
    Scene("`git commit`, one of two edits staged", busy, (COMMIT,), PARTIAL, BOTH, one_of_two),
    Scene(
        "`git commit`, staged edit undone in the worktree", busy, (COMMIT,),
        ("e e · · ·", "ea ea a a a", "e e · a ·", "e e · · ·"), BOTH, undone,
    ),
    Scene("`git commit -a`", busy, (git("commit", "-q", "-a", "-m", "Work"),), EDIT, BOTH, edit),
    Scene(
        "`git commit -p`, one of two edits", in_step,
        (git("commit", "-q", "-p", "-m", "Work", given="y\nn\n"),), PARTIAL, BOTH, two,
    ),
    Scene(
        "`git commit --amend`", busy, (git("commit", "-q", "--amend", "--no-edit"),), EDIT, AMEND,
        edit_staged,
    ),
    Scene(
        "`git commit --amend --only`, a new message", busy,
        (git("commit", "-q", "--amend", "--only", "-m", "Better"),),
        ("· e e e e", "· e e ea e", "· e e a ·", "· e e e e"), AMEND, edit_staged,
    ),
    Scene(
        "`git commit -- other`, edit not staged", busy,
        (git("commit", "-q", "-m", "Work", "--", "src/app.py"),),
        ("· · e e e", "· · e ea e", "· · e a ·", "· · e e e"), BOTH, edit,
    ),
    Scene(
        "`git commit -- other`, edit staged", busy,
        (git("commit", "-q", "-m", "Work", "--", "src/app.py"),),
        ("· e e e e", "· e e ea e", "· e e a ·", "· e e e e"), BOTH, edit_staged,
    ),
    Scene(
        "`git commit -- tasks.toml`", busy, (git("commit", "-q", "-m", "Work", "--", PLAN_FILE),),
        PUSHED, BOTH, edit,
    ),
    Scene(
        "`git commit -i other`, edit staged", busy,
        (git("commit", "-q", "-m", "Work", "-i", "notes.txt"),), EDIT, BOTH, edit_staged,
    ),
    Scene(
        "`git commit --no-verify`", busy, (git("commit", "-q", "--no-verify", "-m", "Work"),),
        PUSHED, "post-commit", edit_staged,
    ),
    Scene("the initial commit, with the plan", unborn, (COMMIT,), PLAIN, BOTH),
    Scene(
        "the initial commit, without the plan (an unborn branch)", unborn, (COMMIT,),
        NOT_TRACKED, BOTH, forget,
    ),
    Scene(
        "an empty commit", in_step, (git("commit", "-q", "--allow-empty", "-m", "Nothing"),),
        PLAIN, BOTH,
    ),
    Scene("a commit that adds the plan", untracked, (COMMIT,), PLAIN, BOTH, add_plan),
    Scene("a commit beside an untracked plan", untracked, (COMMIT,), NOT_TRACKED, BOTH, other_work),
    Scene(
        "… beside one of `git add -N`", untracked, (COMMIT,),
        ("- - · · ·", "- - a a a", "- - · a ·", "- - · · ·"), BOTH, intend,
    ),
    Scene(
        "a commit that deletes the plan", in_step, (COMMIT,),
        ("- - - · ·", "- - - a ·", "- - - a ·", "- - - - ·"), BOTH, remove,
    ),
    Scene(
        "… and keeps the file (`git rm --cached`)", in_step, (COMMIT,), NOT_TRACKED, BOTH, forget,
    ),
    Scene(
        "a commit that renames the plan, `sync.file` too", in_step, (COMMIT,), PLAIN, BOTH, rename,
        Place(file="plan.toml"),
    ),
    Scene(
        "… and does not tell the settings", in_step, (COMMIT,),
        ("- - - · ·", "- - - a ·", "- - - a ·", "- - - - ·"), BOTH, rename_alone,
    ),
)  # fmt: skip
