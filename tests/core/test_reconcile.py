"""The table of design section 4, row by row, and what it says beside the table."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from tests.support.plans import applied, base, plan, store, task
from tt.core.agree import agree, in_step
from tt.core.base import Base
from tt.core.diff import Added, Change, Edited, Removed
from tt.core.model import META_ID, Plan
from tt.core.outcome import Outcome, Side
from tt.core.reconcile import complete, doubtful, reconcile
from tt.core.report import Conflict, Kept
from tt.core.trees import StoreView, Terms, Trust
from tt.core.values import ABSENT, UNDECIDED, Literal, MaybeValue, Value, dump, load

REWOUND = Terms(trust=Trust.REWOUND)
REPLACED = Terms(trust=Trust.REPLACED)


@dataclass(frozen=True)
class Row:
    """One row for one kind of field: three values, and what each side and the report must say."""

    base: MaybeValue
    file: MaybeValue
    store: MaybeValue
    merged: MaybeValue | None = None  # None: a conflict
    terms: Terms = field(default_factory=Terms)


A, B, C = "one", "two", "three"
TEXT_ROWS = {
    "same, same: nothing": Row(A, A, A, A),
    "changed, same: the store takes the file's": Row(A, B, A, B),
    "same, changed: the file takes the store's": Row(A, A, B, B),
    "changed to the same: the base moves": Row(A, B, B, B),
    "changed, differently: conflict": Row(A, B, C),
    "added, same": Row(ABSENT, A, A, A),
    "added, different: conflict": Row(ABSENT, A, B),
    "added in the file": Row(ABSENT, A, ABSENT, A),
    "added in the store": Row(ABSENT, ABSENT, A, A),
    "removed in the file": Row(A, ABSENT, A, ABSENT),
    "removed in the store": Row(A, A, ABSENT, ABSENT),
    "removed in the file, changed in the store: conflict": Row(A, ABSENT, B),
}
LIST_ROWS = {
    "changed, differently: as sets": Row(["x"], ["x", "y"], ["x", "z"], ["x", "y", "z"]),
    "an item removed in the file stays removed": Row(
        ["x", "y"], ["x"], ["x", "y", "z"], ["x", "z"]
    ),
    "an item removed in the store stays removed": Row(
        ["x", "y"], ["x", "y", "z"], ["x"], ["x", "z"]
    ),
    "added, different: as sets": Row(ABSENT, ["x"], ["y"], ["x", "y"]),
    "all removed in turns": Row(["x", "y"], ["x"], ["y"], ABSENT),
    "changed in the file": Row(["x"], ["y"], ["x"], ["y"]),
    "changed in the store": Row(["x"], ["x"], ["y"], ["y"]),
}
TABLE_ROWS = {
    "changed in different keys: both": Row(
        {"k": 1, "l": 1}, {"k": 2, "l": 1}, {"k": 1, "l": 2}, {"k": 2, "l": 2}
    ),
    "changed in one key, differently: conflict": Row({"k": 1}, {"k": 2}, {"k": 3}),
    "changed in the store": Row({"k": 1}, {"k": 1}, {"k": 1, "l": 2}, {"k": 1, "l": 2}),
    "added, different: conflict": Row(ABSENT, {"k": 1}, {"k": 2}),
}
STATUS_ROWS = {
    "same, changed: the file takes the store's": Row("pending", "pending", "running", "running"),
    "changed, same: the store takes the file's": Row(
        "pending", "completed", "pending", "completed"
    ),
    "a finished state beats running": Row("assigned", "completed", "running", "completed"),
    "running beats assigned": Row("pending", "assigned", "running", "running"),
    "two different ends: conflict": Row("running", "completed", "failed"),
    "added, different: by progress": Row(ABSENT, "pending", "running", "running"),
    "an agent set it back: the file follows": Row("running", "running", "pending", "pending"),
}


def _side(name: str, value: MaybeValue) -> dict[str, Value]:
    fields: dict[str, Value] = {"description": "same", "status": "pending"}
    if value is not ABSENT:
        fields[name] = value
    return fields


def _run(identifier: str, name: str, row: Row) -> tuple[Outcome, Base, Plan, StoreView]:
    if identifier == META_ID:
        one = {} if row.base is ABSENT else {name: row.base}
        two = {} if row.file is ABSENT else {name: row.file}
        three = {} if row.store is ABSENT else {name: row.store}
        trees = base(meta=one), plan(meta=two), store(meta=three)
    else:
        known = _side(name, row.base)
        if row.base is ABSENT and name in known:
            del known[name]
        trees = (
            Base(tasks={identifier: task(identifier, **known)}),
            plan(task(identifier, **_side(name, row.file))),
            store(task(identifier, **_side(name, row.store))),
        )
    return reconcile(*trees, row.terms), *trees


def _check(identifier: str, name: str, row: Row) -> None:
    outcome, before, file, stored = _run(identifier, name, row)
    if row.merged is None:
        seen = ABSENT if row.base is UNDECIDED else row.base
        assert outcome.conflicts == [Conflict(identifier, name, seen, row.file, row.store)]
        assert (outcome.to_file, outcome.to_store) == ([], [])
        assert agree(before, file, stored) == before
        return
    assert outcome.conflicts == []
    wanted_file = [] if row.merged == row.file else [Edited(identifier, name, row.file, row.merged)]
    wanted_store = (
        [] if row.merged == row.store else [Edited(identifier, name, row.store, row.merged)]
    )
    assert outcome.to_file == wanted_file
    assert outcome.to_store == wanted_store
    new_file, new_store = applied(outcome, file, stored)
    agreed = agree(before, new_file, new_store)
    assert agreed.tasks == new_file.tasks == new_store.tasks
    assert agreed.meta == new_file.meta == new_store.meta


@pytest.mark.parametrize("row", TEXT_ROWS.values(), ids=TEXT_ROWS.keys())
@pytest.mark.parametrize("where", ["agent", "parent", "priority", META_ID])
def test_a_text_field(where: str, row: Row) -> None:
    if where == "parent":
        _check_parent(row)
    else:
        _check(where if where == META_ID else "t", "m" if where == META_ID else where, row)


def _check_parent(row: Row) -> None:
    known = {"one": task("one"), "two": task("two"), "three": task("three")}
    _, before, file, stored = _run("t", "parent", row)
    outcome = reconcile(
        Base(tasks={**known, **before.tasks}),
        Plan({}, {**known, **file.tasks}),
        StoreView({}, {**known, **stored.tasks}),
    )
    assert [conflict.field for conflict in outcome.conflicts] == (
        ["parent"] if row.merged is None else []
    )


@pytest.mark.parametrize(
    "row", [row for row in TEXT_ROWS.values() if ABSENT not in (row.base, row.file, row.store)]
)
def test_the_description(row: Row) -> None:
    trees = (
        base(task("t", str(row.base))),
        plan(task("t", str(row.file))),
        store(task("t", str(row.store))),
    )
    outcome = reconcile(*trees)
    new_file, new_store = applied(outcome, *trees[1:])
    said = (new_file.tasks["t"].description, new_store.tasks["t"].description)
    assert said == ((row.file, row.store) if row.merged is None else (row.merged, row.merged))
    assert len(outcome.conflicts) == (row.merged is None)


@pytest.mark.parametrize("row", LIST_ROWS.values(), ids=LIST_ROWS.keys())
@pytest.mark.parametrize("where", ["tags", "labels", META_ID])
def test_a_list(where: str, row: Row) -> None:
    _check(where if where == META_ID else "t", "m" if where == META_ID else where, row)


@pytest.mark.parametrize("row", TABLE_ROWS.values(), ids=TABLE_ROWS.keys())
@pytest.mark.parametrize("where", ["notes", META_ID])
def test_a_table(where: str, row: Row) -> None:
    _check(where if where == META_ID else "t", "m" if where == META_ID else where, row)


@pytest.mark.parametrize("row", STATUS_ROWS.values(), ids=STATUS_ROWS.keys())
def test_a_status(row: Row) -> None:
    before = {} if row.base is ABSENT else {"status": row.base}
    known = Base(tasks={"t": task("t", **before)} if before else {})  # type: ignore[arg-type]
    trees = (known, plan(task("t", status=str(row.file))), store(task("t", status=str(row.store))))
    outcome = reconcile(*trees)
    new_file, new_store = applied(outcome, *trees[1:])
    if row.merged is None:
        assert outcome.conflicts == [Conflict("t", "status", row.base, row.file, row.store)]
        assert (new_file, new_store) == (trees[1], trees[2])
    else:
        assert outcome.conflicts == []
        assert {new_file.tasks["t"].status, new_store.tasks["t"].status} == {row.merged}


def test_a_field_named_status_in_meta_is_a_field_like_any_other() -> None:
    sides = plan(meta={"status": "running"}), store(meta={"status": "completed"})
    outcome = reconcile(base(meta={"status": "pending"}), *sides)
    assert outcome.conflicts == [Conflict(META_ID, "status", "pending", "running", "completed")]


def test_a_conflict_stops_its_own_field_and_nothing_else() -> None:
    outcome = reconcile(
        base(task("a", "old", agent="dev"), task("b")),
        plan(task("a", "ours", agent="ops"), task("b", "new")),
        store(task("a", "theirs", status="running", agent="dev"), task("b")),
    )
    assert [conflict.field for conflict in outcome.conflicts] == ["description"]
    assert outcome.to_store == [
        Edited("a", "agent", "dev", "ops"),
        Edited("b", "description", "do it", "new"),
    ]
    assert outcome.to_file == [Edited("a", "status", "pending", "running")]


# Tasks that are there and not there

OLD, NEW = task("a"), task("a", "changed")


@dataclass(frozen=True)
class There:
    """Which task each tree has; `stone` is the store's tombstone."""

    base: object = None
    file: object = None
    store: object = None
    stone: object = None
    to_store: tuple[Change, ...] = ()
    to_file: tuple[Change, ...] = ()
    conflict: Conflict | None = None


