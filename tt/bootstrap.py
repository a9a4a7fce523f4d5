"""From what a command was called with to wired adapters: the only place that builds them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from tt.config.keys import PROJECT_FILE, USER_FILE
from tt.config.settings import Config, load_config, town_name
from tt.errors import TTError, UsageError

if TYPE_CHECKING:
    from tt.adapters.agenttrees import AgentTrees
    from tt.adapters.gitcommit import GitCommitter
    from tt.adapters.gitrepo import GitRepository
    from tt.adapters.journal import FileJournal
    from tt.adapters.lock import WorktreeLock
    from tt.adapters.marked_file import MarkedPlanFile
    from tt.adapters.memo import Memo
    from tt.adapters.planends import PlanEnds
    from tt.adapters.planfile import TomlPlanFile
    from tt.adapters.redis.demotown import DemoTown
    from tt.adapters.redis.ondemand import OnDemand
    from tt.adapters.redis.server import EmbeddedServer
    from tt.adapters.redis.witness import Witness
    from tt.adapters.redis.workshop import RedisWorkshop
    from tt.adapters.scratch import ScratchRepository
    from tt.adapters.watchpost import WatchPost
    from tt.app.hookplace import HookPlace
    from tt.app.hooks import Ground as HookGround
    from tt.app.settings import Files
    from tt.app.setup import Ground
    from tt.app.site import Site
    from tt.core.answers import TownFound
    from tt.ports import BaseStore, Identity
    from tt.reach import Reach
    from tt.recollection import Recollection


_LOOPBACK = ("localhost", "127.", "::1")

_HASTY_LOCK = 0.9
"""Seconds that a hook waits for another `tt` in this worktree."""


class Project:
    """One directory as commands see it: its settings, its worktree if there is Git, its plan.

    Everything is built when it is asked for. Use it in a `with` statement: it may hold a Git
    process and a connection.
    """

    def __init__(
        self,
        config: Config,
        repository: GitRepository | None,
        command: str = "tt",
        *,
        hasty: bool = False,
    ) -> None:
        """Take what was found; `command` is what others are told who wait for us.

        A `hasty` project serves a Git hook: it waits for nobody for longer than a moment, and
        starts no server where there is nothing to sync.
        """
        self.hasty = hasty
        self.lock_wait: float | None = _HASTY_LOCK if hasty else None
        self.recollection: Recollection | None = None
        """What a process that syncs again and again remembers of this worktree."""
        self.command = command
        self.config = config
        self.repository = repository

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.repository is not None:
            self.repository.close()
        if "reach" in self.__dict__:
            self.reach.close()

    @cached_property
    def town(self) -> str:
        """The town's name. Raises TTError on a detached HEAD without a fixed one."""
        if self.repository is None:
            return town_name(self.config, None, None)
        project = self.config.project or self.repository.name
        return town_name(self.config, project, self.repository.state.branch)

    @property
    def town_or_none(self) -> str | None:
        """The town's name where there is one. Raises UsageError for an impossible name."""
        try:
            return self.town
        except UsageError:
            raise
        except TTError:
            return None

    @cached_property
    def plan_file(self) -> TomlPlanFile:
        """The plan, called by the path that leads to it from the current directory."""
        from tt.adapters.planfile import TomlPlanFile

        path = self.config.plan_path
        if self.recollection is not None:
            return TomlPlanFile(path, shown(path), self.recollection.plan.read)
        return TomlPlanFile(path, shown(path))

    @property
    def marked_file(self) -> MarkedPlanFile:
        """The same file where a merge has left conflict markers in it."""
        from tt.adapters.marked_file import MarkedPlanFile

        path = self.config.plan_path
        return MarkedPlanFile(path, shown(path))

    @cached_property
    def site(self) -> Site:
        """The plan and its town, wired together. Raises TTError where there can be no town."""
        from tt.adapters.clock import SystemClock
        from tt.adapters.redis.store import RedisTaskStore
        from tt.app.site import Site

        clock = SystemClock()
        state = self.repository.state if self.repository else None
        return Site(
            town=self.town,
            branch=(state.branch or "") if state else "",
            path=self.config.plan_path.relative_to(self.config.root),
            file=self.plan_file,
            bases=self.bases,
            journal=self.journal,
            store=RedisTaskStore(
                self.connection, self.town, clock, frozenset(self.config.fields), self.witness
            ),
            repository=self.repository,
            identity=self.identity,
            clock=clock,
            lock=self.lock,
            max_delete=self.config.max_delete,
            saved=self.register,
        )

    @cached_property
    def witness(self) -> Witness | None:
        """What hears for a hook's memo what is read of the town."""
        if not self.hasty:
            return None
        from tt.adapters.redis.witness import Witness

        return Witness()

    @property
    def private(self) -> Path:
        """Our directory for this worktree: inside Git's, or `.tt` without Git."""
        if self.repository is None:
            return self.config.root / ".tt"
        return self.repository.private_dir(per_worktree=True)

    @property
    def bases(self) -> BaseStore:
        """What file and store last agreed on: in Git, or in files without it."""
        if self.repository is None:
            from tt.adapters.base_files import FileBaseStore

            return FileBaseStore(self.private / "base", self.town)
        from tt.adapters.base_git import GitBaseStore

        memory = self.recollection.base(self.town) if self.recollection else None
        return GitBaseStore(self.repository, self.town, memory=memory)

    @property
    def journal(self) -> FileJournal:
        """What a sync that was killed had begun to write."""
        from tt.adapters.base_names import escape
        from tt.adapters.journal import FileJournal

        return FileJournal(self.private / "begun" / escape(self.town))

    @property
    def identity(self) -> Identity:
        """By what its towns know this project."""
        from tt.adapters.ownership import ProjectIdentity

        return ProjectIdentity(self.config.repo, self.repository, self.config.root / ".tt")

    def lock(self) -> WorktreeLock:
        """Return the lock under which this worktree is written."""
        from tt.adapters.lock import WorktreeLock

        path = self.private / "lock"
        if self.lock_wait is None:
            return WorktreeLock(path, self.command)
        return WorktreeLock(path, self.command, self.lock_wait)

    @cached_property
    def reach(self) -> Reach:
        """How the project reaches its Redis."""
        from tt.reach import Reach

        return Reach(
            self.config, lambda: self.town_or_none, hasty=self.hasty, has_work=self._has_work
        )

    @property
    def connection(self) -> OnDemand:
        """The Redis that the settings mean; it is asked only when a command needs it."""
        return self.reach.connection

    @cached_property
    def workshop(self) -> RedisWorkshop:
        """The town as the place where tasks are done; it needs no Git.

        Raises TTError on a detached HEAD without a fixed name.
        """
        from tt.adapters.clock import SystemClock
        from tt.adapters.redis.workshop import RedisWorkshop

        connection = self.connection
        return RedisWorkshop(connection, self.town, SystemClock(), connection.close)

    def _has_work(self) -> bool:
        """Say whether a server that is not running is worth its start: for a plan that was synced
        before, or that was edited since the last commit."""
        if self.repository is None or self.bases.load() is not None:
            return True
        head = self.repository.show("HEAD", self.config.plan_path.relative_to(self.config.root))
        snapshot = self.plan_file.read()
        return snapshot is not None and snapshot.data != head

    def hook_ground(self) -> HookGround:
        """What a Git hook works on. Raises TTError where there is no Git."""
        from tt.adapters.gitindex import GitIndex
        from tt.app.hooks import Ground as HookGround

        if self.repository is None:
            raise TTError("There is no Git repository here.", "Hooks are for repositories.")
        return HookGround(
            site=self.site,
            index=GitIndex(self.repository),
            stages=self.config.flag("hooks.stage"),
            fixed=bool(self.config.name),
            remember=self._remember,
        )

    def is_at_rest(self, *, staged: bool = False) -> bool:
        """Say whether an earlier hook has found that nothing is to do for what is here now.

        With `staged`, the index has to have the worktree's plan, too. Raises StoreError.
        """
        return self._memo is not None and self._memo.holds(self.connection, staged=staged)

    @cached_property
    def _memo(self) -> Memo | None:
        from tt.adapters.memo import Memo, Place

        if self.repository is None:
            return None
        branch, config = self.repository.state.branch or "", self.config
        settings = [self.connection.address, branch, config.name, *config.fields]
        path = config.plan_path.relative_to(config.root)
        return Memo(Place(self.repository, self.town, path, settings))

    def _remember(self, plan: bytes, base: str) -> None:
        if self._memo is not None and self.witness is not None:
            self._memo.keep(plan, base, self.witness)

    @property
    def hook_place(self) -> HookPlace:
        """What `tt hooks` works on. Raises TTError outside of a Git worktree."""
        from tt.adapters.configfile import replace_file
        from tt.adapters.hookfiles import HookFiles, own_program, script
        from tt.adapters.hookgit import GitHooks
        from tt.app.hookplace import HookPlace

        if self.repository is None:
            raise TTError(
                f"There is no Git worktree around {self.config.root}, and hooks belong to one.",
                "Run this in a worktree; `git init` makes one.",
            )
        return HookPlace(
            top=self.config.root,
            plan=self.config.plan_path.relative_to(self.config.root).as_posix(),
            program=own_program(),
            git=GitHooks(self.repository),
            open=HookFiles,
            script=script,
            replace=replace_file,
        )

    @property
    def agent_trees(self) -> AgentTrees:
        """The worktrees of agents. Raises TTError where there is no Git."""
        from tt.adapters.agenttrees import AgentTrees

        if self.repository is None:
            raise TTError("There is no Git repository here that could have worktrees.")
        return AgentTrees(self.repository, self.config.text("agents.worktrees"))

    def committer(self) -> tuple[GitCommitter, GitRepository]:
        """What makes commits of the plan alone. Raises TTError where there is no Git."""
        from tt.adapters.gitcommit import GitCommitter

        if self.repository is None:
            raise TTError("There is no Git repository here to commit to.")
        return GitCommitter(self.repository), self.repository

    @property
    def watch_post(self) -> WatchPost:
        """The post of this worktree's watcher."""
        from tt.adapters.watchpost import WatchPost

        return WatchPost(self.private)

    def register(self) -> None:
        """Make this worktree known to `tt watch --all`."""
        from tt.adapters.worktrees import register

        register(self.config.home, self.config.root)

    def note_commit(self, git: str) -> None:
        """Tell the post-commit of a commit, by its Git's process id, that all is done already."""
        from tt.adapters.private import note

        note(self.private / "commit", f"{git}\n")

    def is_news(self, what: str) -> bool:
        """Say whether something is to be told, which is told once until something else is."""
        from tt.adapters.private import note, noted

        path = self.private / "said"
        if noted(path) == what:
            return False
        note(path, what)
        return True

    def versions(self) -> PlanEnds:
        """The plan in the worktree, in the index and in Git's history; to be closed.

        Raises TTError where there is no Git.
        """
        from tt.adapters.gitlog import GitHistory, check_name
        from tt.adapters.planends import PlanEnds

        path = self.config.plan_path
        name = shown(path)
        if self.repository is None:
            raise TTError(f"There is no Git here that could know the past of {name}.")
        below = check_name(self.repository.inside(path), name)
        history = GitHistory(self.repository, below, name)
        return PlanEnds(self.repository, history, path, below, name)

    @property
    def elsewhere(self) -> str | None:
        """The Redis that is used instead of the built-in one, without its password."""
        return None if self.config.redis is None else self.connection.address

    def towns(self) -> list[TownFound]:
        """List the towns of the Redis in use."""
        from tt.adapters.redis.towns import find_towns

        return find_towns(self.connection)

    @property
    def ground(self) -> Ground:
        """What `tt init` works on."""
        from tt.adapters.configfile import replace_file
        from tt.app.setup import Ground
        from tt.config.files import parse

        common = self.repository.state.common_dir if self.repository else None
        return Ground(
            root=self.config.root,
            common_dir=common,
            project=self.repository.name if self.repository else None,
            identity=self.identity.primary,
            parse=parse,
            replace=replace_file,
        )

    @property
    def setting_files(self) -> Files:
        """What `tt config KEY VALUE` writes to."""
        from tt.adapters.configfile import set_value
        from tt.app.settings import Files

        user = self.config.home / USER_FILE
        return Files(self.config.root / PROJECT_FILE, user, may_track, set_value)

    def warnings(self) -> list[str]:
        """Say what is odd in the configuration, in lines for standard error."""
        lines: list[str] = []
        for message, hint in self.advice():
            lines.append(f"tt: {message}")
            lines += [f"    {line}" for line in hint.split("\n") if line]
        return lines

    def advice(self) -> list[tuple[str, str]]:
        """Say what is odd in the configuration: stray keys, secrets and a Redis in the open.

        Each is a sentence and a hint, which may be empty.
        """
        found = [(warning, "") for warning in self.config.warnings]
        path = self.config.root / PROJECT_FILE
        if self.config.exposed and may_track(path):
            what = f"{shown(path)} is for Git to track, and holds a password"
            hint = f"Move it to {self.config.home / USER_FILE} or TT_REDIS_URL, and\n"
            hint += "change the password: Git's history keeps what it has seen."
            found.append((f"{what} ({', '.join(self.config.exposed)}).", hint))
        return found + self._open_redis()

    def _open_redis(self) -> list[tuple[str, str]]:
        """Warn of a Redis on the network that asks nobody for a password."""
        if self.config.redis is None:
            return []
        from tt.adapters.redis.url import parse_address

        address = parse_address(self.config.redis)
        remote = [host for host, _ in address.nodes if not host.startswith(_LOOPBACK)]
        if not remote or address.login or address.tls:
            return []
        hint = "Whoever reaches it, too, can read and change the plan."
        return [(f"{address.display} is reached without password and TLS.", hint)]


