"""Guards: no test reaches the home, configuration, Git identity or Redis of whoever runs it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.support.effort import load_effort

pytest_plugins = [
    "tests.support.redis_server",
    "tests.support.clusters",
    "tests.support.tls",
    "tests.support.frameworks",
    "tests.support.gits",
]

_SCRUBBED = ("GIT_", "TT_", "TINYTOWN_", "XDG_", "PRE_COMMIT", "PREK_", "LC_", "CLICOLOR")
_SCRUBBED_NAMES = ("REDIS_URL", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "LANGUAGE")
_IDENTITY = {
    "GIT_AUTHOR_NAME": "Test Author",
    "GIT_AUTHOR_EMAIL": "author@example.invalid",
    "GIT_COMMITTER_NAME": "Test Committer",
    "GIT_COMMITTER_EMAIL": "committer@example.invalid",
}
_homes = count(1)

load_effort()
for _name in list(os.environ):
    if _name.startswith(_SCRUBBED) or _name in _SCRUBBED_NAMES:
        del os.environ[_name]
# Set before anything is collected: code that runs on import finds no home of the user's either.
_SESSION = Path(tempfile.mkdtemp(prefix="tt-test-", dir="/tmp"))
os.environ |= {"HOME": str(_SESSION), "TT_HOME": str(_SESSION / ".tt"), "LANG": "C.UTF-8"}
os.environ |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", **_IDENTITY}


def pytest_unconfigure() -> None:
    """Leave nothing behind."""
    shutil.rmtree(_SESSION, ignore_errors=True)


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give each test a home of its own; the Redis server that it started there is stopped."""
    home = _SESSION / str(next(_homes))
    home.mkdir()
    (home / ".gitconfig").write_text("[init]\n\tdefaultBranch = main\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TT_HOME", str(home / ".tt"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))
    for kind in ("CONFIG", "DATA", "STATE", "CACHE", "RUNTIME"):
        directory = f"XDG_{kind}_DIR" if kind == "RUNTIME" else f"XDG_{kind}_HOME"
        monkeypatch.setenv(directory, str(home / kind.lower()))
    yield home
    stop_server_below(home / ".tt")
    shutil.rmtree(home)


def stop_server_below(home: Path) -> None:
    """Stop the server of a `TT_HOME`, if one was ever started there."""
    if (home / "redis").exists():
        from tt.adapters.redis.server import EmbeddedServer

        EmbeddedServer(home).stop()
