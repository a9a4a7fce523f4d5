"""Moving the base to what both sides agree on, once all that was decided is written."""

from __future__ import annotations

from tt.app.look import View
from tt.app.site import Site
from tt.app.storing import Written, lacks_progress
from tt.app.work import Settled, Work
from tt.core.agree import agree
from tt.core.base import Base
from tt.core.diff import Change
from tt.core.model import Plan
from tt.core.report import Direction, SyncRecord
from tt.core.times import rfc3339
from tt.core.trees import Trust
from tt.record import replace


def move_base(
    site: Site, view: View, work: Work, settled: Settled, written: Written
) -> Base | None:
    """Save the base that both sides now agree on, and the sync as its history entry, together with
    what a sync before it did not get to enter there.

    Saves nothing where that is no news. Returns the newest base; raises BaseMovedError where
    another saved one meanwhile.
    """
    if settled.snapshot is None:
        return view.stored
    base = next_base(site, view, work.direction, settled, written)
    if not (settled.to_store or settled.to_file) and is_old_news(view, base):
        return view.stored
    record = SyncRecord(
        name="",
        time=rfc3339(site.clock.now_ns()),
        direction=work.label or str(work.direction),
        to_store=_after(view.came.to_store, settled.to_store),
        to_file=_after(view.came.to_file, settled.to_file),
        conflicts=len(view.outcome.conflicts),
    )
    saved = site.bases.save(view.stored, base, record)
    site.journal.end()
    site.saved()
    return saved


def _after(came: tuple[Change, ...], done: tuple[Change, ...]) -> tuple[Change, ...]:
    """Return both; what this very sync wrote before it was overtaken is in both."""
    return tuple(change for change in came if change not in done) + done


def next_base(
    site: Site, view: View, direction: Direction, settled: Settled, written: Written
) -> Base:
    """Return the base that both sides agree on after a sync, and where both stand then."""
    plan = settled.snapshot.plan if settled.snapshot else Plan()
    doubted = view.trust is not Trust.CURRENT or view.store.remade
    conflicts = view.outcome.conflicts if doubted else ()
    agreed = agree(view.base, plan, settled.store, conflicts, view.among)
    base = replace(agreed, head=_head(site, view, settled), uuids=_foreign_uuids(view, agreed))
    return _stamped(site, view, direction, base, written)


def _stamped(site: Site, view: View, direction: Direction, base: Base, written: Written) -> Base:
    """Note where both sides stand; a pull heals no store that lost writes, so it notes nothing."""
    town = view.state.town
    unhealed = view.trust is not Trust.CURRENT or lacks_progress(view)
    if unhealed and not direction.writes_store:
        return base
    repo = town.repo if town and town.repo else site.identity.primary()
    return replace(base, seq=written.seq, epoch=written.epoch, repo=repo)


def _head(site: Site, view: View, settled: Settled) -> str | None:
    """Return the commit to remember: the old one while a wish that commits brought is open."""
    if site.repository is None:
        return None
    plan = settled.snapshot.plan if settled.snapshot else Plan()
    for identifier in view.terms.wishes:
        task, stored = plan.tasks.get(identifier), settled.store.tasks.get(identifier)
        if stored is None or (task is not None and task.status != stored.status):
            return view.base.head
    return site.repository.state.head


def _foreign_uuids(view: View, base: Base) -> dict[str, str]:
    """Collect the uuids of tasks that other tools made; ours (version 5) are computed."""
    aside = view.state.aside & view.base.uuids.keys()
    unusable = {identifier: view.base.uuids[identifier] for identifier in sorted(aside)}
    unread = {name: uuid for name, uuid in view.state.unread.items() if name in base.tasks}
    return (
        unusable
        | unread
        | {
            identifier: stored.uuid
            for identifier, stored in view.state.tasks.items()
            if stored.uuid[14:15] != "5" and identifier in base.tasks
        }
    )


def is_old_news(view: View, base: Base) -> bool:
    """Say whether there is nothing to save; a raised counter or a moved HEAD alone is no news.

    But it has to be noted that hashes which were made again have been seen: else they would stay
    younger than the base for ever.
    """
    stored = view.stored
    if stored is None or (view.store.remade and base.seq > stored.seq):
        return False
    return replace(base, seq=stored.seq, repo=stored.repo, head=stored.head) == stored
