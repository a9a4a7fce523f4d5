"""What the Git hooks do: a commit takes along what agents did, everything else pushes.

A hook is never in the way: whatever keeps it from syncing is an error for its caller to tell in one
line. What Git should stop for is in the report.
"""

from __future__ import annotations

from collections.abc import Callable

from tt.app.belonging import check_belongs, departs
from tt.app.look import View, look
from tt.app.rest import at_rest
from tt.app.site import Site
from tt.app.staging import stage
from tt.app.sync import Request, report, synced
from tt.app.work import Settled
from tt.core.diff import Change
from tt.core.model import Plan
from tt.core.reconcile import doubtful, reconcile
from tt.core.report import Direction, SyncReport
from tt.core.trees import Terms
from tt.errors import NotAPlanError, PlanError, TTError
from tt.ports import Index, Staged
from tt.record import record


@record
class Hooked:
    """What a hook did. `staged` are the changes that it put into the index for the commit.

    `invalid` is what is wrong with the staged plan, where this commit changes it: nothing was
    synced then. `unstaged` says why what was pulled is not in the commit.
    """

    sync: SyncReport | None = None
    staged: tuple[Change, ...] = ()
    invalid: PlanError | None = None
    unstaged: TTError | None = None


@record
class Ground:
    """Where a hook works. `stages`: whether the settings let it stage the plan.

    `fixed`: whether the town's name is the same on every branch. `remember` is told the plan's
    bytes and the base's version where a sync has found, and left, nothing to do.
    """

    site: Site
    index: Index
    stages: bool = True
    fixed: bool = False
    remember: Callable[[bytes, str], None] | None = None


def before_commit(ground: Ground) -> Hooked:
    """Merge file and Redis, and put what that brought into the commit.

    Raises TTError where there was no sync.
    """
    site, index = ground.site, ground.index
    staged = index.read(site.path)
    head = _at(site, "HEAD")
    invalid = _fault(site, staged, head)
    if invalid is not None:
        return Hooked(invalid=invalid)
    keeps = staged is None or index.is_temporary
    request = Request(Direction.PUSH if keeps else Direction.MERGE, keep_file=keeps)
    edited = _edited(site, staged, head)
    view, settled = _synced(ground, request, edited)
    told = report(site, request, view, settled)
    if staged is None or index.is_temporary or not ground.stages:
        return Hooked(told)
    try:
        return Hooked(told, stage(site, index, staged, view, settled))
    except TTError as error:
        return Hooked(told, unstaged=error)


def _fault(site: Site, staged: Staged | None, head: bytes | None) -> PlanError | None:
    """Say what is wrong with the staged plan, where it is not HEAD's: that one is there already."""
    if staged is None or staged.data == head:
        return None
    try:
        site.file.open(staged.data)
    except NotAPlanError:
        return None
    except PlanError as error:
        return error
    return None


def _edited(site: Site, staged: Staged | None, head: bytes | None) -> Callable[[View], bool]:
    """Return whether the plan, staged or not, departs from HEAD's: then it was edited."""

    def edited(view: View) -> bool:
        data = view.snapshot.data if view.snapshot else head
        return (staged is not None and staged.data != head) or departs(data, head)

    return edited


def after_git(ground: Ground, event: str) -> SyncReport:
    """Push what a commit, merge, checkout or rebase brought; the file stays as it is.

    Raises TTError where there was no push.
    """
    request = Request(Direction.PUSH, keep_file=True)

    def edited(_: View) -> bool:
        site = ground.site
        return event == "post-commit" and _at(site, "HEAD") != _at(site, "HEAD^")

    return report(ground.site, request, *_synced(ground, request, edited))


def _synced(
    ground: Ground, request: Request, edited: Callable[[View], bool]
) -> tuple[View, Settled]:
    """Sync where the town is this branch's, and remember it where all is at rest."""
    site = ground.site
    view, settled = synced(site, request, lambda view: _belongs(ground, view, edited))
    if ground.remember and view.snapshot and view.stored and at_rest(site, view, settled):
        ground.remember(view.snapshot.data, view.stored.version)
    return view, settled


def in_framework(ground: Ground) -> tuple[Change, ...]:
    """Write what Redis has newly into the file, and nothing else; return what that was.

    The framework has the user's unstaged edits put away and may roll ours back. So the base stays
    where it is, Redis is not written, and what only the file departs in is left alone.
    Raises TTError where that cannot be done.
    """
    site = ground.site
    with site.lock():
        view = _belongs(ground, look(site), lambda _: False)
        changes = _news(view, view.plan)
        if view.snapshot is not None and changes:
            site.file.write(view.snapshot, changes)
    return changes


def before_push(ground: Ground, commit: str) -> tuple[Change, ...]:
    """List what Redis has and the plan at `commit` does not; reads only. Raises TTError."""
    site = ground.site
    plan = _plan_at(site, commit)
    if plan is None:
        return ()
    view = _belongs(ground, look(site), lambda _: False)
    return _news(view, plan)


def _news(view: View, plan: Plan) -> tuple[Change, ...]:
    """List what the store changed since the base, for a file that says `plan`.

    Where a status is behind in the file, that is taken for its word: it may be an old version.
    """
    doubts = frozenset(doubtful(view.base, plan, view.store))
    return tuple(reconcile(view.base, plan, view.store, Terms(view.trust, doubts)).to_file)


def _belongs(ground: Ground, view: View, edited: Callable[[View], bool]) -> View:
    return check_belongs(ground.site, view, edited, fixed=ground.fixed)


def _at(site: Site, revision: str) -> bytes | None:
    return None if site.repository is None else site.repository.show(revision, site.path)


def _plan_at(site: Site, revision: str) -> Plan | None:
    data = _at(site, revision)
    return None if data is None else site.file.parse(data)
