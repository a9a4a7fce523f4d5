"""Agents, messages and work as tinytown 0.10 wrote them, and as it finds ours: field for field."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.tools import missing
from tests.support.workshops import Yard, done
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.identifiers import new_uuid
from tt.core.agents import SUPERVISOR, Agent, AgentState
from tt.core.messages import Kind, Message, Priority, encode
from tt.core.saved import SavedKey
from tt.workports import Terms

DUMP = Path(__file__).resolve().parents[2] / "../shared/fixtures/tinytown-0.10/town-dump.json"
ARCHITECT = "9b616c0f-8c11-4374-8ba3-cb9f695b1d7e"
DEVELOPER = "d8d6389b-be09-4d21-af0c-fd6b39ae7701"
DIAGRAM, SCHEMA = "4a05207c-f9fd-4d33-87d6-46c3220e7b26", "740b4156-cdb1-405d-a113-d6f3b68869fe"
LOGIN, CHANGELOG = "abec051b-0094-4260-abfa-9e3677f7af93", "18b473aa-1f6c-43a6-ba2a-ca40fde3d75d"
PREFIX = "tt:golden:"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}"
OURS = ("run:", "tt", "made", "agent_for")


@pytest.fixture(scope="module")
def dump() -> dict[str, Any]:
    if not DUMP.exists():
        missing("the dump of a tinytown town is not here")
    return {entry["key"][len(PREFIX) :]: entry for entry in json.loads(DUMP.read_text())}


@pytest.fixture
def yard(connection: Connection, dump: dict[str, Any]) -> Yard:
    """The town `golden`, loaded into a real server by our own restoring."""
    made = Yard("golden", connection)
    saved = [
        SavedKey(ending.encode(), entry["type"], ttl_of(entry), content_of(entry["value"]))
        for ending, entry in dump.items()
    ]
    assert made.workshop.load(saved) == len(dump)
    return made


def ttl_of(entry: dict[str, Any]) -> int:
    return entry["ttl"] * 1000 if entry["ttl"] > 0 else -1


def content_of(value: Any) -> Any:
    if isinstance(value, dict):
        return [[name.encode(), text.encode()] for name, text in value.items()]
    return [one.encode() for one in value] if isinstance(value, list) else value.encode()


def test_what_tinytown_wrote_is_saved_as_it_was(yard: Yard, dump: dict[str, Any]) -> None:
    saved = {one.ending.decode(): one for one in yard.workshop.dump()}
    assert saved.keys() == dump.keys()
    for ending, one in saved.items():
        wanted, found = content_of(dump[ending]["value"]), one.content
        if one.kind == "hash":
            wanted, found = sorted(wanted), sorted(found)
        assert (one.kind, found) == (dump[ending]["type"], wanted)
        assert abs(one.ttl - ttl_of(dump[ending])) < 60_000


def test_agents_are_read_with_all_that_they_have(yard: Yard, dump: dict[str, Any]) -> None:
    raw = dump[f"agent:{ARCHITECT}"]["value"]
    assert yard.workshop.agents() == {
        DEVELOPER: yard.workshop.agent(DEVELOPER),
        ARCHITECT: Agent(
            ARCHITECT, "architect", AgentState.STOPPED, cli="slow", nickname="Marshall",
            current_task=SCHEMA, created_at=raw["created_at"], rounds_completed=0,
            last_heartbeat=raw["last_heartbeat"], last_active_at=raw["last_active_at"],
        ),
    }  # fmt: skip
    developer = yard.workshop.agents()[DEVELOPER]
    assert (developer.tasks_completed, developer.rounds_completed) == (1, 1)
    assert not developer.is_ours


def test_work_is_read_as_it_stands(yard: Yard) -> None:
    board = yard.workshop.board()
    assert (board.backlog, board.faults) == ((CHANGELOG,), ())
    stands = {uuid: (board.jobs[uuid].state, board.jobs[uuid].agent) for uuid in board.jobs}
    assert stands[DIAGRAM] == ("assigned", ARCHITECT)
    assert stands[SCHEMA] == ("running", ARCHITECT)
    assert stands[LOGIN] == ("completed", DEVELOPER)
    assert board.jobs[LOGIN].result == "done by mock"
    assert all(not job.claim and not job.failures for job in board.jobs.values())


def test_each_message_is_read_and_written_to_the_byte(yard: Yard, dump: dict[str, Any]) -> None:
    texts = [*dump[f"urgent:{ARCHITECT}"]["value"], *dump[f"inbox:{ARCHITECT}"]["value"]]
    messages = yard.workshop.inbox(ARCHITECT)
    assert [encode(message) for message in messages] == texts
    for message in messages:
        taken = yard.workshop.take(ARCHITECT)
        assert taken == message
        yard.workshop.settle(ARCHITECT, taken)
    assert yard.workshop.take(ARCHITECT) is None
    assert yard.list(f"taken:{ARCHITECT}") == []


def test_our_agents_have_the_fields_of_theirs(yard: Yard, dump: dict[str, Any]) -> None:
    agent = Agent(new_uuid(), "tester", AgentState.IDLE, cli="mock", nickname="M", lease=9, pid=1)
    yard.workshop.enlist(agent)
    (job,) = [job for job in yard.workshop.board().jobs.values() if job.task.id == "review"]
    yard.running(job, agent)
    raw = yard.world.read(yard.key(f"agent:{agent.uuid}"))
    theirs = dump[f"agent:{ARCHITECT}"]["value"]
    assert {name for name in raw if not name.startswith(OURS)} == theirs.keys()
    for name in ("created_at", "last_heartbeat", "last_active_at"):
        assert re.fullmatch(TIME + r"\+00:00", raw[name])
    assert raw["tasks_completed"] == "0"
    done(yard.workshop.finish(job.uuid, "completed", "r", claim=yard.job(job.uuid).claim))
    raw = yard.world.read(yard.key(f"agent:{agent.uuid}"))
    ours = {name for name in raw if not name.startswith(OURS)}
    assert ours == dump[f"agent:{DEVELOPER}"]["value"].keys()
    assert raw["tasks_completed"] == "1"


def test_a_task_that_we_hand_out_is_one_that_tinytown_acts_on(
    yard: Yard, dump: dict[str, Any]
) -> None:
    job = yard.job(CHANGELOG)
    done(yard.workshop.hand_out(job, DEVELOPER, Terms(), SUPERVISOR))
    (text,) = yard.list(f"inbox:{DEVELOPER}")
    theirs, ours = json.loads(dump[f"inbox:{ARCHITECT}"]["value"][-1]), json.loads(text)
    assert list(ours) == list(theirs)
    assert re.fullmatch(TIME + "Z", ours["created_at"])
    fresh = {"id": ours["id"], "created_at": ours["created_at"]}
    assert ours == {**theirs, **fresh, "to": DEVELOPER, "task_id": CHANGELOG}
    assert yard.list("backlog") == []
    assert fields(yard, CHANGELOG) == dump[f"task:{DIAGRAM}"]["value"].keys()


def test_work_has_the_fields_of_theirs_in_every_state(yard: Yard, dump: dict[str, Any]) -> None:
    agent, made = yard.agent("tester"), yard.workshop.make("Test it")
    assert fields(yard, made.uuid) == dump[f"task:{CHANGELOG}"]["value"].keys()
    given = yard.workshop.make("Draw it", agent=agent.uuid)
    assert fields(yard, given.uuid) == dump[f"task:{DIAGRAM}"]["value"].keys()
    claim = done(yard.workshop.claim(given.uuid, agent.uuid)).claim
    assert fields(yard, given.uuid) == dump[f"task:{SCHEMA}"]["value"].keys()
    done(yard.workshop.finish(given.uuid, "completed", "r", claim=claim))
    assert fields(yard, given.uuid) == dump[f"task:{LOGIN}"]["value"].keys()
    for name, text in yard.world.hash(given.uuid).items():
        if name.endswith("_at"):
            assert re.fullmatch(TIME + r"\+00:00", text)


def fields(yard: Yard, uuid: str) -> set[str]:
    """Return the names of a task's fields, without ours."""
    return {name for name in yard.world.hash(uuid) if not name.startswith(OURS)}


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (Kind.TASK, {"description": "Look now"}),
        (Kind.QUERY, {"question": "Which tables?"}),
        (Kind.INFORMATIONAL, {"summary": "Branch is main"}),
        (Kind.CONFIRMATION, {"ack_type": {"type": "acknowledged"}}),
        (Kind.TASK_ASSIGN, {"task_id": DIAGRAM}),
    ],
)
def test_our_messages_are_theirs(
    yard: Yard, dump: dict[str, Any], kind: Kind, content: dict[str, object]
) -> None:
    texts = [*dump[f"urgent:{ARCHITECT}"]["value"], *dump[f"inbox:{ARCHITECT}"]["value"]]
    (theirs,) = (text for text in texts if json.loads(text)["type"] == kind)
    said = json.loads(theirs)
    mine = Message(
        said["id"], SUPERVISOR, DEVELOPER, kind, content, Priority.NORMAL, said["created_at"]
    )
    yard.workshop.send(mine)
    assert yard.list(f"inbox:{DEVELOPER}") == [theirs.replace(ARCHITECT, DEVELOPER)]


