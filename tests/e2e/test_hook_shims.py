"""The scripts in `hooks/`, copied by hand, in every shell that is here."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.git_repos import git, init
from tests.support.hook_yard import Yard, path_without_tt, write_script
from tt.adapters.hookfiles import script
from tt.core.shim import EVENTS

SHELLS = {
    "sh": ["sh"],
    "dash": ["dash"],
    "bash": ["bash"],
    "busybox": ["busybox", "sh"],
    "zsh": ["zsh"],
    "mksh": ["mksh"],
    "strict sh": ["sh", "-eu"],
    "strict bash": ["bash", "-eu", "-o", "pipefail"],
}


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> list[str]:
    """A shell's command line."""
    words = SHELLS[request.param]
    found = shutil.which(words[0])
    if found is None:
        pytest.skip(f"there is no {words[0]}")
    return [found, *words[1:]]


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard.make(tmp_path / "a röom of one's own")


def copied(yard: Yard, shell: list[str], *events: str) -> None:
    """Copy shims by hand, to run in a shell; `env` splits the shell's words."""
    for event in events or EVENTS:
        first = f"#!/usr/bin/env -S {' '.join(shell)}\n"
        yard.hook(event, script(event).replace(b"#!/bin/sh\n", first.encode()))


def remote(yard: Yard) -> str:
    return str(init(yard.room / "remote.git", "--bare"))


def test_each_event_calls_tt_with_its_arguments_and_the_pid_of_git(
    yard: Yard, shell: list[str]
) -> None:
    copied(yard, shell)
    assert yard.commit() == (0, "")
    first, second = yard.raw_calls()
    assert first.split(" pid=")[0] == "hook-impl pre-commit"
    assert second.split(" pid=")[0] == "hook-impl post-commit"
    assert first.split(" pid=")[1] == second.split(" pid=")[1]
    head = git(yard.top, "rev-parse", "HEAD")
    assert yard.git("switch", "--quiet", "--create", "other").code == 0
    assert yard.calls() == [f"hook-impl post-checkout {head} {head} 1"]
    assert yard.commit() == (0, "")
    yard.calls()
    assert yard.git("commit", "--amend", "--allow-empty", "-qm", "y").code == 0
    assert yard.calls()[-1] == "hook-impl post-rewrite amend"
    assert yard.git("switch", "--quiet", "main").code == 0
    yard.calls()
    assert yard.git("merge", "--quiet", "other").code == 0
    assert yard.calls() == ["hook-impl post-merge 0"]


def test_an_amended_commit_is_seen_to_by_its_pre_commit(yard: Yard, shell: list[str]) -> None:
    copied(yard, shell)
    note = '[ "$2" != pre-commit ] || { mkdir -p .git/tt && echo "$TT_GIT_PID" >.git/tt/commit; }\n'
    yard.program.write_text(yard.program.read_text().replace("exit", f"{note}exit"))
    assert yard.git("commit", "--amend", "--quiet", "--message", "y").code == 0
    assert yard.calls() == ["hook-impl pre-commit"]
    assert yard.git("commit", "--amend", "--no-verify", "--quiet", "--message", "z").code == 0
    assert yard.calls() == ["hook-impl post-commit", "hook-impl post-rewrite amend"]


def test_pre_push_passes_on_what_is_pushed(yard: Yard, shell: list[str]) -> None:
    copied(yard, shell)
    head, target = git(yard.top, "rev-parse", "HEAD"), remote(yard)
    assert yard.git("push", "--quiet", target, "main").code == 0
    called, told = yard.calls()
    assert called == f"hook-impl pre-push {target} {target}"
    assert told == f"refs/heads/main {head} refs/heads/main {'0' * 40}"


def test_only_a_pre_commit_that_says_75_stops_git(yard: Yard, shell: list[str]) -> None:
    copied(yard, shell)
    assert yard.commit(TT_TEST_CODE="75").code == 1
    assert yard.calls() == ["hook-impl pre-commit"]
    for code in ("1", "2", "70", "127"):
        assert yard.commit(TT_TEST_CODE=code).code == 0
        assert yard.calls() == ["hook-impl pre-commit", "hook-impl post-commit"]
    assert yard.git("switch", "--create", "other", TT_TEST_CODE="75").code == 0
    assert yard.git("push", "--quiet", remote(yard), "other", TT_TEST_CODE="75").code == 0


def test_nothing_is_started_where_there_is_no_plan(yard: Yard, shell: list[str]) -> None:
    copied(yard, shell)
    (yard.top / "tasks.toml").unlink()
    assert yard.commit() == (0, "")
    (yard.top / "tinytown.toml").write_text('[town]\nname = "x"\n')
    assert yard.commit() == (0, "")
    assert yard.calls() == []
    (yard.top / "tinytown.toml").write_text('[sync]\nfile = "plan/tasks.toml"\n')
    assert yard.commit() == (0, "")
    assert len(yard.calls()) == 2


