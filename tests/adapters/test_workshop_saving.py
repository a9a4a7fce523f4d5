"""A town saved and restored, on a real server."""

from __future__ import annotations

import pytest

from tests.support.workshops import Breaking, Yard
from tt.adapters.redis.address import Address
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.workshop import RedisWorkshop
from tt.core.agents import AgentState
from tt.core.saved import BadSaveError, read_saved, write_saved
from tt.errors import TTError
from tt.record import replace

GONE = [AgentState.STOPPED, AgentState.ERROR]


@pytest.fixture
def yard(connection: Connection, town: str) -> Yard:
    return Yard(town, connection)


def fill(yard: Yard) -> None:
    """Make a town with keys of all kinds, and values that are no text."""
    agent, (job,) = yard.agent(), yard.plan("a")
    yard.running(job, agent)
    yard.workshop.make("x")
    yard.workshop.ask_to_stop(agent.uuid)
    yard.workshop.log(agent.uuid, "ü")
    yard.workshop.lead("me", 60)
    yard.workshop.may_judge(1)
    connection = yard.connection
    connection.execute("SET", yard.key("bytes"), bytes(range(256)))
    connection.execute("SADD", yard.key("set"), b"\xff", "a")
    connection.execute("ZADD", yard.key("zset"), 1.5, b"\xfe", "-inf", "x")
    connection.execute("RPUSH", yard.key("long"), *range(2_500))
    connection.execute("SET", yard.key("empty"), "")


def test_a_town_is_saved_and_restored_to_the_byte(connection: Connection, town: str) -> None:
    yard, copy = Yard(town, connection), Yard(f"{{{town}}}-copy", connection)
    fill(yard)
    saved = yard.workshop.dump()
    endings = {one.ending.decode() for one in saved}
    assert not {ending for ending in endings if ending.startswith(("alive:", "conductor"))}
    name, read = read_saved(write_saved(town, saved))
    assert name == town
    assert read == [replace(one, content=_plain(one.content)) for one in saved]
    assert copy.workshop.load(read) == len(saved)
    again = copy.workshop.dump()
    assert [replace(one, ttl=0) for one in again] == [replace(one, ttl=0) for one in saved]
    for one, other in zip(again, saved, strict=True):
        assert (one.ttl == -1) == (other.ttl == -1)
        assert abs(one.ttl - other.ttl) < 60_000


def _plain(content: object) -> object:
    return [_plain(part) for part in content] if isinstance(content, list) else content


def test_a_town_that_is_not_empty_is_replaced_only_where_that_is_said(yard: Yard) -> None:
    fill(yard)
    saved = yard.workshop.dump()
    yard.workshop.make("later")
    before = yard.everything()
    with pytest.raises(TTError, match="not empty"):
        yard.workshop.load(saved)
    assert yard.everything() == before
    yard.workshop.load(saved, replace=True)
    assert [one.ending for one in yard.workshop.dump()] == [one.ending for one in saved]
    assert yard.workshop.leader() is None


def test_a_town_that_changes_while_it_is_restored_is_left_as_it_is(
    connection: Connection, redis_address: Address, town: str
) -> None:
    yard = Yard(town, connection)
    fill(yard)
    saved, job = yard.workshop.dump(), next(iter(yard.workshop.board().jobs))
    with Connection.open(redis_address) as another:
        key = yard.key(f"task:{job}")
        raced = Breaking(connection, 3, meddle=lambda: another.execute("HSET", key, "n", 1))
        with pytest.raises(TTError, match="changed while"):
            RedisWorkshop(raced, town, yard.clock).load(saved, replace=True)
    assert connection.execute("HGET", yard.key(f"task:{job}"), "n") == b"1"


def test_neighbours_are_not_saved(connection: Connection, town: str) -> None:
    yard, longer = Yard(town, connection), Yard(f"{town}:x", connection)
    yard.plan("a")
    longer.plan("b")
    assert {one.ending for one in yard.workshop.dump()} == {
        b"plan", f"task:{next(iter(yard.workshop.board().jobs))}".encode(),
    }  # fmt: skip


def test_no_save_reaches_into_a_town_whose_name_goes_on_where_this_one_s_ends(yard: Yard) -> None:
    fill(yard)
    task = next(one for one in yard.workshop.dump() if one.ending.startswith(b"task:"))
    before = yard.everything()
    with pytest.raises(TTError, match="another town"):
        yard.workshop.load([replace(task, ending=b"x:" + task.ending)], replace=True)
    assert yard.everything() == before


def with_key(key: str) -> str:
    return f'{{"format": 1, "town": "x", "keys": [{key}]}}'


@pytest.mark.parametrize(
    "document",
    [
        "", "[]", "{}", '{"format": 2}', '{"format": 1, "town": "x"}',
        with_key('{"key": "a", "type": "hash", "ttl_ms": -1, "value": "x"}'),
        with_key('{"key": "a", "type": "odd", "ttl_ms": -1, "value": "x"}'),
        with_key('{"key": "a", "type": "list", "ttl_ms": -1, "value": [1]}'),
        with_key('{"key": "a", "type": "list", "ttl_ms": -1, "value": []}'),
        "[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_saved_town_is_refused(document: str) -> None:
    with pytest.raises(BadSaveError):
        read_saved(document)


TEXT = '{"key": "s", "type": "string", "ttl_ms": -1, "value": "a"}'


def stream(*entries: str) -> str:
    return with_key(
        f'{{"key": "e", "type": "stream", "ttl_ms": -1, "value": [{",".join(entries)}]}}'
    )


@pytest.mark.parametrize(
    "document",
    [
        stream('["1-1", ["a", "b"]]', '["1-1", ["a", "b"]]'), stream('["0-0", ["a", "b"]]'),
        stream('["1", ["a", "b"]]'), stream('["1-1", ["a"]]'), stream('["1-1", []]'),
        stream('["1-1", [["a"], "b"]]'), stream('["99999999999999999999-1", ["a", "b"]]'),
        with_key('{"key": "z", "type": "zset", "ttl_ms": -1, "value": [["a", "high"]]}'),
        with_key('{"key": "z", "type": "zset", "ttl_ms": -1, "value": [["a", "nan"]]}'),
        with_key('{"key": "z", "type": "zset", "ttl_ms": -1, "value": [["a", "1_0"]]}'),
        with_key('{"key": "s", "type": "string", "ttl_ms": 9223372036854775807, "value": "a"}'),
        with_key(f"{TEXT}, {TEXT}"),
    ],
)  # fmt: skip
def test_what_a_server_would_refuse_in_the_middle_is_refused_before(document: str) -> None:
    """A transaction goes on behind a command that fails: half a town would be there."""
    with pytest.raises(BadSaveError):
        read_saved(document)
