"""Staging what Redis brought: at most one path, which is in the index already."""

from __future__ import annotations

from typing import Final

from tt.app.look import View
from tt.app.site import Site
from tt.app.work import Settled
from tt.core.diff import Change
from tt.core.model import Plan
from tt.core.pulled import pulled
from tt.errors import PlanError
from tt.ports import Index, Snapshot, Staged

_SYNCS: Final = 200
"""How far back a pull is looked for that the index does not have yet."""


def stage(
    site: Site, index: Index, staged: Staged, view: View, settled: Settled
) -> tuple[Change, ...]:
    """Bring into the index what pulls brought into the file; return what that was.

    Where the index had what the file had, it gets what the file has; else only what was pulled,
    so that what the user left unstaged stays unstaged. Raises TTError where it cannot be staged.
    """
    if view.snapshot is None or settled.snapshot is None:
        return ()
    if index.holds(staged, site.path, view.snapshot.data):
        if settled.snapshot.data != view.snapshot.data:
            index.stage_file(site.path, staged, settled.snapshot.data)
        return settled.to_file
    return stage_pulled(site, index, staged, settled)


def stage_pulled(site: Site, index: Index, staged: Staged, settled: Settled) -> tuple[Change, ...]:
    """Bring into the index what pulls brought into the file, and nothing else."""
    try:
        before = site.file.open(staged.data)
    except PlanError:  # a commit of something else by this name, or of a plan that is not done yet
        return ()
    changes = brought(site, before, settled)
    if changes:
        index.stage(site.path, staged, site.file.preview(before, changes))
    return tuple(changes)


def brought(site: Site, before: Snapshot, settled: Settled) -> list[Change]:
    """List what pulls brought into the file and `before` does not have."""
    now = settled.snapshot.plan if settled.snapshot else Plan()
    if before.plan == now:
        return []
    return pulled(before.plan, now, site.bases.history(_SYNCS))
