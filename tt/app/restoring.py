"""Bringing back what an editor's old buffer took back without anybody having meant it."""

from __future__ import annotations

from typing import Final

from tt.app.look import View
from tt.app.site import Site
from tt.core.reconcile import reconcile
from tt.core.stale import RESTORED, as_loaded, taken_back
from tt.core.trees import differing
from tt.record import replace

_SYNCS: Final = 20
"""How many syncs a buffer may be behind."""


def without_old_buffer(site: Site, view: View) -> View:
    """Return `view` as it is where an old buffer was saved: what that takes back is no edit.

    Then the store's word goes into the file again, as far as the sync may write it.
    """
    if view.snapshot is None or not view.outcome.to_store or view.stored is None:
        return view
    found = taken_back(view.base, view.plan, site.bases.history(_SYNCS))
    if not found:
        return view
    base = as_loaded(view.base, found)
    among = differing(base, view.plan, view.store)
    wishes = view.terms.wishes - {identifier for identifier, _ in found}
    terms = replace(view.terms, wishes=wishes)
    outcome = reconcile(base, view.plan, view.store, terms, among)
    return replace(view, base=base, terms=terms, outcome=outcome, among=among, label=RESTORED)
