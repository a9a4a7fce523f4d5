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

SAVES = {"dev": 60, "ci": 60, "nightly": 5000}[EFFORT]
WAYS = {"push": (), "two-way": ("--two-way",)}


@pytest.mark.parametrize("way", WAYS if EFFORT == "nightly" else ["two-way"])
def test_memory_files_threads_and_children_stay_the_same(way: str) -> None:
    curve = soak(SAVES, 30, 0.01, *WAYS[way])
    assert faults(curve) == [], curve
