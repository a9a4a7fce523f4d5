"""Writing the store's side of what was decided, and saying how both sides stand then."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress

from tt.app.look import View
from tt.app.site import Site
from tt.app.work import Work
from tt.core.agree import agree
from tt.core.diff import Added, Change, Removed, apply
from tt.core.model import Plan
from tt.core.report import Fault
from tt.core.trees import StoreView, Trust
from tt.errors import StoreRefusedError
from tt.ports import Claim, StoredTask
from tt.record import record


@record
class Written:
    """The store's side after writing: its counter and epoch, what was done, what was lost.

    `faults` are values that could not be written.
    """

    seq: int
    epoch: str
    done: tuple[Change, ...] = ()
    lost: frozenset[str] = frozenset()
    faults: tuple[Fault, ...] = ()


def write_store(site: Site, view: View, work: Work, claim: Claim) -> Written:
    """Make the changes by compare-and-set, and raise the counter where there is news."""
    plan = apply(view.plan, work.to_file)
    marks = [i for i, stored in view.state.tasks.items() if _unmarked(stored) and i in plan.tasks]
    if work.to_store or marks:
        applied = site.store.apply(view.state, work.to_store, claim, mark=marks)
        done = tuple(change for change in work.to_store if change.id not in applied.lost)
        return Written(applied.seq, claim.epoch, done, applied.lost, applied.faults)
    if view.trust is Trust.REWOUND or _news(view, work):
        return Written(site.store.touch(claim), claim.epoch)
    return untouched(view)


def untouched(view: View) -> Written:
    """Return how the store stands where nothing is written into it."""
    town = view.state.town
    return Written(town.seq, town.epoch) if town else Written(0, "")


def note_pull(site: Site, view: View, work: Work, claim: Claim) -> Written:
    """Raise the counter after a pull; a store that takes no writes can be pulled from, too.

    Last of all, so that a pull which cannot write the file leaves no trace.
    """
    town = view.state.town
    sound = view.trust is Trust.CURRENT and not lacks_progress(view)
    if town and town.epoch and sound and _news(view, work):
        with suppress(StoreRefusedError):
            return Written(site.store.touch(claim), claim.epoch)
    return untouched(view)


def lacks_progress(view: View) -> bool:
    """Say whether a hash that was lost and made again lacks what this worktree knows of its task.

    Only a sync that writes it may count it as seen: else it would be edited next time, not behind.
    """
    return any(change.id in view.store.remade for change in view.outcome.to_store)


def _news(view: View, work: Work) -> bool:
    """Say whether the base will move: then a store that is behind this moment must be told apart.

    Agents do not raise the counter. What they wrote and a base took in would else look unwritten,
    instead of lost, in a store that was restored to just before.
    """
    if work.to_file or view.store.remade:
        return True
    return agree(view.base, view.plan, view.store, (), view.among) != view.base


def adopt(site: Site, view: View, plan: Plan) -> None:
    """Tag the tasks that other tools made and that the file gets now, so that their ids stay.

    Where a replica refuses that, the base remembers the ids for this worktree.
    """
    adopted = [i for i, stored in view.state.tasks.items() if not stored.tagged and i in plan.tasks]
    if adopted:
        with suppress(StoreRefusedError):
            site.store.tag(view.state, adopted)


def waits_for_marks(view: View) -> bool:
    """Say whether there is a hash that the next write has to write out in full."""
    return any(map(_unmarked, view.state.tasks.values()))


def _unmarked(stored: StoredTask) -> bool:
    """Say whether the hash has yet to be written out: another tool made it, or reassigned it."""
    return not stored.complete or not stored.tagged or stored.reassigned


def claim_of(site: Site, view: View) -> Claim:
    """Say who writes; a store that lost writes, or never had any of ours, gets a new epoch."""
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
