"""`tt sync` and what belongs to it, against the built-in server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import PLAN, Ran
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.home import ServerHome
from tt.adapters.redis.ondemand import OnDemand
from tt.bootstrap import open_project
from tt.cli.root import run as run_click
from tt.cli.syncing import understood
from tt.core.ids import task_uuid

Tt = Callable[..., Ran]


def agent_writes(home: Path, task: str, **fields: str) -> None:
    """Change a task in Redis as an agent does, by plain writes to its hash."""
    pairs = [part for pair in fields.items() for part in pair]
    with Connection.open(ServerHome(home / ".tt").address) as redis:
        keys = redis.execute("KEYS", "tt:*:task:*")
        assert isinstance(keys, list)
        (key,) = [key for key in keys if _tags(redis, key) == f"plan:{task}"]
        redis.execute("HSET", key, *pairs)


def _tags(redis: Connection, key: object) -> str:
    reply = redis.execute("HGET", key, "tags")  # type: ignore[arg-type]
    assert isinstance(reply, bytes)
    return next(word for word in reply.decode().split('"') if word.startswith("plan:"))


def edit(project: Path, old: str, new: str) -> None:
    path = project / "tasks.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_a_push_prints_the_documented_line_and_then_what_changed(tt: Tt, project: Path) -> None:
    ran = tt("sync")
    assert (ran.code, ran.err) == (0, "")
    assert ran.lines[0] == "⬆️  Pushed 3 tasks from tasks.toml to Redis"
    assert "  + implement  Implement profile endpoints" in ran.lines


def test_a_sync_with_nothing_to_do_is_one_line_and_writes_nothing(tt: Tt, project: Path) -> None:
    tt("sync")
    before = (project / "tasks.toml").stat()
    for direction, first in (
        ("push", "⬆️  Pushed 3 tasks from tasks.toml to Redis"),
        ("pull", "⬇️  Pulled 3 tasks from Redis to tasks.toml"),
        ("merge", "🔄  Merged 3 tasks of tasks.toml and Redis"),
    ):
        assert tt("sync", direction).out == f"{first}\n"
    after = (project / "tasks.toml").stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)


def test_a_merge_brings_what_agents_did(tt: Tt, project: Path, own_home: Path) -> None:
    tt("sync")
    agent_writes(own_home, "implement", state="running")
    edit(project, "Design profile API schema", "Design it")
    assert tt("sync", "merge").lines == [
        "🔄  Merged 3 tasks of tasks.toml and Redis",
        "  tasks.toml → Redis: 1 changed",
        '  ~ design  description: "Design profile API schema" → "Design it"',
        "  Redis → tasks.toml: 1 changed",
        "  ~ implement  status: pending → running",
    ]
    assert 'status = "running"' in (project / "tasks.toml").read_text()


def test_a_dry_run_writes_neither_side(tt: Tt, project: Path) -> None:
    ran = tt("sync", "merge", "--dry-run")
    assert ran.lines[0].startswith("🔄  Would merge")
    assert tt("sync", "--dry-run", "--json").data["dry_run"] is True
    assert tt("towns").out.startswith("No towns at ")


def conflict(tt: Tt, project: Path, home: Path) -> None:
    tt("sync")
    agent_writes(home, "implement", description="said by Redis")
    edit(project, "Implement profile endpoints", "said by the file")


def test_conflicts_end_with_code_3_and_are_told_until_they_are_resolved(
    tt: Tt, project: Path, own_home: Path
) -> None:
    conflict(tt, project, own_home)
    for command in (["sync"], ["sync", "merge"], ["conflicts"]):
        ran = tt(*command)
        assert ran.code == 3
        assert '    description  Redis       "said by Redis"' in ran.lines
        assert "    keep one:  tt resolve implement --file  or  tt resolve implement --store" in (
            ran.lines
        )
    assert tt("status").code == 0
    assert tt("conflicts", "--json").data["conflicts"][0]["file"] == "said by the file"
    assert tt("resolve", "implement", "--store").code == 0
    assert "said by Redis" in (project / "tasks.toml").read_text()
    assert tt("conflicts").out == "No conflicts.\n"
    assert tt("conflicts").code == 0


def test_a_resolve_needs_a_side_and_a_conflict(tt: Tt, project: Path, own_home: Path) -> None:
    conflict(tt, project, own_home)
    assert tt("resolve", "implement").code == 2
    unknown = tt("resolve", "implemnt", "--file")
    assert unknown.code == 1
    assert "implement" in unknown.err
    assert tt("resolve", "implement", "--file").code == 0
    assert "said by the file" in (project / "tasks.toml").read_text()


def test_a_sync_is_listed_and_can_be_taken_back(tt: Tt, project: Path) -> None:
    tt("sync")
    edit(project, 'status = "pending"', 'status = "completed"')
    tt("sync")
    newest, first = tt("sync", "log", "--json").data["syncs"]
    assert newest["to_store"] == [
        {
            "change": "edited",
            "id": "implement",
            "field": "status",
            "old": "pending",
            "new": "completed",
        }
    ]
    assert tt("sync", "log").lines[0].startswith(newest["name"])
    assert len(tt("sync", "log", "--limit", "1", "--json").data["syncs"]) == 1
    ran = tt("undo", newest["name"])
    assert ran.code == 0
    assert "  on both sides: 1 changed" in ran.lines
    assert (project / "tasks.toml").read_text() == PLAN
    assert tt("undo", first["name"]).code == 1


def test_an_undo_that_something_newer_stands_on_is_refused(tt: Tt, project: Path) -> None:
    tt("sync")
    edit(project, "Design profile API schema", "first")
    tt("sync")
    edit(project, "first", "second")
    ran = tt("undo")
    assert ran.code == 1
    assert "newer changes" in ran.lines[0]
    assert "second" in (project / "tasks.toml").read_text()


def test_the_log_takes_no_options_of_a_sync(tt: Tt, project: Path) -> None:
    assert tt("sync", "log", "--force").code == 2


def test_a_finished_task_is_opened_again_on_both_sides(tt: Tt, project: Path) -> None:
    tt("sync")
    assert tt("reopen", "design").lines == ["~ design  status: completed → pending"]
    assert 'status = "completed"' not in (project / "tasks.toml").read_text()
    assert tt("sync", "--dry-run", "--json").data["to_store"] == []
    assert tt("reopen", "design").out == "design is pending already.\n"
    assert tt("reopen", "desing").code == 1


def test_copies_of_tasks_that_another_tool_made_are_removed_when_asked(
    tt: Tt, project: Path
) -> None:
    tt("sync")
    assert tt("dedupe").out == "Every task is in Redis once.\n"
    with open_project(str(project), {}) as opened:
        copy_task(opened.connection, opened.town, "design")
    assert "1 more copy of 1 task" in tt("sync").out
    assert tt("dedupe", "--dry-run").lines[0] == "Would remove 1 copy:"
    assert tt("dedupe", "--json").data["removed"] == 1
    assert tt("sync").lines == ["⬆️  Pushed 3 tasks from tasks.toml to Redis"]


def copy_task(connection: OnDemand, town: str, task: str) -> None:
    """Write a task a second time under a uuid of its own, as tinytown's push does."""
    uuid = "0b8e4a52-7f0e-4c7e-9c55-0a8f6a2d1c11"
    key = f"tt:{town}:task:"
    flat = connection.execute("HGETALL", key + task_uuid(town, task))
    assert isinstance(flat, list)
    fields = dict(zip(flat[::2], flat[1::2], strict=True)) | {b"id": uuid.encode()}
    connection.execute("HSET", key + uuid, *[word for pair in fields.items() for word in pair])


