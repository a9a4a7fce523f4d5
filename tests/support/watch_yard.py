"""A repository with a watcher in it: a plan of many tasks, its branches, each with its town."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.matrix.world import in_base, in_redis
from tests.support.commands import Ended
from tests.support.hooked import Shell, install_program
from tests.support.redis_server import RedisServer, wait_until
from tests.support.watchman import LIMIT_SECONDS, Watchman, watching
from tt.adapters.planfile import read_plan
from tt.core.model import Plan

_TASK: Final = """\

# -- {id} ---------------------------------------------------------
# These lines keep Git from taking neighbours for one place.


[[tasks]]
id = "{id}"
description = "{says}"
status = "pending"
"""


def plan_text(*ids: str, **says: str) -> str:
    """Write a plan of tasks that are far enough apart for Git to merge what is done to two."""
    parts = (_TASK.format(id=one, says=says.get(one, f"Do {one}")) for one in ids)
    return '[meta]\ndescription = "A plan to watch"\n' + "".join(parts)


def says(task: str, words: str) -> Callable[[str], str]:
    """Return the edit that gives a task another description."""
    pattern = re.compile(rf'(id = "{task}"\ndescription = )"[^"]*"')

    def edit(text: str) -> str:
        made, count = pattern.subn(rf'\1"{words}"', text)
        assert count == 1, (task, text)
        return made

    return edit


@dataclass
class WatchYard:
    """A worktree, and the shell in which its user works. The town of a branch is `here-BRANCH`."""

    top: Path
    shell: Shell

    @classmethod
    def make(
        cls,
        room: Path,
        server: RedisServer,
        plan: str,
        *,
        hooks: bool = False,
        env: Mapping[str, str] | None = None,
    ) -> WatchYard:
        """Make a repository whose committed plan is in step with Redis, with our hooks or not.

        `env` is added to the environment of every command.
        """
        room.mkdir(parents=True, exist_ok=True)
        yard = cls(room / "here", Shell(install_program(room / "bin"), server, dict(env or {})))
        yard.shell.init(yard.top)
        yard.file.write_text(plan)
        yard.git("add", "--all")
        yard.git("commit", "-q", "-m", "A plan")
        if hooks:
            yard.shell.install_hooks(yard.top)
            yard.git("add", "--all")
            yard.git("commit", "-q", "--allow-empty", "-m", "Hook up", TT_HOOKS="0")
        yard.tt("sync")
        return yard

    @property
    def file(self) -> Path:
        """The plan."""
        return self.top / "tasks.toml"

    @property
    def plan(self) -> Plan:
        """What the plan says."""
        return read_plan(self.file.read_bytes(), "tasks.toml").plan

    @property
    def branch(self) -> str:
        """The branch that is checked out."""
        return self.git("symbolic-ref", "--short", "HEAD").out.strip()

    def save(self, change: Callable[[str], str]) -> None:
        """Edit the plan and save it."""
        self.replace(change(self.file.read_text()))

    def replace(self, text: str) -> None:
        """Save the plan as most editors do, by renaming over it."""
        new = self.top / ".new-tasks.toml"
        new.write_text(text)
        new.replace(self.file)

    def git(self, *words: str, **env: str) -> Ended:
        """Run a Git command, hooks and all, that has to succeed."""
        ended = self.try_git(*words, **env)
        assert ended.code == 0, (words, ended)
        return ended

    def try_git(self, *words: str, **env: str) -> Ended:
        """Run a Git command, hooks and all, to whatever end."""
        ended = self.shell.git(self.top, *words, **{"GIT_EDITOR": "true", **env})
        assert "Traceback" not in ended.err, ended
        return ended

    def commit(self, change: Callable[[str], str], title: str, **env: str) -> None:
        """Edit the plan and commit that."""
        self.save(change)
        self.git("commit", "-q", "-a", "-m", title, **env)

    def tt(self, *words: str) -> Ended:
        """Run `tt`, which has to succeed."""
        return self.shell.done(self.top, *words)

    def town(self, branch: str = "main") -> Plan:
        """Return what a town says; nothing where there is none."""
        return in_redis(self.shell.server, f"here-{branch}") or Plan()

    def says(self, task: str, branch: str = "main") -> object:
        """Return a task's description in Redis; None without the task."""
        found = self.town(branch).tasks.get(task)
        return found and found.fields["description"]

    def wait_in_step(self, seconds: float = LIMIT_SECONDS) -> None:
        """Wait until Redis has what the plan says on this branch."""
        branch = self.branch
        wait_until(lambda: self.town(branch) == self.plan, f"{branch} to be in step", seconds)

    def assert_in_step(self) -> None:
        """Check that file, Redis and base agree."""
        assert self.town(self.branch) == self.plan
        assert in_base(self.top, f"here-{self.branch}") == self.plan

    def assert_no_lock(self) -> None:
        """Check that nothing is left that would keep others from working."""
        assert not [*self.top.rglob("*.lock"), *self.top.glob(".*.tmp")]

    @contextmanager
    def watched(self, *options: str, **env: str) -> Iterator[Watchman]:
        """Watch until the end of the block; it begins when all is in step."""
        with watching(self.top, {**self.shell.environment, **env}, *options) as watchman:
            watchman.wait("synced")
            yield watchman
