"""Second hashes of one task, which tinytown's push makes each time it runs."""

from __future__ import annotations

from tt.app.look import look
from tt.app.site import Site
from tt.core.report import Duplicate


def dedupe(site: Site, *, dry_run: bool = False) -> tuple[tuple[Duplicate, ...], int]:
    """Remove from Redis what does not count of tasks that are there more than once.

    Returns the copies that were found, and how many are removed: one that somebody writes to
    meanwhile stays. Raises what `look` raises.
    """
    with site.lock():
        view = look(site, may_make_file=True)
        found = view.state.duplicates
        return found, 0 if dry_run or not found else site.store.remove_duplicates(view.state)
