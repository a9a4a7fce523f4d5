"""Whether all is at rest: whether the same inputs would make the next sync write nothing."""

from __future__ import annotations

from tt.app.basing import is_old_news, next_base
from tt.app.look import View
from tt.app.site import Site
from tt.app.storing import untouched, waits_for_marks
from tt.app.work import Settled
from tt.core.report import Direction
from tt.core.trees import Trust


def at_rest(site: Site, view: View, settled: Settled) -> bool:
    """Say whether a push or merge that finds what `view` saw writes nothing, whatever HEAD is.

    It must hold for the view that the sync saw last; `settled` says whether something was written
    on it. What needs Git's history or other names of the repository to decide is no rest: then the
    same file, base and store could mean something else next time.
    """
    if view.stored is None or view.snapshot is None or view.snapshot.named:
        return False
    if settled.to_store or settled.to_file or settled.faults or settled.overtaken:
        return False
    if not _says_the_same(view) or not _has_no_doubts(view):
        return False
    return is_old_news(view, next_base(site, view, Direction.MERGE, settled, untouched(view)))


def _says_the_same(view: View) -> bool:
    outcome, state = view.outcome, view.state
    waiting = outcome.to_store or outcome.to_file or outcome.conflicts or outcome.kept
    odd = state.faults or state.duplicates or state.aside or view.store.remade
    return not (view.among or waiting or odd or waits_for_marks(view))


def _has_no_doubts(view: View) -> bool:
    """Say whether the store is known to be this repository's, and to have lost nothing."""
    stored, town = view.stored, view.state.town
    if stored is None or town is None or not town.epoch or view.terms.reset or view.terms.decided:
        return False
    ours = set(stored.repo.split()).intersection(town.repo.split())
    return bool(ours) and view.trust is Trust.CURRENT
