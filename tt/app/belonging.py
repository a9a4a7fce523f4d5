"""Whether a town is this branch's to sync without anybody asking for it."""

from __future__ import annotations

from collections.abc import Callable

from tt.app.look import View
from tt.app.site import Site
from tt.errors import NoTownError, OtherBranchError


def check_belongs(site: Site, view: View, edited: Callable[[View], bool], *, fixed: bool) -> View:
    """Return `view`. Raises where the town is not this branch's, or nothing would make one yet.

    `fixed`: the town's name is the same on every branch, and it follows one. `edited` says whether
    somebody edited the plan on this branch; only that makes a town where there is none.
    """
    town = view.state.town
    if fixed and town and town.branch not in ("", site.branch):
        raise OtherBranchError(
            f"The town `{site.town}` follows the branch {town.branch}; nothing is synced "
            f"on {site.branch}.",
            "`tt sync` moves it to this branch.",
        )
    known = town is not None or view.stored is not None or view.store.tasks
    if not known and not edited(view):
        raise NoTownError(
            f"The branch {site.branch} has no town in Redis yet.",
            "The first commit that edits the plan makes one, or `tt sync`.",
        )
    return view


def departs(one: bytes | None, other: bytes | None) -> bool:
    """Compare two versions of a plan without their line endings, which Git may have changed."""
    if one is None or other is None:
        return one is not other
    return one != other and one.replace(b"\r\n", b"\n") != other.replace(b"\r\n", b"\n")
