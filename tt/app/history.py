"""What each sync changed, and taking one back."""

from __future__ import annotations

from collections.abc import Iterable

from tt.app.look import View, look
from tt.app.settle import settle_all
from tt.app.site import Site
from tt.app.work import Work
from tt.core.base import Base
from tt.core.diff import Added, Change, Edited, Removed, apply, diff, invert
from tt.core.graph import missing_links
from tt.core.model import META_ID, Plan, Task
from tt.core.report import Direction, SyncRecord, UndoReport
from tt.core.values import ABSENT, UNDECIDED, MaybeValue
from tt.errors import TTError


def history(site: Site, limit: int = 50) -> list[SyncRecord]:
    """List the syncs that changed something, newest first."""
    return site.bases.history(limit)


def undo(site: Site, name: str | None = None) -> UndoReport:
    """Take one sync back on both sides: the last one, or the one that `name` names.

    All of it or nothing: where newer changes stand on it, they are reported and nothing is done.
    The undo is a sync of its own, and can be taken back itself.
    """
    record = _record(site, name)
    before, after = _versions(site, record)
    changes = [invert(change) for change in reversed(_agreed(before, after))]
    blocked: list[Change] = []

    def decide(view: View) -> Work:
        blocked[:] = _in_the_way(view, changes)
        if blocked:
            return Work(Direction.MERGE)
        to_file = _for_side(changes, view.plan)
        to_store = _for_side(changes, Plan(view.store.meta, view.store.tasks))
        _check(view.plan, to_file)
        return Work(Direction.MERGE, to_store, to_file, label=f"undo {record.name}")

    _, settled = settle_all(site, lambda: look(site), decide)
    return UndoReport(record, settled.to_store, settled.to_file, tuple(blocked))


def _record(site: Site, name: str | None) -> SyncRecord:
    records = site.bases.history(500)
    found = [record for record in records if name is None or record.name.startswith(name)]
    if not found:
        what = f"no sync `{name}`" if name else "no sync yet"
        raise TTError(f"There is {what} to take back.", "`tt sync log` lists those that there are.")
    if name is not None and len(found) > 1:
        names = ", ".join(record.name for record in found[:5])
        raise TTError(f"`{name}` could be any of {names}.", "Write more of its name.")
    return found[0]


def _versions(site: Site, record: SyncRecord) -> tuple[Base, Base]:
    versions = site.bases.version(record.name)
    if versions is None:
        raise TTError(f"The history no longer holds what was before `{record.name}`.")
    if not versions[0].tasks:
        raise TTError(
            f"`{record.name}` is the first sync of this plan: there is nothing before it.",
            "To take single tasks back, edit the file and sync.",
        )
    return versions


def _agreed(before: Base, after: Base) -> list[Change]:
    """List what file and store newly agreed on in a sync; what they left undecided is not in it."""
    changes = diff(Plan(before.meta, before.tasks), Plan(after.meta, after.tasks))
    return [change for change in changes if not _is_undecided(change)]


def _is_undecided(change: Change) -> bool:
    if isinstance(change, Edited):
        return UNDECIDED in (change.old, change.new)
    return UNDECIDED in change.task.fields.values()


def _in_the_way(view: View, changes: Iterable[Change]) -> list[Change]:
    """List what has changed on either side since: an undo would lose it."""
    sides = (view.plan, Plan(view.store.meta, view.store.tasks))
    found = [newer for side in sides for change in changes for newer in _newer(side, change)]
    return list({(change.id, getattr(change, "field", None)): change for change in found}.values())


def _newer(side: Plan, change: Change) -> list[Change]:
    now = side.tasks.get(change.id)
    if isinstance(change, Added):
        return [Added(now)] if now is not None and now.fields != change.task.fields else []
    if isinstance(change, Removed):
        if now is None or now.fields == change.task.fields:
            return []
        return list(diff(_one(change.task), _one(now)))
    value = _value(side, change)
    if value in (change.old, change.new):
        return []
    return [Edited(change.id, change.field, change.old, value)]


def _one(task: Task) -> Plan:
    return Plan(tasks={task.id: task})


def _value(side: Plan, change: Edited) -> MaybeValue:
    if change.id == META_ID:
        return side.meta.get(change.field, ABSENT)
    task = side.tasks.get(change.id)
    return ABSENT if task is None else task.fields.get(change.field, ABSENT)


def _for_side(changes: Iterable[Change], side: Plan) -> tuple[Change, ...]:
    """Keep of the changes what this side does not have already."""
    return tuple(change for change in changes if not _has(side, change))


def _has(side: Plan, change: Change) -> bool:
    if isinstance(change, Added):
        return change.id in side.tasks
    if isinstance(change, Removed):
        return change.id not in side.tasks
    return _value(side, change) == change.new


def _check(plan: Plan, changes: tuple[Change, ...]) -> None:
    """Refuse an undo that would leave tasks without their parent."""
    before = set(missing_links(plan))
    for task, field, wanted in missing_links(apply(plan, changes)):
        if (task, field, wanted) not in before:
            raise TTError(
                f"That sync cannot be taken back: `{task}` has `{wanted}` as its {field} now.",
                "Edit the file instead, and sync.",
            )
