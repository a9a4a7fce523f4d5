"""The rows about moving about: branches, stash, reset, bisect, clones and worktrees."""

from __future__ import annotations

from typing import Final

from tests.matrix.commits import BOTH, edit, edit_staged
from tests.matrix.merges import ON_TOPIC, merged_edit
from tests.matrix.scenes import EDIT, Scene, Told
from tests.matrix.starts import committed, hook_up, in_step, topic
from tests.matrix.versions import NONE
from tests.matrix.world import PLAN_FILE, Place, World
from tests.support.hooked import git, lay_recording_hooks

BACK: Final[Told] = ("· · · · ·", "· · · a ·", "· · · a ·", "· · · - ·")
"""The plan is as it was, and no hook has anything to do."""
ASIDE: Final[Told] = ("t t t · ·", "t t t a ·", "t t t a ·", "t t t - ·")
"""On another branch: the town of the first is left alone."""
CLONE: Final = Place(where="clone/here", town="here-main")
CHECKOUT: Final = "post-checkout"


def stashed(world: World) -> None:
    """Have an edit in the stash."""
    edit(world)
    world.git("stash", "-q")


def pushed_edit(world: World) -> None:
    """Have an edit that is not committed, in Redis as well, then put it away."""
    edit(world)
    world.tt("sync", "merge")


def both_towns(world: World) -> None:
    """Have a branch `topic` with a town of its own, and be on main."""
    topic(world)
    world.git("switch", "-q", "topic")
    world.tt("sync", "merge")
    world.git("switch", "-q", "main")


def detached(world: World) -> None:
    """Be on no branch, with an edit."""
    world.git("switch", "-q", "--detach")
    edit(world)


def orphan(world: World) -> None:
    """Be on a branch that has no commit yet, with all files staged."""
    world.git("checkout", "-q", "--orphan", "new")


def cloned(world: World, *options: str) -> None:
    """Have a repository that its clones are known by, and one with hooks, a town and an edit."""
    committed(world)
    world.put("tinytown.toml", '[sync]\nrepo = "plans-of-a-test"\n')
    world.git("config", "uploadpack.allowFilter", "true")
    hook_up(world)
    world.tt("sync", "merge")
    source = world.here.as_uri()
    world.git("clone", "-q", "--template=", *options, source, "clone/here", where=".")
    lay_recording_hooks(world.root / "clone/here/.git/hooks")
    hook_up(world, "clone/here")
    world.tt("sync", "merge", where="clone/here")
    world.write("e", where="clone/here")


def shallow(world: World) -> None:
    """Have a clone without history."""
    cloned(world, "--depth=1")


def partial(world: World) -> None:
    """Have a clone without the contents of old files."""
    cloned(world, "--filter=blob:none")


def sparse(world: World) -> None:
    """Check out a directory alone, without the plan, and change something there."""
    world.git("sparse-checkout", "set", "--no-cone", "/src/", "/.gitattributes")
    world.put("src/app.py", "print('two')\n")


def sparse_with_plan(world: World) -> None:
    """Check out the plan and a directory, and edit the plan."""
    world.git("sparse-checkout", "set", "--cone", "src")
    edit(world)


def bisected(*, steps: int) -> tuple:  # type: ignore[type-arg]
    """Name the commands of a bisection that goes back by some commits."""
    walk = tuple(git("bisect", "good") for _ in range(steps))
    return (git("bisect", "start", "HEAD", "HEAD~4"), *walk, git("bisect", "reset"))


