"""`tt hooks` in Git's configuration, beside whatever is in files: Git 2.54 and later."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.git_repos import commit, git, init
from tests.support.gits import has_config_hooks
from tests.support.hook_yard import Yard, everything_below, installed_state
from tt.adapters.hookfiles import script
from tt.core.shim import EVENTS

NOTE = 'echo "user $#" >>"$TT_TEST_CALLS"\n'
COMMIT = ["hook-impl pre-commit", "hook-impl post-commit"]

pytestmark = pytest.mark.usefixtures("new_git")


@pytest.fixture
def yard(tmp_path: Path, new_git: None) -> Yard:
    return Yard.make(tmp_path / "a röom of one's own")


def install(yard: Yard) -> None:
    """Install; the second time nothing may change."""
    yard.tt("hooks", "install")
    before = installed_state(yard.top)
    again = yard.tt("hooks", "install", "--json").data
    assert {step["done"] for step in again["steps"]} == {"kept"}
    assert installed_state(yard.top) == before
    states = yard.tt("hooks", "status", "--json").data["hooks"]
    assert {(state["how"], state["reached"]) for state in states} == {("config", True)}


def test_hooks_in_the_configuration_touch_no_file_and_leave_no_trace(yard: Yard) -> None:
    yard.hook("pre-commit", f"#!/bin/sh\n{NOTE}")
    before, files = installed_state(yard.top), everything_below(yard.hooks)
    install(yard)
    assert everything_below(yard.hooks) == files
    yard.tt("hooks", "uninstall")
    assert installed_state(yard.top) == before
    install(yard)
    assert yard.commit() == (0, "")
    assert yard.calls() == ["hook-impl pre-commit", "user 0", "hook-impl post-commit"]
    yard.tt("hooks", "uninstall")
    assert yard.commit() == (0, "")
    assert yard.calls() == ["user 0"]


def test_arguments_input_and_the_pid_of_git_arrive(yard: Yard) -> None:
    install(yard)
    assert yard.commit() == (0, "")
    first, second = yard.raw_calls()
    assert first.split(" pid=")[1] == second.split(" pid=")[1]
    head, target = git(yard.top, "rev-parse", "HEAD"), str(init(yard.room / "r.git", "--bare"))
    assert yard.git("switch", "--quiet", "--create", "other").code == 0
    assert yard.calls() == [f"hook-impl post-checkout {head} {head} 1"]
    assert yard.git("push", "--quiet", target, "main").code == 0
    told = f"refs/heads/main {head} refs/heads/main {'0' * 40}"
    assert yard.calls() == [f"hook-impl pre-push {target} {target}", told]


def test_a_pre_commit_that_says_1_stops_the_commit(yard: Yard) -> None:
    install(yard)
    assert yard.commit(TT_TEST_CODE="1").code == 1
    assert yard.commit(TT_TEST_CODE="70").code == 0


def test_a_switch_or_a_missing_plan_starts_nothing(yard: Yard) -> None:
    install(yard)
    assert yard.commit(TT_HOOKS="0") == (0, "")
    (yard.top / "tasks.toml").unlink()
    assert yard.commit() == (0, "")
    assert yard.calls() == []


def test_they_run_whatever_the_hooks_path_says(yard: Yard) -> None:
    git(yard.top, "config", "core.hooksPath", ".husky/_")
    yard.hook("pre-commit", f"#!/bin/sh\n{NOTE}")
    install(yard)
    assert yard.commit() == (0, "")
    assert yard.calls() == ["hook-impl pre-commit", "user 0", "hook-impl post-commit"]
    git(yard.top, "config", "core.hooksPath", os.devnull)
    install(yard)
    assert yard.commit() == (0, "")
    assert yard.calls() == COMMIT


def test_a_shim_that_was_copied_by_hand_does_not_run_a_second_time(yard: Yard) -> None:
    install(yard)
    for event in EVENTS:
        yard.hook(event, script(event))
    assert yard.commit() == (0, "")
    assert yard.calls() == COMMIT
    git(yard.top, "switch", "--quiet", "--create", "side", "HEAD~1", TT_HOOKS="0")
    commit(yard.top, "side.txt")
    commit(yard.top, "more.txt")
    yard.calls()
    assert yard.git("switch", "--quiet", "main", TT_HOOKS="0").code == 0
    assert yard.git("cherry-pick", "side~1", "side").code == 0  # one Git, two commits
    assert yard.calls() == ["hook-impl post-commit"] * 2
    yard.tt("hooks", "uninstall")
    assert not any(yard.hooks.glob("p*-*[!e]"))


def test_what_was_installed_into_files_moves_into_the_configuration(yard: Yard) -> None:
    yard.hook("pre-commit", f"#!/bin/sh\n{NOTE}")
    before = everything_below(yard.hooks)
    yard.tt("hooks", "install", "--files")
    assert yard.commit() == (0, "")
    assert yard.calls() == ["user 0", *COMMIT]
    yard.tt("hooks", "install")
    assert everything_below(yard.hooks) == before
    yard.tt("hooks", "install", "--files")
    assert "hook.tt" not in git(yard.top, "config", "--list")
    assert yard.commit() == (0, "")
    assert yard.calls() == ["user 0", *COMMIT]


def test_lines_in_a_directory_that_others_use_stay_and_run_once(yard: Yard) -> None:
    git(yard.top, "config", "core.hooksPath", ".githooks")
    yard.tt("hooks", "install", "--files")
    git(yard.top, "add", ".githooks")
    yard.tt("hooks", "install")
    assert git(yard.top, "status", "--porcelain", ".githooks").count("\n") == 5
    assert b"tt hooks" in (yard.hooks / "pre-commit").read_bytes()
    assert yard.commit() == (0, "")
    assert yard.calls() == COMMIT


def test_status_runs_nobody_elses_hooks(yard: Yard) -> None:
    git(yard.top, "config", "hook.mine.event", "pre-commit")
    git(
        yard.top,
        "config",
        "hook.mine.command",
        f"echo config >>'{yard.room}/calls'; false".replace("one's", "one'\\''s"),
    )
    yard.hook("pre-commit", f"#!/bin/sh\n{NOTE}")
    yard.tt("hooks", "install")
    assert yard.hooked() == set(EVENTS)
    assert yard.calls() == []
    assert yard.commit().code == 1
    assert sorted(yard.calls()) == ["config", "hook-impl pre-commit", "user 0"]


@pytest.mark.parametrize("key", ["hook.tt-pre-commit.enabled", "hook.pre-commit.enabled"])
def test_a_hook_that_is_switched_off_is_not_reached(yard: Yard, key: str) -> None:
    yard.tt("hooks", "install")
    git(yard.top, "config", key, "false")
    assert yard.hooked() == set(EVENTS) - {"pre-commit"}
    assert "did not arrive" in yard.tt("hooks", "status", code=1).out


def test_a_script_that_is_gone_or_old_is_seen_and_repaired(yard: Yard) -> None:
    yard.tt("hooks", "install")
    scripts = yard.top / ".git/tt/hooks"
    (scripts / "pre-commit").unlink()
    (scripts / "pre-push").write_bytes(script("pre-push").replace(b"tt_code=0", b"tt_code=00"))
    assert yard.commit() == (0, "")
    states = {s["event"]: s for s in yard.tt("hooks", "status", "--json", code=1).data["hooks"]}
    assert not states["pre-commit"]["reached"]
    assert "gone" in states["pre-commit"]["note"]
    assert states["pre-push"]["how"] == "stale"
    install(yard)


def test_worktrees_submodules_and_repositories_that_move_are_served(yard: Yard) -> None:
    install(yard)
    linked = yard.at(yard.room / "linked")
    assert yard.git("worktree", "add", "--quiet", "-b", "linked", str(linked.top)).code == 0
    assert yard.calls()[0].startswith("hook-impl post-checkout 0000")
    assert linked.hooked() == set(EVENTS)
    assert linked.commit() == (0, "")
    assert yard.calls() == COMMIT
    source = commit(init(yard.room / "source"))
    git(
        yard.top,
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "-q",
        "add",
        str(yard.room / "source"),
        "sub",
    )
    assert source
    inner = yard.at(yard.top / "sub")
    install(inner)
    assert inner.commit() == (0, "")
    assert yard.calls() == COMMIT
    yard.top.rename(yard.room / "moved here")
    moved = yard.at(yard.room / "moved here")
    assert moved.commit() == (0, "")
    assert yard.calls() == COMMIT


def test_an_older_git_tells_that_it_does_not_look_there(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    yard.tt("hooks", "install")
    monkeypatch.setenv("PATH", os.environ["PATH"].partition(os.pathsep)[2])
    if has_config_hooks():
        pytest.skip("there is no older Git")
    said = yard.tt("hooks", "status", code=1).out
    assert "this Git is too old to look at" in said
    yard.tt("hooks", "install")
    assert yard.hooked() == set(EVENTS)
    assert yard.commit() == (0, "")
    assert yard.calls() == COMMIT
    assert "hook.tt-pre-commit" in git(yard.top, "config", "--list")
