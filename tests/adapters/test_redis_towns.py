"""The towns of a Redis: found by their keys, and removed to the last key and no further."""

from __future__ import annotations

import pytest

from tests.support.commands import texts
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.replies import RefusedError
from tt.adapters.redis.towns import busy_tasks, find_towns, remove_town

UUIDS = [f"{number:08x}-0000-5000-8000-000000000000" for number in range(3)]


def make_town(connection: Connection, name: str, *states: str) -> None:
    """Write a town as `tt` and tinytown do, with a key of every kind."""
    for uuid, state in zip(UUIDS, states, strict=False):
        connection.execute("HSET", f"tt:{name}:task:{uuid}", "id", uuid, "state", state)
    connection.execute("HSET", f"tt:{name}:plan", "repo", "me", "branch", "main")
    connection.execute("HSET", f"tt:{name}:tombstones", "gone", "{}")
    connection.execute("HSET", f"tt:{name}:agent:{UUIDS[0]}", "name", "dev")
    connection.execute("RPUSH", f"tt:{name}:inbox:{UUIDS[0]}", "{}")
    connection.execute("XADD", f"tt:{name}:events:agent:{UUIDS[0]}", "*", "data", "{}")
    connection.execute("RPUSH", f"tt:{name}:backlog", UUIDS[0])


def all_keys(connection: Connection) -> set[str]:
    return {key.decode() for key in texts(connection, "KEYS", "*")}


def test_a_town_is_told_with_its_branch_and_owner(connection: Connection) -> None:
    make_town(connection, "shop-main", "pending", "running")
    (town,) = find_towns(connection)
    assert (town.name, town.tasks, town.agents) == ("shop-main", 2, 1)
    assert (town.branch, town.repo) == ("main", "me")


def test_a_town_whose_name_is_not_utf_8_is_listed(connection: Connection) -> None:
    connection.execute("HSET", b"tt:a\xff:plan", "branch", "main")
    (town,) = find_towns(connection)
    assert (town.name, town.branch) == ("a\udcff", "main")


def test_a_town_with_an_impossible_claim_has_neither_branch_nor_owner(
    connection: Connection,
) -> None:
    connection.execute("SET", "tt:a:plan", "text")
    (town,) = find_towns(connection)
    assert (town.branch, town.repo) == ("", "")


def test_every_kind_of_key_goes_with_its_town(connection: Connection) -> None:
    make_town(connection, "shop-main", "pending")
    connection.execute("SET", "other", "1")
    assert remove_town(connection, "shop-main") == 7
    assert all_keys(connection) == {"other"}
    assert remove_town(connection, "shop-main") == 0


@pytest.mark.parametrize(
    ("name", "other"),
    [("a*", "ab"), ("a?c", "abc"), ("[ab]", "a"), ("shop", "shop-main"), ("a\\*", "a\\b")],
)
def test_a_name_that_is_a_pattern_removes_only_its_own_town(
    connection: Connection, name: str, other: str
) -> None:
    make_town(connection, other, "pending")
    kept = all_keys(connection)
    make_town(connection, name, "pending")
    remove_town(connection, name)
    assert all_keys(connection) == kept


def test_a_town_whose_name_goes_on_after_a_colon_is_another_one(connection: Connection) -> None:
    make_town(connection, "a:b", "pending")
    kept = all_keys(connection)
    make_town(connection, "a", "pending")
    assert remove_town(connection, "a") == 7
    assert all_keys(connection) == kept


def test_a_large_town_is_removed_in_pieces(connection: Connection) -> None:
    connection.pipeline(("SET", f"tt:big:activity:{n}", "x") for n in range(1_234))
    assert remove_town(connection, "big") == 1_234
    assert all_keys(connection) == set()


def test_work_in_somebodys_hands_is_counted(connection: Connection) -> None:
    make_town(connection, "a", "assigned", "running", "completed")
    make_town(connection, "b", "pending", "failed", "cancelled")
    connection.execute("SET", f"tt:b:task:{UUIDS[0][:-1]}9", "no hash")
    assert [busy_tasks(connection, name) for name in ("a", "b")] == [2, 0]


def test_states_that_may_not_be_read_are_not_taken_for_no_work(connection: Connection) -> None:
    make_town(connection, "a", "running")
    connection.execute("ACL", "SETUSER", "blind", "on", "nopass", "~*", "+@all", "-hget")
    try:
        connection.execute("AUTH", "blind", "x")
        with pytest.raises(RefusedError, match="does not permit"):
            busy_tasks(connection, "a")
    finally:
        connection.execute("AUTH", "default", "")
        connection.execute("ACL", "DELUSER", "blind")
