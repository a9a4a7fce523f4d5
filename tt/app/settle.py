"""Writing what was decided: first the store, then the file, then the base.

Killed between any two, the next run finishes the job: it finds both sides changed to the same, or
one of them still to change. Each step looks whether what it writes over is still what was read,
and a step that was overtaken ends this round: the caller looks again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from tt.app.look import View
from tt.app.site import Site
from tt.core.base import Base
from tt.core.diff import Added, Change, Removed, apply
from tt.core.model import Plan
from tt.core.reconcile import StoreView, Trust, agree
from tt.core.report import Direction, SyncRecord
from tt.core.times import rfc3339
from tt.errors import BaseMovedError, FileMovedError, StoreRefusedError, TTError
from tt.ports import Claim, Snapshot, StoredTask
from tt.record import record, replace

_ROUNDS: Final = 10
"""How often a sync that is overtaken by another writer looks again before it gives up."""


@record
class Work:
    """What is to be written: each side's changes, as far as the direction goes.

    `done_store` and `done_file` are what earlier rounds of the same sync have written already; they
    belong into its record.
    """

    direction: Direction
    to_store: tuple[Change, ...] = ()
    to_file: tuple[Change, ...] = ()
    done_store: tuple[Change, ...] = ()
    done_file: tuple[Change, ...] = ()
    label: str = ""
    """What the history calls it; the direction's name where it is empty."""

    @classmethod
    def of(cls, direction: Direction, to_store: list[Change], to_file: list[Change]) -> Work:
        """Keep of both sides' changes what the direction may write."""
        return cls(
            direction,
            tuple(to_store) if direction.writes_store else (),
            tuple(to_file) if direction.writes_file else (),
        )


@record
class Settled:
    """Both sides after a round of writing, and all that was written in it and before.

    `overtaken`: another writer got to a task, the file or the base first; what was written stands,
    and the caller looks again.
    """

    snapshot: Snapshot | None
    store: StoreView
    to_store: tuple[Change, ...] = ()
    to_file: tuple[Change, ...] = ()
    overtaken: bool = False


def settle_all(
    site: Site, look_again: Callable[[], View], decide: Callable[[View], Work]
) -> tuple[View, Settled]:
    """Look, decide and write until a round goes through without being overtaken.

    Holds the worktree's lock. Raises TTError where others keep writing for `_ROUNDS` rounds.
    """
    done_store: tuple[Change, ...] = ()
    done_file: tuple[Change, ...] = ()
    with site.lock():
        for _ in range(_ROUNDS):
            view = look_again()
            work = replace(decide(view), done_store=done_store, done_file=done_file)
            settled = settle(site, view, work)
            if not settled.overtaken:
                return view, settled
            done_store, done_file = settled.to_store, settled.to_file
    raise TTError(
        f"{site.file.name} and Redis kept changing while they were merged; nothing is lost.",
        "Run the same command again.",
    )


def settle(site: Site, view: View, work: Work) -> Settled:
    """Write both sides' changes, and move the base to what both now agree on."""
    claim = _claim(site, view)
    if work.direction.writes_store:
        written = _write_store(site, view, work, claim)
    else:
        written = _untouched(view)
        _adopt(site, view, apply(view.plan, work.to_file))
    store = after(view.store, written.done)
    to_store = work.done_store + written.done
    if written.lost:
        return Settled(view.snapshot, store, to_store, work.done_file, overtaken=True)
    try:
        snapshot = _write_file(site, view, work.to_file)
    except FileMovedError:
        return Settled(view.snapshot, store, to_store, work.done_file, overtaken=True)
    settled = Settled(snapshot, store, to_store, work.done_file + work.to_file)
    if not work.direction.writes_store:
        written = _note_pull(site, view, work, claim)
    try:
        _move_base(site, view, work, settled, written)
    except BaseMovedError:
        return replace(settled, overtaken=True)
    return settled


@record
class _Written:
    """The store's side after writing: its counter and epoch, what was done, what was lost."""

    seq: int
    epoch: str
    done: tuple[Change, ...] = ()
    lost: frozenset[str] = frozenset()


def _write_store(site: Site, view: View, work: Work, claim: Claim) -> _Written:
    plan = apply(view.plan, work.to_file)
    marks = [i for i, stored in view.state.tasks.items() if _unmarked(stored) and i in plan.tasks]
    if work.to_store or marks:
        applied = site.store.apply(view.state, work.to_store, claim, mark=marks)
        done = tuple(change for change in work.to_store if change.id not in applied.lost)
        return _Written(applied.seq, claim.epoch, done, applied.lost)
    if view.trust is Trust.REWOUND or _news(view, work):
        return _Written(site.store.touch(claim), claim.epoch)
    return _untouched(view)


def _untouched(view: View) -> _Written:
    town = view.state.town
    return _Written(town.seq, town.epoch) if town else _Written(0, "")


