"""Hook frameworks put unstaged edits away while hooks run: to `tt watch` they are not gone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.commands import keys
from tests.support.frameworks import Framework
from tests.support.redis_server import RedisServer, wait_until
from tests.support.tools import missing
from tests.support.watch_yard import WatchYard, plan_text, says
from tests.support.watchman import LIMIT_SECONDS

pytestmark = pytest.mark.slow

IDS = ("one", "two", "three", "four")
HOMES = ("PRE_COMMIT_HOME", "PREK_HOME", "XDG_CACHE_HOME")
HOOK = "touch in; until [ -e go ]; do sleep 0.02; done"
CONFIG = f"""\
repos:
  - repo: local
    hooks:
      - id: slow
        name: slow
        language: system
        entry: sh -c '{HOOK}'
        always_run: true
        pass_filenames: false
"""
LEFTHOOK = f"""\
pre-commit:
  commands:
    slow:
      run: {HOOK}
"""


@contextmanager
def committing(yard: WatchYard) -> Iterator[None]:
    """Commit in the background; the block runs while the hook does."""
    process = subprocess.Popen(
        ["git", "commit", "-q", "-m", "Staged"],
        cwd=yard.top,
        env=yard.shell.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        wait_until((yard.top / "in").exists, "the hook to run", LIMIT_SECONDS)
        yield
    finally:
        (yard.top / "go").touch()
        said, _ = process.communicate(timeout=LIMIT_SECONDS)
    assert process.returncode == 0, said


def check_that_nothing_happens(yard: WatchYard) -> None:
    """Commit one edit while another one is put away, with a watcher that has pushed both."""
    with yard.watched() as watchman:
        yard.save(says("one", "Staged"))
        yard.git("add", "tasks.toml")
        yard.save(says("three", "Left unstaged"))
        yard.save(lambda text: text + plan_text("new").partition("\n\n")[2])
        yard.wait_in_step()
        mine, before, mark = yard.file.read_text(), keys(yard.shell.server), watchman.mark()
        with committing(yard):
            assert "Left unstaged" not in yard.file.read_text()
            assert "runs hooks" in watchman.wait("waiting", mark)["message"]
            assert keys(yard.shell.server) == before
        assert yard.file.read_text() == mine
        yard.save(says("four", "After it"))
        yard.wait_in_step()
    assert yard.says("three") == "Left unstaged"
    assert not [change for change in watchman.changes if change["change"] == "removed"]


def test_what_a_framework_puts_away_is_not_taken_for_taken_back(
    framework: Framework, tmp_path: Path, server: RedisServer
) -> None:
    homes = {name: framework.environment[name] for name in HOMES}
    yard = WatchYard.make(tmp_path, server, plan_text(*IDS), env=homes)
    (yard.top / ".pre-commit-config.yaml").write_text(CONFIG)
    yard.git("add", "--all")
    yard.git("commit", "-q", "-m", "Configure")
    assert framework.run(yard.top, "install").returncode == 0
    check_that_nothing_happens(yard)


def test_what_lefthook_puts_away_is_not_taken_for_taken_back(
    tmp_path: Path, server: RedisServer
) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    program = shutil.which("lefthook", path=path) or missing("`lefthook` is not installed")
    yard = WatchYard.make(tmp_path, server, plan_text(*IDS), env={"LEFTHOOK_BIN": program})
    (yard.top / "lefthook.yml").write_text(LEFTHOOK)
    yard.git("add", "--all")
    yard.git("commit", "-q", "-m", "Configure")
    yard.shell.run([program, "install"], yard.top)
    check_that_nothing_happens(yard)