def test_the_flag_and_the_lines_of_an_agent_live_as_long(yard: Yard, dump: dict[str, Any]) -> None:
    yard.workshop.ask_to_stop(DEVELOPER)
    yard.workshop.log(DEVELOPER, "Round 2: ✅ completed")
    saved = {one.ending.decode(): one for one in yard.workshop.dump()}
    for kind in ("stop", "activity"):
        ours, theirs = saved[f"{kind}:{DEVELOPER}"], dump[f"{kind}:{ARCHITECT}"]
        assert (ours.kind, round(ours.ttl / 1000)) == (theirs["type"], theirs["ttl"])
    assert saved[f"stop:{DEVELOPER}"].content == b"1"
    assert list(yard.workshop.activity(DEVELOPER)) == [
        "Round 2: ✅ completed", "Round 1: ✅ completed",
    ]  # fmt: skip


def test_a_tinytown_agent_that_does_what_we_hand_out_ends_it(yard: Yard) -> None:
    """Its writes are plain: state, times and result, and none of our fields."""
    job = yard.job(CHANGELOG)
    handed = done(yard.workshop.hand_out(job, DEVELOPER, Terms(1, 60), SUPERVISOR))
    yard.world.put(CHANGELOG, {"state": "running", "started_at": "t"})
    assert yard.job(CHANGELOG).claim == handed.claim
    yard.world.put(CHANGELOG, {"state": "completed", "completed_at": "t", "result": "ok"})
    assert not yard.workshop.finish(CHANGELOG, "failed", "late", claim=handed.claim).done
    assert yard.job(CHANGELOG).result == "ok"
