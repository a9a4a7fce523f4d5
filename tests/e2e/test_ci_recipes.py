"""The recipes for CI: their files say what they should, and their scripts do it in a real shell."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import PLAN
from tests.support.frameworks import LIMIT_SECONDS, ROOT
from tests.support.git_repos import init
from tests.support.tools import missing

ACTION = ROOT / ".github" / "actions" / "tt-check"
BAD = PLAN.replace('status = "pending"', 'status = "pendign"', 1)
FAULT = "tasks.toml:8:10: unknown status `pendign`"


def load(path: Path) -> Any:
    try:
        import yaml
    except ImportError:
        missing("PyYAML is not installed")
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def bash(script: str, where: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script as GitHub and GitLab do: it ends with the first command that fails."""
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=where,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
        timeout=LIMIT_SECONDS,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout with a plan."""
    top = init(tmp_path / "a project")
    (top / "tasks.toml").write_text(PLAN, encoding="utf-8")
    return top


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory, hook_source: Path) -> Path:
    """The virtual environment that the action's own first step makes."""
    venv = tmp_path_factory.mktemp("runner") / "tt-check"
    install, _ = load(ACTION / "action.yml")["runs"]["steps"]
    place = hook_source / ".github" / "actions" / "tt-check"
    source = install["env"]["TT_SOURCE"].replace("${{ github.action_path }}", str(place))
    made = bash(install["run"], ROOT, TT_PYTHON=sys.executable, TT_SOURCE=source, TT_VENV=str(venv))
    if made.returncode != 0:
        missing(f"tt cannot be installed: {made.stdout[-2000:]}")
    return venv


def check_on_github(runner: Path, where: Path, files: str = "") -> tuple[int, list[str]]:
    _, step = load(ACTION / "action.yml")["runs"]["steps"]
    ended = bash(step["run"], where, TT_VENV=str(runner), TT_FILES=files, TT_MATCHER="m.json")
    first, *lines = ended.stdout.splitlines()
    assert first == "::add-matcher::m.json"
    return ended.returncode, lines


@pytest.mark.slow
def test_the_action_passes_a_good_plan_and_fails_a_bad_one(runner: Path, project: Path) -> None:
    assert check_on_github(runner, project) == (0, ["3 tasks, nothing wrong."])
    (project / "tasks.toml").write_text(BAD, encoding="utf-8")
    code, lines = check_on_github(runner, project)
    assert code == 5
    assert lines[0].startswith(FAULT)


@pytest.mark.slow
def test_the_action_checks_the_files_that_are_listed(runner: Path, project: Path) -> None:
    for name in ("a b.toml", "-c.toml"):
        (project / name).write_text(PLAN, encoding="utf-8")
    found = check_on_github(runner, project, "a b.toml\n\n-c.toml\n$(touch x)\n")
    assert found[0] == 1
    assert not (project / "x").exists()
    code, lines = check_on_github(runner, project, "a b.toml\n-c.toml\n")
    assert (code, lines) == (0, ["6 tasks in 2 files, nothing wrong."])


@pytest.mark.slow
def test_the_gitlab_job_passes_a_good_plan_and_fails_a_bad_one(
    runner: Path, project: Path, hook_source: Path
) -> None:
    job = load(ROOT / ".gitlab" / "tt-check.yml")["tt-check"]
    script = "\n".join(job["script"])
    path = f"{runner / 'bin'}{os.pathsep}{os.environ['PATH']}"
    given = {**job["variables"], "PATH": path, "TT_SOURCE": str(hook_source)}
    assert bash(script, project, **given).returncode == 0
    check = job["script"][-1]
    (project / "tasks.toml").write_text(BAD, encoding="utf-8")
    ended = bash(check, project, **given)
    assert ended.returncode == 5
    assert FAULT in ended.stdout


def test_the_gitlab_job_says_when_nobody_said_where_tt_is(project: Path) -> None:
    job = load(ROOT / ".gitlab" / "tt-check.yml")["tt-check"]
    ended = bash("\n".join(job["script"]), project, **job["variables"])
    assert ended.returncode != 0
    assert "TT_SOURCE: Set it to" in ended.stdout


def test_the_action_puts_nothing_that_was_given_into_a_script() -> None:
    for step in load(ACTION / "action.yml")["runs"]["steps"]:
        assert step["shell"] == "bash"
        assert "${{" not in step["run"]


def test_every_input_is_described_with_its_default() -> None:
    page = (ROOT / "docs" / "frameworks.md").read_text(encoding="utf-8")
    for name, given in load(ACTION / "action.yml")["inputs"].items():
        row = re.search(rf"^\| `{name}` \| (.*?) \|", page, re.MULTILINE)
        assert row is not None
        assert row[1] == (f"`{given['default']}`" if given["default"] else "the project's plan")


def test_a_fault_is_shown_at_its_line() -> None:
    matcher = json.loads((ACTION / "matcher.json").read_text(encoding="utf-8"))
    (pattern,) = matcher["problemMatcher"][0]["pattern"]
    found = re.fullmatch(
        pattern["regexp"], "plans/tasks.toml:8:10: unknown status; did you mean x?"
    )
    assert found is not None
    said = {name: found[pattern[name]] for name in ("file", "line", "column", "message")}
    assert said == {
        "file": "plans/tasks.toml", "line": "8", "column": "10",
        "message": "unknown status; did you mean x?",
    }  # fmt: skip
    assert re.fullmatch(pattern["regexp"], "2 problems in 1 file.") is None