def open_project(
    town: str,
    settings: Mapping[str, str | None],
    command: str = "tt",
    *,
    hasty: bool = False,
) -> Project:
    """Find the worktree around the directory `town` and read its settings.

    Raises UsageError where there is no such directory or a setting is broken.
    """
    from tt.adapters.gitrepo import find

    try:
        start = Path.cwd() / town
    except FileNotFoundError as error:
        raise UsageError(
            "The current directory does not exist any more.", "Change to one that does."
        ) from error
    if not start.is_dir():
        raise UsageError(f"There is no directory `{town}`.")
    repository = find(start)
    root = repository.state.top if repository else start.absolute()
    return Project(load_config(root, settings, os.environ), repository, command, hasty=hasty)


def may_track(path: Path) -> bool:
    """Say whether Git tracks a file, or would with the next `git add`."""
    from tt.adapters.gitrepo import find

    repository = find(path.parent)
    if repository is None:
        return False
    with repository:
        ignored = repository.git("check-ignore", "--quiet", "--", str(path)).code == 0
        return not ignored or repository.is_tracked(path)


def embedded_server(home: Path) -> EmbeddedServer:
    """Return the user's own server, to be looked after."""
    from tt.adapters.redis.server import EmbeddedServer

    return EmbeddedServer(home)


def every_post(home: Path) -> WatchPost:
    """Return the post of the watcher of all the user's plans."""
    from tt.adapters.watchpost import WatchPost

    return WatchPost(home / "watch-all", home / "logs" / "watch.log")


def count_tasks(data: bytes, name: str) -> int:
    """Read a plan's bytes and return how many tasks it has; raises PlanError."""
    from tt.adapters.planfile import read_plan

    return len(read_plan(data, name).plan.tasks)


def shown(path: Path) -> str:
    """Return a path as the user would type it: relative where that is shorter."""
    try:
        relative = os.path.relpath(path)
    except (OSError, ValueError):
        return str(path)
    return relative if len(relative) < len(str(path)) else str(path)


def demo_repository(top: Path) -> ScratchRepository:
    """Make the repository that the demonstration plays in."""
    from tt.adapters.scratch import ScratchRepository

    return ScratchRepository(top)


def demo_town(home: Path, town: str) -> DemoTown:
    """Start the demonstration's own Redis."""
    from tt.adapters.redis.demotown import DemoTown

    return DemoTown(home, town)