def test_status_tells_the_town_and_the_drift(tt: Tt, project: Path) -> None:
    tt("sync")
    edit(project, 'status = "pending"', 'status = "completed"')
    ran = tt("status")
    assert ran.code == 0
    assert ran.lines[0] == "Town   shop-main (branch main)"
    assert "tasks.toml has what Redis has not (tt sync): 1 changed" in ran.lines
    data = tt("status", "--json").data
    assert (data["town"], data["tasks"], data["by_status"]["completed"]) == ("shop-main", 3, 2)
    assert data["groups"]["epic"]["done"] == 2
    assert "plan" not in data


def test_without_redis_status_tells_the_files_side_and_ends_with_4(tt: Tt, project: Path) -> None:
    ran = tt("--redis", "redis://127.0.0.1:1", "status")
    assert ran.code == 4
    assert "3 tasks: 2 pending, 1 completed" in ran.lines
    assert "127.0.0.1:1" in ran.out
    assert tt("--redis", "redis://127.0.0.1:1", "status", "--json").data["store_error"]


@pytest.mark.parametrize("command", ["sync", "conflicts", "towns"])
def test_without_redis_commands_end_with_4_and_one_sentence(
    tt: Tt, project: Path, command: str
) -> None:
    ran = tt("--redis", "redis://:hunter2@127.0.0.1:1", command, "--json")
    assert ran.code == 4
    assert ran.json["error"]["exit_code"] == 4
    assert "127.0.0.1:1" in ran.err
    assert "hunter2" not in ran.err + ran.out


def test_commands_that_need_no_redis_work_without_one(tt: Tt, project: Path) -> None:
    for command in (["plan"], ["check"], ["prime"], ["config"], ["sync", "log"]):
        assert tt("--redis", "redis://127.0.0.1:1", *command).code == 0


