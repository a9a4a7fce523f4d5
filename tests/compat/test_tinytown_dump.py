"""A town as tinytown 0.10 wrote it, and what it would find of ours: the same fields and forms."""

from __future__ import annotations

import json
import re
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.tools import missing
from tests.support.town_worlds import RedisWorld, Texts
from tt.adapters.redis.connection import Connection
from tt.core.diff import Added, Change, Edited, Removed
from tt.core.ids import made_id
from tt.core.model import STATUSES, Task
from tt.core.values import ABSENT
from tt.ports import Claim

DUMP = Path(__file__).resolve().parents[2] / "../shared/fixtures/tinytown-0.10/town-dump.json"
OURS = Claim("repo", "main", "epoch")
REQUIRED = {"id", "description", "state", "created_at", "updated_at", "tags"}
TIMES = {"created_at", "updated_at", "started_at", "completed_at"}
DIAGRAM, SCHEMA = "4a05207c-f9fd-4d33-87d6-46c3220e7b26", "740b4156-cdb1-405d-a113-d6f3b68869fe"
LOGIN, CHANGELOG = "abec051b-0094-4260-abfa-9e3677f7af93", "18b473aa-1f6c-43a6-ba2a-ca40fde3d75d"
ARCHITECT = "9b616c0f-8c11-4374-8ba3-cb9f695b1d7e"


@pytest.fixture
def world(connection: Connection) -> RedisWorld:
    """The town `golden`, loaded into a real server."""
    if not DUMP.exists():
        missing("the dump of a tinytown town is not here")
    for entry in json.loads(DUMP.read_text()):
        restore(connection, entry)
    return RedisWorld("golden", connection)


def restore(connection: Connection, entry: dict[str, Any]) -> None:
    key, value = entry["key"], entry["value"]
    if entry["type"] == "hash":
        connection.execute("HSET", key, *(part for pair in value.items() for part in pair))
    elif entry["type"] == "list":
        connection.execute("RPUSH", key, *value)
    elif entry["type"] == "string":
        connection.execute("SET", key, value)
    else:
        raise AssertionError(f"a type that the dump did not have: {entry['type']}")
    if entry["ttl"] > 0:
        connection.execute("EXPIRE", key, entry["ttl"])


def task(name: str, description: str, status: str, *tags: str) -> Task:
    fields = {"description": description, "status": status}
    return Task(name, {**fields, "tags": list(tags)} if tags else fields)


def assigned(uuid: str, description: str, status: str, agent: str) -> Task:
    fields = {"description": description, "status": status, "agent": agent}
    return Task(made_id(description, uuid), fields)


EXPECTED = [
    task("profile-epic", "Implement user profile feature", "pending", "epic", "q1-2024"),
    task("design", "Design profile API schema", "completed", "design"),
    task("implement", "Implement profile endpoints", "pending", "backend"),
    task("test", "Write profile API tests", "failed", "testing"),
    task("review", "Review profile implementation", "pending", "review"),
    assigned(LOGIN, "Implement the login form", "completed", "developer"),
    assigned(SCHEMA, "Design the schema", "running", "architect"),
    task(made_id("Write the changelog", CHANGELOG), "Write the changelog", "pending"),
    assigned(DIAGRAM, "Draw the diagram", "assigned", "architect"),
]


def test_a_real_town_is_read_to_the_task_in_the_order_in_which_it_was_made(
    world: RedisWorld,
) -> None:
    state = world.store().load()
    assert [stored.task for stored in state.tasks.values()] == EXPECTED
    assert (state.town, state.faults, state.duplicates, state.aside) == (None, (), (), frozenset())
    untagged = {stored.uuid for stored in state.tasks.values() if not stored.tagged}
    assert untagged == {LOGIN, SCHEMA, CHANGELOG, DIAGRAM}
    assert not any(stored.complete for stored in state.tasks.values())


def test_a_second_push_of_tinytown_makes_duplicates_of_which_one_counts(world: RedisWorld) -> None:
    for stored in world.store().load().tasks.values():
        if stored.tagged:
            fresh = str(uuid.uuid4())
            world.put(fresh, {**stored.raw, "id": fresh, "state": "pending"})
    state = world.store().load()
    statuses = {name: stored.task.status for name, stored in state.tasks.items()}
    assert statuses.items() >= {"design": "completed", "test": "failed"}.items()
    assert {found.id for found in state.duplicates} == {
        "profile-epic", "design", "implement", "test", "review",
    }  # fmt: skip
    assert world.store().remove_duplicates(state) == 5
    assert {stored.task.id: stored.task for stored in world.store().load().tasks.values()} == {
        expected.id: expected for expected in EXPECTED
    }


