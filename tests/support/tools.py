"""Programs that tests need and that a machine may lack."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def require_tool(name: str) -> str:
    """Return the path of a program; without it the test is skipped, and in CI it fails."""
    found = shutil.which(name)
    if found is None:
        missing(f"`{name}` is not installed")
    return found


def missing(why: str) -> NoReturn:
    """Skip the test for want of something; in CI that is a failure, since nobody reads skips."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{why}, and in CI it has to be")
    pytest.skip(why)
