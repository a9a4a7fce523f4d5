"""`tt hooks` beside the tools that manage hooks, as they are: both go on running."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.git_repos import commit, git
from tests.support.hook_yard import Yard, installed_state, write_script
from tests.support.tools import missing
from tt.core.shim import EVENTS

CONFIG = """\
repos:
  - repo: local
    hooks:
      - id: note
        name: note
        language: system
        entry: sh -c 'echo manager >>"$TT_TEST_CALLS"; exit "${MANAGER_CODE:-0}"'
        always_run: true
        pass_filenames: false
        stages: [pre-commit]
"""
LEFTHOOK = """\
pre-commit:
  commands:
    note:
      run: echo manager >>"$TT_TEST_CALLS"; exit "${MANAGER_CODE:-0}"
"""
BOTH = ["manager", "hook-impl pre-commit", "hook-impl post-commit"]

# What husky 9 lays down, in words of our own: a stub for each event reads one common file, and that
# runs the project's script of the stub's name, one directory up.
STUB = '#!/usr/bin/env sh\n. "$(dirname "$0")/h"'
COMMON = """\
#!/usr/bin/env sh
name=$(basename "$0")
script=$(dirname "$(dirname "$0")")/$name
[ -f "$script" ] || exit 0
[ "${HUSKY-}" = 0 ] && exit 0
sh -e "$script" "$@"
code=$?
[ $code = 0 ] || echo "husky - $name script failed (code $code)"
exit $code
"""
SCRIPT = 'echo manager >>"$TT_TEST_CALLS"\n[ "${MANAGER_CODE-0}" = 0 ] || exit "$MANAGER_CODE"\n'


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard.make(tmp_path / "a röom of one's own")


def tool(name: str) -> str:
    """Return a tool's path, from beside this Python or from the PATH."""
    found = shutil.which(
        name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    )
    return found or missing(f"`{name}` is not installed")


def run(yard: Yard, *command: str, **env: str) -> None:
    """Run a manager's command, which has to succeed."""
    homes = {
        name: str(yard.room / name) for name in ("PRE_COMMIT_HOME", "PREK_HOME", "npm_config_cache")
    }
    done = subprocess.run(
        command,
        cwd=yard.top,
        env={**yard.environment, **homes, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done


def check_both_run(yard: Yard) -> None:
    """Look that commits run the manager and then tt, and that the manager can stop them."""
    with (yard.top / "notes").open("a") as notes:  # some run nothing for an empty commit
        notes.write("more\n")
    git(yard.top, "add", "notes")
    env = {"PRE_COMMIT_HOME": str(yard.room / "c"), "PREK_HOME": str(yard.room / "p")}
    assert yard.commit(**env, MANAGER_CODE="3").code == 1
    assert yard.calls() == ["manager"]
    assert yard.commit(**env).code == 0
    assert yard.calls() == BOTH
    assert yard.hooked() == set(EVENTS)
    assert yard.calls() == []


def manage(yard: Yard, name: str) -> tuple[str, ...]:
    """Write a manager's configuration, install its hooks, and return the command for that."""
    if name == "lefthook":
        commit(yard.top, "lefthook.yml", LEFTHOOK)
        command: tuple[str, ...] = (tool("lefthook"), "install", "--force")
    else:
        commit(yard.top, ".pre-commit-config.yaml", CONFIG)
        command = (tool(name), "install", "--overwrite")
    run(yard, *command)
    return command


@pytest.mark.parametrize("name", ["pre-commit", "prek", "lefthook"])
def test_a_manager_and_tt_work_side_by_side(yard: Yard, name: str) -> None:
    command = manage(yard, name)
    before = installed_state(yard.top)
    said = yard.tt("hooks", "install", "--files").out
    assert "writes its hooks anew, run `tt hooks install` again" in said
    check_both_run(yard)
    again = yard.tt("hooks", "install", "--files", "--json").data
    assert {step["done"] for step in again["steps"]} == {"kept"}
    run(yard, *command)  # it writes its hooks anew, and ours is gone from there
    assert "pre-commit" not in yard.hooked()
    yard.tt("hooks", "install", "--files")
    check_both_run(yard)
    yard.tt("hooks", "uninstall")
    assert installed_state(yard.top) == before


@pytest.mark.parametrize("name", ["pre-commit", "prek"])
def test_a_framework_that_comes_later_does_not_make_ours_run_twice(yard: Yard, name: str) -> None:
    commit(yard.top, ".pre-commit-config.yaml", CONFIG)
    yard.tt("hooks", "install", "--files")
    run(yard, tool(name), "install")
    assert (yard.hooks / "pre-commit.legacy").exists()
    homes = {"PRE_COMMIT_HOME": str(yard.room / "c"), "PREK_HOME": str(yard.room / "p")}
    assert yard.commit(**homes).code == 0
    assert sorted(yard.calls()) == sorted(BOTH)
    yard.tt("hooks", "install", "--files")
    check_both_run(yard)


def test_husky_and_tt_work_side_by_side(yard: Yard) -> None:
    place = yard.top / ".husky/_"
    for event in (*EVENTS, "commit-msg"):
        write_script(place / event, STUB)
    write_script(place / "h", COMMON, mode=0o644)
    write_script(place / ".gitignore", "*", mode=0o644)
    write_script(yard.top / ".husky/pre-commit", SCRIPT, mode=0o644)
    git(yard.top, "config", "core.hooksPath", ".husky/_")
    before = installed_state(yard.top)
    said = yard.tt("hooks", "install", "--files").out
    assert "runs after what is in it (husky)" in said
    assert "When husky writes its hooks anew" in said
    check_both_run(yard)
    assert yard.commit(HUSKY="0").code == 0
    assert yard.calls() == BOTH[1:]
    yard.tt("hooks", "uninstall")
    assert installed_state(yard.top) == before


@pytest.mark.slow
def test_husky_itself_and_tt_work_side_by_side(yard: Yard) -> None:
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("there is no npm")
    got = subprocess.run(
        [npm, "install", "--no-audit", "--no-fund", "--prefix", str(yard.room), "husky@9"],
        cwd=yard.room,
        capture_output=True,
        check=False,
        timeout=120,
    )
    if got.returncode != 0:
        pytest.skip("npm has no husky here")
    run(yard, node, str(yard.room / "node_modules/husky/bin.js"))
    write_script(yard.top / ".husky/pre-commit", SCRIPT, mode=0o644)
    before = installed_state(yard.top)
    yard.tt("hooks", "install", "--files")
    check_both_run(yard)
    yard.tt("hooks", "uninstall")
    assert installed_state(yard.top) == before


def test_a_ruby_like_manager_that_looks_at_its_name_goes_on(yard: Yard) -> None:
    hook = "#!/usr/bin/env python3\nimport os, sys\nname = sys.argv[0].rsplit('/')[-1]\n"
    hook += "open(os.environ['TT_TEST_CALLS'], 'a').write(name + chr(10))\n"
    yard.hook("pre-commit", hook)
    before = installed_state(yard.top)
    yard.tt("hooks", "install", "--files")
    assert yard.commit().code == 0
    assert yard.calls()[:2] == ["pre-commit", "hook-impl pre-commit"]
    yard.tt("hooks", "uninstall")
    assert installed_state(yard.top) == before
