"""The commands of work as people and agents meet them, on a real server."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from tests.cli.conftest import Ran
from tests.support.redis_server import RedisServer, launcher, wait_until
from tests.support.workshops import Yard
from tt.adapters.redis.connection import Connection
from tt.core.agents import Agent, AgentState
from tt.core.jobs import Job
from tt.errors import StoreError

Tt = Callable[..., Ran]
ROOT = Path(__file__).resolve().parents[2]
TOWN = "shop-main"
NASTY = "\x1b[2J\x1b]0;x\x07\u202e"


@pytest.fixture(scope="session")
def server() -> Iterator[RedisServer]:
    """One server for all tests of this file."""
    from tests.support.redis_server import ENGINES

    with launcher(ENGINES["valkey"]()) as launch:
        yield launch()


@pytest.fixture
def yard(
    server: RedisServer, project: Path, monkeypatch: pytest.MonkeyPatch, tt: Tt
) -> Iterator[Yard]:
    """The town of the project, with its plan pushed."""
    monkeypatch.setenv("REDIS_URL", server.url)
    with Connection.open(server.address, 10) as connection:
        connection.execute("FLUSHALL")
        assert tt("sync").code == 0
        yield Yard(TOWN, connection)


@pytest.fixture
def dev(yard: Yard) -> Agent:
    return yard.agent("developer")


def job(yard: Yard, name: str) -> Job:
    return next(one for one in yard.workshop.board().jobs.values() if one.task.id == name)


def as_agent(monkeypatch: pytest.MonkeyPatch, agent: Agent, job: Job) -> None:
    monkeypatch.setenv("TINYTOWN_AGENT_ID", agent.uuid)
    monkeypatch.setenv("TT_TASK", job.uuid)
    monkeypatch.setenv("TT_CLAIM", job.claim)


# tt task


def test_a_task_is_completed_by_its_id_and_a_sync_brings_it_into_the_file(
    yard: Yard, project: Path, tt: Tt
) -> None:
    ran = tt("task", "complete", "implement", "--result", "Endpoints work")
    assert (ran.code, ran.err) == (0, "")
    assert ran.lines == [
        "✅ Task implement marked as completed",
        "   Description: Implement profile endpoints",
        "   Result: Endpoints work",
    ]
    assert tt("sync", "merge").code == 0
    text = (project / "tasks.toml").read_text()
    assert text.count('status = "completed"') == 2
    assert "Endpoints work" not in text


def test_results_come_into_the_file_where_the_settings_ask_for_them(
    yard: Yard, project: Path, tt: Tt
) -> None:
    (project / "tinytown.toml").write_text('[sync]\nfields = ["result"]\n')
    tt("task", "complete", "implement", "--result", "Endpoints work")
    tt("task", "note", "implement", "not for the file")
    assert tt("sync", "merge").code == 0
    text = (project / "tasks.toml").read_text()
    assert 'result = "Endpoints work"' in text
    assert "not for the file" not in text
    assert tt("sync", "merge", "--json").data["to_file"] == []


@pytest.mark.parametrize("words", [[], ["implement"]])
def test_an_agents_late_report_is_refused_in_words(
    yard: Yard, dev: Agent, tt: Tt, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    running = yard.running(job(yard, "implement"), dev)
    yard.workshop.give_back(running.uuid, "silent", claim=running.claim)
    other = yard.agent("other")
    yard.running(job(yard, "implement"), other)
    as_agent(monkeypatch, dev, running)
    before = yard.everything()
    ran = tt("task", "complete", *words, "--result", "x")
    assert (ran.code, ran.out) == (1, "")
    late = "tt: This report on `implement` is late: your attempt at it was given up"
    assert ran.err.splitlines() == [
        f"{late}, and the task is running with other. Nothing was changed.",
        "    Stop working on it: it is not yours any more.",
    ]
    assert yard.everything() == before


def test_an_agent_reports_without_naming_its_task_and_says_it_again(
    yard: Yard, dev: Agent, tt: Tt, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = yard.running(job(yard, "implement"), dev, retries=1)
    as_agent(monkeypatch, dev, running)
    for _ in range(2):
        ran = tt("task", "fail", "--result", "no database")
        assert ran.lines == ["Task implement failed, and is pending again: retry 1 of 1."]
    assert job(yard, "implement").failures == 1
    assert tt("task", "show").lines[0] == "implement  pending"


def test_both_ways_of_calling_a_report_do_the_same(yard: Yard, tt: Tt) -> None:
    """The quick way, and click's: with an option before the command it is always the latter."""
    quick = tt("task", "complete", "implement", "--result=x", "--json")
    slow = tt("--name", TOWN, "task", "complete", "implement", "--result=x", "--json")
    assert quick.data == {**slow.data, "outcome": "ended"}
    assert slow.data["outcome"] == "repeated"
    assert tt("task", "complete", "implement", "epic").code == 2
    assert tt("task", "complete", "--nope").code == 2
    assert tt("task", "complete", "--help").code == 0
    assert tt("task", "complete").code == 2
    assert tt("task").code in (0, 2)