PRESENCE = {
    "removed, same: removed from the store": There(OLD, None, OLD, to_store=(Removed(OLD),)),
    "removed, changed: conflict": There(
        OLD, None, NEW, conflict=Conflict("a", None, "do it", ABSENT, "changed")
    ),
    "removed, its status changed: conflict": There(
        OLD,
        None,
        task("a", status="running"),
        conflict=Conflict("a", None, "do it", ABSENT, "do it"),
    ),
    "same, tombstone: removed from the file": There(OLD, OLD, None, OLD, to_file=(Removed(OLD),)),
    "same, tombstone of a newer one: removed from the file": There(
        OLD, OLD, None, NEW, to_file=(Removed(OLD),)
    ),
    "changed, tombstone: conflict": There(
        OLD, NEW, None, OLD, conflict=Conflict("a", None, "do it", "changed", ABSENT)
    ),
    "same, absent without a tombstone: healed": There(OLD, OLD, None, to_store=(Added(OLD),)),
    "changed, absent without a tombstone: healed with the change": There(
        OLD, NEW, None, to_store=(Added(NEW),)
    ),
    "removed, absent without a tombstone: the tombstone is written": There(
        OLD, None, None, to_store=(Removed(OLD),)
    ),
    "removed, tombstone: nothing": There(OLD, None, None, OLD),
    "added in the file": There(None, NEW, None, to_store=(Added(NEW),)),
    "added in the store": There(None, None, NEW, to_file=(Added(NEW),)),
    "added, the same": There(None, NEW, NEW),
    "no base, in the file as its tombstone has it: removed": There(
        None, OLD, None, OLD, to_file=(Removed(OLD),)
    ),
    "no base, in the file otherwise than its tombstone has it: conflict": There(
        None, NEW, None, OLD, conflict=Conflict("a", None, ABSENT, "changed", ABSENT)
    ),
}


