"""A stage for each group of scenes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("tests.matrix.play")

from tests.matrix.play import Stage  # noqa: E402  after its assertions are seen to
from tests.support.redis_server import ENGINES, running  # noqa: E402


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with running(ENGINES["valkey"]()) as server:
        yield Stage(tmp_path_factory.mktemp("matrix"), server)
