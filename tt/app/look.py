"""Looking at both sides: load base, file and store, and let the core decide what differs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tt.app.site import Site
from tt.core.base import Base
from tt.core.begun import Begun, across, take_up
from tt.core.merge import goes_back
from tt.core.model import Plan
from tt.core.outcome import Outcome, Side
from tt.core.reconcile import complete, decided_fields, doubtful, reconcile
from tt.core.trees import StoreView, Terms, Trust, differing
from tt.errors import StoreError, TTError
from tt.ports import Glimpse, Snapshot, StoredTask, StoreState, Town
from tt.record import field, record, replace

if TYPE_CHECKING:
    from tt.app.memory import Memory


@record
class View:
    """Both sides as they were read, and what they must change to agree.

    `stored` is the base as the base store has it, `base` the one to reconcile with: an empty one
    where the file has to be made, one that knows more where a sync was killed before it saved its
    own. `state` holds completed tasks.
    """

    stored: Base | None
    base: Base
    snapshot: Snapshot | None
    state: StoreState
    store: StoreView
    terms: Terms
    outcome: Outcome
    among: frozenset[str]
    """The ids of which base, file and store do not all say the same: all that a write concerns."""
    glimpse: Glimpse | None = None
    """What was read, where it was not all: then `state` has no other tasks, and `store` has them as
    the base says."""
    label: str = ""
    """What the history calls a sync of it, where that is told apart from others."""
    came: Begun = field(default_factory=Begun)
    """What a sync that was killed had carried over already: `base` knows it, `stored` does not."""

    @property
    def trust(self) -> Trust:
        """How the store stands to what the base remembers of it."""
        return self.terms.trust

    @property
    def plan(self) -> Plan:
        """The file's plan; an empty one where there is no file."""
        return self.snapshot.plan if self.snapshot else Plan()


@record
class Found:
    """What was read: the stored base, the file, the town. Where only a `glimpse` was had of the
    town, all tasks that it did not look at are as the base says."""

    stored: Base | None
    snapshot: Snapshot | None
    state: StoreState
    glimpse: Glimpse | None = None


def look(
    site: Site,
    *,
    reset: bool = False,
    decided: Mapping[str, Side] | None = None,
    may_make_file: bool = False,
    memory: Memory | None = None,
) -> View:
    """Read base, file and store and reconcile them; writes nothing.

    What `memory` has does not have to be read again. Raises TTError where there is no file and
    `may_make_file` is not set, PlanError where it is invalid, StoreError where Redis does not
    answer or the town is another repository's.
    """
    stored = memory.base(site) if memory else site.bases.load()
    snapshot = _read(site, may_make_file=may_make_file)
    known = dict(snapshot.plan.tasks) if snapshot else {}
    if stored is not None and snapshot is not None:
        stored = memory.share(stored, snapshot.plan) if memory else stored
        known |= stored.tasks
    state = site.store.load(known, stored.uuids if stored else {})
    asked = Terms(reset=reset, decided=decided or {})
    return judged(site, Found(stored, snapshot, state), asked)


def judged(site: Site, found: Found, asked: Terms) -> View:
    """Reconcile what was read, in the terms that were `asked` for; see `look`."""
    stored, snapshot = found.stored, found.snapshot
    base = stored if stored is not None and snapshot is not None else Base()
    plan = snapshot.plan if snapshot else Plan()
    state = _completed(found.state, base, plan)
    check_owner(site, stored, state.town)
    within = found.glimpse.ids if found.glimpse else None
    store = _view(state, base, within)
    trust = standing(base, state.town)
    came = Begun()
    if snapshot is not None and trust is Trust.CURRENT and not store.remade:
        came = across(site.journal.begun(base.version), plan, store)
        base = take_up(base, came)
    among = differing(base, plan, store, within)
    wishes = frozenset(_wishes(site, base, plan, doubtful(base, plan, store, among)))
    terms = replace(asked, trust=trust, wishes=wishes)
    outcome = reconcile(base, plan, store, terms, among)
    return View(
        stored, base, snapshot, state, store, terms, outcome, among, found.glimpse, came=came
    )


def still_rewound(view: View) -> View:
    """Return what `view` would be, had nobody begun to heal the store meanwhile."""
    terms = replace(view.terms, trust=Trust.REWOUND)
    outcome = reconcile(view.base, view.plan, view.store, terms, view.among)
    return replace(view, terms=terms, outcome=outcome)


def read_again(site: Site, view: View, plan: Plan) -> StoreView:
    """Return what the store says now, where the file says `plan`."""
    uuids = view.stored.uuids if view.stored else {}
    state = site.store.load({**plan.tasks, **view.base.tasks}, uuids)
    return _view(_completed(state, view.base, plan), view.base)


def _read(site: Site, *, may_make_file: bool) -> Snapshot | None:
    snapshot = site.file.read()
    if snapshot is None and not may_make_file:
        raise no_file(site)
    return snapshot


