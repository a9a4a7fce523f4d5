"""The rows about merges, rebases, picks and pulls."""

from __future__ import annotations

from typing import Final

from tests.matrix.scenes import Scene, Told, shell
from tests.matrix.starts import in_step, topic
from tests.matrix.versions import text
from tests.matrix.world import PLAN_FILE, Place, World
from tests.support.hooked import git

TAKEN: Final[Told] = ("t t t t t", "t t t ta t", "t t t a ·", "t t t t t")
BOTH: Final[Told] = ("et et et et et", "et et et eta et", "et et et ea e", "et et et et et")
REBASED: Final = "post-checkout post-commit post-rewrite"
SIDE: Final = text("t").replace('"Build it"', '"Build it at once"')
"""What conflicts with the edit `e`, and has `t` besides."""
RESOLVE: Final = shell(
    "git show topic:tasks.toml | sed 's/Build it at once/Build it well/' >tasks.toml && "
    "git add tasks.toml"
)
NO_EDITOR: Final = {"GIT_EDITOR": "true"}


def back(world: World) -> None:
    """Take the last commit back."""
    world.git("reset", "-q", "--hard", "HEAD~1")


def edited(world: World) -> None:
    """Commit the edit `e`, in step with Redis, on a branch that has left `topic`."""
    topic(world)
    world.commit("e", "Edit on main")
    world.tt("sync", "merge")


def conflicting(world: World) -> None:
    """Have a topic that edits what main has edited, and more."""
    in_step(world)
    world.git("switch", "-q", "-c", "topic")
    world.put(PLAN_FILE, SIDE)
    world.git("commit", "-q", "-a", "-m", "Other edit on topic")
    world.git("switch", "-q", "main")
    world.commit("e", "Edit on main")
    world.tt("sync", "merge")


def shared(world: World) -> None:
    """Have a bare origin that another clone has pushed an edit to, and a commit of our own."""
    in_step(world)
    world.git("clone", "-q", "--bare", "--template=", "here", "origin.git", where=".")
    world.git("remote", "add", "origin", "../origin.git")
    world.git("fetch", "-q")
    world.git("branch", "-q", "--set-upstream-to=origin/main")
    world.git("clone", "-q", "--template=", "origin.git", "there", where=".")
    world.commit("t", "Edit there", where="there")
    world.git("push", "-q", where="there")
    world.commit("e", "Edit here")
    world.tt("sync", "merge")


def behind(world: World) -> None:
    """Have no commit that origin does not have."""
    world.git("reset", "-q", "--hard", "HEAD~1")
    world.tt("sync", "merge")


def with_an_edit(world: World) -> None:
    """Have an edit of the plan in the worktree, besides, that Redis has."""
    world.write("ef")
    world.tt("sync", "merge")


def behind_with_an_edit(world: World) -> None:
    """Have an edit in the worktree that Redis has, and no commit that origin does not have."""
    behind(world)
    world.write("f")
    world.tt("sync", "merge")


def three_commits(world: World) -> None:
    """Have a branch of three commits, two of which edit the plan, in step with its own town."""
    in_step(world)
    world.git("switch", "-q", "-c", "topic")
    world.commit("e", "First edit")
    world.put("src/new.py", "new\n")
    world.git("add", "src")
    world.git("commit", "-q", "-m", "Work on topic")
    world.commit("ef", "Second edit")
    world.git("switch", "-q", "main")
    world.commit("t", "Edit on main")
    world.git("switch", "-q", "topic")
    world.tt("sync", "merge")


def two_edits(world: World) -> None:
    """Have a topic with two commits that edit the plan."""
    in_step(world)
    world.git("switch", "-q", "-c", "topic")
    world.commit("e", "First edit")
    world.commit("et", "Second edit")
    world.git("switch", "-q", "main")


def merged_edit(world: World) -> None:
    """Have a commit of the edit `t` on top, in step with Redis."""
    in_step(world)
    world.commit("t", "Edit")
    world.tt("sync", "merge")


def taken(world: World) -> None:
    """Have a commit on top that took along what agents did."""
    in_step(world)
    world.agents_write("a", "here-main")
    world.tt("sync", "merge")
    world.git("commit", "-q", "-a", "-m", "Take along")
    world.tt("sync", "merge")


ON_TOPIC: Final = Place(town="here-topic")

