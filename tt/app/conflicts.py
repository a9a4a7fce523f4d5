"""Seeing conflicts, and ending them; opening a finished task again."""

from __future__ import annotations

from collections.abc import Collection

from tt.app.look import View, look
from tt.app.settle import settle_all
from tt.app.site import Site
from tt.app.sync import Request, sync
from tt.app.work import Settled, Work
from tt.core.diff import Change, Edited
from tt.core.outcome import Side
from tt.core.report import Conflict, Direction, SyncReport
from tt.errors import TTError


def conflicts(site: Site) -> list[Conflict]:
    """List what file and store disagree on; reads only."""
    return look(site).outcome.conflicts


def resolve(site: Site, identifier: str, side: Side) -> SyncReport:
    """End every conflict on one task (or `[meta]`) in favour of one side, and merge the rest.

    Raises TTError where there is no such conflict.
    """
    open_ones = {conflict.id for conflict in conflicts(site)}
    if identifier not in open_ones:
        hint = _which(identifier, open_ones, "tt conflicts")
        raise TTError(f"There is no conflict on `{identifier}`.", hint)
    request = Request(Direction.MERGE, decided={identifier: side}, label="resolve")
    return sync(site, request)


def _which(identifier: str, known: Collection[str], listing: str) -> str:
    from tt.core.document import did_you_mean

    near = did_you_mean(identifier, sorted(known))
    return f"{near[0].upper()}{near[1:]}" if near else f"`{listing}` lists those that there are."


def reopen(site: Site, identifier: str) -> tuple[Change, ...]:
    """Make a task pending again on both sides, whatever it was; return the changes made."""
    _, settled = settle_all(site, lambda: look(site), lambda view: _reopening(view, identifier))
    return _once(settled)


def _once(settled: Settled) -> tuple[Change, ...]:
    return tuple(dict.fromkeys((*settled.to_file, *settled.to_store)))


def _reopening(view: View, identifier: str) -> Work:
    task = view.plan.tasks.get(identifier)
    if task is None:
        hint = _which(identifier, view.plan.tasks, "tt plan")
        if identifier in view.store.tasks:
            hint = "It is in Redis alone: `tt sync pull` brings it into the plan."
        raise TTError(f"There is no task `{identifier}` in the plan.", hint)
    stored = view.store.tasks.get(identifier)
    to_file = _to_pending(identifier, task.status)
    to_store = _to_pending(identifier, stored.status) if stored else ()
    return Work(Direction.MERGE, to_store, to_file, label="reopen")


def _to_pending(identifier: str, status: str) -> tuple[Change, ...]:
    return () if status == "pending" else (Edited(identifier, "status", status, "pending"),)
