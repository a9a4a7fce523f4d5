"""The rows about how a repository can be arranged, and about settings."""

from __future__ import annotations

import shutil
from typing import Final

from tests.matrix.commits import BOTH, COMMIT, edit, edit_staged
from tests.matrix.merges import conflicting, shared
from tests.matrix.moves import both_towns
from tests.matrix.scenes import EDIT, PLAIN, Scene, Told
from tests.matrix.starts import busy, files, hook_up, in_step
from tests.matrix.versions import PLAN
from tests.matrix.world import PLAN_FILE, Place, World
from tests.support.hooked import git, lay_recording_hooks

COMMIT_ALL: Final = git("commit", "-q", "-a", "-m", "Work")
UNTOUCHED: Final[Told] = ("e e e · ·", "e e e a ·", "e e e a ·", "e e e - ·")


def crlf(world: World) -> None:
    """Have line endings of Windows in the worktree, and Git's own in the repository."""
    files(world)
    world.git("config", "core.autocrlf", "true")
    (world.here / PLAN_FILE).write_bytes(PLAN.replace("\n", "\r\n").encode())
    _commit_all(world)


def _commit_all(world: World, where: str = "here") -> None:
    """Commit everything, then hook up and sync."""
    world.git("add", "--all", where=where)
    world.git("commit", "-q", "-m", "Start", where=where)
    hook_up(world, where)
    world.tt("sync", "merge", where=where)


def linked(world: World) -> None:
    """Have a plan that is a symbolic link to another file of the worktree."""
    files(world)
    world.put("plans/main.toml", PLAN)
    (world.here / PLAN_FILE).symlink_to("plans/main.toml")
    _commit_all(world)


def below(world: World) -> None:
    """Have the plan in a directory, which the settings name."""
    files(world)
    world.put("plans/plan.toml", PLAN)
    world.put("tinytown.toml", '[sync]\nfile = "plans/plan.toml"\n')
    _commit_all(world)


def sha256(world: World) -> None:
    """Have a repository with the longer names of objects."""
    world.shell.init(world.here, "--object-format=sha256")
    files(world)
    world.put(PLAN_FILE, PLAN)
    _commit_all(world)


def split(world: World) -> None:
    """Have an index in two files."""
    files(world)
    world.git("config", "core.splitIndex", "true")
    world.put(PLAN_FILE, PLAN)
    _commit_all(world)


def bare(world: World) -> None:
    """Have a bare repository and a worktree of it."""
    files(world)
    world.put(PLAN_FILE, PLAN)
    world.git("add", "--all")
    world.git("commit", "-q", "-m", "Start")
    world.git("clone", "-q", "--bare", "--template=", "here", "site.git", where=".")
    world.git("worktree", "add", "-q", "../tree", "main", where="site.git")
    lay_recording_hooks(world.root / "site.git" / "hooks")
    hook_up(world, "tree")
    world.tt("sync", "merge", where="tree")


def submodule(world: World) -> None:
    """Have a repository with a plan inside another one that has a plan as well."""
    files(world)
    world.put(PLAN_FILE, PLAN)
    world.git("add", "--all")
    world.git("commit", "-q", "-m", "Start")
    world.git("clone", "-q", "--bare", "--template=", "here", "sub.git", where=".")
    world.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../sub.git",
              "sub")  # fmt: skip
    world.git("commit", "-q", "-m", "Add a submodule")
    hook_up(world)
    world.tt("sync", "merge")
    hooks = world.here / ".git" / "modules" / "sub" / "hooks"
    shutil.rmtree(hooks)
    lay_recording_hooks(hooks)
    hook_up(world, "here/sub")
    world.git("commit", "-q", "-a", "-m", "Take the submodule's commit")
    world.tt("sync", "merge", where="here/sub")


def edit_in_submodule(world: World) -> None:
    """Edit the submodule's plan."""
    world.write("e", where="here/sub")


def two_worktrees(world: World) -> None:
    """Have two worktrees on two branches, each in step with its town."""
    both_towns(world)
    world.git("worktree", "add", "-q", "../tree", "topic")
    world.tt("sync", "merge", where="tree")


def edit_in_tree(world: World) -> None:
    """Edit the plan of the second worktree, and, differently, that of the first."""
    world.write("et", where="tree")
    world.write("f")


def named(world: World) -> None:
    """Have a town with a name of its own, which follows main, and be on another branch."""
    files(world)
    world.put(PLAN_FILE, PLAN)
    world.put("tinytown.toml", 'name = "fixed"\n')
    _commit_all(world)


def elsewhere(world: World) -> None:
    """Be on another branch, with an edit."""
    world.git("switch", "-q", "-c", "new")
    edit(world)


