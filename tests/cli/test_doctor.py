"""`tt doctor`: it finds what is wrong, says what to do, and changes nothing."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

import pytest

from tests.cli.conftest import PLAN, Ran
from tests.support.git_repos import git
from tests.support.redis_server import ENGINES, Launch, launcher
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.home import ServerHome

Tt = Callable[..., Ran]
NOBODY = "redis://127.0.0.1:1"


@pytest.fixture
def launch() -> Iterator[Launch]:
    """Start servers with options of the test's own."""
    with launcher(ENGINES["valkey"]()) as start:
        yield start


def findings(ran: Ran) -> dict[str, tuple[str, str]]:
    """Return state and message of each check; of several under one name, the worst."""
    worst = {"ok": 0, "warn": 1, "fail": 2}
    found: dict[str, tuple[str, str]] = {}
    for one in ran.data["findings"]:
        before = found.get(one["check"])
        if before is None or worst[one["state"]] > worst[before[0]]:
            found[one["check"]] = (one["state"], one["message"])
    return found


def look(tt: Tt, *before: str) -> dict[str, tuple[str, str]]:
    return findings(tt(*before, "doctor", "--json"))


def own_program(directory: Path, said: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a program called `tt` first on the PATH."""
    directory.mkdir()
    program = directory / "tt"
    program.write_text(f"#!/bin/sh\necho '{said}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}{os.pathsep}{os.environ['PATH']}")
    return program


@pytest.fixture
def healthy(tt: Tt, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with everything as it should be."""
    program = own_program(tmp_path / "bin", "tt", monkeypatch)
    monkeypatch.setattr("sys.argv", [str(program)])
    assert tt("init").code == 0
    assert tt("sync").code == 0
    assert tt("hooks", "install").code == 0
    git(project, "add", ".")
    git(project, "-c", "core.hooksPath=/dev/null", "commit", "-qm", "A town")
    return project


def everything(project: Path, home: Path) -> dict[str, tuple[bytes, int]]:
    """Note every file of a project, its `.git` and the user's directory."""
    paths = [path for top in (project, home) for path in top.rglob("*") if path.is_file()]
    volatile = ("appendonly", "server.log", "dump.rdb")
    return {
        str(path): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in paths
        if not any(word in str(path) for word in volatile)
    }


def test_a_healthy_project_passes_every_check(tt: Tt, healthy: Path) -> None:
    ran = tt("doctor")
    assert (ran.code, ran.err) == (0, "")
    assert [line for line in ran.lines if not line.startswith("+ ")] == ["", ran.lines[-1]]
    assert ran.lines[-1].endswith("checks, all is well.")
    found = look(tt)
    assert {state for state, _ in found.values()} == {"ok"}
    assert found["plan.file"][1] == "tasks.toml is a valid plan: 3 tasks."
    assert found["hooks.reached"][1] == "Git reaches all 6 hooks."
    assert found["town.drift"][1] == "3 tasks in step."


def test_a_look_changes_nothing(tt: Tt, healthy: Path, own_home: Path) -> None:
    with Connection.open(ServerHome(own_home / ".tt").address) as redis:
        keys = redis.execute("KEYS", "*")
        before = everything(healthy, own_home)
        tt("doctor")
        assert everything(healthy, own_home) == before
        assert redis.execute("KEYS", "*") == keys


def test_a_look_makes_nothing_where_nothing_was(tt: Tt, project: Path, own_home: Path) -> None:
    before = everything(project, own_home)
    found = look(tt)
    assert everything(project, own_home) == before
    assert not (own_home / ".tt").exists()
    assert found["redis"][0] == "ok"
    assert "is not running; tt starts it" in found["redis"][1]
    assert found["base"][1] == "Nothing was synced from this worktree yet."


def test_a_look_at_a_town_of_others_gives_this_clone_no_id(
    tt: Tt, project: Path, own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tt("sync")
    other = tmp_path / "other" / "shop"
    git(project, "init", "-q", "-b", "main", str(other))
    (other / "tasks.toml").write_text(PLAN)
    monkeypatch.chdir(other)
    before = everything(other, own_home)
    state, message = look(tt)["town"]
    assert state == "fail"
    assert "belongs to another repository" in message
    assert everything(other, own_home) == before


# Without this and that


def test_without_git_it_says_so_and_goes_on(
    tt: Tt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tasks.toml").write_text(PLAN)
    monkeypatch.chdir(tmp_path)
    tt("sync")
    ran = tt("doctor", "--json")
    assert ran.code == 0
    found = findings(ran)
    assert found["git"][0] == "warn"
    assert found["town"][0] == "ok"
    assert found["base"][1] == "The base of the last sync can be read: 3 tasks."


def test_without_a_plan_it_says_so_and_goes_on(tt: Tt, healthy: Path) -> None:
    (healthy / "tasks.toml").unlink()
    ran = tt("doctor", "--json")
    assert ran.code == 0
    found = findings(ran)
    assert found["plan.file"][0] == "warn"
    assert found["redis.reached"][0] == "ok"
    assert "plan.git" not in found
    assert "town" not in found


def test_without_redis_it_fails_and_goes_on(tt: Tt, healthy: Path) -> None:
    ran = tt("--redis", NOBODY, "doctor", "--json")
    assert ran.code == 1
    assert ran.data["ok"] is False
    found = findings(ran)
    assert found["redis"] == ("fail", f"No server listens on {NOBODY}.")
    assert found["base"][0] == "ok"
    assert found["plan.file"][0] == "ok"


def test_a_redis_that_hangs_is_given_up_after_a_second(
    tt: Tt, healthy: Path, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(tmp_path / "s"))
        deaf.listen()
        start = monotonic()
        found = look(tt, "--redis", f"unix://{tmp_path / 's'}")
        assert found["redis"][0] == "fail"
        assert "does not answer in time" in found["redis"][1]
        assert monotonic() - start < 5


def test_a_broken_setting_is_a_finding(tt: Tt, project: Path) -> None:
    (project / "tinytown.toml").write_text("name =\n")
    ran = tt("doctor", "--json")
    assert ran.code == 1
    (state, message) = findings(ran)["project"]
    assert state == "fail"
    assert "tinytown.toml:1:" in message


# Settings and the program


def test_stray_keys_and_a_redis_in_the_open_are_found(tt: Tt, project: Path) -> None:
    (project / "tinytown.toml").write_text("[sync]\nmax_delet = 1\n")
    ran = tt("--redis", "redis://db.example.invalid:1", "doctor", "--json")
    told = [one["message"] for one in ran.data["findings"] if one["check"] == "settings"]
    assert any("max_delet" in message for message in told)
    assert any("without password and TLS" in message for message in told)


def test_a_program_of_the_same_name_is_found(
    tt: Tt, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = own_program(tmp_path / "bin", "tinytown 0.10.0", monkeypatch)
    state, message = look(tt)["program"]
    assert state == "warn"
    assert message == (
        f"The `tt` on the PATH is another one: {program}, which calls itself `tinytown 0.10.0`."
    )


def test_no_program_on_the_path_is_found(
    tt: Tt, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "git").symlink_to(next(_programs("git")))
    monkeypatch.setenv("PATH", str(tools))
    assert look(tt)["program"] == ("warn", "There is no `tt` on the PATH.")


def _programs(name: str) -> Iterator[Path]:
    for directory in os.environ["PATH"].split(os.pathsep):
        if os.access(Path(directory) / name, os.X_OK):
            yield Path(directory) / name


# The plan


@pytest.mark.parametrize(
    ("content", "state", "part"),
    [
        ("<<<<<<< HEAD\n", "fail", "tasks.toml:1:"),
        ('[[tasks]]\nid = "a"\ndescription = 1\n', "fail", "tasks.toml:3:"),
        ("[scripts]\nx = 1\n", "warn", "tasks.toml"),
    ],
)
def test_a_plan_that_is_none_is_found(
    tt: Tt, healthy: Path, content: str, state: str, part: str
) -> None:
    (healthy / "tasks.toml").write_text(content)
    found = look(tt)["plan.file"]
    assert found[0] == state
    assert part in found[1]


def test_a_plan_that_git_does_not_see_is_found(tt: Tt, healthy: Path) -> None:
    git(healthy, "update-index", "--skip-worktree", "tasks.toml")
    assert look(tt)["plan.git"] == (
        "warn", "Git does not look at tasks.toml: it has the flag skip-worktree.",
    )  # fmt: skip
    git(healthy, "update-index", "--no-skip-worktree", "tasks.toml")
    git(healthy, "update-index", "--assume-unchanged", "tasks.toml")
    assert "flag assume-unchanged" in look(tt)["plan.git"][1]
    git(healthy, "update-index", "--no-assume-unchanged", "tasks.toml")
    git(healthy, "rm", "-q", "--cached", "tasks.toml")
    assert look(tt)["plan.git"][1] == (
        "Git does not track tasks.toml, so no commit takes it along."
    )
    (healthy / ".gitignore").write_text("*.toml\n")
    assert look(tt)["plan.git"] == (
        "warn", "Git ignores tasks.toml, by the rule .gitignore:1: *.toml.",
    )  # fmt: skip
    (healthy / ".gitignore").write_text("*.toml\n!tasks.toml\n")
    assert "does not track" in look(tt)["plan.git"][1]


def test_a_conflict_that_is_not_resolved_is_found(tt: Tt, healthy: Path) -> None:
    blob = git(healthy, "rev-parse", "HEAD:tasks.toml")
    lines = "".join(f"100644 {blob} {stage}\ttasks.toml\n" for stage in (1, 2, 3))
    git(healthy, "rm", "-q", "--cached", "tasks.toml")
    git(healthy, "update-index", "--index-info", given=lines)
    ran = tt("doctor", "--json")
    assert ran.code == 1
    assert "merge conflict" in findings(ran)["plan.git"][1]


# Git


def test_a_moment_in_which_nothing_is_synced_is_found(tt: Tt, healthy: Path) -> None:
    git(healthy, "switch", "-q", "--detach")
    assert look(tt)["git.branch"][0] == "warn"
    (healthy / ".git" / "MERGE_HEAD").write_text(git(healthy, "rev-parse", "HEAD") + "\n")
    assert "in the middle of a merge" in look(tt)["git.branch"][1]


@pytest.mark.parametrize(
    ("key", "value", "carried"),
    [
        ("mirror", "true", True),
        ("mirror", "false", False),
        ("push", "+refs/*:refs/*", True),
        ("push", "refs/worktree/*:refs/saved/*", True),
        ("push", "refs/heads/*:refs/heads/*", False),
    ],
)
def test_a_push_that_would_carry_the_bases_along_is_found(
    tt: Tt, healthy: Path, key: str, value: str, carried: bool
) -> None:
    git(healthy, "remote", "add", "my.backup", "/nowhere")
    git(healthy, "config", f"remote.my.backup.{key}", value)
    found = look(tt).get("git.mirror", ("", ""))
    assert (found[0] == "warn") is carried
    assert ("A push to my.backup carries" in found[1]) is carried


def test_worktrees_that_would_share_a_fixed_name_are_found(
    tt: Tt, healthy: Path, tmp_path: Path
) -> None:
    git(healthy, "-c", "core.hooksPath=/dev/null", "worktree", "add", "-q", str(tmp_path / "side"))
    assert "git.worktrees" not in look(tt)
    state, message = look(tt, "--name", "fixed")["git.worktrees"]
    assert state == "warn"
    assert str(tmp_path / "side") in message


# Hooks and the merge driver


def test_hooks_that_are_not_installed_are_found(tt: Tt, project: Path) -> None:
    found = look(tt)
    assert found["hooks.reached"] == ("warn", "tt's hooks are not installed.")
    assert found["merge.driver"] == ("warn", "Merges of the plan are made line by line.")


def test_hooks_that_git_does_not_reach_fail(tt: Tt, healthy: Path) -> None:
    (healthy / ".git" / "hooks" / "post-merge").chmod(0o644)
    ran = tt("doctor", "--json")
    assert ran.code == 1
    state, message = findings(ran)["hooks.reached"]
    assert state == "fail"
    assert message.startswith("Git does not reach post-merge: ")


def test_hooks_that_run_twice_are_found(tt: Tt, healthy: Path) -> None:
    config = healthy / ".pre-commit-config.yaml"
    config.write_text("repos:\n  - repo: x\n    hooks:\n      - id: tt-check\n")
    assert "hooks.twice" not in look(tt)
    config.write_text("repos:\n  - repo: x\n    hooks:\n      - id: tt-sync\n")
    assert look(tt)["hooks.twice"][0] == "warn"


def test_a_framework_without_our_hooks_is_named(tt: Tt, project: Path) -> None:
    (project / ".pre-commit-config.yaml").write_text("repos: []\n")
    assert look(tt)["hooks.reached"][1] == (
        "tt's hooks are not installed, nor does .pre-commit-config.yaml run them."
    )


def test_stages_for_which_a_framework_is_not_installed_are_found(tt: Tt, project: Path) -> None:
    (project / ".pre-commit-config.yaml").write_text("    entry: tt hook-impl post\n")
    hooks = project / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)

    def install(*events: str) -> None:
        for event in events:
            (hooks / event).write_text("#!/usr/bin/env bash\n# https://pre-commit.com\n")
            (hooks / event).chmod(0o755)

    install("pre-commit", "post-commit")
    state, message = look(tt)["hooks.reached"]
    assert state == "warn"
    assert message.endswith("nothing is installed for post-merge, post-checkout and post-rewrite.")
    install("post-merge", "post-checkout", "post-rewrite")
    assert look(tt)["hooks.reached"] == ("ok", ".pre-commit-config.yaml runs tt's hooks.")


def test_a_merge_attribute_that_breaks_plans_fails(tt: Tt, healthy: Path) -> None:
    (healthy / ".gitattributes").write_text("*.toml merge=union\n")
    assert look(tt)["merge.driver"][0] == "fail"


def test_a_driver_that_this_clone_does_not_know_is_found(tt: Tt, healthy: Path) -> None:
    git(healthy, "config", "--remove-section", "merge.tt")
    state, message = look(tt)["merge.driver"]
    assert state == "warn"
    assert "this clone does not know that driver" in message


# Redis and the town


def test_a_server_that_may_lose_keys_is_found(tt: Tt, healthy: Path, launch: Launch) -> None:
    server = launch("--maxmemory-policy", "allkeys-lru", "--maxmemory", "100mb")
    tt("--redis", server.url, "sync")
    with server.connect() as redis:
        keys = redis.execute("KEYS", "tt:shop-main:task:*")
        assert isinstance(keys, list)
        redis.execute("EXPIRE", keys[0], 1000)  # type: ignore[arg-type]
        redis.execute("SET", "tt:shop-main:stop:agent", "1", "EX", 1000)
        agent = "tt:shop-main:agent:00000000-0000-5000-8000-000000000000"
        redis.execute("HSET", agent, "name", "dev")
        redis.execute("EXPIRE", agent, 1000)
    found = look(tt, "--redis", server.url)
    assert found["redis.eviction"][0] == "warn"
    assert "`allkeys-lru`" in found["redis.eviction"][1]
    assert found["redis.expiry"][1].startswith("1 of the town's keys")
    assert found["redis.persistence"] == (
        "warn", "It keeps nothing on disk: a restart loses what was never pulled.",
    )  # fmt: skip


def test_a_server_that_says_little_of_itself_is_no_failure(
    tt: Tt, healthy: Path, launch: Launch
) -> None:
    server = launch("--save", "60 1")
    with server.connect() as redis:
        rule = ("on", ">pw", "~tt:*", "+@all", "-info", "-config")
        redis.execute("ACL", "SETUSER", "agent", *rule)
    assert look(tt, "--redis", server.url)["redis.persistence"][1] == "It keeps snapshots on disk."
    url = server.url.replace("unix://", "unix://agent:pw@")
    ran = tt("--redis", url, "doctor", "--json")
    assert ran.code == 0, ran.out
    found = findings(ran)
    assert found["redis.reached"][1].startswith("Redis answers at unix://")
    assert "redis.persistence" not in found


def test_a_town_that_is_gone_is_found(tt: Tt, healthy: Path, own_home: Path) -> None:
    with Connection.open(ServerHome(own_home / ".tt").address) as redis:
        redis.execute("FLUSHALL")
    state, message = look(tt)["town"]
    assert state == "warn"
    assert "is gone from Redis; the next sync heals it" in message


def test_a_town_that_was_never_made_is_fine(tt: Tt, healthy: Path) -> None:
    found = look(tt, "--name", "another")
    assert found["town"] == ("ok", "The town another is not in Redis yet; `tt sync` makes it.")
    assert "town.drift" not in found


def test_a_town_that_follows_another_branch_is_found(tt: Tt, healthy: Path) -> None:
    tt("--name", "fixed", "sync")
    git(healthy, "-c", "core.hooksPath=/dev/null", "switch", "-qc", "side")
    assert look(tt, "--name", "fixed")["town"] == (
        "warn", "The town fixed follows the branch main, and this is side.",
    )  # fmt: skip


def test_what_is_not_in_step_is_counted(tt: Tt, healthy: Path, own_home: Path) -> None:
    plan = healthy / "tasks.toml"
    plan.write_text(plan.read_text().replace("API schema", "schema"))
    assert look(tt)["town.drift"] == ("warn", "1 change not synced yet.")
    with Connection.open(ServerHome(own_home / ".tt").address) as redis:
        keys = redis.execute("KEYS", "tt:shop-main:task:*")
        assert isinstance(keys, list)
        for key in keys:
            redis.execute("HSET", key, "description", "theirs")  # type: ignore[arg-type]
    assert look(tt)["town.conflicts"] == ("warn", "1 conflict to decide.")


def test_a_base_that_cannot_be_read_fails(tt: Tt, healthy: Path) -> None:
    ref = healthy / ".git" / "refs" / "worktree" / "tt" / "shop-main"
    ref.write_text("0" * 39 + "1\n")
    ran = tt("doctor", "--json")
    assert ran.code == 1
    assert findings(ran)["base"][0] == "fail"


def test_hints_are_below_their_finding_and_the_last_line_sums_up(tt: Tt, project: Path) -> None:
    lines = tt("doctor").lines
    place = lines.index("! tt's hooks are not installed.")
    assert lines[place + 1] == (
        "    `tt hooks install` sets them up; it can be taken back to the byte."
    )
    assert lines[-1].endswith(" warnings.")
