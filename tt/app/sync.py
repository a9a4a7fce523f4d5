"""One sync of a plan and its town: push, pull or merge."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from tt.app.look import View, look, no_file
from tt.app.settle import settle_all
from tt.app.site import Site
from tt.app.storing import after
from tt.app.unmerged import refuse_unmerged
from tt.app.work import Settled, Work
from tt.core.agree import in_step
from tt.core.diff import Removed, apply
from tt.core.model import Plan
from tt.core.outcome import Side
from tt.core.report import Direction, SyncReport
from tt.errors import TTError
from tt.record import field, record, replace

if TYPE_CHECKING:
    from tt.app.memory import Memory

_FEW = 3
"""Fewer disappearing tasks than this are never taken for damage, however small the plan."""


@record
class Request:
    """What a sync is asked to do.

    `reset`: the statuses of the file win, finished ones too. `force`: any number of tasks may
    disappear. `decided`: how the conflicts on a task are to end, by its id.
    """

    direction: Direction = Direction.PUSH
    reset: bool = False
    force: bool = False
    dry_run: bool = False
    decided: Mapping[str, Side] = field(default_factory=dict)
    label: str = ""
    """What the history calls the sync; the direction's name where it is empty."""
    keep_file: bool = False
    """Whether the file must stay as it is, to the byte: without the ids that were made for it."""


def sync(site: Site, request: Request) -> SyncReport:
    """Bring file and store in step as far as the request's direction goes, and say what was done.

    Nothing is written by a dry run, and nothing where there is nothing to do. Raises TTError where
    the sync would make more tasks disappear than a person would in one go.
    """
    if request.dry_run:
        view = _look(site, request)
        return report(site, request, view, _would(view, request.direction))
    if request.direction is not Direction.PULL and not site.file.exists():
        raise no_file(site)  # before a lock is made where there is nothing to lock
    view, settled = synced(site, request)
    return report(site, request, view, settled)


def synced(
    site: Site,
    request: Request,
    checked: Callable[[View], View] = lambda view: view,
    memory: Memory | None = None,
) -> tuple[View, Settled]:
    """Sync, and return what was seen last and how both sides stand now.

    `checked` gets each look before anything is decided on it, and may raise to end the sync. With a
    `memory` of earlier syncs here, only what may have changed is looked at, where that will do.
    """
    looks = _looks(site, request, memory)
    view, settled = settle_all(
        site, lambda: checked(next(looks)), lambda view: _work(site, request, view)
    )
    if memory is not None:
        memory.keep(site, view, settled)
    return view, settled


def _looks(site: Site, request: Request, memory: Memory | None) -> Iterator[View]:
    """Look once in each round: who was overtaken looks at everything."""
    narrow = memory if _is_plain(request) else None
    while True:
        yield (narrow and _look_again(site, request, narrow)) or _look(site, request, memory)
        narrow = None


def _is_plain(request: Request) -> bool:
    """Say whether nothing is asked that may concern each of the tasks."""
    told = request.reset or request.decided
    return not told and request.direction is not Direction.PULL


def _work(site: Site, request: Request, view: View) -> Work:
    if not request.force:
        _guard(site, request.direction, view)
    work = Work.of(request.direction, view.outcome.to_store, view.outcome.to_file)
    return replace(work, label=request.label or view.label, keep_file=request.keep_file)


def _look(site: Site, request: Request, memory: Memory | None = None) -> View:
    view = look(
        site,
        reset=request.reset,
        decided=request.decided,
        may_make_file=request.direction is Direction.PULL,
        memory=memory,
    )
    if view.snapshot is None and not view.store.tasks:
        raise TTError(
            f"There is no {site.file.name} here, and no tasks in Redis to make it from.",
            "Run `tt plan --init` to start a plan.",
        )
    refuse_unmerged(site)
    return view


def _look_again(site: Site, request: Request, memory: Memory) -> View | None:
    from tt.app.relook import look_again  # only a watcher has looked before

    view = look_again(site, memory, whole=request.direction.writes_file)
    if view is not None:
        refuse_unmerged(site)
    return view


def _guard(site: Site, direction: Direction, view: View) -> None:
    """Refuse to make many tasks disappear at once: that is damage more often than intent."""
    if direction.writes_store:
        gone = sum(
            1
            for change in view.outcome.to_store
            if isinstance(change, Removed) and change.id in view.store.tasks
        )
        if _too_many(gone, len(view.store.tasks), site.max_delete) and not _vouched(site, view):
            raise _refusal(site.file.name, "Redis", gone, len(view.store.tasks))
    if direction.writes_file:
        gone = sum(1 for change in view.outcome.to_file if isinstance(change, Removed))
        if _too_many(gone, len(view.plan.tasks), site.max_delete):
            raise _refusal("Redis", site.file.name, gone, len(view.plan.tasks))


def _too_many(gone: int, total: int, limit: int) -> bool:
    return gone > limit or (gone >= _FEW and gone * 3 > total)


def _vouched(site: Site, view: View) -> bool:
    """Say whether Git vouches for the file: it is what the index or HEAD has, to the byte."""
    repository, snapshot = site.repository, view.snapshot
    if repository is None or snapshot is None:
        return False
    return any(repository.show(rev, site.path) == snapshot.data for rev in ("", "HEAD"))


def _refusal(lacking: str, having: str, gone: int, total: int) -> TTError:
    return TTError(
        f"{lacking} lacks {gone} of the {total} tasks that {having} has, which looks like damage "
        "rather than intent; nothing was synced.",
        "See what would go with `tt sync --dry-run`; `tt sync --help` tells how to go on.",
    )


def _would(view: View, direction: Direction) -> Settled:
    """Return what a sync would leave behind, without writing it."""
    to_store = tuple(view.outcome.to_store) if direction.writes_store else ()
    to_file = tuple(view.outcome.to_file) if direction.writes_file else ()
    return Settled(view.snapshot, after(view.store, to_store), to_store, to_file)


def report(site: Site, request: Request, view: View, settled: Settled) -> SyncReport:
    """Say what a sync did, or would do."""
    direction = request.direction
    if request.dry_run:
        plan = apply(view.plan, settled.to_file)
    else:
        plan = settled.snapshot.plan if settled.snapshot else view.plan
    if view.glimpse is not None:
        plan = Plan(plan.meta, {i: plan.tasks[i] for i in view.glimpse.ids if i in plan.tasks})
    return SyncReport(
        direction=direction,
        town=site.town,
        file=site.file.name,
        in_step=in_step(plan, settled.store, view.among),
        partial=view.glimpse is not None,
        to_store=settled.to_store,
        to_file=settled.to_file,
        waiting_store=() if direction.writes_store else tuple(view.outcome.to_store),
        waiting_file=() if direction.writes_file else tuple(view.outcome.to_file),
        conflicts=tuple(view.outcome.conflicts),
        kept=tuple(view.outcome.kept),
        faults=view.state.faults + settled.faults,
        duplicates=view.state.duplicates,
        named=tuple(view.snapshot.named.values()) if view.snapshot else (),
        dry_run=request.dry_run,
    )
