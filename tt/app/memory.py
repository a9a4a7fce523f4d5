"""What a process remembers that syncs one plan again and again: docs/decisions/0008.

A look at everything costs what the plan holds. Who has looked before, and knows that no `tt` has
written since, has to look at little: at what the file says otherwise than the base, at hashes that
are new or gone, at what it has been told of, and at what was left to differ.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from tt.app.site import Site
from tt.app.work import Settled
from tt.core.base import Base
from tt.core.diff import Added
from tt.core.ids import task_uuid
from tt.core.model import Plan, Task
from tt.core.trees import Trust
from tt.ports import Town, Wanted
from tt.record import record, replace

if TYPE_CHECKING:
    from tt.app.look import View

_LINKS = ("parent", "depends_on")


class Place(NamedTuple):
    """Which town was seen, and as what; what was seen of another is of no use."""

    town: str
    address: str
    run_fields: frozenset[str]


@record
class Seen:
    """How a sync left a town. `names` are the plan ids of all hashes by uuid.

    Of `apart`, base, file and store did not all say the same then; of `loose` they did not even in
    what concerns other tasks: whether the task is there, and what it is linked to. Both have those,
    too, of which it is open which parent they name.
    """

    place: Place
    seq: int
    names: Mapping[str, str]
    apart: frozenset[str]
    loose: frozenset[str]


class Memory:
    """What was seen of one worktree's plan and its town; to be kept from sync to sync."""

    def __init__(self) -> None:
        """Begin with nothing remembered: the first look is one at everything."""
        self._base: Base | None = None
        self._seen: Seen | None = None
        self._told: frozenset[str] = frozenset()
        self._listened = False
        self._deaf = True

    def hear(self, uuids: Collection[str] | None) -> None:
        """Take in of which hashes somebody was told since the last call; None: nobody listened.

        To be called before each sync that shall bring changes of Redis into the file.
        """
        self._listened = uuids is not None
        self._deaf = self._deaf or uuids is None
        self._told = self._told.union(uuids or ())

    def forget(self) -> None:
        """Look at everything next time."""
        self._base = self._seen = None

    def base(self, site: Site) -> Base | None:
        """Return the newest base, and read it where it is another than the one remembered."""
        known = self._base
        if known is None or known.version != site.bases.newest():
            self._seen, self._base = None, site.bases.load()
        return self._base

    def share(self, stored: Base, plan: Plan) -> Base:
        """Return the base with the plan's own objects where the two say the same.

        So they are compared at a glance next time, and nothing is held twice.
        """
        tasks = {one.id: _shared(one, plan.tasks.get(one.id)) for one in stored.tasks.values()}
        self._base = replace(stored, tasks=tasks)
        return self._base

    def wanted(self, site: Site, base: Base, plan: Plan, *, whole: bool) -> Wanted | None:
        """Say what is to be read of the town; None where only a look at everything will do.

        `whole`: nothing may be missed that changed in Redis.
        """
        seen = self._seen
        if seen is None or seen.place != _place(site):
            return None
        if whole and (self._deaf or not self._listened):
            return None
        edited = frozenset(_edited(base, plan))
        return Wanted(seen.names, edited | (seen.apart if whole else seen.loose), self._told)

    def is_as_left(self, town: Town | None) -> bool:
        """Say whether no `tt` has written into the town since, if it still is the same town."""
        return town is not None and self._seen is not None and town.seq == self._seen.seq

    def keep(self, site: Site, view: View, settled: Settled) -> None:
        """Remember how a sync has left everything."""
        before, self._seen, self._base = self._seen, None, settled.base
        self._deaf = view.glimpse is not None and (self._deaf or not self._listened)
        self._listened, self._told = False, frozenset()
        if not is_clean(view) or not _is_whole(settled) or not _alone(view, settled):
            return
        apart, loose = _differences(settled, view.among)
        apart, loose = apart | view.state.orphans, loose | view.state.orphans
        if view.glimpse is not None and before is not None:
            apart |= before.apart - view.glimpse.ids  # what is loose is read each time
        names = _names(site, view, settled)
        self._seen = Seen(_place(site), settled.seq, names, apart, loose)


def is_clean(view: View) -> bool:
    """Say whether nothing in the town was odd: then each of its tasks can be looked at alone."""
    state = view.state
    odd = state.faults or state.duplicates or state.copies or state.aside or view.store.remade
    return not odd and view.trust is Trust.CURRENT


def _place(site: Site) -> Place:
    return Place(site.town, site.store.address, site.store.run_fields)


def _is_whole(settled: Settled) -> bool:
    """Say whether all was written, and the base is of this very town."""
    base = settled.base
    known = base is not None and base.epoch != "" and base.epoch == settled.epoch
    return known and not settled.faults


def _alone(view: View, settled: Settled) -> bool:
    """Say whether nobody but us has raised the counter since the look."""
    seq = view.state.town.seq if view.state.town else 0
    return settled.seq in (seq, seq + 1)


def _shared(stored: Task, task: Task | None) -> Task:
    return task if task is not None and task.fields == stored.fields else stored


def _edited(base: Base, plan: Plan) -> Iterator[str]:
    """List the ids of which the file says something else than the base."""
    for identifier, task in plan.tasks.items():
        old = base.tasks.get(identifier)
        if old is not task and (old is None or old.fields != task.fields):
            yield identifier
    yield from base.tasks.keys() - plan.tasks.keys()


def _differences(settled: Settled, among: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Return of these ids those that still differ, and those that do so in what concerns others."""
    base = settled.base.tasks if settled.base else {}
    plan = settled.snapshot.plan.tasks if settled.snapshot else {}
    sides = [(i, (base.get(i), plan.get(i), settled.store.tasks.get(i))) for i in among]
    apart = frozenset(i for i, three in sides if _differ(three, lambda task: task.fields))
    return apart, frozenset(i for i, three in sides if i in apart and _differ(three, _links))


def _differ(three: tuple[Task | None, ...], what: Callable[[Task], object]) -> bool:
    said = [None if task is None else what(task) for task in three]
    return said[0] != said[1] or said[1] != said[2]


def _links(task: Task) -> object:
    return [task.fields.get(name) for name in _LINKS]


def _names(site: Site, view: View, settled: Settled) -> Mapping[str, str]:
    """Return what the hashes are called, now that the sync has made some.

    Those that it removed will be found to be gone, which costs nothing.
    """
    if view.glimpse is not None:
        names = dict(view.glimpse.names)
    else:
        names = {stored.uuid: plan_id for plan_id, stored in view.state.tasks.items()}
    made = (change.id for change in settled.to_store if isinstance(change, Added))
    return names | {task_uuid(site.town, plan_id): plan_id for plan_id in made}
