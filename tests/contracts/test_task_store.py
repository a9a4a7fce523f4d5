"""What every task store keeps to: on each engine over a real socket, and in memory."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import pytest

from tests.support.redis_server import ENGINES, RedisServer, short_directory
from tests.support.town_worlds import MemoryWorld, RedisWorld, Texts, World
from tt.core.diff import Added, Change, Edited, Removed
from tt.core.ids import made_id, task_uuid
from tt.core.model import META_ID, Plan, Task
from tt.core.values import ABSENT, Literal, Value
from tt.errors import StoreError
from tt.ports import NO_UUIDS, Applied, Claim, Glimpse, StoreState, Wanted
from tt.record import replace

OURS = Claim("repo-a repo-b", "main", "epoch-1")
DEV = "d8d6389b-be09-4d21-af0c-fd6b39ae7701"
QA = "9b616c0f-8c11-4374-8ba3-cb9f695b1d7e"
OTHER = "436ce324-8160-4ec9-a3ed-b165dbe5329e"
OTHER_2 = "abec051b-0094-4260-abfa-9e3677f7af93"
TIME = "2026-11-21T01:18:18.244377983+00:00"


@pytest.fixture(scope="module", params=["memory", *ENGINES])
def server(request: pytest.FixtureRequest) -> Iterator[RedisServer | None]:
    if request.param == "memory":
        yield None
        return
    started = RedisServer(ENGINES[request.param](), short_directory())
    try:
        yield started.start()
    finally:
        started.stop()
        shutil.rmtree(started.directory)


@pytest.fixture
def world(server: RedisServer | None, town: str) -> Iterator[World]:
    if server is None:
        yield MemoryWorld(town)
        return
    with server.connect() as connection:
        yield RedisWorld(town, connection)


def task(name: str, status: str = "pending", **fields: Value) -> Task:
    return Task(name, {"description": f"Do {name}", "status": status, **fields})


def uuid_of(world: World, name: str) -> str:
    return task_uuid(world.town, name)


def load(world: World, *run_fields: str) -> StoreState:
    return world.store(*run_fields).load()


def write(
    world: World, *changes: Change, mark: tuple[str, ...] = (), claim: Claim = OURS
) -> Applied:
    """Load and apply, with nobody between."""
    store = world.store()
    return store.apply(store.load(), changes, claim, mark=mark)


def edit(name: str, field: str, new: Value | None) -> Edited:
    return Edited(name, field, ABSENT, ABSENT if new is None else new)


def foreign(uuid: str, description: str, state: str = "pending", *tags: str, **more: str) -> Texts:
    """What tinytown writes for a task of its own."""
    return {
        "id": uuid,
        "description": description,
        "state": state,
        "created_at": TIME,
        "updated_at": TIME,
        "tags": json.dumps(tags, separators=(",", ":")),
        **more,
    }


# Reading


def test_an_empty_town_belongs_to_nobody_and_holds_nothing(world: World) -> None:
    assert load(world) == StoreState(None, {}, {})


def test_what_is_added_is_read_back_whole(world: World) -> None:
    tasks = [
        task("epic", tags=["epic", "plan:x", "ü"]),
        task("a", agent="dev", parent="epic", depends_on=["b", "c"], tags=["t"]),
        task("b", "running", parent="a"),
        task(
            "c",
            "completed",
            priority=3,
            notes={"a": [Literal("1.50"), "x"]},
            due=Literal("2026-01-31"),
        ),
    ]
    write(world, *map(Added, tasks))
    state = load(world)
    assert [stored.task for stored in state.tasks.values()] == tasks
    assert all(stored.complete and stored.tagged for stored in state.tasks.values())
    assert (state.faults, state.duplicates, state.aside) == ((), (), frozenset())


def test_unknown_tasks_come_in_the_order_in_which_they_were_added(world: World) -> None:
    names = [f"t{number * 7919 % 101}" for number in range(100)]
    write(world, *(Added(task(name)) for name in names))
    assert list(load(world).tasks) == names
    known = world.store().load(ids=names[50:])
    assert list(known.tasks)[50:] == names[:50]


def test_reading_writes_nothing(world: World) -> None:
    write(world, Added(task("a")), Added(task("b")))
    write(world, Removed(task("b")))
    world.put(OTHER, foreign(OTHER, "Draw"))
    before = world.everything()
    load(world)
    assert world.everything() == before


# Plan ids


def test_a_task_of_another_tool_gets_the_same_made_id_each_time(world: World) -> None:
    world.put(OTHER, foreign(OTHER, "Draw the diagram", "assigned", "art", assigned_to=DEV))
    (stored,) = load(world).tasks.values()
    assert stored.task.id == made_id("Draw the diagram", OTHER)
    assert stored.task.fields == {
        "description": "Draw the diagram",
        "status": "assigned",
        "tags": ["art"],
    }
    assert (stored.complete, stored.tagged, stored.uuid) == (False, False, OTHER)
    assert load(world).tasks.keys() == {stored.task.id}


def test_a_hash_that_lost_its_tag_is_known_by_its_uuid(world: World) -> None:
    write(world, Added(task("a")))
    world.put(uuid_of(world, "a"), {"tags": '["x"]'})
    world.put(OTHER, foreign(OTHER, "Draw"))
    state = world.store().load(ids=["z", "a"], uuids={"draw": OTHER})
    assert state.tasks.keys() == {"a", "draw"}
    assert state.tasks["a"].task.tags == ["x"]
    assert not state.tasks["a"].tagged


def test_only_the_last_plan_tag_counts_and_the_others_are_tags(world: World) -> None:
    world.put(OTHER, foreign(OTHER, "Draw", "pending", "plan:no", "plan:yes", "art"))
    (stored,) = load(world).tasks.values()
    assert (stored.task.id, stored.task.tags) == ("yes", ["plan:no", "art"])


def test_tagging_writes_the_tag_alone_and_loses_to_a_change(world: World) -> None:
    world.put(OTHER, foreign(OTHER, "Draw", "pending", "art"))
    world.put(OTHER_2, foreign(OTHER_2, "Paint"))
    state = load(world)
    ids = list(state.tasks)
    world.put(OTHER_2, {"tags": '["new"]'})
    world.store().tag(state, [*ids, "unknown"])
    changed = {**foreign(OTHER, "Draw"), "tags": f'["art","plan:{made_id("Draw", OTHER)}"]'}
    assert {**world.hash(OTHER), "updated_at": TIME} == changed
    assert world.hash(OTHER)["updated_at"] != TIME
    assert world.hash(OTHER_2)["tags"] == '["new"]'
    assert load(world).tasks[made_id("Draw", OTHER)].tagged
    assert "plan" not in world.everything()


def test_marking_writes_a_foreign_hash_out_in_full(world: World) -> None:
    world.put(OTHER, foreign(OTHER, "Draw", "running", "art", assigned_to=DEV, other="kept"))
    state = load(world)
    (stored,) = state.tasks.values()
    filled = replace(stored, task=Task("draw", {**stored.task.fields, "agent": "qa", "extra": 1}))
    state = replace(state, tasks={"draw": filled})
    applied = world.store().apply(
        state, [edit("draw", "description", "Draw it")], OURS, mark=["draw"]
    )
    assert (applied.lost, applied.seq) == (frozenset(), 1)
    raw = world.hash(OTHER)
    assert raw.items() >= {
        "description": "Draw it", "state": "running", "tags": '["art","plan:draw"]', "agent": "qa",
        "x:extra": "1", "tt": "1", "assigned_to": DEV, "other": "kept", "created_at": TIME,
    }.items()  # fmt: skip
    again = load(world)
    assert again.tasks["draw"].complete
    assert again.tasks["draw"].task.fields == {**filled.task.fields, "description": "Draw it"}


def test_marking_what_is_complete_writes_nothing(world: World) -> None:
    write(world, Added(task("a", agent="dev")))
    before = world.everything()
    assert write(world, mark=("a", "unknown")) == Applied(frozenset(), 1)
    assert world.everything() == before


# Compare-and-set


def test_an_edit_changes_its_own_field_and_the_time_alone(world: World) -> None:
    write(world, Added(task("a", agent="dev", tags=["x"], note="n")))
    world.put(uuid_of(world, "a"), {"unknown": "stays"})
    before = world.hash(uuid_of(world, "a"))
    write(world, edit("a", "description", "New"))
    after = world.hash(uuid_of(world, "a"))
    assert after == {**before, "description": "New", "updated_at": after["updated_at"]}
    assert after["updated_at"] > before["updated_at"]


@pytest.mark.parametrize(
    ("field", "new", "texts"),
    [
        ("agent", "qa", {"agent": "qa"}),
        ("agent", None, {"agent": None}),
        ("tags", ["y", "z"], {"tags": '["y","z","plan:a"]'}),
        ("tags", None, {"tags": '["plan:a"]'}),
        ("depends_on", ["q"], {"depends_on": '["q"]'}),
        ("depends_on", None, {"depends_on": None}),
        ("note", {"deep": [1]}, {"x:note": '{"deep":[1]}'}),
        ("note", None, {"x:note": None}),
        ("parent", None, {"parent_id": None}),
        ("result", "mine", {"x:result": '"mine"'}),
    ],
)
def test_each_field_has_its_place_in_the_hash(
    world: World, field: str, new: Value | None, texts: dict[str, str | None]
) -> None:
    old = task("a", agent="dev", tags=["x"], note="n", parent="p", depends_on=["p"])
    write(world, Added(task("p")), Added(old))
    before = world.hash(uuid_of(world, "a"))
    assert not write(world, edit("a", field, new)).lost
    after = world.hash(uuid_of(world, "a"))
    for name, text in texts.items():
        assert after.pop(name, None) == text
        before.pop(name, None)
    assert {**after, "updated_at": ""} == {**before, "updated_at": ""}
    fields = {name: value for name, value in old.fields.items() if name != field}
    assert load(world).tasks["a"].task.fields == (fields if new is None else {**fields, field: new})


@pytest.mark.parametrize("theirs", [{"description": "Theirs"}, {"agent": "theirs"}])
def test_a_lost_race_is_reported_and_nothing_of_that_task_is_written(
    world: World, theirs: Texts
) -> None:
    write(world, Added(task("a")), Added(task("b")))
    state = load(world)
    world.put(uuid_of(world, "a"), theirs)
    before = world.hash(uuid_of(world, "a"))
    changes = [
        edit("a", "description", "Mine"), edit("a", "agent", "me"), edit("b", "description", "B"),
    ]  # fmt: skip
    applied = world.store().apply(state, changes, OURS)
    assert applied == Applied(frozenset({"a"}), 2)
    assert world.hash(uuid_of(world, "a")) == before
    assert world.hash(uuid_of(world, "b"))["description"] == "B"


def test_what_others_change_beside_an_edit_does_not_disturb_it(world: World) -> None:
    write(world, Added(task("a")))
    state = load(world)
    world.put(uuid_of(world, "a"), {"state": "running", "assigned_to": DEV, "new": "x"})
    assert not world.store().apply(state, [edit("a", "description", "New")], OURS).lost
    assert world.hash(uuid_of(world, "a")).items() >= {
        "state": "running", "assigned_to": DEV, "new": "x", "description": "New",
    }.items()  # fmt: skip


def test_an_edit_of_a_task_that_is_gone_makes_none(world: World) -> None:
    write(world, Added(task("a")))
    state = load(world)
    world.drop(uuid_of(world, "a"))
    applied = world.store().apply(state, [edit("a", "note", "x"), edit("none", "note", "x")], OURS)
    assert applied.lost == {"a", "none"}
    assert world.hash(uuid_of(world, "a")) == {}


def test_adding_what_is_there_already_is_a_lost_race(world: World) -> None:
    state = load(world)
    write(world, Added(task("a", agent="first")))
    before = world.hash(uuid_of(world, "a"))
    applied = world.store().apply(state, [Added(task("a", agent="second")), Added(task("b"))], OURS)
    assert applied.lost == {"a"}
    assert world.hash(uuid_of(world, "a")) == before
    assert load(world).tasks.keys() == {"a", "b"}


def test_adding_what_another_tool_made_does_not_double_it(world: World) -> None:
    world.put(OTHER, foreign(OTHER, "Draw", "pending", "plan:draw"))
    assert write(world, Added(task("draw"))).lost == {"draw"}
    assert load(world).duplicates == ()


# Removing


def test_a_removal_leaves_a_tombstone_with_the_whole_task(world: World) -> None:
    gone = task("a", "failed", agent="dev", tags=["x"], n=Literal("nan"))
    write(world, Added(gone), Added(task("b")))
    assert not write(world, Removed(gone)).lost
    state = load(world)
    assert state.tasks.keys() == {"b"}
    assert state.tombstones == {"a": gone}
    assert world.hash(uuid_of(world, "a")) == {}


@pytest.mark.parametrize("theirs", [{"state": "running"}, {"new": "x"}, {"agent": None}])
def test_a_removal_loses_to_any_change_and_leaves_no_tombstone(
    world: World, theirs: dict[str, str | None]
) -> None:
    write(world, Added(task("a", agent="dev")))
    state = load(world)
    world.put(uuid_of(world, "a"), theirs)
    before = world.everything()
    assert world.store().apply(state, [Removed(task("a"))], OURS).lost == {"a"}
    after = world.everything()
    before.pop(f"tt:{world.town}:plan")
    after.pop(f"tt:{world.town}:plan")
    assert after == before


def test_a_removal_of_what_is_gone_already_is_done(world: World) -> None:
    write(world, Added(task("a")))
    state = load(world)
    world.drop(uuid_of(world, "a"))
    assert not world.store().apply(state, [Removed(task("a"))], OURS).lost
    assert load(world).tombstones == {"a": task("a")}


def test_a_removal_from_a_store_that_lost_the_task_is_a_tombstone_alone(world: World) -> None:
    write(world, Removed(task("a")))
    assert load(world).tombstones == {"a": task("a")}
    before = world.everything()
    assert write(world, Removed(task("a"))).seq == 1
    assert world.everything() == before


def test_a_task_that_comes_back_loses_its_tombstone(world: World) -> None:
    write(world, Added(task("a")))
    write(world, Removed(task("a")))
    write(world, Added(task("a", agent="new")))
    state = load(world)
    assert (state.tombstones, state.stones) == ({}, {})
    assert state.tasks["a"].task == task("a", agent="new")


def test_a_hash_overrides_a_tombstone_and_the_next_write_takes_it_away(world: World) -> None:
    write(world, Removed(task("a")))
    world.put(uuid_of(world, "a"), foreign(uuid_of(world, "a"), "Back", "pending", "plan:a"))
    state = load(world)
    assert state.tombstones == {}
    assert state.tasks["a"].task.description == "Back"
    assert world.stones().keys() == {"a"}
    world.store().apply(state, [Added(task("b"))], OURS)
    assert world.stones() == {}


def test_a_tombstone_that_somebody_wrote_meanwhile_stays(world: World) -> None:
    write(world, Removed(task("a")))
    state = load(world)
    world.set_stone("a", "newer")
    world.store().apply(state, [Added(task("a"))], OURS)
    assert world.stones() == {"a": "newer"}


def test_a_tombstone_that_cannot_be_read_still_says_removed(world: World) -> None:
    fields = '"description":"d"'
    bad = {
        "a": "{",
        "b": '{"task":{"description":1,"status":"pending"}}',
        "c": "[]",
        "d": f'{{"task":{{{fields},"status":"dancing"}}}}',
        "e": f'{{"task":{{{fields},"status":[]}}}}',
        "f": f'{{"task":{{{fields},"status":"pending","tags":[1]}}}}',
        "g": f'{{"task":{{{fields},"status":"pending","agent":1}}}}',
    }
    for name, text in bad.items():
        world.set_stone(name, text)
    state = load(world)
    assert {name: one.description for name, one in state.tombstones.items()} == dict.fromkeys(
        bad, ""
    )
    assert {fault.key for fault in state.faults} == {
        f"tt:{world.town}:tombstones {name}" for name in bad
    }


# What comes with a status

HAD = {"assigned_to": DEV, "started_at": "S", "completed_at": "C", "result": "R"}


@pytest.mark.parametrize(
    ("status", "kept", "now"),
    [
        ("pending", "", ""),
        ("assigned", "assigned_to", ""),
        ("running", "assigned_to started_at", ""),
        ("completed", "assigned_to started_at result", "completed_at"),
        ("failed", "assigned_to started_at result", "completed_at"),
        ("cancelled", "assigned_to started_at result", "completed_at"),
    ],
)
def test_a_status_brings_and_takes_its_times(
    world: World, status: str, kept: str, now: str
) -> None:
    old = "running" if status != "running" else "failed"
    write(world, Added(task("a", old)))
    world.put(uuid_of(world, "a"), HAD)
    write(world, edit("a", "status", status))
    raw = world.hash(uuid_of(world, "a"))
    assert raw["state"] == status
    found = {name: raw[name] for name in HAD if name in raw}
    expected = {name: HAD[name] for name in kept.split()} | dict.fromkeys(
        now.split(), raw["updated_at"]
    )
    assert found == expected


def test_running_starts_now_where_it_had_not_started(world: World) -> None:
    write(world, Added(task("a")))
    write(world, edit("a", "status", "running"))
    raw = world.hash(uuid_of(world, "a"))
    assert raw["started_at"] == raw["updated_at"]


def test_a_status_loses_to_whoever_touches_what_comes_with_it(world: World) -> None:
    write(world, Added(task("a", "running")))
    state = load(world)
    world.put(uuid_of(world, "a"), {"assigned_to": DEV})
    assert world.store().apply(state, [edit("a", "status", "pending")], OURS).lost == {"a"}
    assert world.hash(uuid_of(world, "a"))["state"] == "running"


@pytest.mark.parametrize("status", ["completed", "running", "pending"])
def test_a_new_task_has_the_times_of_its_status(world: World, status: str) -> None:
    write(world, Added(task("a", status)))
    raw = world.hash(uuid_of(world, "a"))
    times = {"completed": {"completed_at"}, "running": {"started_at"}, "pending": set()}[status]
    assert raw.keys() & HAD.keys() == times
    assert all(raw[name] == raw["created_at"] for name in times)


# The town


def test_a_write_claims_the_town_and_raises_its_counter_by_one(world: World) -> None:
    assert write(world, Added(task("a")), Added(task("b"))).seq == 1
    town = load(world).town
    assert town is not None
    assert (town.repo, town.branch, town.seq, town.epoch) == ("repo-a repo-b", "main", 1, "epoch-1")
    assert write(world, Removed(task("a"))).seq == 2
    assert world.store().touch(OURS) == 3
    assert world.plan()["seq"] == "3"


def test_the_counter_is_raised_above_the_floor(world: World) -> None:
    assert write(world, Added(task("a")), claim=replace(OURS, floor=41)).seq == 42
    assert write(world, Added(task("b")), claim=replace(OURS, floor=7)).seq == 43


def test_where_nothing_changes_nothing_is_written(world: World) -> None:
    assert write(world) == Applied(frozenset(), 0)
    assert world.everything() == {}
    write(world, Added(task("a", tags=["x"])))
    before = world.everything()
    same = [edit("a", "tags", ["x"]), edit("a", "description", "Do a"), edit("a", "agent", None)]
    assert write(world, *same) == Applied(frozenset(), 1)
    assert world.everything() == before


def test_another_repositorys_town_is_refused_and_left_alone(world: World) -> None:
    write(world, Added(task("a")))
    theirs = Claim("repo-x", "main", "epoch-x")
    before = world.everything()
    store, state = world.store(), load(world)
    with pytest.raises(StoreError, match="belongs to another repository"):
        store.apply(state, [Added(task("b")), Removed(task("a"))], theirs)
    with pytest.raises(StoreError, match="belongs to another repository"):
        store.touch(theirs)
    assert world.everything() == before


def test_a_town_that_was_taken_between_reading_and_writing_is_refused(world: World) -> None:
    state = load(world)
    write(world, Added(task("theirs")), claim=Claim("repo-x", "main", "e"))
    before = world.everything()
    with pytest.raises(StoreError, match="belongs to another repository"):
        world.store().apply(state, [Added(task("a"))], OURS)
    assert world.everything() == before


def test_identities_are_gathered_and_bounded(world: World) -> None:
    world.store().touch(Claim("a b", "main", "e"))
    world.store().touch(Claim("b c", "dev", "f"))
    assert world.plan() == {"repo": "a b c", "branch": "dev", "epoch": "f", "seq": "2"}
    world.store().touch(Claim("c d e f g h i j", "", ""))
    assert world.plan() == {"repo": "c d e f g h i j", "branch": "dev", "epoch": "f", "seq": "3"}
    world.store().touch(Claim("j " + " ".join("klmnopqrst"), "", ""))
    assert world.plan()["repo"] == "j k l m n o p q"


def test_a_claim_without_identity_is_refused_by_an_owned_town_only(world: World) -> None:
    nobody = Claim("", "main", "e")
    assert world.store().touch(nobody) == 1
    world.store().touch(OURS)
    with pytest.raises(StoreError):
        world.store().touch(nobody)


def test_the_plans_meta_is_kept_and_compared(world: World) -> None:
    changes = [edit(META_ID, "description", "Plan"), edit(META_ID, "n", [1, Literal("true")])]
    assert write(world, *changes).seq == 1
    state = load(world)
    assert state.town is not None
    assert state.town.meta == {"description": "Plan", "n": [1, Literal("true")]}
    write(world, edit(META_ID, "description", "Theirs"))
    assert world.store().apply(state, [edit(META_ID, "description", "X")], OURS).lost == {META_ID}
    assert not write(world, edit(META_ID, "description", None)).lost
    assert "meta:description" not in world.plan()


def test_a_bad_value_in_the_towns_hash_is_named_and_set_aside(world: World) -> None:
    world.set_plan({"repo": "r", "seq": "many", "meta:a": "{", "meta:b": "1"})
    state = load(world)
    assert state.town is not None
    assert (state.town.seq, state.town.meta) == (0, {"b": 1})
    assert {fault.key for fault in state.faults} == {
        f"tt:{world.town}:plan seq",
        f"tt:{world.town}:plan meta:a",
    }


# Duplicates


def doubled(world: World, *states: str) -> StoreState:
    """Make a task at our own uuid and copies of it, each in a state."""
    uuids = [uuid_of(world, "a"), OTHER, OTHER_2]
    for uuid, state in zip(uuids, states, strict=False):
        world.put(uuid, foreign(uuid, "Do a", state, "plan:a"))
    return load(world)


@pytest.mark.parametrize(
    ("states", "counts"),
    [
        (("pending", "running", "assigned"), 1),
        (("pending", "running", "failed"), 2),
        (("pending", "pending", "pending"), 0),
        (("cancelled", "failed", "completed"), 0),
        (("pending", "failed", "completed"), 1),
    ],
)
def test_of_several_hashes_the_furthest_along_counts(
    world: World, states: tuple[str, ...], counts: int
) -> None:
    uuids = [uuid_of(world, "a"), OTHER, OTHER_2]
    state = doubled(world, *states)
    assert state.tasks["a"].uuid == uuids[counts]
    keys = {f"tt:{world.town}:task:{uuid}" for uuid in uuids}
    used = f"tt:{world.town}:task:{uuids[counts]}"
    assert {found.key for found in state.duplicates} == keys - {used}
    assert {(found.id, found.counts) for found in state.duplicates} == {("a", used)}


def test_removing_a_task_removes_its_copies(world: World) -> None:
    doubled(world, "pending", "running", "pending")
    write(world, Removed(task("a")))
    state = load(world)
    assert (state.tasks, state.copies, state.tombstones.keys()) == ({}, {}, {"a"})


def test_a_removal_is_lost_where_a_copy_changed(world: World) -> None:
    state = doubled(world, "pending", "running")
    world.put(uuid_of(world, "a"), {"state": "assigned"})
    assert world.store().apply(state, [Removed(task("a"))], OURS).lost == {"a"}
    assert load(world).tasks.keys() == {"a"}
    assert load(world).tombstones == {}


def test_an_edit_of_the_plan_reaches_all_copies(world: World) -> None:
    doubled(world, "pending", "running")
    write(world, edit("a", "description", "New"), edit("a", "status", "completed"))
    assert world.hash(OTHER).items() >= {"description": "New", "state": "completed"}.items()
    ours = world.hash(uuid_of(world, "a"))
    assert ours.items() >= {"description": "New", "state": "pending"}.items()


def test_a_reopened_task_is_not_closed_again_by_its_copy(world: World) -> None:
    doubled(world, "completed", "failed", "running")
    write(world, edit("a", "status", "pending"))
    assert load(world).tasks["a"].task.status == "pending"


def test_copies_are_removed_unless_they_changed(world: World) -> None:
    state = doubled(world, "completed", "pending", "pending")
    world.put(OTHER, {"state": "running"})
    assert world.store().remove_duplicates(state) == 1
    assert world.hash(OTHER_2) == {}
    again = load(world)
    assert [found.key for found in again.duplicates] == [f"tt:{world.town}:task:{OTHER}"]
    assert again.tombstones == {}
    assert world.store().remove_duplicates(again) == 1
    assert load(world).duplicates == ()


# Agents


def test_an_agent_follows_a_reassignment(world: World) -> None:
    world.agent(DEV, "dev")
    world.agent(QA, "qa")
    write(world, Added(task("a", agent="dev")), Added(task("b")))
    for name in ("a", "b"):
        world.put(uuid_of(world, name), {"assigned_to": QA, "state": "assigned"})
    state = load(world)
    assert state.tasks["a"].task.agent == "qa"
    assert state.tasks["b"].task.agent is None
    world.put(uuid_of(world, "a"), {"assigned_to": OTHER})
    assert load(world).tasks["a"].task.agent == "dev"


def test_a_task_that_no_plan_has_is_for_whoever_it_was_assigned_to(world: World) -> None:
    world.agent(DEV, "dev")
    world.put(OTHER, foreign(OTHER, "Draw", "assigned", assigned_to=DEV))
    world.put(OTHER_2, foreign(OTHER_2, "Paint", "assigned", assigned_to=QA))
    found = load(world).tasks
    assert found[made_id("Draw", OTHER)].task.agent == "dev"
    assert found[made_id("Paint", OTHER_2)].task.agent is None


def test_an_agent_named_after_an_assignment_is_not_overridden_by_it(world: World) -> None:
    world.agent(DEV, "dev")
    world.agent(QA, "qa")
    write(world, Added(task("a", agent="dev")))
    world.put(uuid_of(world, "a"), {"assigned_to": DEV, "state": "assigned"})
    write(world, edit("a", "agent", "new"))
    assert load(world).tasks["a"].task.agent == "new"
    world.put(uuid_of(world, "a"), {"assigned_to": QA})
    assert load(world).tasks["a"].task.agent == "qa"


def test_writing_an_agent_loses_to_a_new_assignment(world: World) -> None:
    write(world, Added(task("a", agent="dev")))
    state = load(world)
    world.put(uuid_of(world, "a"), {"assigned_to": QA})
    assert world.store().apply(state, [edit("a", "agent", "new")], OURS).lost == {"a"}


def test_a_task_that_starts_anew_follows_the_next_assignment(world: World) -> None:
    world.agent(QA, "qa")
    write(world, Added(task("a", "assigned", agent="dev")))
    world.put(uuid_of(world, "a"), {"assigned_to": QA})
    write(world, edit("a", "agent", "new"))
    write(world, edit("a", "status", "pending"))
    world.put(uuid_of(world, "a"), {"assigned_to": QA, "state": "assigned"})
    assert load(world).tasks["a"].task.agent == "qa"


# Parents


def test_a_parent_is_the_uuid_of_its_real_hash(world: World) -> None:
    world.put(OTHER, foreign(OTHER, "Epic", "pending", "plan:epic"))
    write(world, Added(task("a", parent="epic")), Added(task("b", parent="a")))
    write(world, Added(task("c")))
    write(world, edit("c", "parent", "epic"))
    assert world.hash(uuid_of(world, "a"))["parent_id"] == OTHER
    assert world.hash(uuid_of(world, "c"))["parent_id"] == OTHER
    assert world.hash(uuid_of(world, "b"))["parent_id"] == uuid_of(world, "a")
    tasks = load(world).tasks
    assert [tasks[name].task.parent for name in "abc"] == ["epic", "a", "epic"]


def test_a_parent_among_copies_and_unnamed_hashes_is_found(world: World) -> None:
    doubled(world, "pending", "running")
    world.put(OTHER_2, foreign(OTHER_2, "Epic"))
    for name, parent in {"x": uuid_of(world, "a"), "y": OTHER, "z": OTHER_2}.items():
        uuid = uuid_of(world, name)
        world.put(uuid, foreign(uuid, name, "pending", f"plan:{name}", parent_id=parent))
    tasks = load(world).tasks
    assert [tasks[name].task.parent for name in "xyz"] == ["a", "a", made_id("Epic", OTHER_2)]


def test_a_parent_that_is_set_aside_is_known_by_its_tag(world: World) -> None:
    world.put(OTHER, foreign(OTHER, "Epic", "dancing", "plan:epic"))
    world.put(OTHER_2, foreign(OTHER_2, "A", "pending", "plan:a", parent_id=OTHER))
    state = load(world)
    assert state.aside == {"epic"}
    assert state.tasks["a"].task.parent == "epic"


def test_a_parent_whose_hash_is_gone_is_known_by_the_callers_ids(world: World) -> None:
    write(world, Added(task("p")), Added(task("a", parent="p")), Added(task("b", parent="p")))
    world.drop(uuid_of(world, "p"))
    world.put(uuid_of(world, "b"), {"parent_id": OTHER})
    state = world.store().load(ids=["p", "a"], uuids={"old": OTHER})
    assert state.tasks["a"].task.parent == "p"
    assert state.tasks["b"].task.parent == "old"
    assert state.tasks["a"].complete


def test_a_parent_that_nobody_knows_is_unknown_and_not_lost(world: World) -> None:
    write(world, Added(task("a", note="n")))
    world.put(uuid_of(world, "a"), {"parent_id": OTHER})
    state = load(world)
    assert "parent" not in state.tasks["a"].task.fields
    assert not state.tasks["a"].complete
    world.store().apply(state, [edit("a", "note", "m")], OURS, mark=["a"])
    assert world.hash(uuid_of(world, "a"))["parent_id"] == OTHER


# Run fields that the file has, too


def test_run_fields_are_read_where_they_are_asked_for(world: World) -> None:
    world.agent(DEV, "dev")
    write(world, Added(task("a", "completed")), Added(task("b", "assigned")))
    world.put(uuid_of(world, "a"), {"assigned_to": DEV, "result": "fine"})
    world.put(uuid_of(world, "b"), {"assigned_to": QA})
    tasks = load(world, "assigned_to", "result").tasks
    assert tasks["a"].task.fields["assigned_to"] == "dev"
    assert tasks["a"].task.fields["result"] == "fine"
    assert tasks["b"].task.fields["assigned_to"] == QA
    assert "result" not in tasks["b"].task.fields
    assert load(world).tasks["a"].task.fields.keys() == {"description", "status"}


def test_run_fields_are_written_where_they_are_asked_for(world: World) -> None:
    world.agent(DEV, "dev")
    store = world.store("assigned_to", "result")
    added = task("a", "assigned", assigned_to="dev", agent="qa", result="r")
    applied = store.apply(store.load(), [Added(added)], OURS)
    assert applied.faults == ()
    raw = world.hash(uuid_of(world, "a"))
    assert (raw["assigned_to"], raw["result"]) == (DEV, "r")
    assert store.load().tasks["a"].task == added
    store.apply(store.load(), [edit("a", "assigned_to", QA), edit("a", "result", None)], OURS)
    raw = world.hash(uuid_of(world, "a"))
    assert raw["assigned_to"] == QA
    assert "result" not in raw


def test_a_run_field_that_is_edited_with_the_status_is_what_the_edit_says(world: World) -> None:
    store = world.store("completed_at")
    store.apply(store.load(), [Added(task("a"))], OURS)
    changes = [edit("a", "completed_at", "then"), edit("a", "status", "completed")]
    store.apply(store.load(), changes, OURS)
    assert world.hash(uuid_of(world, "a"))["completed_at"] == "then"


def test_an_assignment_to_an_unknown_agent_is_a_fault_and_not_written(world: World) -> None:
    store = world.store("assigned_to")
    changes: list[Change] = [Added(task("a", "assigned", assigned_to="who")), Added(task("b"))]
    applied = store.apply(store.load(), changes, OURS)
    assert [fault.key for fault in applied.faults] == [f"{world.town}: a assigned_to"]
    assert "assigned_to" not in world.hash(uuid_of(world, "a"))
    applied = store.apply(store.load(), [edit("b", "assigned_to", "who")], OURS)
    assert len(applied.faults) == 1
    assert "assigned_to" not in world.hash(uuid_of(world, "b"))


# Bad values


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ({"state": "dancing"}, "unknown state"),
        ({"state": None}, "unknown state"),
        ({"description": None}, "no `description`"),
        ({"id": OTHER_2}, "not the uuid"),
        ({"depends_on": "x"}, "`depends_on` is no JSON list"),
        ({"depends_on": "[1]"}, "`depends_on` is no JSON list"),
        ({"x:note": "{"}, "no value of a plan"),
        ({"x:note": '{"$toml":"1\\n[[tasks]]"}'}, "no value of a plan"),
        ({"description": "x" * 1_048_577}, "absurdly large"),
    ],
)
def test_a_hash_with_a_bad_value_is_set_aside_and_the_rest_is_read(
    world: World, bad: dict[str, str | None], why: str
) -> None:
    write(world, Added(task("a", note="n")), Added(task("b")))
    uuid = uuid_of(world, "a")
    world.put(uuid, bad)
    state = load(world)
    assert state.tasks.keys() == {"b"}
    assert state.aside == {"a"}
    (fault,) = state.faults
    assert fault.key == f"tt:{world.town}:task:{uuid}"
    assert why in fault.why


@pytest.mark.parametrize("tags", ["", "[1]", "{}", '["plan:not an id"]', '["plan:"]', "[" * 9999])
def test_a_hash_with_bad_tags_is_known_by_its_uuid_and_set_aside(world: World, tags: str) -> None:
    write(world, Added(task("a")))
    world.put(uuid_of(world, "a"), {"tags": tags})
    state = world.store().load(ids=["a"])
    assert (dict(state.tasks), state.aside) == ({}, {"a"})
    assert len(state.faults) == 1


def test_a_task_with_one_good_hash_is_not_aside(world: World) -> None:
    doubled(world, "pending", "running")
    world.put(OTHER, {"state": "dancing"})
    state = load(world)
    assert state.tasks["a"].uuid == uuid_of(world, "a")
    assert state.aside == frozenset()
    assert len(state.faults) == 1


def test_a_tombstone_of_a_task_that_is_set_aside_does_not_count(world: World) -> None:
    write(world, Added(task("a")))
    world.set_stone("a", '{"task":{"description":"Do a","status":"pending"}}')
    world.put(uuid_of(world, "a"), {"state": "dancing"})
    state = load(world)
    assert (state.tombstones, state.aside) == ({}, {"a"})


def test_a_key_of_the_users_cannot_replace_a_field(world: World) -> None:
    write(world, Added(task("a")))
    world.put(uuid_of(world, "a"), {"x:status": '"completed"', "x:id": '"b"', "x:ok": '"v"'})
    (stored,) = load(world).tasks.values()
    assert stored.task == task("a", ok="v")


def test_a_plan_of_changes_is_what_the_store_becomes(world: World) -> None:
    from tt.core.diff import apply, diff

    one = Plan({}, {name: task(name, tags=["x"]) for name in "abc"})
    two = Plan(
        {"n": 1},
        {"b": task("b", "running", agent="me"), "c": task("c"), "d": task("d", parent="b")},
    )
    write(world, *diff(Plan(), one))
    changes = diff(one, two)
    assert not write(world, *changes).lost
    state = load(world)
    assert state.town is not None
    found = Plan(state.town.meta, {name: stored.task for name, stored in state.tasks.items()})
    assert found == two == apply(one, changes)


# A glimpse


def names(world: World) -> dict[str, str]:
    return {stored.uuid: name for name, stored in load(world).tasks.items()}


def glimpse(
    world: World,
    known: dict[str, str],
    *ids: str,
    uuids: tuple[str, ...] = (),
    foreign: dict[str, str] | None = None,
) -> Glimpse | None:
    wanted = Wanted(known, frozenset(ids), frozenset(uuids))
    return world.store().glimpse(wanted, known.values(), foreign or NO_UUIDS)


def test_a_glimpse_reads_what_is_wanted_and_the_town(world: World) -> None:
    write(world, Added(task("a")), Added(task("b")), Added(task("c")), Added(task("d")))
    write(world, Removed(task("d")), Edited(META_ID, "m", ABSENT, 1))
    seen = glimpse(world, names(world), "a", "new", uuids=(uuid_of(world, "b"),))
    assert seen is not None
    whole = load(world)
    assert seen.ids == {"a", "b", "new"}
    assert seen.names == names(world)
    assert seen.state == replace(whole, tasks={name: whole.tasks[name] for name in "ab"})


def test_a_glimpse_finds_what_is_new_and_what_is_gone(world: World) -> None:
    write(world, Added(task("a")), Added(task("b")))
    known = names(world)
    world.put(OTHER, foreign(OTHER, "theirs"))
    world.drop(uuid_of(world, "b"))
    seen = glimpse(world, known)
    assert seen is not None
    theirs = made_id("theirs", OTHER)
    assert seen.ids == {"b", theirs}
    assert seen.state.tasks.keys() == {theirs}
    assert seen.names == {uuid_of(world, "a"): "a", OTHER: theirs}


def test_a_glimpse_finds_what_is_called_otherwise_now(world: World) -> None:
    write(world, Added(task("a")), Added(task("b")))
    known = names(world)
    world.put(uuid_of(world, "b"), {"tags": '["plan:z"]'})
    seen = glimpse(world, known, uuids=(uuid_of(world, "b"),))
    assert seen is not None
    assert seen.ids == {"b", "z"}
    assert seen.state.tasks.keys() == {"z"}


def test_a_glimpse_cannot_tell_copies_apart(world: World) -> None:
    write(world, Added(task("a")))
    known = names(world)
    world.put(OTHER, foreign(OTHER, "Do a", "running", "plan:a"))
    assert glimpse(world, known) is None
    seen = glimpse(world, known, "a")
    assert seen is not None
    assert [duplicate.id for duplicate in seen.state.duplicates] == ["a"]


def test_a_glimpse_names_parents_that_it_does_not_read(world: World) -> None:
    world.put(OTHER, foreign(OTHER, "theirs", "pending", "plan:p"))
    store = world.store()
    store.apply(store.load(), [Added(task("a", parent="p")), Added(task("b", parent="x"))], OURS)
    known = names(world)
    seen = glimpse(world, known, "a", "b", foreign={"p": OTHER, "q": OTHER_2})
    assert seen is not None
    assert seen.state.tasks["a"] == load(world).tasks["a"]
    assert seen.state.tasks["a"].task.parent == "p"
    assert seen.state.orphans == load(world).orphans == {"b"}
    assert seen.state.unread == {"p": OTHER}


def test_what_a_glimpse_did_not_read_is_written_to_by_its_own_uuid(world: World) -> None:
    write(world, Added(task("a")))
    world.put(OTHER, foreign(OTHER, "theirs", "pending", "plan:p"))
    seen = glimpse(world, names(world), "a", foreign={"p": OTHER})
    assert seen is not None
    world.store().apply(seen.state, [edit("a", "parent", "p")], OURS)
    assert world.hash(uuid_of(world, "a"))["parent_id"] == OTHER


def test_a_glimpse_sees_that_something_else_stands_where_a_task_would_be(world: World) -> None:
    write(world, Added(task("a")))
    world.put(uuid_of(world, "a"), {"tags": '["plan:z"]'})
    known = names(world)
    wanted = Wanted(known, frozenset({"a"}))
    seen = world.store().glimpse(wanted, ["a", *known.values()], NO_UUIDS)
    assert seen is not None
    assert seen.state.aside == {"a"} == load_known(world, "a").aside


def load_known(world: World, *ids: str) -> StoreState:
    return world.store().load(ids)


def test_a_glimpse_misses_no_task_that_it_did_not_read(world: World) -> None:
    write(world, Added(task("p")))
    world.put(uuid_of(world, "p"), {"tags": '["plan:z"]'})
    world.put(OTHER, foreign(OTHER, "theirs", "pending", "plan:p"))
    seen = glimpse(world, names(world), "z")
    assert seen is not None
    assert (seen.state.tasks.keys(), seen.state.faults) == ({"z"}, ())


def test_a_tombstone_of_a_task_that_is_there_and_not_read_does_not_count(world: World) -> None:
    write(world, Added(task("a")))
    world.set_stone("a", json.dumps({"at": TIME, "task": dict(task("a").fields)}))
    seen = glimpse(world, names(world))
    assert seen is not None
    assert (dict(seen.state.tombstones), seen.ids) == ({}, frozenset())


def test_the_run_fields_of_a_store_can_be_asked_for(world: World) -> None:
    assert world.store("result").run_fields == {"result"}