def _trees(row: There) -> tuple[Base, Plan, StoreView]:
    def some(one: object) -> list:  # type: ignore[type-arg]
        return [] if one is None else [one]

    return (
        base(*some(row.base)),
        plan(*some(row.file)),
        store(*some(row.store), stones=some(row.stone)),
    )


@pytest.mark.parametrize("row", PRESENCE.values(), ids=PRESENCE.keys())
def test_a_task(row: There) -> None:
    trees = _trees(row)
    outcome = reconcile(*trees)
    assert tuple(outcome.to_store) == row.to_store
    assert tuple(outcome.to_file) == row.to_file
    assert outcome.conflicts == ([] if row.conflict is None else [row.conflict])


@pytest.mark.parametrize("row", PRESENCE.values(), ids=PRESENCE.keys())
def test_after_a_task_is_settled_there_is_nothing_more_to_do(row: There) -> None:
    before, *sides = _trees(row)
    after = applied(reconcile(before, *sides), *sides)
    agreed = agree(before, *after)
    again = reconcile(agreed, *after)
    assert (again.to_store, again.to_file) == ([], [])
    assert again.conflicts == ([] if row.conflict is None else [row.conflict])
    assert agree(agreed, *after) == agreed


CONFLICTS = {name: row for name, row in PRESENCE.items() if row.conflict is not None}


