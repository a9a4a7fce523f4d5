"""The wiring of commands that look further than one plan and its town."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Final

from tt.config.settings import as_name
from tt.errors import NoTownError, TTError
from tt.record import replace

if TYPE_CHECKING:
    from tt.adapters.redis.connection import Connection
    from tt.app.doctor import Surroundings
    from tt.app.prune import Estate
    from tt.app.site import Site
    from tt.bootstrap import Project
    from tt.core.answers import TownFound
    from tt.core.health import RedisFacts

_SECONDS: Final = 1.0
"""How long a look waits for Redis; who configured less waits less."""


def estate(project: Project) -> Estate:
    """Return what `tt towns --prune` works on. Raises TTError where there is no Git."""
    from tt.adapters.base_refs import forget_base, has_base
    from tt.adapters.gitbranches import read_branches
    from tt.adapters.redis.towns import busy_tasks, remove_town
    from tt.app.prune import Estate

    repository = project.repository
    if repository is None:
        raise TTError(
            "There is no Git repository here, and so no branch that could be gone.",
            "`tt towns` lists the towns.",
        )

    def known(town: TownFound) -> bool:
        # Without an identity from `tt init` the owner is this one clone and no other.
        return not project.config.repo or has_base(repository, town.name)

    return Estate(
        here=project.town_or_none,
        owners=frozenset(project.identity.every()),
        towns=project.towns(),
        exists=read_branches(repository).has,
        suffix=lambda branch: as_name(f"-{branch}"),
        busy=partial(busy_tasks, project.connection),
        known=known,
        remove=partial(remove_town, project.connection),
        forget=partial(forget_base, repository),
    )


@contextmanager
def surroundings(project: Project) -> Iterator[Surroundings]:
    """Give what `tt doctor` looks at; nothing of it is made, started or written."""
    from tt.adapters.gitfacts import git_facts
    from tt.adapters.program import shells_program
    from tt.adapters.redis.health import redis_facts
    from tt.app.doctor import Surroundings
    from tt.app.hookstatus import hook_status

    opened: list[Connection] = []
    repository, config = project.repository, project.config

    @cache
    def connection() -> Connection | None:
        found = _connected(project)
        opened.extend([found] if found else [])
        return found

    @cache
    def facts() -> RedisFacts | None:
        found = connection()
        return None if found is None else redis_facts(found, project.town_or_none)

    try:
        yield Surroundings(
            file=project.plan_file,
            fixed=bool(config.name),
            advice=project.advice,
            program=shells_program,
            git=partial(git_facts, repository, config.plan_path.relative_to(config.root))
            if repository
            else None,
            hooks=(lambda: hook_status(project.hook_place)) if repository else None,
            redis=facts,
            address=lambda: project.connection.address,
            bases=lambda: project.bases,
            site=lambda: _reading_site(project, connection()),
            watching=project.watch_post.watching,
        )
    finally:
        for found in opened:
            found.close()


def _connected(project: Project) -> Connection | None:
    """Connect, for a look; None where the built-in server is not running."""
    from tt.adapters.redis.opening import connect_running, open_connection
    from tt.adapters.redis.url import parse_address

    config = project.config
    timeout = min(config.redis_timeout, _SECONDS)
    if config.redis is None:
        return connect_running(config.home, timeout=timeout)
    address = parse_address(config.redis)
    return open_connection(address, timeout=timeout, town=project.town_or_none)


def _reading_site(project: Project, connection: Connection | None) -> Site:
    """Return a site that asks this connection, and makes no id where the project has none."""
    from tt.adapters.known import KnownIdentity
    from tt.adapters.redis.store import RedisTaskStore

    if connection is None:
        raise NoTownError("The built-in Redis is not running.", "tt starts it when it is needed.")
    site, config = project.site, project.config
    repository = project.repository
    kept = repository.private_dir(per_worktree=False) if repository else config.root / ".tt"
    store = RedisTaskStore(connection, project.town, site.clock, frozenset(config.fields))
    return replace(site, store=store, identity=KnownIdentity(config.repo, repository, kept))