def test_a_result_that_begins_with_a_dash_or_is_no_utf8_is_a_result(yard: Yard, tt: Tt) -> None:
    assert tt("task", "complete", "implement", "--result", "--json").code == 0
    assert job(yard, "implement").result == "--json"
    assert tt("task", "fail", "epic", "--result", "a\udcffb").code == 0
    assert job(yard, "epic").result == "a\ufffdb"


def test_errors_as_json_are_one_document(yard: Yard, tt: Tt) -> None:
    ran = tt("task", "complete", "implemnt", "--json")
    assert ran.code == 1
    assert ran.json["error"]["message"] == f"The town {TOWN} has no task `implemnt`."
    assert "Did you mean `implement`?" in ran.json["error"]["hint"]


def test_a_task_is_shown_with_its_notes_and_the_whole_result(
    yard: Yard, dev: Agent, tt: Tt, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = yard.running(job(yard, "implement"), dev)
    as_agent(monkeypatch, dev, running)
    assert tt("task", "note", "implement", "half of it").lines == ["📝 Noted on implement"]
    monkeypatch.delenv("TINYTOWN_AGENT_ID")
    assert tt("task", "note", "implement", f"{NASTY}mine").code == 0
    tt("task", "complete", "implement", "--result", f"one\n{NASTY}two")
    ran = tt("task", "show", "implement")
    assert ran.lines[:2] == ["implement  completed", "  Implement profile endpoints"]
    assert "    one\n    \ufffd[2J" in ran.out
    assert "Note of developer" in ran.out
    assert "Note of a person" in ran.out
    assert not set(NASTY) & set(ran.out) - set("[2J]0;x")
    data = tt("task", "show", "implement", "--json").data
    assert (data["status"], data["assigned_name"]) == ("completed", "developer")
    assert data["result"].startswith("one\n")
    assert [note["text"][-4:] for note in data["notes"]] == ["f it", "mine"]
    assert "claim" not in data


def test_the_claim_of_an_attempt_is_told_to_nobody(yard: Yard, dev: Agent, tt: Tt) -> None:
    running = yard.running(job(yard, "implement"), dev)
    for words in (
        ["task", "show", "implement"], ["task", "list"], ["list"], ["task", "current"],
        ["status", "--tasks"], ["recover", "developer", "--dry-run"],
    ):  # fmt: skip
        assert running.claim not in tt(*words, "--json").out


def test_tasks_are_listed_through_filters(yard: Yard, dev: Agent, tt: Tt) -> None:
    yard.running(job(yard, "implement"), dev)
    yard.workshop.make(f"Waits {NASTY}")
    ran = tt("task", "list")
    assert len(ran.lines) == 5
    assert ran.lines[-1] == "4 tasks: 2 pending, 1 running, 1 completed"
    assert [line for line in ran.lines if "not in the plan" in line] != []
    assert "\x1b" not in ran.out

    def ids(*words: str) -> list[str]:
        return [one["id"] for one in tt("task", "list", *words, "--json").data["tasks"]]

    for words in (["--state", "running"], ["agent:developer"], ["tag:backend"]):
        assert ids(*words) == ["implement"]
    assert ids("status:completed") == ["design"]
    assert ids("-status:pending", "-agent:developer") == ["design"]
    assert tt("task", "list", "--state", "done").code == 2
    assert tt("task", "current").lines == [
        "developer: implement (running)  Implement profile endpoints"
    ]
    assert tt("task", "current", "developer", "--json").data["agents"][0]["work"][0]["id"] == (
        "implement"
    )


# Giving out, and messages


def test_a_task_goes_from_a_person_to_an_agent_and_word_of_its_end_back(
    yard: Yard, dev: Agent, tt: Tt
) -> None:
    ran = tt("assign", "developer", "implement")
    assert ran.lines == ["📋 Assigned task implement to agent 'developer'"]
    yard.workshop.claim(job(yard, "implement").uuid, dev.uuid)
    tt("task", "complete", "implement", "--result", "ok")
    ran = tt("inbox", "--clear")
    assert ran.lines == [
        "Inbox of supervisor: 1 message (1 information)",
        "  [I] developer: implement completed: ok",
    ]
    assert tt("inbox").lines == ["Inbox of supervisor: 0 messages"]


def test_a_new_task_is_adopted_by_a_pull(yard: Yard, project: Path, dev: Agent, tt: Tt) -> None:
    ran = tt("assign", "developer", "Fix the login form", "--json")
    assert ran.data["made"] is True
    assert ran.data["task"]["assigned_name"] == "developer"
    assert tt("sync", "pull").code == 0
    assert 'description = "Fix the login form"' in (project / "tasks.toml").read_text()
    name = ran.data["task"]["id"]
    assert tt("task", "complete", name).code == 0


def test_what_cannot_be_reopened_is_told_with_what_helps(yard: Yard, dev: Agent, tt: Tt) -> None:
    made = yard.workshop.make("By hand", agent=dev.uuid).task.id
    hints = {
        made: "It is in Redis alone: `tt sync pull` brings it into the plan.",
        "implemented": "Did you mean `implement`?",
        "zzz": "`tt plan` lists those that there are.",
    }
    for name, hint in hints.items():
        ran = tt("reopen", name)
        assert ran.code == 1
        assert ran.err.splitlines()[1].strip() == hint


def test_the_backlog_is_kept_claimed_and_shared(yard: Yard, dev: Agent, tt: Tt) -> None:
    assert tt("backlog", "list").lines == ["The backlog is empty."]
    first = tt("backlog", "add", "Write the changelog", "--tags", "docs, release", "--json").data
    assert first["tags"] == ["docs", "release"]
    tt("backlog", "add", "Second")
    tt("backlog", "add", "Third")
    assert [one["description"] for one in tt("backlog", "list", "--json").data["tasks"]] == [
        "Write the changelog", "Second", "Third",
    ]  # fmt: skip
    assert tt("backlog", "claim", first["uuid"][:8], "developer").code == 0
    second = tt("backlog", "list", "--json").data["tasks"][0]["id"]
    assert tt("backlog", "remove", second).lines == [f"Removed {second} from the backlog."]
    assert len(tt("backlog", "assign-all", "developer", "--json").data["assigned"]) == 1
    assert tt("backlog", "claim", second, "developer").code == 1


def test_messages_are_sent_and_shown_by_kind(yard: Yard, dev: Agent, tt: Tt) -> None:
    yard.agent("tester")
    assert tt("send", "developer", "Look", "--urgent").lines == [
        "🚨 Sent URGENT task message to 'developer'"
    ]
    assert tt("send", "developer", "Which?", "--query", "--from", "tester").lines == [
        "📤 Sent query message to 'developer' (from tester)"
    ]
    tt("send", "developer", f"FYI {NASTY}", "--info")
    tt("send", "developer", "rejected: slow", "--ack")
    ran = tt("inbox", "developer")
    assert ran.lines[:3] == [
        "Inbox of developer (idle): 4 messages (1 task, 1 query, 1 information, 1 confirmation)",
        "  [T] urgent supervisor: Look",
        "  [Q] tester: Which?",
    ]
    assert ran.lines[4] == "  [C] supervisor: rejected: slow"
    assert "\x1b" not in ran.out
    data = tt("inbox", "--all", "--json").data["inboxes"]
    assert {one["agent"]: len(one["messages"]) for one in data} == {
        "developer": 4, "tester": 0, "supervisor": 0,
    }  # fmt: skip
    assert tt("inbox", "--all", "developer").code == 2
    assert tt("inbox", "developer", "--clear").code == 2
    assert tt("send", "nobody", "x").code == 1


def test_of_many_messages_a_person_sees_the_newest_and_an_agent_those_it_begins_with(
    yard: Yard, dev: Agent, tt: Tt
) -> None:
    for number in range(12):
        for name in ("developer", "supervisor"):
            tt("send", name, f"News {number}", "--info")
    theirs, mine = tt("inbox", "developer").lines[1:], tt("inbox").lines[1:]
    assert (theirs[0], theirs[9]) == ("  [I] supervisor: News 0", "  [I] supervisor: News 9")
    assert theirs[10:] == ["  … and 2 more messages (tt -v inbox)"]
    assert mine[0] == "  … 2 older ones; `tt inbox --clear` shows all, and removes them"
    assert (mine[1], mine[10]) == ("  [I] supervisor: News 2", "  [I] supervisor: News 11")


def test_an_agent_sends_in_its_own_name(
    yard: Yard, dev: Agent, tt: Tt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINYTOWN_AGENT_ID", dev.uuid)
    assert tt("send", "supervisor", "Ready", "--info", "--json").data["from"] == dev.uuid
    assert tt("inbox").lines == ["Inbox of developer (idle): 0 messages"]
    assert tt("inbox", "supervisor").lines[1] == "  [I] developer: Ready"


# Agents, and what happened


def test_agents_are_listed_with_what_they_work_on(yard: Yard, dev: Agent, tt: Tt) -> None:
    yard.running(job(yard, "implement"), dev)
    ran = tt("list")
    assert ran.lines[0].startswith("developer  working  implement (running ")
    assert ran.lines[1] == "1 agent: 1 working"
    (found,) = tt("list", "--json").data["agents"]
    assert (found["name"], found["state"], found["work"][0]["id"]) == (
        "developer", "working", "implement",
    )  # fmt: skip
    assert dev.uuid in tt("-v", "list").out


def test_who_has_a_successor_of_the_same_name_is_listed_only_with_everything(
    yard: Yard, dev: Agent, tt: Tt
) -> None:
    yard.workshop.set_state(dev.uuid, AgentState.STOPPED, "asked to stop")
    assert tt("list").lines[-1] == "1 agent: 1 stopped"
    yard.agent("developer")
    for command in ("list", "status"):
        assert "1 agent: 1 idle" in tt(command).lines
    assert tt("-v", "list").lines[-1] == "2 agents: 1 idle, 1 stopped"
    assert len(tt("list", "--json").data["agents"]) == 2


def test_a_status_shows_agents_where_there_are_some(yard: Yard, tt: Tt) -> None:
    alone = tt("status")
    assert "agent" not in alone.out
    assert tt("status", "--json").data["agents"] == []
    yard.running(job(yard, "implement"), dev := yard.agent("developer"))
    yard.workshop.log(dev.uuid, f"Round 1 {NASTY}")
    ran = tt("status")
    assert [
        line for line in alone.lines if line.startswith(("Town", "Plan", "Redis"))
    ] == ran.lines[:3]
    assert "1 agent: 1 working" in ran.lines
    assert "Round 1" not in ran.out
    deep = tt("status", "--deep", "--tasks")
    assert "      1 message, 0 rounds" in deep.lines
    assert "running (1)" in deep.lines
    assert "\x1b" not in deep.out
    data = tt("status", "--deep", "--tasks", "--json").data
    assert data["agents"][0]["messages"] == 1
    assert {one["id"] for one in data["task_list"]} == {"epic", "design", "implement"}


def test_what_happened_is_told_in_words_and_as_events(yard: Yard, dev: Agent, tt: Tt) -> None:
    yard.running(job(yard, "implement"), dev)
    tt("task", "complete", "implement", "--result", f"All {NASTY} pass")
    yard.workshop.set_state(dev.uuid, AgentState.IDLE)
    ran = tt("history", "-n", "2")
    assert [line.split("UTC  ")[1][:30] for line in ran.lines] == [
        "developer  implement started", "developer  implement completed"[:30],
    ]  # fmt: skip
    assert "\x1b" not in ran.out
    ran = tt("events", "--count", "2", "--agent", "developer")
    assert ran.lines[0].endswith("[task_completed] agent:developer implement — Task completed")
    data = tt("events", "--json").data["events"]
    assert [one["kind"] for one in data][-3:-1] == ["task_started", "task_completed"]
    assert tt("events", "--agent", "nobody").code == 1


def test_recovery_by_hand_says_whom_it_found(yard: Yard, dev: Agent, tt: Tt) -> None:
    yard.running(job(yard, "implement"), dev)
    assert tt("recover").lines == ["No dead agents among 1 agent."]
    ran = tt("recover", "developer")
    assert ran.code == 1
    assert ran.lines[0] == "= developer is left alone: it shows signs of life"
    yard.connection.execute("DEL", yard.key(f"alive:{dev.uuid}"))
    ran = tt("recover", "developer", "--dry-run")
    assert ran.lines[-1] == "Would recover 1 agent, 1 task; nothing was changed."
    ran = tt("recover", "developer")
    assert ran.lines == [
        "- developer: somebody said so", "    implement is pending",
        "Recovered 1 agent, 1 task.",
    ]  # fmt: skip
    assert tt("prune").lines[-1] == "Removed 1 agent."
    assert tt("list").lines == [f"No agents in {TOWN}. `tt spawn NAME` starts one."]


def test_a_dead_process_on_this_machine_is_found_at_once(yard: Yard, tt: Tt) -> None:
    from tt.adapters.lives import born_of
    from tt.adapters.processes import this_host
    from tt.record import replace

    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        agent = yard.agent("developer")
        yard.connection.execute(
            "HSET", yard.key(f"agent:{agent.uuid}"), "run:host", this_host(),
            "run:pid", process.pid, "run:born", born_of(process.pid),
        )  # fmt: skip
        assert replace(agent).alive
        assert tt("recover").lines == ["No dead agents among 1 agent."]
        process.kill()
    ran = tt("recover")
    assert ran.lines[0] == f"- developer: its process {process.pid} is gone"


@pytest.mark.parametrize(
    "words",
    [
        ["--to-backlog", "--to", "a"], ["--cancel"], ["--delete"],
        ["--orphan-tasks", "--cancel", "--delete"], ["--orphan-tasks", "--from", "a"],
    ],
)  # fmt: skip
def test_a_reclaim_that_cannot_mean_anything_is_wrong_usage(
    yard: Yard, tt: Tt, words: list[str]
) -> None:
    assert tt("reclaim", *words).code == 2


def test_what_is_reclaimed_is_told(yard: Yard, dev: Agent, tt: Tt) -> None:
    assert tt("reclaim").lines == ["Nobody who is gone has any work."]
    yard.handed(job(yard, "implement"), dev)
    yard.connection.execute("HSET", yard.key(f"agent:{dev.uuid}"), "state", "stopped")
    assert tt("reclaim").lines[0] == "developer  implement  Implement profile endpoints"
    ran = tt("reclaim", "--orphan-tasks", "--to-backlog")
    assert ran.lines == [
        "developer  implement → backlog  Implement profile endpoints",
        "Reclaimed 1 piece of work.",
    ]
    assert tt("backlog", "list", "--json").data["tasks"][0]["id"] == "implement"
    assert tt("reclaim", "--json").data == {"reclaimed": [], "listed": True}


# A whole town


def test_a_reset_asks_saves_and_leaves_the_file_alone(
    yard: Yard, project: Path, dev: Agent, tt: Tt
) -> None:
    before, plan = yard.everything(), (project / "tasks.toml").read_bytes()
    ran = tt("reset")
    assert ran.code == 1
    assert ran.lines[-1] == "Nothing was removed. --force says that it is meant."
    assert yard.everything() == before
    ran = tt("reset", "--force")
    assert ran.code == 0
    assert ran.lines[2] == f"Reset {TOWN}: removed 1 agent, 3 tasks."
    assert (yard.everything(), (project / "tasks.toml").read_bytes()) == ({}, plan)
    ran = tt("restore", "--json")
    assert ran.data["keys"] == len(before)
    assert yard.everything() == before
    assert tt("restore").code == 1
    assert tt("restore", "--force").code == 0
    assert tt("sync", "--json").data["to_store"] == []


def test_where_there_is_nothing_to_remove_a_reset_says_so(yard: Yard, tt: Tt) -> None:
    ran = tt("reset", "--agents-only")
    assert (ran.code, ran.lines) == (
        0,
        [f"The town {TOWN} has no agents: there is nothing to remove."],
    )
    tt("reset", "--force")
    ran = tt("reset")
    assert (ran.code, ran.lines) == (0, [f"The town {TOWN} is empty: there is nothing to remove."])


def test_after_a_reset_a_sync_brings_the_plan_back(yard: Yard, tt: Tt) -> None:
    tt("task", "complete", "implement")
    assert tt("sync", "merge").code == 0
    assert tt("reset", "--force").code == 0
    assert tt("sync").code == 0
    states = {one.task.id: one.state for one in yard.workshop.board().jobs.values()}
    assert states == {"epic": "pending", "design": "completed", "implement": "completed"}


def test_a_reset_of_agents_leaves_the_tasks(yard: Yard, dev: Agent, tt: Tt) -> None:
    yard.running(job(yard, "implement"), dev)
    ran = tt("reset", "--agents-only", "--force", "--json")
    assert (ran.data["agents"], ran.data["given_back"]) == (1, 1)
    assert job(yard, "implement").state == "pending"


def test_on_a_terminal_a_reset_asks(yard: Yard, project: Path) -> None:
    for answer, empty in ((b"n\n", False), (b"y\n", True)):
        ours, theirs = pty.openpty()
        try:
            os.write(ours, answer)
            subprocess.run(
                [sys.executable, "-m", "tt", "reset"], cwd=project, stdin=theirs, check=False,
                capture_output=True, timeout=60, env={**os.environ, "PYTHONPATH": str(ROOT)},
            )  # fmt: skip
        finally:
            os.close(ours)
            os.close(theirs)
        assert (yard.everything() == {}) is empty


def test_a_town_is_saved_where_one_says(yard: Yard, tmp_path: Path, tt: Tt) -> None:
    path = tmp_path / "town.json"
    assert tt("save", str(path)).lines == [f"Saved {TOWN}: 4 keys in {path}"]
    assert json.loads(path.read_text())["town"] == TOWN
    assert tt("save", str(tmp_path)).code == 1


def test_a_start_starts_the_users_own_redis(
    project: Path, tt: Tt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    data = tt("start", "--json").data
    assert (data["town"], data["agents"], data["tasks"]) == (TOWN, 0, 0)
    assert tt("redis", "status").code == 0


def test_without_redis_each_command_says_so(project: Path, tt: Tt, tmp_path: Path) -> None:
    nowhere = f"unix://{tmp_path}/none"
    for words in (
        ["task", "complete", "implement"], ["list"], ["inbox"], ["events"], ["recover"],
        ["assign", "a", "b"], ["reset", "--force"], ["events", "--follow"],
    ):  # fmt: skip
        ran = tt("--redis", nowhere, *words)
        assert (ran.code, ran.out) == (4, ""), words
        assert ran.err.startswith("tt: "), words


def test_a_town_needs_neither_git_nor_a_plan(
    yard: Yard, tt: Tt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    monkeypatch.chdir(other)
    monkeypatch.setenv("TT_NAME", TOWN)
    assert tt("task", "complete", "implement").code == 0
    assert tt("task", "list").lines[-1].startswith("3 tasks")


# Following


class Follower:
    """`tt events --follow` as a process of its own."""

    def __init__(self, project: Path, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "tt", "events", "--follow", *words],
            cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def end(self) -> tuple[int, str, str]:
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err


@pytest.fixture
def follow(project: Path) -> Iterator[Callable[..., Follower]]:
    started: list[Follower] = []

    def begin(*words: str) -> Follower:
        started.append(Follower(project, *words))
        return started[-1]

    yield begin
    for one in started:
        one.process.kill()
        one.process.communicate()


def test_events_are_followed_as_they_happen_until_ctrl_c(
    yard: Yard, follow: Callable[..., Follower]
) -> None:
    yard.workshop.tell("first", "old")
    following = follow("--count", "1")
    assert following.line().endswith("[first] town — old")
    yard.workshop.tell("second", "new")
    assert following.line().endswith("[second] town — new")
    yard.workshop.tell("third", "newer")
    assert following.line().endswith("[third] town — newer")
    assert following.end() == (0, "", "")


def test_an_agents_events_are_followed_as_documents(
    yard: Yard, dev: Agent, follow: Callable[..., Follower]
) -> None:
    following = follow("--agent", "developer", "--json", "--count", "1")
    first: dict[str, Any] = json.loads(following.line())
    assert first["data"]["kind"] == "agent_spawned"
    yard.workshop.tell("other", "not its own")
    yard.handed(job(yard, "implement"), dev)
    second = json.loads(following.line())
    assert (second["schema_version"], second["data"]["kind"]) == (1, "task_assigned")
    assert (second["data"]["agent"], second["data"]["task"]) == ("developer", "implement")


def test_nobody_asks_while_nothing_happens(yard: Yard, follow: Callable[..., Follower]) -> None:
    yard.workshop.tell("first", "x")
    following = follow("--count", "1")
    following.line()

    def idle() -> int:
        """Return for how many seconds nobody but we has asked anything."""
        clients = cast("bytes", yard.connection.execute("CLIENT", "LIST")).decode().splitlines()
        others = [line for line in clients if "cmd=client" not in line or "tt-watch" in line]
        assert len(others) == 2
        return min(int(line.partition(" idle=")[2].partition(" ")[0]) for line in others)

    wait_until(lambda: idle() >= 3, "both connections to be silent")
    assert following.end()[0] == 0


def loaded(server: RedisServer) -> bool:
    try:
        server.connect().close()
    except StoreError:
        return False
    return True


def test_a_server_that_went_away_is_waited_for(
    project: Path, follow: Callable[..., Follower], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.support.redis_server import ENGINES

    with launcher(ENGINES["valkey"]()) as launch:
        own = launch("--appendonly", "yes", "--appendfsync", "always")
        monkeypatch.setenv("REDIS_URL", own.url)
        with own.connect() as connection:
            Yard(TOWN, connection).workshop.tell("first", "x")
        following = follow("--count", "1")
        assert following.line().endswith("[first] town — x")
        own.stop()
        assert following.process.stderr is not None
        assert "Waiting for it." in following.process.stderr.readline()
        own.start()
        wait_until(lambda: loaded(own), "the server to have loaded its data")
        with own.connect() as connection:
            Yard(TOWN, connection).workshop.tell("second", "y")
        assert following.line().endswith("[second] town — y")
        assert following.end()[0] == 0


# Completion


def test_agents_are_completed_from_redis_and_the_plan(yard: Yard, tt: Tt) -> None:
    from click.testing import CliRunner

    from tt.cli.root import cli

    yard.agent("designer")
    runner = CliRunner(env={"COMP_WORDS": "tt assign d", "COMP_CWORD": "2",
                            "_TT_COMPLETE": "bash_complete"})  # fmt: skip
    done = runner.invoke(cli, prog_name="tt")
    names = {line.partition(",")[2] for line in done.output.splitlines()}
    assert names == {"designer", "developer"}