MERGES: Final = (
    Scene(
        "`git merge`, fast-forward", topic, (git("merge", "-q", "topic"),), TAKEN, "post-merge",
        back,
    ),
    Scene("`git merge`, clean", topic, (git("merge", "-q", "topic"),), TAKEN, "post-merge"),
    Scene("`git merge`, both sides edited", edited, (git("merge", "-q", "topic"),), BOTH,
          "post-merge"),
    Scene(
        "`git merge --squash`", topic, (git("merge", "-q", "--squash", "topic"),),
        ("· t t t t", "· t t ta t", "· t t a ·", "· t t t t"), "post-merge",
    ),
    Scene(
        "a conflicted merge, resolved and committed", conflicting,
        (git("merge", "-q", "topic"), RESOLVE, git("commit", "-q", "--no-edit")),
        ("et et et et et", "eta eta eta eta eta", "et et et ea e", "et et et et et"),
        "pre-commit post-commit", codes=(1, 0, 0), before="e",
    ),
    Scene(
        "a conflicted merge, aborted", conflicting,
        (git("merge", "-q", "topic"), git("merge", "--abort")),
        ("e e e e e", "e e e ea e", "e e e ea e", "e e e - e"), codes=(1, 0), before="e",
    ),
    Scene("`git pull`, fast-forward", shared, (git("pull", "-q", "--ff-only"),), TAKEN,
          "post-merge", behind),
    Scene("`git pull`, merging", shared, (git("pull", "-q", "--no-rebase", "--no-edit"),), BOTH,
          "post-merge", before="e"),
    Scene("`git pull --rebase`", shared, (git("pull", "-q", "--rebase"),), BOTH, REBASED,
          before="e"),
    Scene(
        "`git pull --rebase --autostash`, edit not staged", shared,
        (git("pull", "-q", "--rebase", "--autostash"),),
        ("et et eft ef ef", "et et eft efa ef", "et et eft efa ef", "et et eft - ef"), REBASED,
        with_an_edit, before="e",
    ),
    Scene(
        "… and fast-forward", shared, (git("pull", "-q", "--rebase", "--autostash"),),
        ("t t ft f f", "t t ft fa f", "t t ft fa f", "t t ft - f"), "post-merge",
        behind_with_an_edit,
    ),
    Scene(
        "`git rebase` of three commits", three_commits, (git("rebase", "-q", "main"),),
        ("eft eft eft eft eft", "eft eft eft efta eft", "eft eft eft efa ef",
         "eft eft eft eft eft"),
        "post-checkout post-commit post-commit post-commit post-rewrite", place=ON_TOPIC,
        before="ef",
    ),
    Scene(
        "a conflicted rebase, resolved and continued", conflicting,
        (git("rebase", "-q", "topic"), RESOLVE, git("rebase", "--continue", **NO_EDITOR)),
        BOTH, "post-checkout post-commit post-rewrite", codes=(1, 0, 0), before="e",
    ),
    Scene(
        "a conflicted rebase, aborted", conflicting,
        (git("rebase", "-q", "topic"), git("rebase", "--abort")),
        ("e e e e e", "e e e ea e", "e e e ea e", "e e e - e"), "post-checkout",
        codes=(1, 0), before="e",
    ),
    Scene(
        "`git rebase -i`, two reworded", merged_edit,
        (git("rebase", "-q", "-i", "HEAD~2", GIT_SEQUENCE_EDITOR="sed -i.old s/^pick/reword/",
             GIT_EDITOR="sh -c 'echo Reworded >\"$1\"' sh"),),
        ("t t t t t", "t t t ta t", "t t t ta t", "t t t t t"),
        "post-checkout pre-commit post-commit post-rewrite post-commit pre-commit post-commit "
        "post-rewrite post-rewrite",
        before="t",
    ),
    Scene("`git cherry-pick`", topic, (git("cherry-pick", "topic"),), TAKEN, "post-commit"),
    Scene(
        "`git cherry-pick` of several", two_edits, (git("cherry-pick", "main..topic"),),
        ("et et et et et", "et et et eta et", "et et et a ·", "et et et et et"),
        "post-commit post-commit",
    ),
    Scene(
        "a conflicted cherry-pick, resolved and continued", conflicting,
        (git("cherry-pick", "topic"), RESOLVE, git("cherry-pick", "--continue", **NO_EDITOR)),
        ("et et et et et", "eta eta eta eta eta", "et et et ea e", "et et et et et"),
        "pre-commit post-commit", codes=(1, 0, 0), before="e",
    ),
    Scene(
        "`git cherry-pick --no-commit`", topic, (git("cherry-pick", "--no-commit", "topic"),),
        ("· t t · ·", "· t t a ·", "· t t a ·", "· t t - ·"),
    ),
    Scene(
        "`git revert` of an edit", merged_edit, (git("revert", "--no-edit", "HEAD"),),
        ("· · · · ·", "· · · a ·", "· · · ta t", "· · · · ·"), "post-commit", before="t",
    ),
    Scene(
        "`git revert` of a commit that took along what agents did", taken,
        (git("revert", "--no-edit", "HEAD"),),
        ("· · · · ·", "· · · b ·", "· · · ab a", "· · · · ·"), "post-commit", before="a",
        agents="b",
    ),
    Scene(
        "`git am`", topic,
        (shell("git format-patch --stdout main..topic | git am -q"),),
        ("t t t · ·", "t t t a ·", "t t t a ·", "t t t - ·"),
    ),
)  # fmt: skip
