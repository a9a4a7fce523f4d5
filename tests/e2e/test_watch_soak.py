"""A watcher that runs for long does not grow; `python -m benchmarks.soak` runs it for hours."""

from __future__ import annotations

import sys

import pytest

from benchmarks.soak import faults, soak
from tests.support.effort import EFFORT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="`/proc` tells what a process needs"),
]

SAVES = {"dev": 100, "ci": 200, "nightly": 5000}[EFFORT]


@pytest.mark.parametrize("options", [(), ("--two-way",)], ids=["push", "two-way"])
def test_memory_files_threads_and_children_stay_the_same(options: tuple[str, ...]) -> None:
    curve = soak(SAVES, 30, 0.01, *options)
    assert faults(curve) == [], curve