def _note_pull(site: Site, view: View, work: Work, claim: Claim) -> _Written:
    """Raise the counter after a pull; a store that takes no writes can be pulled from, too.

    Last of all, so that a pull which cannot write the file leaves no trace.
    """
    town = view.state.town
    if town and town.epoch and view.trust is not Trust.REWOUND and _news(view, work):
        with suppress(StoreRefusedError):
            return _Written(site.store.touch(claim), claim.epoch)
    return _untouched(view)


def _news(view: View, work: Work) -> bool:
    """Say whether the base will move: then a store that is behind this moment must be told apart.

    Agents do not raise the counter. What they wrote and a base took in would else look unwritten,
    instead of lost, in a store that was restored to just before.
    """
    return (
        bool(work.to_file) or agree(view.base, view.plan, view.store, (), view.among) != view.base
    )


def _adopt(site: Site, view: View, plan: Plan) -> None:
    """Tag the tasks that other tools made and that the file gets now, so that their ids stay.

    Where a replica refuses that, the base remembers the ids for this worktree.
    """
    adopted = [i for i, stored in view.state.tasks.items() if not stored.tagged and i in plan.tasks]
    if adopted:
        with suppress(StoreRefusedError):
            site.store.tag(view.state, adopted)


def _unmarked(stored: StoredTask) -> bool:
    """Say whether the hash has yet to be written out: another tool made it, or reassigned it."""
    return not stored.complete or not stored.tagged or stored.reassigned


def _claim(site: Site, view: View) -> Claim:
    town = view.state.town
    renewed = view.trust is Trust.REWOUND or town is None or not town.epoch
    floor = view.base.seq if view.trust is Trust.REWOUND else 0
    return Claim(
        repo=site.identity.primary(),
        branch=site.branch,
        epoch=os.urandom(8).hex() if renewed or town is None else town.epoch,
        floor=floor,
    )


def after(store: StoreView, changes: Sequence[Change]) -> StoreView:
    """Return the store as it is once `changes` are made, tombstones included."""
    if not changes:
        return store
    plan = apply(Plan(store.meta, store.tasks), changes)
    tombstones = dict(store.tombstones)
    for change in changes:
        if isinstance(change, Removed):
            tombstones[change.id] = change.task
        elif isinstance(change, Added):
            tombstones.pop(change.id, None)
    return StoreView(plan.meta, plan.tasks, tombstones, store.aside)


def _write_file(site: Site, view: View, to_file: tuple[Change, ...]) -> Snapshot | None:
    named = view.snapshot is not None and bool(view.snapshot.named)
    if not to_file and not named:
        return view.snapshot
    return site.file.write(view.snapshot, to_file)


def _move_base(site: Site, view: View, work: Work, settled: Settled, written: _Written) -> None:
    if settled.snapshot is None:
        return
    conflicts = view.outcome.conflicts if view.trust is not Trust.CURRENT else ()
    agreed = agree(view.base, settled.snapshot.plan, settled.store, conflicts, view.among)
    base = replace(agreed, head=_head(site, view, settled), uuids=_foreign_uuids(view, agreed))
    base = _stamped(site, view, work.direction, base, written)
    if view.stored is not None and _same(view.stored, base):
        return
    record = SyncRecord(
        name="",
        time=rfc3339(site.clock.now_ns()),
        direction=work.label or str(work.direction),
        to_store=settled.to_store,
        to_file=settled.to_file,
        conflicts=len(view.outcome.conflicts),
    )
    site.bases.save(view.stored, base, record)


def _stamped(site: Site, view: View, direction: Direction, base: Base, written: _Written) -> Base:
    """Note where both sides stand; a pull does not heal a lost store, so it must not forget it."""
    town = view.state.town
    if view.trust is Trust.REWOUND and not direction.writes_store:
        return base
    repo = town.repo if town and town.repo else site.identity.primary()
    return replace(base, seq=written.seq, epoch=written.epoch, repo=repo)


def _head(site: Site, view: View, settled: Settled) -> str | None:
    """Return the commit to remember: the old one while a wish that commits brought is open."""
    if site.repository is None:
        return None
    plan = settled.snapshot.plan if settled.snapshot else Plan()
    for identifier in view.wishes:
        task, stored = plan.tasks.get(identifier), settled.store.tasks.get(identifier)
        if stored is None or (task is not None and task.status != stored.status):
            return view.base.head
    return site.repository.state.head


def _foreign_uuids(view: View, base: Base) -> dict[str, str]:
    """Collect the uuids of tasks that other tools made; ours (version 5) are computed."""
    aside = view.state.aside & view.base.uuids.keys()
    unusable = {identifier: view.base.uuids[identifier] for identifier in sorted(aside)}
    return unusable | {
        identifier: stored.uuid
        for identifier, stored in view.state.tasks.items()
        if stored.uuid[14:15] != "5" and identifier in base.tasks
    }


def _same(stored: Base, base: Base) -> bool:
    """Say whether there is nothing to save: a raised counter alone is no news."""
    return replace(base, seq=stored.seq, repo=stored.repo) == stored
