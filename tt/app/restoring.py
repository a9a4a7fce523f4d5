"""Bringing back what an editor's old buffer took back without anybody having meant it."""

from __future__ import annotations

from typing import Final

from tt.app.look import View
from tt.app.site import Site
from tt.core.reconcile import reconcile
from tt.core.stale import as_loaded, taken_back
from tt.core.trees import differing
from tt.record import replace

_SYNCS: Final = 20
"""How many syncs a buffer may be behind."""


def without_old_buffer(site: Site, view: View) -> tuple[View, bool]:
    """Return `view` as it is for an old buffer's save, and whether it is one.

    What the buffer takes back is no edit then: the store's word goes into the file again.
    """
    if view.snapshot is None or not view.outcome.to_store or view.stored is None:
        return view, False
    found = taken_back(view.base, view.plan, site.bases.history(_SYNCS))
    if not found:
        return view, False
    base = as_loaded(view.base, found)
    among = differing(base, view.plan, view.store)
    wishes = view.terms.wishes - {identifier for identifier, _ in found}
    terms = replace(view.terms, wishes=wishes)
    outcome = reconcile(base, view.plan, view.store, terms, among)
    return replace(view, base=base, terms=terms, outcome=outcome, among=among), True