@pytest.mark.parametrize("row", CONFLICTS.values(), ids=CONFLICTS.keys())
@pytest.mark.parametrize("side", list(Side))
def test_a_decision_on_a_task_ends_the_conflict_in_one_run(row: There, side: Side) -> None:
    before, *sides = _trees(row)
    outcome = reconcile(before, *sides, Terms(decided={"a": side}))
    assert outcome.conflicts == []
    file, stored = applied(outcome, *sides)
    assert file.tasks == stored.tasks
    wanted = row.file if side is Side.FILE else row.store
    assert file.tasks.get("a") == wanted
    agreed = agree(before, file, stored)
    assert reconcile(agreed, file, stored) == Outcome()


@pytest.mark.parametrize("side", list(Side))
def test_a_decision_on_a_field_ends_the_conflict_in_one_run(side: Side) -> None:
    before, *sides = (
        base(task("a", "old", agent="dev")),
        plan(task("a", "ours")),
        store(task("a", "theirs", agent="ops")),
    )
    outcome = reconcile(before, *sides, Terms(decided={"a": side}))
    assert outcome.conflicts == []
    file, stored = applied(outcome, *sides)
    assert file.tasks["a"] == stored.tasks["a"]
    assert file.tasks["a"].description == ("ours" if side is Side.FILE else "theirs")
    assert file.tasks["a"].agent == (None if side is Side.FILE else "ops")


def test_a_decision_on_meta_ends_its_conflict() -> None:
    trees = base(meta={"m": 1}), plan(meta={"m": 2}), store(meta={"m": 3})
    outcome = reconcile(*trees, Terms(decided={META_ID: Side.STORE}))
    assert (outcome.conflicts, outcome.to_file) == ([], [Edited(META_ID, "m", 2, 3)])


def test_a_decision_on_one_task_leaves_other_conflicts_and_undisputed_changes_alone() -> None:
    outcome = reconcile(
        base(task("a"), task("b"), task("c")),
        plan(task("a", "x"), task("b", "x"), task("c")),
        store(task("a", "y"), task("b", "y"), task("c", "y")),
        Terms(decided={"a": Side.FILE}),
    )
    assert [conflict.id for conflict in outcome.conflicts] == ["b"]
    assert outcome.to_file == [Edited("c", "description", "do it", "y")]


def test_a_task_whose_hash_cannot_be_used_is_left_alone_on_both_sides() -> None:
    known = base(task("a"), task("b"))
    for file in (plan(task("a"), task("b")), plan(task("a", "new")), plan()):
        stored = store(aside=["a", "b"])
        assert reconcile(known, file, stored) == Outcome()
        assert agree(known, file, stored).tasks == known.tasks


def test_tasks_can_be_added_below_one_whose_hash_cannot_be_used() -> None:
    child = task("child", parent="a")
    outcome = reconcile(base(task("a")), plan(task("a"), child), store(aside=["a"]))
    assert (outcome.to_store, outcome.conflicts) == ([Added(child)], [])


# Statuses that go backwards


def test_a_finished_status_that_nobody_undid_is_kept() -> None:
    trees = (
        base(task("a", status="completed")),
        plan(task("a")),
        store(task("a", status="completed")),
    )
    outcome = reconcile(*trees)
    assert outcome.kept == [Kept("a", "pending", "completed")]
    assert (outcome.to_store, outcome.conflicts) == ([], [])
    assert outcome.to_file == [Edited("a", "status", "pending", "completed")]
    assert doubtful(*trees) == ["a"]


def test_a_kept_status_follows_the_store() -> None:
    outcome = reconcile(
        base(task("a", status="running")), plan(task("a")), store(task("a", status="failed"))
    )
    assert outcome.to_file == [Edited("a", "status", "pending", "failed")]


def test_a_status_that_somebody_set_back_is_a_wish() -> None:
    outcome = reconcile(
        base(task("a", status="completed")),
        plan(task("a")),
        store(task("a", status="completed")),
        Terms(wishes=frozenset("a")),
    )
    assert outcome.to_store == [Edited("a", "status", "completed", "pending")]
    assert (outcome.to_file, outcome.kept) == ([], [])


def test_only_statuses_that_went_back_are_in_doubt() -> None:
    known = base(task("a", status="running"), task("b"), task("c", status="failed"), task("d"))
    file = plan(
        task("a", status="completed"),
        task("b", status="running"),
        task("c", status="completed"),
        task("d", "new"),
        task("e"),
    )
    assert doubtful(known, file, store()) == ["c"]


