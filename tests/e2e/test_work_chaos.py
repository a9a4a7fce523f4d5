"""Random stories of a town at work: no task is lost, and none is done twice at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.commands import Place
from tests.support.effort import EFFORT, SEED
from tests.support.redis_server import Launch
from tests.support.upheaval import Upheaval
from tests.support.upheaval_checks import check, check_end
from tests.support.upheaval_moves import MOVES
from tt.adapters.planfile import read_plan

TASKS, TIMES = {"dev": (10, 12), "ci": (10, 12), "nightly": (24, 50)}[EFFORT]
SEEDS = {"dev": 1, "ci": 1, "nightly": 8}[EFFORT]


@pytest.mark.parametrize("seed", range(SEED, SEED + SEEDS))
def test_no_task_is_lost_and_none_is_done_twice_at_once_whatever_dies(
    tmp_path: Path, launch: Launch, seed: int
) -> None:
    server = launch("--appendonly", "yes", "--appendfsync", "always")
    storm = Upheaval(Place.make(tmp_path / "here", server), seed)
    try:
        storm.begin(TASKS)
        storm.rage(TIMES, MOVES)
        storm.settle()
        check(storm)
        check_end(storm)
        check_file(storm)
    except BaseException:
        print(f"seed {seed}", *storm.story, sep="\n")
        raise
    finally:
        print(dict(storm.broken))
        storm.close()


def check_file(storm: Upheaval) -> None:
    """Check that the file is in step with Redis after one sync, and that this one is the last."""
    assert storm.sync("merge") or storm.sync("merge"), "what was in conflict is decided"
    board = storm.board()
    plan = read_plan(storm.place.file.read_bytes(), "tasks.toml").plan
    assert plan.tasks.keys() == {job.task.id for job in board.jobs.values()}
    assert {task.status for task in plan.tasks.values()} == {"completed"}
    assert {f"t{number}" for number in range(TASKS)} | {"group"} <= plan.tasks.keys()
    before = storm.place.everything()
    assert storm.tt("sync", "merge") == 0
    assert storm.place.everything() == before
