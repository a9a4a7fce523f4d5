"""Which versions of Git the tests run: the one on the PATH, and one that has hooks in its config.

`TT_TEST_NEW_GIT` is the path of a `git` of 2.54 or later, where that on the PATH is older.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.effort import NEW_GIT
from tt.core.githooks import CONFIG_HOOKS_SINCE


def has_config_hooks(program: str = "git") -> bool:
    """Say whether a `git` runs hooks that are in its configuration."""
    said = subprocess.run([program, "version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"(\d+)\.(\d+)", said)
    return found is not None and (int(found[1]), int(found[2])) >= CONFIG_HOOKS_SINCE


@pytest.fixture
def new_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a Git on the PATH that has hooks in its configuration."""
    if has_config_hooks():
        return
    if not NEW_GIT or not has_config_hooks(NEW_GIT):
        pytest.skip("this Git has no hooks in its configuration; TT_TEST_NEW_GIT may name one")
    monkeypatch.setenv("PATH", f"{Path(NEW_GIT).parent}{os.pathsep}{os.environ['PATH']}")
