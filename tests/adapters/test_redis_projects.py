"""Listening and keeping as a project is wired for them: the same Redis as for its commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.listening import heard
from tt.adapters.redis.address import Address
from tt.adapters.redis.heard import Heard
from tt.adapters.redis.kept import Kept
from tt.bootstrap import Project, open_project
from tt.errors import StoreError

UUID = "0a1b2c3d-0000-4000-8000-000000000001"


def project(directory: Path, url: str | None = None) -> Project:
    return open_project(str(directory), {"name": "t", "redis.url": url})


def test_a_project_listens_where_it_writes(tmp_path: Path, redis_address: Address) -> None:
    url = f"unix://{redis_address.path}?db=2"
    with project(tmp_path, url) as ours, ours.reach.track("t", tasks=True) as tracking:
        ours.connection.execute("HSET", f"tt:t:task:{UUID}", "f", 1)
        assert heard(tracking) == Heard(frozenset({UUID}))
        assert tracking.address == ours.connection.address


def test_listening_does_not_start_the_built_in_server(tmp_path: Path, own_home: Path) -> None:
    with project(tmp_path) as ours:
        with pytest.raises(StoreError) as caught:
            ours.reach.track("t", tasks=False)
        assert caught.value.message == "The built-in Redis is not running."
        assert not (own_home / ".tt" / "redis").exists()
        ours.connection.execute("PING")
        with ours.reach.track("t", tasks=False) as tracking:
            ours.connection.execute("HSET", "tt:t:plan", "f", 1)
            assert heard(tracking) == Heard(town=True)


def test_projects_that_come_after_each_other_use_one_kept_connection(
    tmp_path: Path, redis_address: Address
) -> None:
    kept, used = Kept(), set()
    for number in (0, 0, 0, 2):
        ours = project(tmp_path, f"unix://{redis_address.path}?db={number}")
        ours.reach.kept = kept
        with ours:
            used.add(ours.connection.execute("CLIENT", "ID"))
    kept.close()
    assert len(used) == 2