def test_a_reset_pushes_the_statuses_of_the_file_finished_ones_too() -> None:
    outcome = reconcile(
        base(task("a", status="running"), task("b")),
        plan(task("a"), task("b")),
        store(task("a", status="completed"), task("b", "new", status="failed")),
        Terms(reset=True),
    )
    assert [(c.id, c.field) for c in outcome.to_store if isinstance(c, Edited)] == [
        ("a", "status"),
        ("b", "status"),
    ]
    assert outcome.to_file == [Edited("b", "description", "do it", "new")]


def test_healing_does_not_take_back_progress_that_both_had_seen() -> None:
    outcome = reconcile(base(task("a", status="completed")), plan(task("a")), store())
    assert outcome.to_store == [Added(task("a", status="completed"))]
    assert outcome.to_file == [Edited("a", "status", "pending", "completed")]


def test_healing_does_not_change_one_end_into_another() -> None:
    known, file = base(task("a", status="completed")), plan(task("a", status="failed"))
    assert reconcile(known, file, store()).to_store == [Added(task("a", status="completed"))]
    wished = reconcile(known, file, store(), Terms(wishes=frozenset("a")))
    assert wished.to_store == [Added(task("a", status="failed"))]


def test_a_tombstone_removes_a_task_of_which_git_brought_an_old_status_back() -> None:
    known, stored = (
        base(task("a", status="completed")),
        store(stones=[task("a", status="completed")]),
    )
    assert reconcile(known, plan(task("a")), stored).to_file == [Removed(task("a"))]
    wished = reconcile(known, plan(task("a")), stored, Terms(wishes=frozenset("a")))
    assert [conflict.id for conflict in wished.conflicts] == ["a"]


# Tasks that come back after both sides had agreed on their removal


def test_a_removed_task_that_is_in_the_file_again_is_in_doubt() -> None:
    trees = base(deleted=["a"]), plan(task("a")), store(stones=[task("a")])
    assert doubtful(*trees) == ["a"]
    assert reconcile(*trees).conflicts == [Conflict("a", None, ABSENT, "do it", ABSENT)]
    assert agree(*trees).deleted == {"a"}


def test_a_removed_task_that_somebody_wrote_again_is_added() -> None:
    stone = task("a", status="completed")
    trees = base(deleted=["a"]), plan(task("a")), store(stones=[stone])
    outcome = reconcile(*trees, Terms(wishes=frozenset("a")))
    assert outcome.to_store == [Added(stone)]
    assert outcome.to_file == [Edited("a", "status", "pending", "completed")]
    after = applied(outcome, *trees[1:])
    assert agree(trees[0], *after).deleted == frozenset()


@pytest.mark.parametrize("side", list(Side))
def test_a_decision_ends_the_doubt_whether_a_removed_task_is_back(side: Side) -> None:
    before, *sides = base(deleted=["a"]), plan(task("a")), store(stones=[task("a")])
    outcome = reconcile(before, *sides, Terms(decided={"a": side}))
    file, stored = applied(outcome, *sides)
    assert list(file.tasks) == list(stored.tasks) == (["a"] if side is Side.FILE else [])
    agreed = agree(before, file, stored)
    assert agreed.deleted == (frozenset() if side is Side.FILE else {"a"})
    assert reconcile(agreed, file, stored) == Outcome()


def test_a_removal_is_remembered_where_the_store_loses_its_tombstone() -> None:
    assert agree(base(deleted=["a"]), plan(), store()).deleted == {"a"}


def test_a_removal_that_the_store_does_not_know_of_yet_is_not_forgotten() -> None:
    known = base(task("a"))
    assert agree(known, plan(), store()).tasks == known.tasks
    stored = store(stones=[task("a")])
    assert agree(known, plan(), stored) == base(deleted=["a"])


# Stores that went back, or were replaced


def test_a_rewound_store_is_healed_from_the_file() -> None:
    known = base(task("a", "agreed", agent="dev", tags=["x"]), meta={"m": 1})
    outcome = reconcile(
        known, plan(*known.tasks.values(), meta={"m": 1}), store(task("a", "older")), REWOUND
    )
    assert outcome.to_file == []
    assert outcome.conflicts == []
    assert outcome.to_store == [
        Edited(META_ID, "m", ABSENT, 1),
        Edited("a", "description", "older", "agreed"),
        Edited("a", "agent", ABSENT, "dev"),
        Edited("a", "tags", ABSENT, ["x"]),
    ]