def test_ids_of_adopted_tasks_stay_once_they_are_tagged(world: RedisWorld) -> None:
    before = world.store().load()
    world.store().tag(before, list(before.tasks))
    world.put(DIAGRAM, {"description": "Draw it again"})
    after = world.store().load()
    assert after.tasks.keys() == before.tasks.keys()
    assert all(stored.tagged for stored in after.tasks.values())


def test_nothing_but_tasks_and_our_own_two_keys_is_ever_written(world: RedisWorld) -> None:
    keys = [entry["key"] for entry in json.loads(DUMP.read_text()) if ":task:" not in entry["key"]]
    before = {key: world.connection.execute("DUMP", key) for key in keys}
    write_a_lot(world)
    assert {key: world.connection.execute("DUMP", key) for key in keys} == before


def test_what_is_written_is_what_tinytown_reads(world: RedisWorld) -> None:
    write_a_lot(world)
    hashes = {key: raw for key, raw in world.everything().items() if ":task:" in key and raw}
    assert len(hashes) == len(EXPECTED) + 1
    for key, raw in hashes.items():
        check(key, raw)
    children = [raw for raw in hashes.values() if "parent_id" in raw]
    assert {f"tt:golden:task:{raw['parent_id']}" for raw in children} < hashes.keys()
    assert len(children) == 3


def write_a_lot(world: RedisWorld) -> None:
    """Push every kind of change into the town."""
    store = world.store()
    state = store.load()
    epic = EXPECTED[0].id
    changes: list[Change] = [
        Added(Task("new", {"description": "Neu: ü", "status": "failed", "parent": epic, "n": 1})),
        Added(
            Task("more", {"description": "", "status": "running", "parent": "new", "agent": "a"})
        ),
        Removed(EXPECTED[3]),
        Edited("design", "parent", ABSENT, epic),
        Edited("implement", "status", "pending", "running"),
        Edited(EXPECTED[5].id, "status", "completed", "pending"),
        Edited(EXPECTED[8].id, "status", "assigned", "cancelled"),
        Edited("review", "tags", ["review"], ['q"uote', "\u2028", "ü"]),
    ]
    applied = store.apply(state, changes, OURS, mark=["implement", EXPECTED[6].id])
    assert (applied.lost, applied.seq) == (frozenset(), 1)
    store.tag(store.load(), list(state.tasks))


def check(key: str, raw: Texts) -> None:
    assert raw.keys() >= REQUIRED
    assert key == f"tt:golden:task:{raw['id']}"
    for name in {"id", "assigned_to", "parent_id"} & raw.keys():
        assert str(uuid.UUID(raw[name])) == raw[name]
    for name in TIMES & raw.keys():
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}\+00:00", raw[name])
        assert datetime.fromisoformat(raw[name][:26] + raw[name][29:]).utcoffset() == timedelta(0)
    assert raw["state"] in STATUSES
    tags = json.loads(raw["tags"])
    assert raw["tags"] == json.dumps(tags, separators=(",", ":"), ensure_ascii=False)
    assert tags[-1].startswith("plan:")
    finished = raw["state"] in {"completed", "failed", "cancelled"}
    assert ("completed_at" in raw) == finished
    assert "started_at" in raw or raw["state"] != "running"
    if raw["state"] == "pending":
        assert not raw.keys() & {"assigned_to", "started_at", "result"}


def test_a_task_that_tinytown_assigned_is_for_that_agent(world: RedisWorld) -> None:
    assert world.hash(DIAGRAM)["assigned_to"] == ARCHITECT
    assert world.store().load().tasks[EXPECTED[8].id].task.agent == "architect"
    mirrored = world.store("assigned_to", "result").load().tasks
    assert mirrored[EXPECTED[8].id].task.fields["assigned_to"] == "architect"
    assert mirrored[EXPECTED[5].id].task.fields["result"] == "done by mock"
