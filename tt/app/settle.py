"""Writing what was decided: first the store, then the file, then the base.

Killed between any two, the next run finishes the job: it finds both sides changed to the same, or
one of them still to change. What is to be carried over is noted before, in case that one side
changes it again meanwhile (`tt.core.begun`). Each step looks whether what it writes over is still
what was read, and a step that was overtaken ends this round: the caller looks again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tt.app.basing import move_base
from tt.app.look import View, read_again, still_rewound
from tt.app.site import Site
from tt.app.storing import Written, adopt, after, claim_of, note_pull, untouched, write_store
from tt.app.work import Settled, Work
from tt.core.begun import begin
from tt.core.diff import Change, Edited, apply
from tt.core.trees import StoreView, Trust
from tt.core.values import ABSENT
from tt.errors import BaseMovedError, FileMovedError, TTError
from tt.ports import Snapshot
from tt.record import replace

_ROUNDS: Final = 10
"""How often a sync that is overtaken by another writer looks again before it gives up."""


def settle_all(
    site: Site, look_again: Callable[[], View], decide: Callable[[View], Work]
) -> tuple[View, Settled]:
    """Look, decide and write until a round goes through without being overtaken.

    Holds the worktree's lock. Raises TTError where others keep writing for `_ROUNDS` rounds.
    """
    told: tuple[Change, ...] = ()
    done_store: tuple[Change, ...] = ()
    done_file: tuple[Change, ...] = ()
    healing = ""
    with site.lock():
        for _ in range(_ROUNDS):
            view = look_again()
            if healing and view.state.town and view.state.town.epoch == healing:
                view = still_rewound(view)
            work = replace(decide(view), done_store=done_store, done_file=done_file)
            settled = settle(site, view, work)
            if not settled.overtaken:
                return view, replace(settled, to_store=told + settled.to_store)
            if settled.noted:  # the history has it; only the report still has to tell of it
                told, done_store, done_file = told + settled.to_store, (), ()
            else:
                done_store, done_file = settled.to_store, settled.to_file
            healing = settled.healing
    raise TTError(
        f"{site.file.name} and Redis kept changing while they were merged; nothing is lost.",
        "Run the same command again.",
    )


def settle(site: Site, view: View, work: Work) -> Settled:
    """Write both sides' changes, and move the base to what both now agree on."""
    _check_healing(view, work)
    claim = claim_of(site, view)
    _begin(site, view, work)
    if work.direction.writes_store:
        written = write_store(site, view, work, claim)
    else:
        written = untouched(view)
        adopt(site, view, apply(view.plan, work.to_file))
    settled = _in_store(site, view, work, written)
    if settled.overtaken:
        return settled
    try:
        snapshot = _write_file(site, view, work)
    except FileMovedError:
        return _file_moved(site, view, work, settled, written)
    to_file = work.done_file + work.to_file
    settled = replace(settled, snapshot=snapshot, to_file=to_file)
    try:
        if not work.direction.writes_store:
            written = note_pull(site, view, work, claim)
        base = move_base(site, view, work, settled, written)
    except BaseMovedError:
        return replace(settled, overtaken=True)
    return replace(settled, base=base, seq=written.seq, epoch=written.epoch)


def _begin(site: Site, view: View, work: Work) -> None:
    """Note what is carried over, for whoever goes on if this is killed before the base is saved."""
    if work.to_store or work.to_file:
        version = view.stored.version if view.stored else ""
        site.journal.begin(version, begin(work.to_store, work.to_file))


def _file_moved(site: Site, view: View, work: Work, settled: Settled, written: Written) -> Settled:
    """Note what both sides agreed on before somebody saved the file once more.

    Else a field that its user changes twice would conflict with itself: with the first of the two
    values, which the store has by now.
    """
    settled = replace(settled, overtaken=True)
    if not work.direction.writes_store or work.done_file:
        return settled
    try:
        move_base(site, view, work, settled, written)
    except BaseMovedError:
        return settled
    return replace(settled, noted=True)


def _check_healing(view: View, work: Work) -> None:
    """Refuse to write less than all into a store that lost writes: it would pass for healed."""
    lost = view.trust is Trust.REWOUND and work.direction.writes_store
    if lost and not set(map(id, view.outcome.to_store)) <= set(map(id, work.to_store)):
        raise TTError(
            "Redis has lost writes since the last sync; nothing was changed.",
            "Run `tt sync merge` first, which brings back what was lost.",
        )


def _write_file(site: Site, view: View, work: Work) -> Snapshot | None:
    named = view.snapshot is not None and bool(view.snapshot.named)
    if work.keep_file or not (work.to_file or named):
        return view.snapshot
    return site.file.write(view.snapshot, work.to_file)


def _in_store(site: Site, view: View, work: Work, written: Written) -> Settled:
    """Say how both sides stand once the store is written, the file not yet."""
    done = written.done
    if written.faults:  # not all could be written, so what the store says now has to be read
        store = read_again(site, view, apply(view.plan, work.to_file))
        done = tuple(change for change in done if not _is_refused(store, change))
    else:
        store = after(view.store, done)
    heals = view.trust is Trust.REWOUND and work.direction.writes_store
    return Settled(
        view.snapshot,
        store,
        work.done_store + done,
        work.done_file,
        faults=written.faults,
        overtaken=bool(written.lost),
        healing=written.epoch if heals else "",
    )


def _is_refused(store: StoreView, change: Change) -> bool:
    task = store.tasks.get(change.id)
    if not isinstance(change, Edited) or task is None:
        return False
    return task.fields.get(change.field, ABSENT) != change.new