@pytest.mark.parametrize("linked", [False, True])
def test_a_rebase_starts_nothing_before_its_end(yard: Yard, shell: list[str], linked: bool) -> None:
    yard.git("switch", "--quiet", "--create", "side")
    for name in ("one", "two", "three"):
        (yard.top / name).write_text("x")
        yard.git("add", name)
        assert yard.commit().code == 0
    yard.git("switch", "--quiet", "main")
    assert yard.commit().code == 0
    there = yard
    if linked:
        there = yard.at(yard.room / "linked")
        assert yard.git("worktree", "add", "--quiet", str(there.top), "side").code == 0
        shutil.copy(yard.top / "tasks.toml", there.top)
    else:
        yard.git("switch", "--quiet", "side")
    copied(yard, shell)
    assert there.git("rebase", "--quiet", "main").code == 0
    calls = [call for call in there.calls() if "post-checkout" not in call]
    assert calls[0] == "hook-impl post-rewrite rebase"
    assert not any("hook-impl" in call for call in calls[1:])
    assert there.commit().code == 0
    assert len(there.calls()) == 2


def test_a_variable_switches_all_of_it_off(yard: Yard, shell: list[str]) -> None:
    copied(yard, shell)
    assert yard.commit(TT_HOOKS="0") == (0, "")
    assert yard.calls() == []


def test_a_missing_tt_is_one_line_and_git_goes_on(yard: Yard, shell: list[str]) -> None:
    if any(Path(place, "tt").exists() for place in ("/usr/local/bin", "/opt/homebrew/bin")):
        pytest.skip("there is a tt where the hooks look for one")
    copied(yard, shell, "pre-commit")
    tools = yard.room / "tools"
    for name in (shell[0], shutil.which("git"), shutil.which("env"), shutil.which("sh")):
        assert name is not None
        write_script(tools / Path(name).name, f'#!/bin/sh\nexec {name} "$@"\n')
    ran = yard.commit(PATH=str(tools))
    assert ran.code == 0
    assert ran.out.count("\n") == 1
    assert ran.out.startswith("tt: There is no `tt` to be found, so pre-commit syncs nothing")


def test_tt_is_found_at_its_recorded_path_then_on_the_path_then_at_home(
    yard: Yard, shell: list[str]
) -> None:
    copied(yard, shell, "pre-commit")
    home = Path(os.environ["HOME"])
    write_script(home / ".local/bin/tt", '#!/bin/sh\necho home >>"$TT_TEST_CALLS"\n')
    recorded = write_script(yard.room / "it's/tt", '#!/bin/sh\necho path >>"$TT_TEST_CALLS"\n')
    assert yard.commit().code == 0
    assert yard.calls() == ["hook-impl pre-commit"]
    yard.program.unlink()
    assert yard.commit(PATH=path_without_tt()).code == 0
    assert yard.calls() == ["home"]
    word = b"tt_path='" + os.fsencode(recorded).replace(b"'", b"'\\''") + b"'"
    hook = yard.hooks / "pre-commit"
    hook.write_bytes(hook.read_bytes().replace(b"tt_path=\n", word + b"\n"))
    assert yard.commit().code == 0
    assert yard.calls() == ["path"]


def test_post_commit_leaves_after_a_pre_commit_of_the_same_git(
    yard: Yard, shell: list[str]
) -> None:
    copied(yard, shell)
    write_script(
        yard.program,
        '#!/bin/sh\necho "$*" >>"$TT_TEST_CALLS"\n'
        "mkdir -p .git/tt\necho $TT_GIT_PID >.git/tt/commit\n",
    )
    assert yard.commit().code == 0
    assert yard.calls() == ["hook-impl pre-commit"]
    assert yard.git("commit", "--allow-empty", "--no-verify", "-qm", "x").code == 0
    assert yard.calls() == ["hook-impl post-commit"]


def test_the_canary_is_all_that_happens(yard: Yard, shell: list[str]) -> None:
    copied(yard, shell, "pre-commit")
    canary = yard.room / "canary"
    assert yard.commit(TT_HOOK_CANARY=str(canary)) == (0, "")
    assert canary.read_text() == "pre-commit\n"
    assert yard.calls() == []


def test_what_others_add_to_a_shim_runs_after_it(yard: Yard, shell: list[str]) -> None:
    copied(yard, shell, "pre-commit")
    with (yard.hooks / "pre-commit").open("a") as hook:
        hook.write('echo "added by another $#"; exit 3\n')
    ran = yard.commit()
    assert (ran.code, ran.out) == (1, "added by another 0\n")
    assert yard.calls() == ["hook-impl pre-commit"]


def test_input_is_left_to_what_others_add(yard: Yard, shell: list[str]) -> None:
    copied(yard, shell, "post-rewrite")
    write_script(yard.program, "#!/bin/sh\ncat >/dev/null\n")
    with (yard.hooks / "post-rewrite").open("a") as hook:
        hook.write('cat >>"$TT_TEST_CALLS"\n')
    old = git(yard.top, "rev-parse", "HEAD")
    assert yard.git("commit", "--amend", "--quiet", "--message", "y").code == 0
    assert yard.calls() == [f"{old} {git(yard.top, 'rev-parse', 'HEAD')}"]


def test_no_other_program_is_started_than_tt(yard: Yard) -> None:
    copied(yard, ["sh"], "pre-commit", "post-commit")
    for event in ("pre-commit", "post-commit"):
        done = subprocess.run(
            [str(shutil.which("sh")), f".git/hooks/{event}"],
            cwd=yard.top,
            env={**yard.environment, "PATH": str(yard.program.parent)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
    assert yard.calls() == ["hook-impl pre-commit", "hook-impl post-commit"]


def test_the_scripts_in_the_repository_can_be_run() -> None:
    for event in EVENTS:
        assert (Path(__file__).resolve().parents[2] / "hooks" / event).stat().st_mode & 0o100