def executable(world: World) -> None:
    """Change the mode of the plan, and do not stage that."""
    (world.here / PLAN_FILE).chmod(0o755)
    world.put("notes.txt", "more\n")
    world.git("add", "notes.txt")


def unstaging(world: World) -> None:
    """Have settings that let no hook stage anything, and an edit that is staged."""
    busy(world)
    world.put("tinytown.toml", "[hooks]\nstage = false\n")


def other_index(world: World) -> None:
    """Have an index of the user's own, in which an edit is staged."""
    edit(world)
    environment = {"GIT_INDEX_FILE": ".git/own-index"}
    world.git("read-tree", "HEAD", **environment)
    world.git("add", PLAN_FILE, **environment)


ARRANGEMENTS: Final = (
    Scene("`core.autocrlf`, nothing edited", crlf,
          (git("commit", "-q", "--allow-empty", "-m", "Work"),), PLAIN, BOTH),
    Scene("`core.autocrlf`, `git commit -a`", crlf, (COMMIT_ALL,), EDIT, BOTH, edit),
    Scene("the plan is a symbolic link", linked,
          (git("commit", "-q", "--allow-empty", "-m", "Work"),), PLAIN, BOTH,
          place=Place(tracked="plans/main.toml")),
    Scene("the plan is in a directory, `git commit` there", below,
          (git("commit", "-q", "--allow-empty", "-m", "Work", where="here/plans"),), PLAIN, BOTH,
          place=Place(file="plans/plan.toml")),
    Scene("`git commit` in a directory", busy,
          (git("commit", "-q", "-m", "Work", where="here/src"),), EDIT, BOTH, edit_staged),
    Scene("`git --git-dir --work-tree commit`", busy,
          (git("--git-dir=here/.git", "--work-tree=here", "commit", "-q", "-m", "Work",
               where="."),), EDIT, BOTH, edit_staged),
    Scene("the plan's mode was changed and not staged", in_step, (COMMIT,), PLAIN, BOTH,
          executable),
    Scene("SHA-256", sha256, (COMMIT_ALL,), EDIT, BOTH, edit),
    Scene("a split index", split, (COMMIT_ALL,), EDIT, BOTH, edit),
    Scene("… of which nothing is edited", split,
          (git("commit", "-q", "--allow-empty", "-m", "Work"),), PLAIN, BOTH),
    Scene("an index of your own (`GIT_INDEX_FILE`)", in_step,
          (git("commit", "-q", "-m", "Work", GIT_INDEX_FILE=".git/own-index"),),
          ("e · e e e", "e · e ea e", "e · e a ·", "e · e e e"), BOTH, other_index),
    Scene("two worktrees on two branches", two_worktrees,
          (git("commit", "-q", "-a", "-m", "Work", where="tree"),),
          ("et et et et et", "eta eta eta eta eta", "et et et ta t", "et et et et et"), BOTH,
          edit_in_tree, Place(where="tree", town="here-topic"), before="t"),
    Scene("a bare repository with a worktree", bare,
          (git("commit", "-q", "--allow-empty", "-m", "Work", where="tree"),), PLAIN, BOTH,
          place=Place(where="tree", town="site-main")),
    Scene("a submodule", submodule,
          (git("commit", "-q", "-a", "-m", "Work", where="here/sub"),), EDIT, BOTH,
          edit_in_submodule, Place(where="here/sub", town="sub-main")),
    Scene("a town's own name, on another branch", named, (COMMIT_ALL,),
          ("e e e · ·", "e e e a ·", "e e e a ·", "e e e e e"), BOTH, elsewhere,
          Place(town="fixed")),
    Scene("`[hooks] stage = false`", unstaging, (COMMIT,),
          ("e e e e e", "e e ea ea ea", "e e e a ·", "e e e e e"), BOTH, edit_staged),
    Scene("`TT_HOOKS=0`", busy, (COMMIT,), UNTOUCHED, BOTH, edit_staged, env={"TT_HOOKS": "0"}),
    Scene("a commit without a message, and again with one", busy,
          (git("commit", "-q", GIT_EDITOR="true"), COMMIT), EDIT, f"pre-commit {BOTH}",
          edit_staged, codes=(1, 0)),
    Scene("`git commit -- other`, then all", busy,
          (git("commit", "-q", "-m", "Part", "--", "src/app.py"), COMMIT), EDIT, f"{BOTH} {BOTH}",
          edit_staged),
    Scene("`git push`", shared, (git("push", "-q", "origin", "HEAD:other"),),
          ("e e e e e", "e e e ea e", "e e e ea e", "e e e - e"), "pre-push", before="e"),
    Scene("in the middle of a conflicted merge", conflicting, (git("merge", "-q", "topic"),),
          ("e - ? e e", "e - ? ea e", "e - ? ea e", "e - ? - e"), "", codes=(1,), before="e"),
)  # fmt: skip