def no_file(site: Site) -> TTError:
    """Say that there is nothing to sync from."""
    return TTError(
        f"There is no {site.file.name} here.",
        "Run `tt plan --init` to start one, or `tt sync pull` to make it from Redis.",
    )


def _completed(state: StoreState, base: Base, plan: Plan) -> StoreState:
    """Fill in what hashes of other tools leave open, so that a gap is not taken for an edit."""
    state = _with_meta(state, base, plan)
    partial = {i: s for i, s in state.tasks.items() if not s.complete}
    if not partial:
        return state
    filled = {i: _fill(stored, base, plan) for i, stored in partial.items()}
    return replace(state, tasks={**state.tasks, **filled})


def _with_meta(state: StoreState, base: Base, plan: Plan) -> StoreState:
    """Take a value of `[meta]` that cannot be used for one that did not change.

    Where the base says nothing of it, it is the file's: then there is nothing to write on it.
    """
    town = state.town
    if town is None or not town.aside:
        return state
    known = {**plan.meta, **decided_fields(base.meta)}
    meta = {name: known[name] for name in sorted(town.aside) if name in known}
    return replace(state, town=replace(town, meta={**town.meta, **meta}))


def _fill(stored: StoredTask, base: Base, plan: Plan) -> StoredTask:
    identifier = stored.task.id
    task = complete(stored.task, base.tasks.get(identifier), plan.tasks.get(identifier))
    return replace(stored, task=task)


def _view(state: StoreState, base: Base, within: frozenset[str] | None = None) -> StoreView:
    tasks = {identifier: stored.task for identifier, stored in state.tasks.items()}
    if within is not None:
        tasks = {i: task for i, task in base.tasks.items() if i not in within} | tasks
    meta = state.town.meta if state.town else {}
    younger = (i for i, stored in state.tasks.items() if stored.made > base.seq)
    remade = frozenset(i for i in younger if i in base.tasks)
    return StoreView(meta, tasks, state.tombstones, state.aside, remade)


def standing(base: Base, town: Town | None) -> Trust:
    """Say how a town stands to what the base remembers: clocks play no part in it.

    Counters are compared within one epoch only: whoever heals a town need not be the one who had
    come furthest, so a healed one may have a counter that is behind, and edits of its own.
    """
    if not base.epoch:
        return Trust.CURRENT
    if town is None or not town.epoch:
        return Trust.REWOUND
    if town.epoch != base.epoch:
        return Trust.REPLACED
    return Trust.REWOUND if town.seq < base.seq else Trust.CURRENT


def check_owner(site: Site, stored: Base | None, town: Town | None) -> None:
    """Raise StoreError where a town is another repository's; `stored` is what was synced here."""
    if town is None or not town.repo:
        return
    owners = set(town.repo.split())
    if stored is not None and owners.intersection(stored.repo.split()):
        return
    if owners.isdisjoint(site.identity.every()):
        raise StoreError(
            f"The town `{site.town}` at {site.store.address} belongs to another repository.",
            "Nothing was changed. Choose another name for this one: `tt init --name NAME`.",
        )


def _wishes(site: Site, base: Base, plan: Plan, doubts: list[str]) -> list[str]:
    """Of what Git may have brought back, keep what somebody wrote: design.md, section 4."""
    if not doubts or site.repository is None:
        return doubts
    head, before = _at(site, "HEAD"), _before(site, base)
    return [i for i in doubts if _written(_status(plan, i), _status(head, i), before, base, i)]


def _written(
    now: str | None, in_head: str | None, before: list[Plan], base: Base, identifier: str
) -> bool:
    """Say whether somebody wrote a status that went back, or a task that had been removed.

    Commits since the base count only where they themselves go back: one that takes a task from
    pending to running says nothing against its having been completed meanwhile.
    """
    if now != in_head or in_head is None:
        return True
    was = [_status(plan, identifier) for plan in before]
    if identifier in base.tasks:
        return any(status is not None and goes_back(status, in_head) for status in was)
    return None in was


def _before(site: Site, base: Base) -> list[Plan]:
    """Return the plans that Git's history has between the HEAD that the base remembers and now.

    The base remembers the HEAD *before* the commit that a pre-commit hook saves it for, so what
    was set back is often set back from a version in between. Where Git went to an older commit
    there is none in between, and where it rebased, they are those on the new ground.
    """
    assert site.repository is not None  # noqa: S101  the caller has looked
    head = site.repository.state.head
    if head is None or base.head == head:
        return []
    versions = site.repository.versions(base.head, site.path)
    plans = (site.file.parse(data) for data in versions)
    return [plan for plan in plans if plan is not None]


def _at(site: Site, revision: str) -> Plan:
    assert site.repository is not None  # noqa: S101  the caller has looked
    data = site.repository.show(revision, site.path)
    plan = site.file.parse(data) if data is not None else None
    return plan or Plan()


def _status(plan: Plan, identifier: str) -> str | None:
    task = plan.tasks.get(identifier)
    return None if task is None else task.status
