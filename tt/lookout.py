"""The wiring of the watcher: one worktree, opened anew for each sync, as its branch may be another.

What is dear to make again is kept: the events of the filesystem and the connection on which Redis
tells of changes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from tt.adapters.digest import digest_of
from tt.adapters.redis.hearing import Hearing
from tt.adapters.redis.kept import Kept
from tt.bootstrap import open_project, shown
from tt.config.keys import PROJECT_FILE, USER_FILE
from tt.core.report import Direction
from tt.core.watching import Happening, Stamp
from tt.recollection import Recollection

if TYPE_CHECKING:
    from tt.adapters.fileevents import Eyes, Sight
    from tt.adapters.gitrepo import GitRepository
    from tt.adapters.inflight import InFlight
    from tt.app.look import View
    from tt.app.memory import Memory
    from tt.app.outlook import Synced
    from tt.app.site import Site
    from tt.bootstrap import Project

_BRANCH: Final = b"ref: refs/heads/"
_LOCK: Final = 0.5
"""Seconds that a sync waits for another `tt`; then it is tried again."""
_LONGEST_HEAD: Final = 4096


class Where(NamedTuple):
    """How the watcher was called: the directory, and the settings that flags say."""

    directory: str
    settings: Mapping[str, str | None]
    two_way: bool | None = None


class Lookout:
    """An `Outlook` on real files, Git and Redis; to be closed."""

    def __init__(self, where: Where, eyes: Eyes, ring: Callable[[Happening], None]) -> None:
        """Raises TTError where there is no such directory, or a setting is broken."""
        self._where, self._eyes, self._ring = where, eyes, ring
        self._stand = Path.cwd()
        self._sight: Sight | None = None
        self._hearing = Hearing()
        self._begun = False
        self._recollection = Recollection()
        self._kept = Kept()
        with self._open() as project:
            self._find(project)
            _ = project.connection.address  # one that cannot be is a broken setting
            self.private = project.private
            self.debounce = project.config.seconds("watch.debounce")
            said = project.config.flag("watch.two_way")
        self._two_way = said if where.two_way is None else where.two_way

    @property
    def file(self) -> str:
        """How messages call the plan: from here, or wholly where it is elsewhere."""
        name = shown(self._plan)
        return str(self._plan) if name.startswith("..") else name

    @property
    def two_way(self) -> bool:
        """Whether the file gets what Redis has."""
        return self._two_way

    @property
    def filenos(self) -> tuple[int, ...]:
        """The descriptors on which Redis tells of changes."""
        return self._hearing.filenos

    def stamp(self) -> Stamp:
        """Return the plan's stamp; see `Outlook`."""
        git = self._git
        return Stamp(
            _stat(self._plan),
            _head(git.state.git_dir / "HEAD") if git else b"",
            tuple(map(_stat, self._settings)),
        )

    def digest(self) -> str:
        """Return the digest of the plan's bytes; see `Outlook`."""
        try:
            return digest_of(self._plan.read_bytes())
        except OSError:
            return ""

    def in_the_way(self) -> str | None:
        """Say why a sync must wait; see `Outlook`."""
        if self._git is None:
            return None
        state = self._git.state
        reason = self._traffic.reason() if self._traffic else None
        if reason is not None:
            return reason
        operation = self._git.operation_in_progress()
        if operation is not None:
            return f"A {operation} is in progress."
        if self._git.has_autostash():
            return "Git has edits put away (autostash)."
        head = _head(state.git_dir / "HEAD")
        if head and not head.startswith(_BRANCH) and not self._is_fixed:
            return "HEAD is detached: no branch is checked out that could have a town."
        return None

    def sync(self, checked: Callable[[View], View], *, by_git: bool, is_edited: bool) -> Synced:
        """Sync; see `Outlook`."""
        from tt.app.outlook import Synced
        from tt.app.sync import Request, report, synced

        with self._open() as project:
            project.reach.starts_server = is_edited
            self._find(project)
            connection = project.connection
            self._hearing.listen(
                (connection.address, project.town),
                lambda: connection.execute("PING"),  # which starts the user's own server if need be
                lambda: project.reach.track(project.town, tasks=self._two_way),
            )
            site = project.site
            is_put_back = by_git and self._is_heads(site)
            merges = self._two_way and not is_put_back
            request = Request(
                Direction.MERGE if merges else Direction.PUSH, keep_file=not self._two_way
            )
            look = partial(self._looked_at, project, checked, is_put_back=is_put_back)
            view, settled = synced(site, request, look, self._heard_of(project.town))
        self._begun = True
        data = settled.snapshot.data if settled.snapshot else b""
        return Synced(report(site, request, view, settled), digest_of(data))

    def _looked_at(
        self,
        project: Project,
        checked: Callable[[View], View],
        view: View,
        *,
        is_put_back: bool,
    ) -> View:
        """Return what a sync goes by; raise where it must not be."""
        from tt.app.belonging import check_belongs
        from tt.app.restoring import without_old_buffer

        site = project.site
        fixed = bool(project.config.name)
        view = check_belongs(site, view, lambda _: self._is_edited(site), fixed=fixed)
        return checked(view if is_put_back else without_old_buffer(site, view))

    def _is_edited(self, site: Site) -> bool:
        """Say whether the plan is edited here; who starts a watcher means the branch it is on."""
        return not self._begun or not self._is_heads(site)

    @staticmethod
    def _is_heads(site: Site) -> bool:
        """Say whether the plan is as HEAD has it."""
        from tt.app.belonging import departs

        head = site.repository.show("HEAD", site.path) if site.repository else None
        snapshot = site.file.read()
        return not departs(snapshot.data if snapshot else None, head)

    def _heard_of(self, town: str) -> Memory:
        """Return what is remembered of the town, with all that Redis told of since."""
        memory = self._recollection.memory(town)
        told, is_lost = self._hearing.all_heard()
        memory.hear(told)
        if is_lost:
            memory.forget()
        return memory

    def look_out(self) -> str | None:
        """See that events come; see `Outlook`."""
        if self._sight is not None and not self._sight.is_current():
            self._sight.close()
            self._sight = None
        if self._sight is None:
            git_dir = self._git.state.git_dir if self._git else None
            self._sight = self._eyes.look_at(self._plan, git_dir, self._ring)
        return self._sight.blind

    def heard(self) -> bool:
        """Say whether Redis told of a change; see `Outlook`."""
        return self._hearing.heard()

    def is_listening(self) -> bool:
        """Say whether Redis tells of changes; see `Outlook`."""
        return self._hearing.is_listening()

    def close(self) -> None:
        """See and hear nothing any more."""
        if self._sight is not None:
            self._sight.close()
            self._sight = None
        self._hearing.hang_up()
        self._kept.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> Project:
        with suppress(OSError):  # a directory that was made again is not the one we stand in
            os.chdir(self._stand)
        project = open_project(self._where.directory, self._where.settings, "tt watch")
        project.lock_wait = _LOCK
        project.recollection = self._recollection
        project.reach.kept = self._kept
        return project

    def _find(self, project: Project) -> None:
        """Take note of where everything is; the settings may have moved the plan."""
        config = project.config
        if getattr(self, "_plan", config.plan_path) != config.plan_path and self._sight:
            self._sight.close()
            self._sight = None
        self._plan: Path = config.plan_path
        self._settings = (config.root / PROJECT_FILE, config.home / USER_FILE)
        known = getattr(self, "_git", None)
        self._git: GitRepository | None = project.repository
        if self._git is None or known is None or known.state.git_dir != self._git.state.git_dir:
            self._traffic = _traffic(self._git)
        self._is_fixed = bool(config.name)


def _traffic(repository: GitRepository | None) -> InFlight | None:
    if repository is None:
        return None
    from tt.adapters.inflight import InFlight

    state = repository.state
    return InFlight(state.git_dir, state.common_dir, state.top, os.environ)


def _stat(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST_HEAD)
    except OSError:
        return b""
