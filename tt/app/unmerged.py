"""A plan that Git has not merged yet is nothing to sync: what is there may be one side of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tt.core.model import META_ID, Plan
from tt.errors import PlanError

if TYPE_CHECKING:
    from tt.app.site import Site
    from tt.core.three import Three

_SHOWN = 9


def refuse_unmerged(site: Site) -> None:
    """Raise PlanError while Git's index has the plan in conflict, naming the tasks."""
    versions = site.repository.unmerged(site.path) if site.repository else None
    if versions is None:
        return
    names = _in_conflict(site, versions)
    told = ", ".join(f"`{name}`" for name in names[:_SHOWN])
    more = ", …" if len(names) > _SHOWN else ""
    raise PlanError(
        f"{site.file.name} is not merged yet{': conflicts in ' + told + more if names else ''}.",
        f"Nothing was synced. Look at it, and tell Git with `git add {site.file.name}`.",
    )


def _in_conflict(site: Site, versions: Three[bytes | None]) -> list[str]:
    from tt.core.treemerge import Tree, conflicting_ids, merge_trees  # seldom needed

    def tree(plan: Plan | None) -> Tree:
        return Tree() if plan is None else Tree({META_ID: plan.meta}, plan.tasks)

    plans = versions.map(lambda data: Plan() if data is None else site.file.parse(data))
    if plans.base is None or plans.ours is None or plans.theirs is None:
        return []
    return conflicting_ids(merge_trees(*plans.map(tree)).conflicts)
