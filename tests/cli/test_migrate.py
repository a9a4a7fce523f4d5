"""`tt migrate`: what tinytown wrote before there were towns, taken over on a real server."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Ran
from tests.support import dying
from tests.support.commands import texts
from tests.support.redis_server import ENGINES, RedisServer, launcher
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.keys import TownKeys
from tt.adapters.redis.oldkeys import RedisOldKeys
from tt.core.oldtext import hash_fields

Tt = Callable[..., Ran]
ROOT = Path(__file__).resolve().parents[2]
TOWN = "shop-main"
NASTY = "\x1b[2J\u202e"
AGENT = "9b616c0f-8c11-4374-8ba3-cb9f695b1d7e"
SCHEMA, LOGIN, EPIC = (f"740b4156-cdb1-405d-a113-d6f3b68869f{digit}" for digit in "abc")
SUPERVISOR = "00000000-0000-0000-0000-000000000001"
NOW = "2026-02-03T04:05:06.123456789Z"


def a_task(uuid: str, description: str, **fields: object) -> dict[str, object]:
    """Return a task field for field as tinytown wrote it before there were towns."""
    return {
        "id": uuid, "description": description, "state": "pending", "assigned_to": None,
        "created_at": NOW, "updated_at": NOW, "completed_at": None, "result": None,
        "parent_id": None, "tags": [], **fields,
    }  # fmt: skip


TASKS = {
    SCHEMA: a_task(SCHEMA, "Design the schema", state="running", assigned_to=AGENT),
    LOGIN: a_task(
        LOGIN, "Implement the login form", state="completed", assigned_to=AGENT,
        completed_at=NOW, result="Works", tags=["backend", "p1"],
    ),
    EPIC: a_task(EPIC, "Write “docs”", tags=["plan:docs"], estimate=3),
}  # fmt: skip
ARCHITECT = {
    "id": AGENT, "name": "architect", "agent_type": "worker", "state": "working", "cli": "claude",
    "current_task": SCHEMA, "created_at": NOW, "last_heartbeat": NOW, "tasks_completed": 2,
    "rounds_completed": 7,
}  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with launcher(ENGINES["valkey"]()) as launch:
        yield launch()


@pytest.fixture
def redis(
    server: RedisServer, project: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Connection]:
    """A server as tinytown left it before there were towns."""
    monkeypatch.setenv("REDIS_URL", server.url)
    with Connection.open(server.address, 10) as connection:
        connection.execute("FLUSHALL")
        fill(connection)
        yield connection


def fill(connection: Connection) -> None:
    for uuid, fields in TASKS.items():
        connection.execute("SET", f"tt:task:{uuid}", compact(fields))
    connection.execute("SET", f"tt:agent:{AGENT}", compact(ARCHITECT))
    message = {
        "id": EPIC, "from": SUPERVISOR, "to": AGENT, "type": "query", "question": "How far?",
        "priority": "normal", "created_at": NOW, "correlation_id": None,
    }  # fmt: skip
    connection.execute("RPUSH", f"tt:inbox:{AGENT}", compact(message))
    connection.execute("RPUSH", f"tt:urgent:{AGENT}", compact({**message, "priority": "urgent"}))
    connection.execute("LPUSH", f"tt:activity:{AGENT}", "Round 7: done")
    connection.execute("SET", f"tt:stop:{AGENT}", "1", "EX", 3600)
    connection.execute("RPUSH", "tt:backlog", EPIC)


def compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def everything(connection: Connection) -> dict[str, object]:
    """Return all keys with their serialised values, whatever they are."""
    names = sorted(texts(connection, "KEYS", "*"))
    return {name.decode(): connection.execute("DUMP", name) for name in names}


def raw(connection: Connection, key: str) -> dict[str, str]:
    flat = [part.decode() for part in texts(connection, "HGETALL", key)]
    return dict(zip(flat[::2], flat[1::2], strict=True))


def done(ran: Ran) -> list[str]:
    assert (ran.code, ran.err) == (0, ""), ran
    return ran.lines


def test_after_both_halves_every_command_shows_what_was_there(
    redis: Connection, project: Path, tt: Tt
) -> None:
    kinds = "1 agent, 1 inbox, 1 inbox of urgent messages, 1 activity log, 1 stop flag, 3 tasks"
    assert done(tt("migrate", "--force")) == [
        f"Renamed to {TOWN}: {kinds} and the backlog.",
        f"Left to do: 4 keys of {TOWN} with JSON; `tt migrate --hash` makes hashes of it.",
    ]
    assert done(tt("migrate", "--hash", "--force")) == [
        f"Made hashes in {TOWN}: 1 agent and 3 tasks."
    ]
    listed = {
        one["description"]: (one["status"], one.get("agent"))
        for one in tt("task", "list", "--json").data["tasks"]
    }
    assert listed == {
        "Design the schema": ("running", "architect"),
        "Implement the login form": ("completed", "architect"),
        "Write “docs”": ("pending", None),
    }
    (agent,) = tt("list", "--json").data["agents"]
    assert (agent["name"], agent["state"], agent["rounds_completed"]) == ("architect", "working", 7)
    assert [one["id"] for one in tt("backlog", "list", "--json").data["tasks"]] == ["docs"]
    assert len(tt("inbox", "architect", "--json").data["messages"]) == 2
    done(tt("sync", "pull"))
    plan = tomllib.loads((project / "tasks.toml").read_text())["tasks"]
    found = {one["description"]: {**one, "id": ""} for one in plan[3:]}
    assert plan[-1] == {"id": "docs", "description": "Write “docs”", "status": "pending"}
    assert found["Design the schema"].items() >= {"agent": "architect", "status": "running"}.items()
    assert found["Implement the login form"] == {
        "id": "", "description": "Implement the login form", "agent": "architect",
        "status": "completed", "tags": ["backend", "p1"],
    }  # fmt: skip
    done(tt("sync"))
    assert tt("sync", "--json").data["to_store"] == []


def test_no_field_is_lost_and_what_is_null_is_not_there(redis: Connection, tt: Tt) -> None:
    done(tt("migrate", "--force"))
    done(tt("migrate", "--hash", "--force"))
    assert raw(redis, f"tt:{TOWN}:task:{EPIC}") == {
        "id": EPIC, "description": "Write “docs”", "state": "pending", "created_at": NOW,
        "updated_at": NOW, "tags": '["plan:docs"]', "estimate": "3",
    }  # fmt: skip
    told = {name: str(value) for name, value in ARCHITECT.items()}
    assert raw(redis, f"tt:{TOWN}:agent:{AGENT}") == told


def test_twice_is_once(redis: Connection, tt: Tt) -> None:
    done(tt("migrate", "--force"))
    done(tt("migrate", "--hash", "--force"))
    before = everything(redis)
    lines = done(tt("migrate"))
    assert lines[0].startswith("Every key of tinytown's in unix://")
    assert lines[0].endswith("has a town: there is nothing to migrate.")
    assert done(tt("migrate", "--hash")) == [
        f"Every agent and task of {TOWN} is a hash: there is nothing to convert."
    ]
    assert everything(redis) == before


def test_the_second_half_alone_names_the_first(redis: Connection, tt: Tt) -> None:
    assert done(tt("migrate", "--hash"))[1:] == [
        "Left to do: 9 keys without a town; `tt migrate` gives this one's name."
    ]


@pytest.mark.parametrize("hashes", [(), ("--hash",)])
def test_a_dry_run_shows_and_writes_nothing(
    redis: Connection, tt: Tt, hashes: tuple[str, ...]
) -> None:
    if hashes:
        done(tt("migrate", "--force"))
    before = everything(redis)
    lines = done(tt("migrate", "--dry-run", "--force", *hashes))
    if hashes:
        assert lines[0] == f"Would make hashes in {TOWN}: 1 agent and 3 tasks."
        assert lines[1] == f"  tt:{TOWN}:agent:{AGENT}"
    else:
        assert lines[0].startswith(f"Would rename to {TOWN}: 1 agent, 1 inbox,")
        assert lines[1] == f"  tt:agent:{AGENT} → tt:{TOWN}:agent:{AGENT}"
        assert lines[-1] == f"  tt:backlog → tt:{TOWN}:backlog"
    assert everything(redis) == before
    data = tt("migrate", "--dry-run", "--json", *hashes).data
    assert (data["dry_run"], data["done"], data["left"]) == (True, False, [])
    assert len(data["keys"]) == (4 if hashes else 9)
    assert everything(redis) == before


def test_a_long_list_is_cut_unless_all_is_asked_for(redis: Connection, tt: Tt) -> None:
    redis.pipeline(("SET", f"tt:task:{number:08x}{SCHEMA[8:]}", "x") for number in range(30))
    lines = done(tt("migrate", "--dry-run"))
    assert (len(lines), lines[-1]) == (22, "  … and 19 more; `tt -v` shows all.")
    assert len(done(tt("-v", "migrate", "--dry-run"))) == 40


@pytest.mark.parametrize("hashes", [(), ("--hash",)])
def test_nothing_happens_unless_somebody_says_that_it_is_meant(
    redis: Connection, tt: Tt, hashes: tuple[str, ...]
) -> None:
    if hashes:
        done(tt("migrate", "--force"))
    before = everything(redis)
    ran = tt("migrate", *hashes)
    assert (ran.code, ran.err) == (1, "")
    assert ran.lines[0].startswith(f"Converting {TOWN} in" if hashes else f"Migrating to {TOWN} in")
    assert ran.lines[-1] == "Nothing was migrated. --force says that it is meant."
    ran = tt("migrate", "--json", *hashes)
    assert (ran.code, ran.data["done"], len(ran.data["keys"])) == (1, False, 4 if hashes else 9)
    assert everything(redis) == before


@pytest.mark.parametrize(("said", "code", "moved"), [("n", 1, False), ("y", 0, True)])
def test_on_a_terminal_it_asks(
    redis: Connection, project: Path, said: str, code: int, moved: bool
) -> None:
    outer, inner = pty.openpty()
    try:
        os.write(outer, f"{said}\n".encode())
        ended = subprocess.run(
            [sys.executable, "-m", "tt", "migrate"], cwd=project, stdin=inner, check=False,
            capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=60,
        )  # fmt: skip
    finally:
        os.close(outer)
        os.close(inner)
    assert ended.returncode == code
    assert "Rename them in Redis? [y/N]" in ended.stderr
    assert ("Nothing was migrated.\n" in ended.stdout) is not moved
    assert (f"tt:agent:{AGENT}" not in everything(redis)) is moved


def test_what_has_its_new_name_taken_stays_and_is_told(redis: Connection, tt: Tt) -> None:
    redis.execute("RPUSH", f"tt:{TOWN}:backlog", SCHEMA)
    redis.execute("HSET", f"tt:{TOWN}:task:{LOGIN}", "id", LOGIN)
    mine = {name: everything(redis)[name] for name in ("tt:backlog", f"tt:{TOWN}:backlog")}
    ran = tt("migrate", "--force")
    assert (ran.code, ran.err) == (1, "")
    assert ran.lines[1:4] == [
        f"= tt:task:{LOGIN} stays: tt:{TOWN}:task:{LOGIN} is there already",
        f"= tt:backlog stays: tt:{TOWN}:backlog is there already",
        "What stays is as it was: look at it, and run this again.",
    ]
    assert everything(redis).items() >= mine.items()
    again = tt("migrate", "--force", "--json")
    assert (again.code, again.data["keys"], again.data["done"]) == (1, [], False)
    assert [one["why"] for one in again.data["left"]] == [
        f"tt:{TOWN}:task:{LOGIN} is there already", f"tt:{TOWN}:backlog is there already",
    ]  # fmt: skip


def test_what_is_no_json_stays_and_is_told(redis: Connection, tt: Tt) -> None:
    done(tt("migrate", "--force"))
    redis.execute("SET", f"tt:{TOWN}:task:{LOGIN}", f"not json {NASTY}")
    redis.execute("SET", f"tt:{TOWN}:task:{SCHEMA}", compact({**TASKS[SCHEMA], "id": NASTY}))
    redis.execute("DEL", f"tt:{TOWN}:agent:{AGENT}")
    redis.execute("RPUSH", f"tt:{TOWN}:agent:{AGENT}", NASTY)
    before = everything(redis)
    ran = tt("migrate", "--hash", "--force")
    assert (ran.code, ran.err, "\x1b" in ran.out) == (1, "", False)
    assert ran.lines == [
        f"Made hashes in {TOWN}: 1 task.",
        f"= tt:{TOWN}:agent:{AGENT} stays: it is a list, and no JSON",
        f"= tt:{TOWN}:task:{SCHEMA} stays: its `id` is not the uuid of its key",
        f"= tt:{TOWN}:task:{LOGIN} stays: it is no JSON object",
        "What stays is as it was: look at it, and run this again.",
    ]
    changed = f"tt:{TOWN}:task:{EPIC}"
    assert {**everything(redis), changed: before[changed]} == before


@pytest.mark.parametrize("hashes", [(), ("--hash",)])
def test_the_town_of_another_repository_gets_nothing(
    redis: Connection, tt: Tt, hashes: tuple[str, ...]
) -> None:
    redis.execute("HSET", f"tt:{TOWN}:plan", "repo", "somebody else", "branch", "main")
    before = everything(redis)
    ran = tt("migrate", "--force", *hashes)
    assert (ran.code, ran.out) == (4, "")
    assert "belongs to another repository" in ran.err
    assert everything(redis) == before


def test_other_towns_keep_what_they_have(redis: Connection, tt: Tt) -> None:
    others = {f"tt:task:task:{SCHEMA}", "tt:task:plan", f"tt:{TOWN}-2:task:{SCHEMA}", "tt:task:x"}
    for key in others:
        redis.execute("SET", key, compact(TASKS[SCHEMA]))
    kept = {key: value for key, value in everything(redis).items() if key in others}
    done(tt("migrate", "--force"))
    done(tt("migrate", "--hash", "--force"))
    assert everything(redis).items() >= kept.items()


def test_on_a_cluster_it_says_what_to_do_instead(
    project: Path, tt: Tt, cluster_ports: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", f"redis+cluster://:hunter2@127.0.0.1:{cluster_ports[0]}")
    monkeypatch.setenv("TT_NAME", "{shop}-main")
    for how in ("--force", "--dry-run"):
        ran = tt("migrate", how)
        assert (ran.code, ran.out) == (4, "")
        assert "is a cluster, where no key can be given another name in one step" in ran.err
        assert "`tt --redis URL save FILE`,\n    and `tt restore FILE` here." in ran.err
    assert done(tt("migrate", "--hash")) == [
        "Every agent and task of {shop}-main is a hash: there is nothing to convert."
    ]


def test_what_a_cluster_refuses_is_restored_there_from_elsewhere(
    redis: Connection, server: RedisServer, project: Path, tt: Tt, tmp_path: Path,
    cluster_ports: list[int], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The way that the refusal names leads there."""
    url = f"redis+cluster://:hunter2@127.0.0.1:{cluster_ports[0]}"
    monkeypatch.setenv("REDIS_URL", url)
    monkeypatch.setenv("TT_NAME", "{shop}-main")
    save = str(tmp_path / "town.json")
    done(tt("--redis", server.url, "migrate", "--force"))
    done(tt("--redis", server.url, "save", save))
    done(tt("restore", "--force", save))
    done(tt("migrate", "--hash", "--force"))
    try:
        assert [one["name"] for one in tt("list", "--json").data["agents"]] == ["architect"]
    finally:
        done(tt("reset", "--force"))


