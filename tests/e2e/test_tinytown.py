"""A town that tinytown 0.10 wrote, and what tinytown needs to read what `tt` writes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import tomli

from tests.support.commands import Ended, Place, keys, tasks_of, texts, write_hash
from tests.support.redis_server import RedisServer
from tests.support.tools import missing

FIXTURES = Path(__file__).resolve().parents[2] / "../shared/fixtures"
DUMP = FIXTURES / "tinytown-0.10" / "town-dump.json"
PLAN = FIXTURES / "profile-epic.tasks.toml"

ARCHITECT = "9b616c0f-8c11-4374-8ba3-cb9f695b1d7e"
STATES = {"pending", "assigned", "running", "completed", "failed", "cancelled"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}\+00:00")
REQUIRED = {"id", "description", "state", "created_at", "updated_at", "tags"}
TIMES = ("created_at", "updated_at", "started_at", "completed_at")
REFERENCES = ("id", "parent_id", "assigned_to")

# What the town says, in the file's words; nobody but the plan knows agents and parents.
PUSHED = {
    "profile-epic": ("Implement user profile feature", "pending", ["epic", "q1-2024"]),
    "design": ("Design profile API schema", "completed", ["design"]),
    "implement": ("Implement profile endpoints", "pending", ["backend"]),
    "test": ("Write profile API tests", "failed", ["testing"]),
    "review": ("Review profile implementation", "pending", ["review"]),
}
ADOPTED = {
    "Implement the login form": "completed",
    "Design the schema": "running",
    "Write the changelog": "pending",
    "Draw the diagram": "assigned",
}


def load(server: RedisServer) -> None:
    """Put the dump into a server, with each key's type and time to live."""
    if not DUMP.exists():
        missing("the dump of a tinytown town is not here")
    writers = {"hash": "HSET", "list": "RPUSH", "string": "SET"}
    with server.connect() as connection:
        for entry in json.loads(DUMP.read_text()):
            value, key = entry["value"], entry["key"]
            words = [value] if isinstance(value, str) else value
            if isinstance(value, dict):
                words = [part for pair in value.items() for part in pair]
            connection.execute(writers[entry["type"]], key, *words)
            if entry["ttl"] >= 0:
                connection.execute("EXPIRE", key, entry["ttl"])


@dataclass(frozen=True)
class Golden:
    """A place in the town of the dump."""

    place: Place

    def tt(self, *words: str) -> Ended:
        """Run a command in the town; it has to succeed."""
        return self.place.done("--name", "golden", *words)

    @property
    def plan(self) -> dict[str, dict[str, Any]]:
        """The tasks of the file, by id."""
        return {task["id"]: task for task in tomli.loads(self.place.file.read_text())["tasks"]}

    @property
    def tasks(self) -> Mapping[str, Mapping[str, str]]:
        """The hashes of the tasks, by plan id."""
        return tasks_of(self.place.server, "golden")

    @property
    def others(self) -> dict[bytes, bytes]:
        """Everything in Redis that is neither a task nor our own."""
        found = keys(self.place.server)
        ours = (b"tt:golden:task:", b"tt:golden:plan", b"tt:golden:tombstones")
        return {name: dump for name, dump in found.items() if not name.startswith(ours)}


@pytest.fixture
def golden(place: Place) -> Golden:
    """The town, and beside it the plan that it came from."""
    load(place.server)
    place.write(PLAN.read_bytes())
    return Golden(place)


@pytest.fixture
def bare(golden: Golden) -> Golden:
    """The town, and a repository without a plan."""
    golden.place.file.unlink()
    return golden