@pytest.mark.parametrize("terms", [REWOUND, REPLACED])
def test_in_a_store_that_went_back_statuses_move_only_forward(terms: Terms) -> None:
    known, file = base(task("a", status="running")), plan(task("a", status="running"))
    behind = reconcile(known, file, store(task("a", status="pending")), terms)
    assert behind.to_store == [Edited("a", "status", "pending", "running")]
    ahead = reconcile(known, file, store(task("a", status="completed")), terms)
    assert ahead.to_file == [Edited("a", "status", "running", "completed")]


def test_a_rewound_store_with_another_end_takes_the_one_that_was_agreed_on() -> None:
    known, file = base(task("a", status="completed")), plan(task("a", status="completed"))
    outcome = reconcile(known, file, store(task("a", status="failed")), REWOUND)
    assert outcome.to_store == [Edited("a", "status", "failed", "completed")]
    assert outcome.conflicts == []


def test_what_a_rewound_store_has_beside_the_base_is_new() -> None:
    outcome = reconcile(
        base(task("a")), plan(task("a")), store(task("a", agent="dev"), task("b")), REWOUND
    )
    assert outcome.to_file == [Edited("a", "agent", ABSENT, "dev"), Added(task("b"))]


def test_a_rewound_store_loses_again_what_both_had_removed() -> None:
    outcome = reconcile(base(deleted=["a"]), plan(), store(task("a")), REWOUND)
    assert (outcome.to_store, outcome.to_file) == ([Removed(task("a"))], [])


def test_a_rewound_store_loses_what_the_file_removed_unless_it_went_further() -> None:
    known = base(task("a", "agreed", status="running"))
    behind = reconcile(known, plan(), store(task("a", "older")), REWOUND)
    assert behind.to_store == [Removed(task("a", "older"))]
    ahead = reconcile(known, plan(), store(task("a", "older", status="failed")), REWOUND)
    assert [conflict.id for conflict in ahead.conflicts] == ["a"]


def test_a_rewound_tombstone_of_a_task_that_was_agreed_on_is_healed() -> None:
    known, file = base(task("a")), plan(task("a"))
    outcome = reconcile(known, file, store(stones=[task("a")]), REWOUND)
    assert (outcome.to_store, outcome.to_file) == ([Added(task("a"))], [])


def test_in_a_replaced_store_a_change_of_its_own_may_be_a_loss_and_is_a_conflict() -> None:
    known, file = base(task("a", "agreed"), meta={"m": 1}), plan(task("a", "agreed"), meta={"m": 1})
    stored = store(task("a", "other"), meta={"m": 2})
    outcome = reconcile(known, file, stored, REPLACED)
    assert outcome.conflicts == [
        Conflict(META_ID, "m", 1, 1, 2),
        Conflict("a", "description", "agreed", "agreed", "other"),
    ]
    assert (outcome.to_store, outcome.to_file) == ([], [])


def test_a_change_of_the_file_alone_goes_to_a_replaced_store() -> None:
    outcome = reconcile(base(task("a")), plan(task("a", "new")), store(task("a")), REPLACED)
    assert outcome.to_store == [Edited("a", "description", "do it", "new")]


def test_a_tombstone_in_a_replaced_store_is_a_conflict() -> None:
    outcome = reconcile(base(task("a")), plan(task("a")), store(stones=[task("a")]), REPLACED)
    assert [conflict.id for conflict in outcome.conflicts] == ["a"]


def test_a_removed_task_that_a_replaced_store_has_again_is_a_conflict() -> None:
    before, *sides = base(deleted=["a"]), plan(), store(task("a"))
    outcome = reconcile(before, *sides, REPLACED)
    assert outcome.conflicts == [Conflict("a", None, ABSENT, ABSENT, "do it")]
    assert (outcome.to_store, outcome.to_file) == ([], [])


