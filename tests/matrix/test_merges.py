"""Merges, rebases, picks and pulls, with every state of Redis."""

from __future__ import annotations

import pytest

from tests.matrix.merges import MERGES
from tests.matrix.play import Stage, cells, play
from tests.matrix.scenes import Scene


@pytest.mark.parametrize(("scene", "condition"), cells(MERGES))
def test_a_command_leaves_everything_as_the_design_says(
    stage: Stage, scene: Scene, condition: str
) -> None:
    play(stage, scene, condition)
