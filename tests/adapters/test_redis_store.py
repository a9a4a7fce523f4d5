"""The task store on a real server: what only Redis can do to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import pytest

from tests.support.redis_server import Launch
from tests.support.town_worlds import RedisWorld, TickingClock
from tt.adapters.redis.commands import Arg, Command
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.replies import LostError, Reply
from tt.adapters.redis.store import RedisTaskStore
from tt.core.diff import Added, Change, Edited, Removed
from tt.core.ids import task_uuid
from tt.core.model import META_ID, Task
from tt.core.values import ABSENT, Value
from tt.errors import StoreError
from tt.ports import Claim, StoreState

OURS = Claim("repo-a", "main", "epoch-1")
DEV = "d8d6389b-be09-4d21-af0c-fd6b39ae7701"


@pytest.fixture
def world(connection: Connection) -> RedisWorld:
    return RedisWorld("town", connection)


def task(name: str, status: str = "pending", **fields: Value) -> Task:
    return Task(name, {"description": f"Do {name}", "status": status, **fields})


def edit(name: str, field: str, new: Value) -> Edited:
    return Edited(name, field, ABSENT, new)


def uuid_of(world: RedisWorld, name: str) -> str:
    return task_uuid(world.town, name)


def write(world: RedisWorld, *changes: Change) -> None:
    store = world.store()
    assert not store.apply(store.load(), changes, OURS).lost


def tasks_of(state: StoreState) -> dict[str, Task]:
    return {name: stored.task for name, stored in state.tasks.items()}


@dataclass
class Meddled:
    """A connection on which something happens just before one of its pipelines.

    Pipelines are counted from 0; `seen` says how many there were.
    """

    connection: Connection
    at: int
    meddle: Callable[[], object]
    seen: int = 0
    address: str = field(init=False)

    def __post_init__(self) -> None:
        self.address = self.connection.address

    def execute(self, *args: Arg) -> Reply:
        return self.connection.execute(*args)

    def pipeline(self, commands: Iterable[Command]) -> list[Reply]:
        return list(self.stream(commands))

    def stream(self, commands: Iterable[Command]) -> Iterator[Reply]:
        if self.seen == self.at:
            self.meddle()
        self.seen += 1
        return self.connection.stream(commands)


@pytest.mark.parametrize(
    "name",
    [
        "a*b",
        "a?b",
        "[ab]",
        "a[!b",
        "back\\slash",
        "{repo}-main",
        "two words",
        "Straße-日本",
        "a:task:b",
        "*",
    ],
)
def test_a_town_may_have_any_name(connection: Connection, name: str) -> None:
    neighbours = [RedisWorld(other, connection) for other in ("axb", "a", "b", "x", "back-slash")]
    for neighbour in neighbours:
        write(neighbour, Added(task("theirs")))
    world = RedisWorld(name, connection)
    write(world, Added(task("a")), Added(task("b")))
    write(world, Removed(task("b")))
    state = world.store().load()
    assert tasks_of(state) == {"a": task("a")}
    assert state.tombstones == {"b": task("b")}
    assert state.faults == ()
    for neighbour in neighbours:
        assert tasks_of(neighbour.store().load()) == {"theirs": task("theirs")}


def test_towns_whose_names_begin_alike_are_apart(world: RedisWorld) -> None:
    longer = RedisWorld(f"{world.town}:task:x", world.connection)
    write(world, Added(task("a")))
    write(longer, Added(task("b")))
    assert tasks_of(world.store().load()) == {"a": task("a")}
    assert tasks_of(longer.store().load()) == {"b": task("b")}
    assert world.store().load().faults == ()


def test_a_crowded_server_does_not_matter(world: RedisWorld) -> None:
    names = [f"t{number}" for number in range(300)]
    write(world, *(Added(task(name)) for name in names))
    for start in range(0, 50_000, 5_000):
        pairs = [
            part for number in range(start, start + 5_000) for part in (f"other:{number}", "x")
        ]
        world.connection.execute("MSET", *pairs)
    assert list(tasks_of(world.store().load())) == names


def test_keys_of_a_wrong_type_are_named_and_set_aside(world: RedisWorld) -> None:
    write(world, Added(task("a")), Added(task("b")))
    connection, key = world.connection, world.keys.task(uuid_of(world, "a"))
    connection.execute("DEL", key)
    connection.execute("RPUSH", key, "x")
    connection.execute("SET", world.keys.task("not-a-uuid"), "x")
    connection.execute("SET", world.keys.task("").encode() + b"\xff\n", "x")
    state = world.store().load(ids=["a", "b"])
    assert tasks_of(state) == {"b": task("b")}
    assert state.aside == {"a"}
    assert {fault.key: fault.why for fault in state.faults} == {
        key: "it is not a hash",
        world.keys.task("not-a-uuid"): "its name does not end in a uuid",
        world.keys.task("\\xff\n"): "its name does not end in a uuid",
    }


def test_a_task_whose_key_became_another_type_is_a_lost_race(world: RedisWorld) -> None:
    write(world, Added(task("a")), Added(task("b")))
    state = world.store().load()
    for name in "ab":
        world.drop(uuid_of(world, name))
        world.connection.execute("SET", world.keys.task(uuid_of(world, name)), "x")
    applied = world.store().apply(state, [edit("a", "note", "x"), Removed(task("b"))], OURS)
    assert applied.lost == {"a", "b"}
    assert world.store().apply(state, [Added(task("a"))], OURS).lost == {"a"}


@pytest.mark.parametrize("kind", ["plan", "tombstones"])
def test_a_town_whose_own_key_is_no_hash_is_refused_by_name(world: RedisWorld, kind: str) -> None:
    world.connection.execute("SET", f"tt:town:{kind}", "x")
    with pytest.raises(StoreError, match=f"The key tt:town:{kind} at .* is not a hash"):
        world.store().load()
    with pytest.raises(StoreError):
        world.store().apply(StoreState(None, {}, {}), [Added(task("a")), Removed(task("b"))], OURS)


def test_bytes_that_are_no_utf8_survive_and_are_compared(world: RedisWorld) -> None:
    write(world, Added(task("a")), Added(task("b")), Added(task("c")))
    for name in "ab":
        world.connection.execute("HSET", world.keys.task(uuid_of(world, name)), "result", b"\xff")
    world.connection.execute("HSET", world.keys.task(uuid_of(world, "c")), "description", b"\xff")
    state = world.store().load()
    assert state.aside == {"c"}
    assert state.faults[0].why == "its `description` is not UTF-8"
    changes = [edit("a", "status", "pending"), edit("a", "note", "ü"), Removed(task("b"))]
    assert not world.store().apply(state, changes, OURS).lost
    assert world.hash(uuid_of(world, "b")) == {}
    world.connection.execute("HSET", world.keys.task(uuid_of(world, "a")), "result", b"\xfe")
    assert world.hash(uuid_of(world, "a"))["result"] == "\udcfe"
    edited = world.store().apply(world.store().load(), [edit("a", "status", "running")], OURS)
    assert not edited.lost
    assert "result" not in world.hash(uuid_of(world, "a"))


def test_our_own_hashes_may_hold_bytes_that_are_no_utf8(world: RedisWorld) -> None:
    connection, keys = world.connection, world.keys
    connection.execute("HSET", keys.plan, "meta:a", b'"\xff"', b"meta:\xff", "1", "meta:b", "1")
    stone = b'{"task":{"description":"\xff","status":"pending"}}'
    connection.execute("HSET", keys.tombstones, "a", stone, b"\xff", "x")
    state = world.store().load()
    assert state.town is not None
    assert state.town.meta == {"b": 1}
    assert state.tombstones == {"a": Task("a", {"description": "", "status": "pending"})}
    assert len(state.faults) == 4
    assert not world.store().apply(state, [Added(task("a"))], OURS).lost
    assert world.stones().keys() == {"\udcff"}


def test_names_of_agents_that_are_no_utf8_are_unknown(world: RedisWorld) -> None:
    write(world, Added(task("a", agent="dev")))
    world.put(uuid_of(world, "a"), {"assigned_to": DEV})
    world.connection.execute("HSET", world.keys.agent(DEV), "name", b"\xff")
    assert tasks_of(world.store().load())["a"].agent == "dev"
    world.connection.execute("DEL", world.keys.agent(DEV))
    world.connection.execute("SET", world.keys.agent(DEV), "x")
    assert tasks_of(world.store().load())["a"].agent == "dev"


# Races: another client changes something at every point of an apply

CHANGES = (
    Added(task("new", agent="me")),
    edit("edited", "description", "Mine"),
    Removed(task("removed")),
    Added(task("back")),
    edit(META_ID, "description", "Mine"),
)


def prepared(world: RedisWorld) -> StoreState:
    write(world, *(Added(task(name)) for name in ("edited", "removed", "back")))
    write(world, Removed(task("back")))
    return world.store().load()


@pytest.mark.parametrize("at", range(5))
@pytest.mark.parametrize("name", ["new", "edited", "removed", "back"])
def test_a_change_by_another_client_at_any_point_is_never_overwritten(
    world: RedisWorld, name: str, at: int
) -> None:
    state = prepared(world)
    uuid = uuid_of(world, name)
    theirs = {"id": uuid, "description": "Theirs", "state": "running", "tags": f'["plan:{name}"]'}
    meddled = Meddled(world.connection, at, lambda: world.put(uuid, theirs))
    store = RedisTaskStore(meddled, world.town, TickingClock())
    applied = store.apply(state, CHANGES, OURS)
    assert at < meddled.seen or at == 4
    after = world.store().load()
    if at < meddled.seen:
        assert after.tasks[name].task.description == "Theirs"
        assert after.tasks[name].task.status == "running"
        assert name not in after.tombstones
    before_ours = at <= 2
    assert applied.lost == ({name} if before_ours else set())
    others = {"new", "edited", "back"} - {name}
    expected = {"new": task("new", agent="me"), "back": task("back")}
    expected["edited"] = Task("edited", {"description": "Mine", "status": "pending"})
    assert {other: after.tasks[other].task for other in others} == {
        other: expected[other] for other in others
    }
    assert ("removed" in after.tombstones) == (name != "removed" or at >= meddled.seen)


@pytest.mark.parametrize("at", range(5))
def test_stopping_at_any_point_leaves_a_town_that_the_next_run_completes(
    world: RedisWorld, at: int
) -> None:
    state = prepared(world)

    def stop() -> None:
        raise LostError("the line is dead")

    meddled = Meddled(world.connection, at, stop)
    try:
        RedisTaskStore(meddled, world.town, TickingClock()).apply(state, CHANGES, OURS)
    except LostError:
        assert at < 4
    between = world.store().load()
    assert between.faults == ()
    assert between.tasks.keys() >= {"edited"}
    present = between.tasks.keys() | between.tombstones.keys()
    assert present >= {"edited", "removed", "back"}
    wanted: list[Change] = [CHANGES[1], CHANGES[4]]
    wanted += [CHANGES[0]] if "new" not in between.tasks else []
    wanted += [CHANGES[2]] if "removed" in between.tasks else []
    wanted += [CHANGES[3]] if "back" not in between.tasks else []
    assert not world.store().apply(between, wanted, OURS).lost
    world.store().apply(world.store().load(), [edit("new", "note", "x")], OURS)
    after = world.store().load()
    assert after.tasks.keys() == {"new", "edited", "back"}
    assert after.tombstones.keys() == after.stones.keys() == {"removed"}


def test_another_repository_that_comes_last_is_refused(world: RedisWorld) -> None:
    state = prepared(world)
    meddled = Meddled(world.connection, 2, lambda: world.set_plan({"repo": "theirs"}))
    store = RedisTaskStore(meddled, world.town, TickingClock())
    with pytest.raises(StoreError, match="belongs to another repository"):
        store.apply(state, CHANGES, OURS)
    assert world.plan()["repo"] == "theirs"


def test_a_server_that_forgets_its_scripts_is_told_again(world: RedisWorld) -> None:
    flush: Command = ("SCRIPT", "FLUSH")

    class Forgetful(Meddled):
        def stream(self, commands: Iterable[Command]) -> Iterator[Reply]:
            between = [part for command in commands for part in (flush, command)]
            replies = list(self.connection.stream(between))
            return iter(replies[1::2])

    forgetful = Forgetful(world.connection, -1, lambda: None)
    store = RedisTaskStore(forgetful, world.town, TickingClock())
    names = [f"t{number}" for number in range(5)]
    added = store.apply(store.load(), [Added(task(name)) for name in names], OURS)
    assert (added.lost, added.seq) == (frozenset(), 1)
    changes: list[Change] = [edit("t0", "note", "x"), edit("t1", "note", "y"), Removed(task("t2"))]
    assert not store.apply(store.load(), changes, OURS).lost
    assert tasks_of(world.store().load()).keys() == set(names) - {"t2"}


def test_a_town_that_is_flushed_between_reading_and_writing_loses_its_edits(
    world: RedisWorld,
) -> None:
    state = prepared(world)
    meddled = Meddled(world.connection, 2, lambda: world.connection.execute("FLUSHALL"))
    applied = RedisTaskStore(meddled, world.town, TickingClock()).apply(state, CHANGES, OURS)
    assert applied.lost == {"edited", META_ID}
    assert applied.seq == 1
    assert world.plan().items() >= {"repo": "repo-a", "branch": "main", "epoch": "epoch-1"}.items()


# What a server may refuse


def test_a_full_server_is_a_sentence_and_the_town_still_reads_right(launch_redis: Launch) -> None:
    server = launch_redis("--maxmemory-policy", "noeviction")
    with server.connect() as connection:
        world = RedisWorld("town", connection)
        write(world, Added(task("a")), Added(task("b")))
        before = world.everything()
        connection.execute("CONFIG", "SET", "maxmemory", "1")
        store = world.store()
        for change in (Added(task("c")), edit("a", "note", "x"), Removed(task("b"))):
            with pytest.raises(StoreError, match="memory"):
                store.apply(store.load(), [change], OURS)
        assert world.everything() == before
        connection.execute("CONFIG", "SET", "maxmemory", "0")
        assert not store.apply(store.load(), [Removed(task("b"))], OURS).lost


def test_a_user_without_permission_gets_a_sentence(launch_redis: Launch) -> None:
    server = launch_redis()
    with server.connect() as connection:
        write(RedisWorld("town", connection), Added(task("a")))
        connection.execute(
            "ACL", "SETUSER", "reader", "on", "nopass", "~*", "+@all", "-eval", "-evalsha"
        )
        connection.execute("AUTH", "reader", "x")
        world = RedisWorld("town", connection)
        assert world.store().load().tasks.keys() == {"a"}
        with pytest.raises(StoreError, match="does not permit"):
            world.store().touch(OURS)


def test_a_connection_that_broke_is_a_store_error(launch_redis: Launch) -> None:
    server = launch_redis()
    with server.connect() as connection:
        world = RedisWorld("town", connection)
        write(world, Added(task("a")))
        state = world.store().load()
        server.stop()
        with pytest.raises(StoreError):
            world.store().load()
        with pytest.raises(StoreError):
            world.store().apply(state, [edit("a", "note", "x")], OURS)


def test_thousands_of_tasks_go_there_and_back(world: RedisWorld) -> None:
    tasks = [
        task(f"t{number}", tags=["x", f"area-{number % 7}"], agent="dev", note=number)
        for number in range(5_000)
    ]
    write(world, *map(Added, tasks))
    state = world.store().load()
    assert [stored.task for stored in state.tasks.values()] == tasks
    edits = [edit(one.id, "note", json.dumps({"n": one.id})) for one in tasks]
    write(world, *edits)
    state = world.store().load([one.id for one in tasks])
    assert {stored.task.fields["note"] for stored in state.tasks.values()} == {
        one.new for one in edits
    }
    write(world, *map(Removed, tasks))
    state = world.store().load()
    assert (len(state.tasks), len(state.tombstones)) == (0, 5_000)
    write(world, *map(Added, tasks))
    assert world.stones() == {}