@pytest.mark.parametrize(
    ("before", "file", "stored"),
    [
        pytest.param(base(task("a")), plan(task("a")), store(task("a", "new")), id="a field"),
        pytest.param(base(meta={"m": 1}), plan(meta={"m": 1}), store(meta={"m": 2}), id="meta"),
        pytest.param(base(task("a")), plan(task("a")), store(stones=[task("a")]), id="a tombstone"),
        pytest.param(base(deleted=["a"]), plan(), store(task("a")), id="a task that is back"),
        pytest.param(
            base(task("a", status="completed")),
            plan(task("a", status="completed")),
            store(task("a", status="failed")),
            id="two ends",
        ),
    ],
)
def test_a_conflict_in_a_replaced_store_lasts_until_it_is_decided(
    before: Base, file: Plan, stored: StoreView
) -> None:
    first = reconcile(before, file, stored, REPLACED)
    agreed = agree(before, file, stored, first.conflicts)
    second = reconcile(agreed, file, stored)
    (conflict,) = second.conflicts
    assert (conflict.id, conflict.field) == (first.conflicts[0].id, first.conflicts[0].field)
    assert (second.to_store, second.to_file) == ([], [])
    assert conflict.base is ABSENT, "the base no longer says anything"
    assert agree(agreed, file, stored, second.conflicts) == agreed
    for side in Side:
        ended = reconcile(agreed, file, stored, Terms(decided={conflict.id: side}))
        after = applied(ended, file, stored)
        assert ended.conflicts == []
        assert after[0] == Plan(after[1].meta, after[1].tasks)
        assert reconcile(agree(agreed, *after), *after) == Outcome()


# Hashes that say less than all


def test_what_another_tools_hash_does_not_say_is_as_the_base_has_it() -> None:
    known = task("a", agent="dev", priority=1)
    assert complete(task("a", "new"), known, task("a", agent="ops")) == task(
        "a", "new", agent="dev", priority=1
    )


def test_what_neither_hash_nor_base_say_is_as_the_file_has_it() -> None:
    assert complete(task("a", "new"), None, task("a", agent="ops")) == task("a", "new", agent="ops")
    assert complete(task("a"), None, None) == task("a")


def test_what_a_gap_hides_is_no_edit() -> None:
    known, file = task("a", agent="dev"), task("a", agent="ops")
    filled = complete(task("a"), known, file)
    outcome = reconcile(base(known), plan(file), store(filled))
    assert outcome.to_store == [Edited("a", "agent", "dev", "ops")]
    assert outcome.to_file == []


# What the base does not know never leaves it


def test_the_mark_of_the_undecided_can_be_stored_like_any_value() -> None:
    assert load(dump(UNDECIDED)) == UNDECIDED
    assert UNDECIDED not in (Literal("nan"), ABSENT, "")


def test_an_undecided_value_fills_no_gap() -> None:
    known = task("a", agent=UNDECIDED, priority=1)
    assert complete(task("a"), known, task("a", agent="ops")) == task("a", agent="ops", priority=1)
    assert complete(task("a"), known, None) == task("a", priority=1)


def test_an_undecided_value_is_in_no_tombstone() -> None:
    known = Base(tasks={"a": task("a", agent=UNDECIDED), "b": task("b", status=UNDECIDED)})
    outcome = reconcile(known, plan(), store())
    assert outcome.to_store == [Removed(task("a")), Removed(task("b"))]


def test_a_tombstone_of_a_task_that_was_never_wholly_agreed_on_is_a_whole_task() -> None:
    known = Base(tasks={"a": type(task("a"))("a", {"agent": "dev"})})
    (change,) = reconcile(known, plan(), store()).to_store
    assert change == Removed(task("a", "", agent="dev"))


def test_an_undecided_value_is_in_no_report() -> None:
    known = Base(tasks={"a": task("a", agent=UNDECIDED), "b": task("b", "", notes=UNDECIDED)})
    outcome = reconcile(
        known,
        plan(task("a", agent="dev"), task("b", notes="n")),
        store(task("a", agent="ops"), stones=[task("b")]),
    )
    assert [(c.id, c.field, c.base) for c in outcome.conflicts] == [
        ("a", "agent", ABSENT),
        ("b", None, ""),
    ]


def test_an_undecided_status_is_no_reason_to_remove_what_went_on() -> None:
    known = Base(tasks={"a": task("a", status=UNDECIDED)})
    outcome = reconcile(known, plan(), store(task("a", status="completed")), REWOUND)
    assert (outcome.to_store, len(outcome.conflicts)) == ([], 1)


def test_tasks_in_step_are_those_that_say_the_same() -> None:
    file, stored = (
        plan(task("a"), task("b"), task("c")),
        store(task("a"), task("b", "x"), task("d")),
    )
    assert in_step(file, stored) == 1
