"""How an agent hears of what concerns it: told by the server, or by asking."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.redis_server import RedisServer, wait_until
from tt.adapters.redis.address import Address
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.earshot import Earshot, prefixes_of
from tt.adapters.redis.heard import Heard
from tt.adapters.redis.identifiers import new_uuid
from tt.adapters.redis.tracking import Tracking, listen
from tt.errors import StoreError, TrackingError

ALL = {"inbox", "stop", "agent"}
ME = new_uuid()


@pytest.fixture
def ears(redis_address: Address, town: str) -> Iterator[Earshot]:
    def begin() -> Tracking:
        return listen(Connection.open(redis_address, 10), town, prefixes_of(ME), 10)

    made = Earshot(ME, begin, lambda _: None)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("key", "heard"),
    [("inbox", "inbox"), ("urgent", "inbox"), ("stop", "stop"), ("agent", "agent")],
)
def test_what_concerns_it_is_heard_and_nothing_else(
    ears: Earshot, connection: Connection, town: str, key: str, heard: str
) -> None:
    assert ears.heard() == ALL  # nobody knows what was before
    assert ears.heard() == set()
    for other in (
        f"tt:{town}:{key}:{new_uuid()}",
        f"tt:{town}-2:{key}:{ME}",
        f"tt:{town}:task:{ME}",
    ):
        connection.execute("SET", other, "x")
    connection.execute("SET", f"tt:{town}:{key}:{ME}", "x")
    found: set[str] = set()

    def listens() -> bool:
        found.update(ears.heard())
        return bool(found)

    wait_until(listens, "it to hear")
    assert found == {heard}


def test_a_lost_connection_is_told_and_the_next_one_looks_at_everything(
    ears: Earshot, connection: Connection
) -> None:
    ears.heard()
    connection.execute("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    def is_lost() -> bool:
        try:
            ears.heard()
        except StoreError:
            return True
        return False

    wait_until(is_lost, "the loss to be noticed")
    assert ears.filenos == ()
    assert ears.heard() == ALL


def test_keys_that_went_without_being_named_are_all_to_be_looked_at() -> None:
    class Flushed(Tracking):
        def __init__(self) -> None:
            pass

        def heard(self) -> Heard:
            return Heard(lost=True)

    ears = Earshot("a", Flushed, [].append)
    ears.heard()
    assert ears.heard() == ALL


def test_a_server_that_cannot_tell_is_asked_every_second_which_is_said_once() -> None:
    said: list[str] = []

    def cannot() -> Tracking:
        raise TrackingError("It cannot tell.")

    ears = Earshot(ME, cannot, said.append)
    assert ears.heard() == ALL
    assert ears.heard() == set()
    wait_until(lambda: ears.heard() == ALL, "the next look", 5)
    assert said == ["It cannot tell. It is asked every second."]


def test_while_redis_is_away_it_says_so_each_time(launch_redis: object, town: str) -> None:
    server: RedisServer = launch_redis()  # type: ignore[operator]

    def begin() -> Tracking:
        return listen(Connection.open(server.address, 10), town, prefixes_of(ME), 10)

    ears = Earshot(ME, begin, lambda _: None)
    server.stop()
    for _ in range(2):
        with pytest.raises(StoreError):
            ears.heard()
    server.start()
    assert ears.heard() == ALL
    ears.close()
