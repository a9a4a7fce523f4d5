"""Running commands as a shell would, in this process, in a project of the test's own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tt.cli.main import main

PLAN = """\
[meta]
description = "User Profile Feature Pipeline"

[[tasks]]
id = "epic"
description = "Implement user profile feature"
tags = ["epic"]

[[tasks]]
id = "design"
description = "Design profile API schema"
agent = "architect"
status = "completed"
parent = "epic"

[[tasks]]
id = "implement"
description = "Implement profile endpoints"
agent = "developer"
status = "pending"
parent = "epic"
tags = ["backend"]
"""


@dataclass
class Ran:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """What it wrote to standard output, line by line."""
        return self.out.splitlines()

    @property
    def json(self) -> Any:
        """The one document on its standard output."""
        return json.loads(self.out)

    @property
    def data(self) -> Any:
        """What is in the envelope."""
        assert self.json["schema_version"] == 1
        return self.json["data"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Git repository with a plan; the current directory is in it."""
    root = tmp_path / "shop"
    root.mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=root, check=True)
    (root / "tasks.toml").write_text(PLAN)
    subprocess.run(["git", "add", "."], cwd=root, check=True)
    subprocess.run(["git", "commit", "-qm", "plan"], cwd=root, check=True)
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def tt(capfd: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run `tt` with arguments and return how that ended."""

    def run(*arguments: str) -> Ran:
        capfd.readouterr()
        code = main(list(arguments))
        out, err = capfd.readouterr()
        return Ran(code, out, err)

    return run