@pytest.mark.parametrize("moved", range(10))
def test_what_was_begun_is_finished_by_the_next_run(redis: Connection, tt: Tt, moved: int) -> None:
    """The server does one key after the other, and may be reached by any number of them."""
    done(tt("migrate", "--force"))
    done(tt("migrate", "--hash", "--force"))
    whole = everything(redis)
    redis.execute("FLUSHALL")
    fill(redis)
    old = RedisOldKeys(redis, TownKeys(TOWN))
    old.rename(old.names()[:moved])
    found = [(one, hash_fields(one.text, one.key[-36:], one.kind)) for one in old.texts()]
    old.convert(found[: moved // 2])
    done(tt("migrate", "--force"))
    done(tt("migrate", "--hash", "--force"))
    assert everything(redis) == whole


@pytest.mark.parametrize("hashes", [(), ("--hash",)])
def test_killed_at_any_point_a_second_run_finishes(
    redis: Connection, project: Path, tt: Tt, hashes: tuple[str, ...]
) -> None:
    done(tt("migrate", "--force"))
    done(tt("migrate", "--hash", "--force"))
    whole, killed = everything(redis), 0
    for step in range(1, 200, 5):
        redis.execute("FLUSHALL")
        fill(redis)
        if hashes:
            done(tt("migrate", "--force"))
        ended = subprocess.run(
            [sys.executable, dying.__file__, str(step), "migrate", "--force", *hashes],
            cwd=project, check=False, capture_output=True, timeout=60,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        done(tt("migrate", "--force"))
        done(tt("migrate", "--hash", "--force"))
        assert everything(redis) == whole
        if ended.returncode == 0:
            break
        killed += 1
    assert ended.returncode == 0
    assert killed > 3