MOVES: Final = (
    Scene("`git stash`", in_step, (git("stash", "-q"),), BACK, prepare=edit),
    Scene(
        "`git stash pop`", in_step, (git("stash", "pop", "-q"),),
        ("· · e · ·", "· · e a ·", "· · e a ·", "· · e - ·"), prepare=stashed,
    ),
    Scene(
        "`git stash` of an edit that Redis has, then a commit", in_step,
        (git("stash", "-q"), git("commit", "-q", "--allow-empty", "-m", "Work")),
        ("· · · · ·", "a a a a a", "· · · ea e", "· · · · ·"), BOTH, pushed_edit, before="e",
    ),
    Scene("`git reset --hard`", in_step, (git("reset", "-q", "--hard"),), BACK,
          prepare=edit_staged),
    Scene(
        "`git reset --hard HEAD~1`", merged_edit, (git("reset", "-q", "--hard", "HEAD~1"),),
        ("· · · t t", "· · · ta t", "· · · ta t", "· · · - t"), before="t",
    ),
    Scene(
        "`git reset --soft HEAD~1`, then a commit", merged_edit,
        (git("reset", "-q", "--soft", "HEAD~1"), git("commit", "-q", "-m", "Again")),
        ("t t t t t", "ta ta ta ta ta", "t t t ta t", "t t t t t"), BOTH, before="t",
    ),
    Scene("`git restore tasks.toml`", in_step, (git("restore", PLAN_FILE),), BACK, CHECKOUT,
          edit),
    Scene(
        "`git restore --staged tasks.toml`", in_step, (git("restore", "--staged", PLAN_FILE),),
        ("· · e · ·", "· · e a ·", "· · e a ·", "· · e - ·"), CHECKOUT, edit_staged,
    ),
    Scene("`git checkout -- tasks.toml`", in_step, (git("checkout", "-q", "--", PLAN_FILE),), BACK,
          CHECKOUT, edit),
    Scene(
        "`git checkout topic -- tasks.toml`", topic,
        (git("checkout", "-q", "topic", "--", PLAN_FILE),),
        ("· t t · ·", "· t t a ·", "· t t a ·", "· t t - ·"), CHECKOUT,
    ),
    Scene("`git switch` to a branch that has no town", topic, (git("switch", "-q", "topic"),),
          ASIDE, CHECKOUT),
    Scene(
        "`git switch` to a branch with a town", both_towns, (git("switch", "-q", "topic"),),
        ("t t t t t", "t t t ta t", "t t t ta t", "t t t t t"), CHECKOUT, place=ON_TOPIC,
        before="t",
    ),
    Scene(
        "`git switch --merge` with an edit in the worktree", both_towns,
        (git("switch", "-q", "--merge", "topic"),),
        ("t t et et et", "t t et eta et", "t t et ta t", "t t et et et"), CHECKOUT, edit,
        place=ON_TOPIC, before="t",
    ),
    Scene("`git switch -c new`", in_step, (git("switch", "-q", "-c", "new"),), BACK, CHECKOUT),
    Scene(
        "`git switch -c new`, and a commit of an edit", in_step,
        (git("switch", "-q", "-c", "new"), git("commit", "-q", "-a", "-m", "Work")),
        ("e e e e e", "e e e e e", "e e e - -", "e e e e e"), f"{CHECKOUT} {BOTH}", edit,
        place=Place(town="here-new"), before=NONE, agents="",
    ),
    Scene("`git switch --detach`", in_step, (git("switch", "-q", "--detach"),), BACK, CHECKOUT),
    Scene(
        "a commit on a detached HEAD", in_step, (git("commit", "-q", "-a", "-m", "Work"),),
        ("e e e · ·", "e e e a ·", "e e e a ·", "e e e - ·"), BOTH, detached,
    ),
    Scene(
        "`git switch --orphan`", in_step, (git("switch", "-q", "--orphan", "new"),),
        ("- - - · ·", "- - - a ·", "- - - a ·", "- - - - ·"), CHECKOUT,
    ),
    Scene(
        "the first commit of an orphan branch", in_step, (git("commit", "-q", "-m", "Anew"),),
        ("· · · · ·", "· · · · ·", "· · · - -", "· · · · ·"), BOTH, orphan,
        Place(town="here-new"), before=NONE, agents="",
    ),
    Scene("`git bisect`", in_step, bisected(steps=1),
          ("· · · · ·", "· · · a ·", "· · · a ·", "· · · · ·"),
          f"{CHECKOUT} {CHECKOUT} {CHECKOUT}"),
    Scene(
        "`git worktree add`, a new branch", in_step,
        (git("worktree", "add", "-q", "-b", "new", "../tree"),),
        ("· · · - -", "· · · - -", "· · · - -", "· · · - -"), CHECKOUT,
        place=Place(where="tree", town="here-new"), before=NONE, agents="",
    ),
    Scene(
        "`git worktree add`, a branch with a town", both_towns,
        (git("worktree", "add", "-q", "../tree", "topic"),),
        ("t t t t t", "t t t ta ?", "t t t ta -", "t t t - -"), CHECKOUT,
        place=Place(where="tree", town="here-topic"), before="t",
    ),
    Scene(
        "`git clone`", in_step,
        (git("clone", "-q", "--template=", "here", "clone/here", where="."),),
        ("· · · · -", "· · · a -", "· · · a -", "· · · - -"), place=CLONE,
    ),
    Scene("a commit in a clone", cloned, (git("commit", "-q", "-a", "-m", "Work",
          where="clone/here"),), EDIT, BOTH, place=CLONE),
    Scene("… in a shallow one", shallow, (git("commit", "-q", "-a", "-m", "Work",
          where="clone/here"),), EDIT, BOTH, place=CLONE),
    Scene("… in a partial one", partial, (git("commit", "-q", "-a", "-m", "Work",
          where="clone/here"),), EDIT, BOTH, place=CLONE),
    Scene(
        "a commit in a sparse checkout without the plan", in_step,
        (git("commit", "-q", "-a", "-m", "Work"),),
        ("· · - · ·", "· · - a ·", "· · - a ·", "· · - - ·"), BOTH, sparse,
    ),
    Scene("… with the plan", in_step, (git("commit", "-q", "-a", "-m", "Work"),), EDIT, BOTH,
          sparse_with_plan),
)  # fmt: skip
