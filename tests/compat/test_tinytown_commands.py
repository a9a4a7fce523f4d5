"""A town of tinytown 0.10 under our commands: all of it is shown, looking changes nothing, and what
is written has the form that it has there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.compat.test_tinytown_dump import DUMP, restore
from tests.support.commands import hash_of, keys, run_inside, texts
from tests.support.redis_server import RedisServer, running
from tests.support.tools import missing

TOWN = "golden"
ENTRIES: list[dict[str, Any]] = json.loads(DUMP.read_text()) if DUMP.exists() else []
HASHES = {one["key"]: one["value"] for one in ENTRIES if one["type"] == "hash"}
TASKS = {key.rpartition(":")[2]: raw for key, raw in HASHES.items() if ":task:" in key}
AGENTS = [raw for key, raw in HASHES.items() if ":agent:" in key]
MESSAGES = [
    json.loads(text)
    for one in ENTRIES
    if ":inbox:" in one["key"] or ":urgent:" in one["key"]
    for text in one["value"]
]
READS = [
    ["list"], ["status"], ["status", "--deep", "--tasks"], ["inbox"], ["inbox", "architect"],
    ["inbox", "--all"], ["task", "list"], ["task", "list", "--state", "running"],
    ["task", "show", "design"], ["task", "current"], ["task", "current", "architect"],
    ["backlog", "list"], ["events"], ["history"], ["recover", "--dry-run"], ["reclaim"],
    ["reclaim", "--orphan-tasks"], ["start"], ["save", "town.json"],
]  # fmt: skip

Tt = Callable[..., str]


@pytest.fixture
def server(redis_binary: str) -> Iterator[RedisServer]:
    """A server with the town in it."""
    if not ENTRIES:
        missing("the dump of a tinytown town is not here")
    with running(redis_binary) as made:
        with made.connect() as connection:
            for entry in ENTRIES:
                restore(connection, entry)
        yield made


@pytest.fixture
def tt(server: RedisServer, tmp_path: Path, own_home: Path) -> Tt:
    """Run a command that has to succeed, in a directory with neither Git nor a plan."""
    import os

    def call(*words: str) -> str:
        environment = {**os.environ, "REDIS_URL": server.url, "TT_NAME": TOWN}
        ended = run_inside([*words], tmp_path, environment)
        assert (ended.code, ended.err) == (0, ""), ended
        return ended.out

    return call


def data(tt: Tt, *words: str) -> Any:
    return json.loads(tt(*words, "--json"))["data"]


@pytest.mark.parametrize("words", READS, ids=" ".join)
def test_looking_at_a_town_of_tinytowns_changes_nothing(
    tt: Tt, server: RedisServer, words: list[str]
) -> None:
    before = keys(server)
    assert tt(*words)
    data(tt, *words)
    assert keys(server) == before


def test_every_task_is_shown_with_all_that_it_has(tt: Tt) -> None:
    listed = {one["uuid"]: one for one in data(tt, "task", "list")["tasks"]}
    assert listed.keys() == TASKS.keys()
    for uuid, raw in TASKS.items():
        one = data(tt, "task", "show", uuid)
        assert one.items() >= listed[uuid].items()
        assert (one["description"], one["status"]) == (raw["description"], raw["state"])
        for name in ("assigned_to", "result", "started_at", "completed_at", "created_at"):
            assert one[name] == raw.get(name)
        tags = json.loads(raw["tags"])
        assert one["in_plan"] == any(tag.startswith("plan:") for tag in tags)
        assert one.get("tags", []) == [tag for tag in tags if not tag.startswith("plan:")]
        text = tt("task", "show", uuid[:8])
        assert raw["description"] in text
        assert raw.get("result", "") in text


def test_every_agent_is_shown_with_all_that_it_has(tt: Tt) -> None:
    listed = {one["name"]: one for one in data(tt, "list")["agents"]}
    assert len(listed) == len(AGENTS)
    for raw in AGENTS:
        one = listed[raw["name"]]
        same = ("state", "cli", "nickname", "created_at", "last_heartbeat", "last_active_at")
        assert {name: one[name] for name in same} == {name: raw[name] for name in same}
        assert (one["uuid"], one["kind"]) == (raw["id"], raw["agent_type"])
        assert one["current_task"] == raw.get("current_task", "")
        counts = ("tasks_completed", "rounds_completed")
        assert [str(one[name]) for name in counts] == [raw[name] for name in counts]


def test_every_message_is_shown_word_for_word(tt: Tt) -> None:
    shown = [
        {name: text for name, text in message.items() if name != "task"}
        for box in data(tt, "inbox", "--all")["inboxes"]
        for message in box["messages"]
    ]
    assert sorted(shown, key=lambda one: one["id"]) == sorted(MESSAGES, key=lambda one: one["id"])
    text = tt("inbox", "Marshall")
    for words in ("Look now", "Which tables?", "Branch is main", "acknowledged", "diagram"):
        assert words in text


def test_the_backlog_and_the_last_words_of_agents_are_shown(tt: Tt) -> None:
    (backlog,) = [one["value"] for one in ENTRIES if one["key"].endswith(":backlog")]
    assert [one["uuid"] for one in data(tt, "backlog", "list")["tasks"]] == backlog
    said = [one["value"][0] for one in ENTRIES if ":activity:" in one["key"]]
    assert said
    assert all(line in tt("status", "--deep") for line in said)


def fields(raw: dict[str, Any]) -> set[str]:
    """Return the fields of a hash but for those of ours, which tinytown leaves alone."""
    return {name for name in raw if not name.startswith("run:")}


def hash_in_dump(state: str, *, tagged: bool) -> set[str]:
    (found, *_) = [
        set(raw)
        for raw in TASKS.values()
        if raw["state"] == state and ("plan:" in raw["tags"]) == tagged
    ]
    return found


def task(server: RedisServer, uuid: str) -> dict[str, str]:
    return hash_of(server, f"tt:{TOWN}:task:{uuid}")


def test_what_our_commands_write_has_the_fields_that_it_has_there(
    tt: Tt, server: RedisServer
) -> None:
    made = data(tt, "assign", "developer", "Draw another one")["task"]["uuid"]
    assert fields(task(server, made)) == hash_in_dump("assigned", tagged=False)
    waiting = data(tt, "backlog", "add", "Later", "--tags", "a,b")["uuid"]
    assert fields(task(server, waiting)) == hash_in_dump("pending", tagged=False)
    assert task(server, waiting)["tags"] == '["a","b"]'
    running = next(uuid for uuid, raw in TASKS.items() if raw["state"] == "running")
    tt("task", "complete", running, "--result", "ok")
    assert fields(task(server, running)) == hash_in_dump("completed", tagged=False)
    tt("task", "fail", "implement", "--result", "no")
    implement = next(uuid for uuid, raw in TASKS.items() if "plan:implement" in raw["tags"])
    assert fields(task(server, implement)) == hash_in_dump("failed", tagged=True)


def test_whoever_completed_a_task_is_counted_and_has_none_any_more(
    tt: Tt, server: RedisServer
) -> None:
    architect = next(raw for raw in AGENTS if raw["name"] == "architect")
    tt("task", "complete", architect["current_task"])
    after = hash_of(server, f"tt:{TOWN}:agent:{architect['id']}")
    assert after == {
        **{name: text for name, text in architect.items() if name != "current_task"},
        "tasks_completed": "1",
    }


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ([], "task"), (["--query"], "query"), (["--info"], "informational"),
        (["--ack"], "confirmation"), (["--urgent"], "task"),
    ],
)  # fmt: skip
def test_what_we_send_has_the_fields_that_it_has_there(
    tt: Tt, server: RedisServer, words: list[str], kind: str
) -> None:
    (wanted, *_) = [message for message in MESSAGES if message["type"] == kind]
    tt("send", "Mabel", "acknowledged", *words)
    (sent,) = messages(server, "urgent" if "--urgent" in words else "inbox")
    assert list(sent) == list(wanted)
    assert (sent["from"], sent["type"]) == (wanted["from"], kind)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]{8}\.\d{9}Z", sent["created_at"])
    if kind == "confirmation":
        assert sent["ack_type"] == wanted["ack_type"]


def test_a_task_of_the_plan_is_handed_out_as_tinytown_does(tt: Tt, server: RedisServer) -> None:
    (wanted,) = [message for message in MESSAGES if message["type"] == "task_assign"]
    tt("assign", "developer", "review")
    (sent,) = messages(server, "inbox")
    assert list(sent) == list(wanted)
    assert "plan:review" in task(server, sent["task_id"])["tags"]
    assert task(server, sent["task_id"])["state"] == "assigned"


def messages(server: RedisServer, kind: str) -> list[dict[str, Any]]:
    developer = next(raw["id"] for raw in AGENTS if raw["name"] == "developer")
    with server.connect() as connection:
        found = texts(connection, "LRANGE", f"tt:{TOWN}:{kind}:{developer}", "0", "-1")
    return [json.loads(text) for text in found]


def test_what_its_agents_held_can_be_recovered_and_reclaimed(tt: Tt, server: RedisServer) -> None:
    held = {uuid for uuid, raw in TASKS.items() if raw["state"] in ("assigned", "running")}
    found = data(tt, "recover", "architect")["found"]
    assert {one["uuid"] for one in found[0]["tasks"]} == held
    assert {task(server, uuid)["state"] for uuid in held} == {"pending"}
    assert {one["uuid"] for one in data(tt, "backlog", "list")["tasks"]} > held
    moved = data(tt, "reclaim", "--to", "developer")["reclaimed"]
    assert [one["became"] for one in moved] == ["developer"] * 4
    assert len(messages(server, "inbox")) == 4
    tt("prune")
    assert [one["name"] for one in data(tt, "list")["agents"]] == ["developer"]