def test_towns_are_listed_with_the_one_of_this_directory_marked(tt: Tt, project: Path) -> None:
    tt("sync")
    tt("--name", "other", "sync")
    lines = tt("towns").lines
    assert lines[1:] == [
        "  other      3 tasks  branch main",
        "* shop-main  3 tasks  branch main",
    ]
    found = tt("towns", "--json").data["towns"]
    assert [town["name"] for town in found] == ["other", "shop-main"]


def test_the_built_in_server_is_looked_after(tt: Tt, project: Path) -> None:
    assert "does not run" in tt("redis", "status").lines[0]
    assert tt("redis", "stop").out == "Redis did not run.\n"
    assert tt("redis", "start").out.startswith("Redis runs at unix:///")
    tt("sync")
    status = tt("redis", "status", "--json").data
    assert status["running"] is True
    assert tt("redis", "restart").code == 0
    assert tt("sync", "--dry-run", "--json").data["to_store"] == []
    assert tt("redis", "stop").out == "Redis is stopped.\n"


def test_who_uses_another_redis_is_reminded(tt: Tt, project: Path) -> None:
    ran = tt("--redis", "redis://:pw@db:7", "redis", "status")
    assert ran.lines[-1] == "This project uses another: redis://db:7 (see `tt config`)"


def test_a_sync_works_without_git(tt: Tt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tasks.toml").write_text(PLAN)
    monkeypatch.chdir(tmp_path)
    assert tt("sync").code == 0
    edit(tmp_path, "Design profile API schema", "Design it")
    assert tt("sync").lines[1:] == [
        '  ~ design  description: "Design profile API schema" → "Design it"'
    ]
    assert tt("undo").code == 0
    assert (tmp_path / "tasks.toml").read_text() == PLAN


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["push"],
        ["pull"],
        ["merge", "--json"],
        ["--dry-run", "pull"],
        ["--json", "--reset", "push", "--force"],
        ["--dry-run", "--dry-run"],
    ],
)
def test_the_way_around_click_means_what_click_means(
    tt: Tt,
    project: Path,
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    called: list[tuple[object, ...]] = []

    def note(flags: object, what: str, wanted: set[str], as_json: bool) -> int:
        called.append((flags, what, wanted, as_json))
        return 0

    monkeypatch.setattr("tt.cli.sync.run_sync", note)
    run_click(["sync", *words])
    assert called == [understood(words)]


@pytest.mark.parametrize(
    "words",
    [
        ["log"],
        ["push", "pull"],
        ["--limit", "3"],
        ["--jso"],
        ["--help"],
        ["-n3"],
        ["--json=1"],
        [""],
    ],
)
def test_every_other_command_line_is_left_to_click(words: list[str]) -> None:
    assert understood(words) is None


def test_run_fields_come_into_the_file_where_the_project_asks_for_them(
    tt: Tt, project: Path, own_home: Path
) -> None:
    (project / "tinytown.toml").write_text('[sync]\nfields = ["result"]\n')
    tt("sync")
    agent_writes(own_home, "implement", state="completed", result="all done")
    assert tt("sync", "merge").code == 0
    assert 'result = "all done"' in (project / "tasks.toml").read_text()


def test_the_guard_against_mass_deletion_is_set_by_the_project_and_lifted_by_force(
    tt: Tt, project: Path
) -> None:
    plan = project / "tasks.toml"
    tasks = [f'[[tasks]]\nid = "t{number}"\ndescription = "x"\n' for number in range(12)]
    plan.write_text("".join(tasks))
    tt("sync")
    (project / "tinytown.toml").write_text("[sync]\nmax_delete = 2\n")
    plan.write_text("".join(tasks[3:]))
    refused = tt("sync")
    assert refused.code == 1
    assert "3 of the 12 tasks" in refused.err
    assert "--force" not in refused.err
    assert tt("sync", "--force").lines[0] == "⬆️  Pushed 9 tasks from tasks.toml to Redis"


def test_another_file_can_be_the_plan(tt: Tt, project: Path) -> None:
    (project / "plans").mkdir()
    (project / "tasks.toml").rename(project / "plans" / "q1.toml")
    (project / "tinytown.toml").write_text('[sync]\nfile = "plans/q1.toml"\n')
    assert tt("sync").lines[0] == "⬆️  Pushed 3 tasks from plans/q1.toml to Redis"


def test_a_sync_without_a_plan_leaves_nothing_behind(
    tt: Tt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = tt("sync")
    assert ran.code == 1
    assert ran.err.startswith("tt: There is no tasks.toml here.")
    assert not (tmp_path / ".tt").exists()


def test_who_waits_for_the_lock_can_read_which_command_has_it(tt: Tt, project: Path) -> None:
    tt("sync")
    assert (project / ".git" / "tt" / "lock").read_text().endswith(": tt sync")
    tt("-v", "reopen", "design")
    assert (project / ".git" / "tt" / "lock").read_text().endswith(": tt reopen")
