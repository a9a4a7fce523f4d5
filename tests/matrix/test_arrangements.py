"""Repositories and settings of every kind, with every state of Redis."""

from __future__ import annotations

import pytest

from tests.matrix.arrangements import ARRANGEMENTS
from tests.matrix.play import Stage, cells, play
from tests.matrix.scenes import Scene


@pytest.mark.parametrize(("scene", "condition"), cells(ARRANGEMENTS))
def test_a_command_leaves_everything_as_the_design_says(
    stage: Stage, scene: Scene, condition: str
) -> None:
    play(stage, scene, condition)
