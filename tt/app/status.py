"""A plan and its town at a glance."""

from __future__ import annotations

from tt.app.look import View, look
from tt.app.site import Site
from tt.core.agree import in_step
from tt.core.diff import apply
from tt.core.report import StatusReport
from tt.errors import StoreError, TTError


def status(site: Site) -> StatusReport:
    """Compare both sides and say how they stand; reads only.

    Where Redis does not answer, the file's side is still told, with the reason.
    """
    try:
        return _both(site, look(site, may_make_file=True))
    except StoreError as error:
        snapshot = site.file.read()
        if snapshot is None:
            raise
        return StatusReport(
            site.town,
            site.branch,
            site.file.name,
            site.store.address,
            snapshot.plan,
            error.message,
            error.hint,
        )


def _both(site: Site, view: View) -> StatusReport:
    if view.snapshot is None and not view.store.tasks:
        raise TTError(
            f"There is no {site.file.name} here, and the town `{site.town}` has no tasks.",
            "Run `tt plan --init` to start a plan.",
        )
    outcome = view.outcome
    return StatusReport(
        town=site.town,
        branch=site.branch,
        file=site.file.name,
        address=site.store.address,
        plan=apply(view.plan, outcome.to_file),
        in_step=in_step(view.plan, view.store, view.among),
        to_store=tuple(outcome.to_store),
        to_file=tuple(outcome.to_file),
        conflicts=tuple(outcome.conflicts),
        kept=tuple(outcome.kept),
        faults=view.state.faults,
        duplicates=view.state.duplicates,
        last=next(iter(site.bases.history(1)), None),
    )
