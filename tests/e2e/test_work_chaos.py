"""Random stories of a town at work: no task is lost, and none is done twice at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.commands import Place
from tests.support.effort import EFFORT, SEED
from tests.support.redis_server import Launch
from tests.support.upheaval import Upheaval

TASKS, TIMES = {"dev": (10, 8), "ci": (10, 8), "nightly": (24, 40)}[EFFORT]
SEEDS = {"dev": 1, "ci": 1, "nightly": 8}[EFFORT]


@pytest.mark.parametrize("seed", range(SEED, SEED + SEEDS))
def test_no_task_is_lost_and_none_is_done_twice_at_once_whatever_dies(
    tmp_path: Path, launch: Launch, seed: int
) -> None:
    server = launch("--appendonly", "yes", "--appendfsync", "always")
    storm = Upheaval(Place.make(tmp_path / "here", server), seed)
    try:
        storm.begin(TASKS)
        storm.rage(TIMES)
        storm.settle()
        storm.check()
        assert storm.tt("sync", "merge") == 0
        said = storm.place.file.read_text()
        assert said.count('status = "completed"') == TASKS + 1
    except BaseException:
        print(f"seed {seed}", *storm.story, sep="\n")
        raise
    finally:
        print(dict(storm.broken))
        storm.close()
