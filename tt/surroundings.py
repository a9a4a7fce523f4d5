"""The wiring of commands that look further than one plan and its town."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tt.config.settings import as_name
from tt.errors import TTError

if TYPE_CHECKING:
    from tt.app.prune import Estate
    from tt.bootstrap import Project
    from tt.core.answers import TownFound


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
