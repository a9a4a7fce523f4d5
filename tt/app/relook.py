"""Looking again where a sync has looked before: at what may have changed, if that can be told."""

from __future__ import annotations

from tt.app.look import Found, View, judged
from tt.app.memory import Memory, is_clean
from tt.app.site import Site
from tt.core.trees import Terms


def look_again(site: Site, memory: Memory, *, whole: bool) -> View | None:
    """Look at what may have changed; `whole`: in Redis, too, and not in the file alone.

    None where only a look at everything will do: another `tt` has written since, or saved a base,
    or was killed while it wrote, or something in the town is odd. Raises PlanError, StoreError.
    """
    base = memory.base(site)
    snapshot = site.file.read()
    if base is None or snapshot is None or site.journal.begun(base.version):
        return None
    wanted = memory.wanted(site, base, snapshot.plan, whole=whole)
    if wanted is None:
        return None
    known = {**snapshot.plan.tasks, **base.tasks}
    glimpse = site.store.glimpse(wanted, known, base.uuids)
    if glimpse is None or not memory.is_as_left(glimpse.state.town):
        return None
    view = judged(site, Found(base, snapshot, glimpse.state, glimpse), Terms())
    return view if is_clean(view) else None
