"""Plans for tests: small builders, and Hypothesis strategies for plans and their descendants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from hypothesis import strategies as st

from tt.app.storing import after
from tt.core.base import Base
from tt.core.diff import apply, with_field
from tt.core.graph import cycles, missing_links
from tt.core.model import META_ID, STATUSES, Plan, Task
from tt.core.outcome import Outcome
from tt.core.trees import StoreView
from tt.core.values import ABSENT, Literal, MaybeValue, Value

IDS = ("a", "b", "c", "d", "e")


def task(
    identifier: str, description: str = "do it", status: str = "pending", **fields: Value
) -> Task:
    """Make a task in canonical form."""
    return Task(identifier, {"description": description, "status": status, **fields})


def plan(*tasks: Task, meta: Mapping[str, Value] | None = None) -> Plan:
    """Make a plan of tasks, in this order."""
    return Plan(meta or {}, _by_id(tasks))


def store(
    *tasks: Task,
    stones: Iterable[Task] = (),
    aside: Iterable[str] = (),
    meta: Mapping[str, Value] | None = None,
) -> StoreView:
    """Make a store as reconciling sees it; `stones` are its tombstones."""
    return StoreView(meta or {}, _by_id(tasks), _by_id(stones), frozenset(aside))


def base(
    *tasks: Task, deleted: Iterable[str] = (), meta: Mapping[str, Value] | None = None
) -> Base:
    """Make a base of tasks."""
    return Base(meta=meta or {}, tasks=_by_id(tasks), deleted=frozenset(deleted))


def _by_id(tasks: Iterable[Task]) -> dict[str, Task]:
    return {one.id: one for one in tasks}


def applied(outcome: Outcome, file: Plan, stored: StoreView) -> tuple[Plan, StoreView]:
    """Return both sides as they are once the whole outcome is written."""
    return apply(file, outcome.to_file), after(stored, outcome.to_store)


def as_plan(stored: StoreView) -> Plan:
    """Return a store's plan."""
    return Plan(stored.meta, stored.tasks)


statuses = st.sampled_from(sorted(STATUSES))
_descriptions = st.sampled_from(["do it", "do that", "do more", "do less"])
_agents = st.sampled_from([ABSENT, "dev", "ops"])
_parents = st.sampled_from([ABSENT, *IDS])
_tags = st.lists(st.sampled_from(["x", "y", "z"]), unique=True, max_size=3)
_links = st.lists(st.sampled_from(IDS), unique=True, max_size=2)
scalars = st.sampled_from(["", "p", 1, 2, Literal("true"), Literal("1.5")])
tables = st.dictionaries(st.sampled_from(["k", "l"]), scalars, max_size=2)
texts = st.lists(st.sampled_from(["s", "t", "u"]), unique=True, max_size=3)
values: st.SearchStrategy[Value] = st.one_of(scalars, tables, texts)
maybe_values: st.SearchStrategy[MaybeValue] = st.one_of(st.just(ABSENT), values)


def _unless_empty(lists: st.SearchStrategy[object]) -> st.SearchStrategy[MaybeValue]:
    return lists.map(lambda items: items or ABSENT)  # type: ignore[return-value]


_FIELDS: Mapping[str, st.SearchStrategy[MaybeValue]] = {
    "description": _descriptions,
    "status": statuses,
    "agent": _agents,
    "parent": _parents,
    "tags": _unless_empty(_tags),
    "depends_on": _unless_empty(_links),
    "priority": maybe_values,
    "notes": maybe_values,
}
field_names = st.sampled_from(sorted(_FIELDS))


@st.composite
def tasks(draw: st.DrawFn, identifier: str) -> Task:
    """Draw a task with this id."""
    fields: dict[str, Value] = {}
    for name in ("description", "status", *draw(st.sets(field_names))):
        value = draw(_FIELDS[name])
        if value is not ABSENT:
            fields[name] = value
    return Task(identifier, fields)


@st.composite
def edits(draw: st.DrawFn) -> tuple[str, MaybeValue]:
    """Draw a field and a value that it may have."""
    name = draw(field_names)
    return name, draw(_FIELDS[name])


@st.composite
def plans(draw: st.DrawFn, *, valid: bool = True) -> Plan:
    """Draw a plan; a valid one has no unknown links and no cycles."""
    found = [draw(tasks(identifier)) for identifier in draw(st.sets(st.sampled_from(IDS)))]
    meta = draw(st.dictionaries(st.sampled_from(["description", "m"]), values, max_size=2))
    made = Plan(meta, _by_id(found))
    return repaired(made) if valid else made


@st.composite
def descendants(draw: st.DrawFn, before: Plan, *, valid: bool = True) -> Plan:
    """Draw a plan that some edits made out of `before`."""
    meta, changed = dict(before.meta), dict(before.tasks)
    for identifier in draw(st.lists(st.sampled_from([*IDS, META_ID]), max_size=5)):
        if identifier == META_ID:
            meta = with_field(meta, "m", draw(maybe_values))
        elif identifier not in changed:
            changed[identifier] = draw(tasks(identifier))
        elif draw(st.integers(0, 4)) == 0:
            del changed[identifier]
        else:
            name, value = draw(edits())
            old = changed[identifier]
            changed[identifier] = Task(identifier, with_field(old.fields, name, value))
    made = Plan(meta, changed)
    return repaired(made) if valid else made


def repaired(made: Plan) -> Plan:
    """Cut the links that make a plan invalid."""
    cut = dict(made.tasks)
    for identifier, name, _ in list(missing_links(made)):
        cut[identifier] = Task(identifier, with_field(cut[identifier].fields, name, ABSENT))
    while found := cycles(Plan(made.meta, cut)):
        for cycle in found:
            identifier, name = cycle[0]
            cut[identifier] = Task(identifier, with_field(cut[identifier].fields, name, ABSENT))
    return Plan(made.meta, cut)


@st.composite
def stores(draw: st.DrawFn, before: Plan, *, losses: bool = True) -> StoreView:
    """Draw a store that went on from `before`: edits, removals with tombstones, losses without."""
    went_on = draw(descendants(before))
    gone = [one for identifier, one in before.tasks.items() if identifier not in went_on.tasks]
    lost = {one.id for one in gone if losses and draw(st.booleans())}
    stones = {one.id: one for one in gone if one.id not in lost}
    return StoreView(went_on.meta, went_on.tasks, stones)


Trees: TypeAlias = tuple[Base, Plan, StoreView]


@st.composite
def trees(draw: st.DrawFn, *, removed: bool = True) -> Trees:
    """Draw a base and a file and a store that went on from it; some tasks were removed before."""
    before = draw(plans())
    file, stored = draw(descendants(before)), draw(stores(before))
    gone = [draw(tasks(one)) for one in IDS if one not in before.tasks and draw(st.booleans())]
    if not removed:
        gone = []
    stones = {one.id: one for one in gone if one.id not in stored.tasks} | dict(stored.tombstones)
    deleted = frozenset(one.id for one in gone)
    return (
        Base(meta=before.meta, tasks=before.tasks, deleted=deleted),
        file,
        StoreView(stored.meta, stored.tasks, stones),
    )