def adopted(plan: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the statuses by description of those tasks that the plan did not make."""
    return {
        task["description"]: task["status"] for name, task in plan.items() if name not in PUSHED
    }


def test_a_town_is_pulled_into_the_plan_that_it_came_from(golden: Golden) -> None:
    before = tomli.loads(PLAN.read_text())["tasks"]

    ended = golden.tt("sync", "pull")

    assert ended.out.startswith("⬇️  Pulled 9 tasks from Redis to tasks.toml\n")
    statuses = {name: status for name, (_, status, _) in PUSHED.items()}
    assert [golden.plan[task["id"]] for task in before] == [
        {**task, "status": statuses[task["id"]]} for task in before
    ]
    assert adopted(golden.plan) == ADOPTED
    assert golden.place.file.read_text().count("# Subtasks under the epic\n") == 1


def test_a_town_is_pulled_into_a_new_plan_that_tells_the_same(bare: Golden) -> None:
    ended = bare.tt("sync", "pull")

    assert ended.out.startswith("⬇️  Pulled 9 tasks from Redis to tasks.toml\n")
    plan = bare.plan
    assert {
        name: (task["description"], task["status"], task["tags"])
        for name, task in plan.items()
        if name in PUSHED
    } == PUSHED
    assert list(plan)[:5] == list(PUSHED)
    assert adopted(plan) == ADOPTED
    bare.tt("check")


def test_adopted_tasks_get_ids_that_stay_and_the_tag_that_says_them(golden: Golden) -> None:
    golden.tt("sync", "pull")
    ids = {task["description"]: name for name, task in golden.plan.items()}
    for description in ADOPTED:
        raw = golden.tasks[ids[description]]
        assert raw["description"] == description
        assert json.loads(raw["tags"]) == [f"plan:{ids[description]}"]
    uuid = golden.tasks[ids["Write the changelog"]]["id"]
    with golden.place.server.connect() as connection:
        assert texts(connection, "LRANGE", "tt:golden:backlog", "0", "-1") == [uuid.encode()]
    write_hash(golden.place.server, f"tt:golden:task:{uuid}", description="Write it")
    golden.tt("sync", "merge")
    assert golden.plan[ids["Write the changelog"]]["description"] == "Write it"
    assert len(golden.plan) == 9


@pytest.mark.parametrize("direction", ["pull", "merge", "push"])
def test_agents_inboxes_and_all_that_is_not_ours_stay_as_they_are(
    golden: Golden, direction: str
) -> None:
    before = golden.others
    assert len(before) == 8
    golden.tt("sync", direction)
    golden.place.write(PLAN.read_text().replace("Write profile API tests", "Test it"))
    golden.place.tt("--name", "golden", "sync", direction)
    assert golden.others == before


def test_a_pull_writes_nothing_into_the_tasks_but_the_missing_tags(golden: Golden) -> None:
    before = {raw["id"]: raw for raw in golden.tasks.values()}
    golden.tt("sync", "pull")
    after = {raw["id"]: raw for raw in golden.tasks.values()}
    assert after.keys() == before.keys()
    for uuid, raw in after.items():
        changed = {name for name in raw if raw[name] != before[uuid].get(name)}
        assert changed == (set() if "plan:" in before[uuid]["tags"] else {"tags", "updated_at"})


def test_syncing_a_town_of_tinytown_twice_changes_nothing_more(golden: Golden) -> None:
    golden.tt("sync", "merge")
    settled = golden.place.everything()
    for direction in ("merge", "push", "pull"):
        ended = golden.tt("sync", direction)
        assert len(ended.out.splitlines()) == 1
        assert golden.place.everything() == settled


def push_again(golden: Golden) -> None:
    """Do what a second `sync push` of tinytown does: the whole plan anew, all of it pending."""
    for name, (description, _, tags) in PUSHED.items():
        uuid, now = str(uuid4()), "2026-11-21T02:00:00.000000001+00:00"
        write_hash(
            golden.place.server,
            f"tt:golden:task:{uuid}",
            id=uuid,
            description=description,
            state="pending",
            created_at=now,
            updated_at=now,
            tags=json.dumps([*tags, f"plan:{name}"]),
        )


def test_duplicates_of_tinytown_s_pushes_are_one_task_the_furthest_along(golden: Golden) -> None:
    push_again(golden)
    push_again(golden)
    ended = golden.tt("sync", "pull")
    assert "Redis has 10 more copies of 5 tasks; the furthest along counts (tt dedupe)" in ended.out
    assert ended.out.startswith("⬇️  Pulled 9 tasks")
    assert {name: golden.plan[name]["status"] for name in PUSHED} == {
        name: status for name, (_, status, _) in PUSHED.items()
    }
    golden.tt("sync", "merge")
    settled = golden.place.everything()
    golden.tt("sync", "merge")
    assert golden.place.everything() == settled


def assert_readable(raw: Mapping[str, str]) -> None:
    """Check one task's hash the way tinytown reads it."""
    assert raw.keys() >= REQUIRED
    assert raw["state"] in STATES
    for name in TIMES:
        assert name not in raw or TIME.fullmatch(raw[name]), (name, raw[name])
    for name in REFERENCES:
        assert name not in raw or str(UUID(raw[name])) == raw[name], (name, raw[name])
    tags = json.loads(raw["tags"])
    assert isinstance(tags, list)
    assert all(isinstance(tag, str) for tag in tags)
    assert ("completed_at" in raw) == (raw["state"] in {"completed", "failed", "cancelled"})


def test_what_is_pushed_is_what_tinytown_reads(place: Place) -> None:
    everything = "".join(
        f'[[tasks]]\nid = "{state}"\ndescription = "Späß ✓"\nstatus = "{state}"\n'
        f'tags = ["x", "y z"]\nparent = "pending"\nuser = 3\n\n'.replace(
            'parent = "pending"\n', "" if state == "pending" else 'parent = "pending"\n'
        )
        for state in sorted(STATES)
    )
    place.write(everything)
    place.done("--name", "golden", "sync")
    tasks = tasks_of(place.server, "golden")
    assert tasks.keys() == STATES
    for state, raw in tasks.items():
        assert_readable(raw)
        assert (raw["state"], raw["description"]) == (state, "Späß ✓")
        assert raw["tags"] == f'["x","y z","plan:{state}"]'
        assert raw.get("parent_id") == (None if state == "pending" else tasks["pending"]["id"])
    with place.server.connect() as connection:
        for name in texts(connection, "KEYS", "tt:golden:task:*"):
            assert connection.execute("TYPE", name) == b"hash"
            assert connection.execute("TTL", name) == -1


def test_statuses_that_the_file_takes_through_leave_hashes_that_tinytown_reads(
    place: Place,
) -> None:
    place.done("--name", "golden", "sync")
    text = place.file.read_text()
    was = "pending"
    for state in ("running", "completed", "pending", "assigned", "cancelled", "failed"):
        text = text.replace(f'status = "{was}"', f'status = "{state}"')
        place.write(text)
        place.done("--name", "golden", "sync", "--reset")
        for raw in tasks_of(place.server, "golden").values():
            assert_readable(raw)
        assert tasks_of(place.server, "golden")["design"]["state"] == state
        was = state


def test_what_tinytown_writes_later_is_merged_and_its_own_fields_survive(golden: Golden) -> None:
    golden.tt("sync", "merge")
    uuid = golden.tasks["implement"]["id"]
    key = f"tt:golden:task:{uuid}"
    now = "2026-11-21T03:00:00.123456789+00:00"
    write_hash(
        golden.place.server,
        key,
        state="running",
        assigned_to=ARCHITECT,
        started_at=now,
        updated_at=now,
        mission_id="m1",
    )
    golden.place.write(
        golden.place.file.read_text().replace("Implement profile endpoints", "Implement it")
    )
    golden.tt("sync", "merge")
    assert golden.plan["implement"]["status"] == "running"
    raw = golden.tasks["implement"]
    assert (raw["description"], raw["state"], raw["mission_id"]) == (
        "Implement it",
        "running",
        "m1",
    )
    assert (raw["assigned_to"], raw["started_at"]) == (ARCHITECT, now)

    write_hash(
        golden.place.server, key, state="completed", completed_at=now, result="done", updated_at=now
    )
    golden.place.write(golden.place.file.read_text().replace('["backend"]', '["backend", "api"]'))
    golden.tt("sync", "merge")
    raw = golden.tasks["implement"]
    assert_readable(raw)
    assert golden.plan["implement"]["status"] == "completed"
    assert (raw["result"], raw["completed_at"], raw["mission_id"]) == ("done", now, "m1")
    assert json.loads(raw["tags"]) == ["backend", "api", "plan:implement"]


def test_a_reassignment_by_tinytown_is_told_in_the_file_by_the_agent_s_name(
    golden: Golden,
) -> None:
    golden.tt("sync", "merge")
    uuid = golden.tasks["implement"]["id"]
    write_hash(
        golden.place.server, f"tt:golden:task:{uuid}", state="assigned", assigned_to=ARCHITECT
    )
    golden.tt("sync", "merge")
    assert golden.plan["implement"]["agent"] == "architect"
    assert golden.plan["implement"]["status"] == "assigned"
    settled = golden.place.everything()
    golden.tt("sync", "merge")
    assert golden.place.everything() == settled


def test_a_task_that_tinytown_deletes_is_healed_from_the_file(golden: Golden) -> None:
    golden.tt("sync", "merge")
    raw = golden.tasks["review"]
    with golden.place.server.connect() as connection:
        connection.execute("DEL", f"tt:golden:task:{raw['id']}")
    before = golden.place.file.read_bytes()
    golden.tt("sync", "merge")
    assert golden.place.file.read_bytes() == before
    assert_readable(golden.tasks["review"])
    assert golden.tasks["review"]["description"] == raw["description"]
