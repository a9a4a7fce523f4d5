"""A connection that is kept between syncs: used again while it serves, opened anew where not."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.peers import peer
from tests.support.redis_server import Launch, RedisServer, free_port
from tt.adapters.redis.address import Address
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.kept import Kept
from tt.adapters.redis.replies import LostError
from tt.errors import StoreError


class Way:
    """How to open a connection, and how often that was done."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.opened: list[Connection] = []

    def open(self) -> Connection:
        self.opened.append(Connection.open(self.address))
        return self.opened[-1]


@pytest.fixture
def kept() -> Iterator[Kept]:
    made = Kept()
    yield made
    made.close()


def use(kept: Kept, way: Way, *command: str | int, key: object = "way", town: str = "t") -> object:
    """Do one command as a sync would: on a connection that is closed after it."""
    lent = kept.on_demand("somewhere", key, town, way.open)
    try:
        return lent.execute(*command)
    finally:
        lent.close()


def is_closed(connection: Connection) -> bool:
    try:
        connection.execute("PING")
    except LostError:
        return True
    return False


def test_one_connection_serves_again_and_again(kept: Kept, redis_address: Address) -> None:
    way = Way(redis_address)
    assert len({use(kept, way, "CLIENT", "ID") for _ in range(5)}) == 1
    assert len(way.opened) == 1


def test_nothing_is_opened_where_nothing_is_asked(kept: Kept, redis_address: Address) -> None:
    way = Way(redis_address)
    kept.on_demand("somewhere", "way", "t", way.open).close()
    assert way.opened == []


def test_what_was_given_back_is_not_used_by_who_gave_it_back(
    kept: Kept, redis_address: Address
) -> None:
    way = Way(redis_address)
    one, two = (kept.on_demand("somewhere", "way", "t", way.open) for _ in range(2))
    ours = one.execute("CLIENT", "ID")
    one.close()
    assert two.execute("CLIENT", "ID") == ours
    assert one.execute("CLIENT", "ID") != ours
    one.close()
    two.close()


def test_another_way_leads_to_another_connection(kept: Kept, redis_address: Address) -> None:
    way = Way(redis_address)
    use(kept, way, "PING", key="one")
    use(kept, way, "PING", key="two")
    assert len(way.opened) == 2
    assert is_closed(way.opened[0])


def test_a_connection_that_is_in_use_is_not_lent_to_another(
    kept: Kept, redis_address: Address
) -> None:
    way = Way(redis_address)
    one, two = (kept.on_demand("somewhere", "way", "t", way.open) for _ in range(2))
    assert one.execute("CLIENT", "ID") != two.execute("CLIENT", "ID")
    one.close()
    two.close()
    assert is_closed(way.opened[0])


def test_a_restart_in_between_is_not_noticed(kept: Kept, launch_redis: Launch) -> None:
    server = launch_redis()
    way = Way(server.address)
    use(kept, way, "PING")
    server.stop()
    server.start()
    assert use(kept, way, "PING") == b"PONG"
    assert len(way.opened) == 2


def test_a_server_that_is_gone_is_said_to_be_gone(kept: Kept, launch_redis: Launch) -> None:
    server = launch_redis()
    way = Way(server.address)
    use(kept, way, "PING")
    server.stop()
    with pytest.raises(StoreError) as caught:
        use(kept, way, "PING")
    assert caught.value.message == f"No server listens on {server.url}."


def test_a_connection_with_answers_left_in_it_is_not_kept(
    kept: Kept, redis_address: Address
) -> None:
    way = Way(redis_address)
    lent = kept.on_demand("somewhere", "way", "t", way.open)
    replies = lent.stream([("ECHO", "a"), ("ECHO", "b")])
    assert next(replies) == b"a"
    lent.close()
    assert use(kept, way, "ECHO", "c") == b"c"
    assert len(way.opened) == 2


def test_a_refusal_is_no_reason_to_open_another(kept: Kept, redis_address: Address) -> None:
    way = Way(redis_address)
    with pytest.raises(StoreError):
        use(kept, way, "NONSENSE")
    assert use(kept, way, "PING") == b"PONG"
    assert len(way.opened) == 1


def test_a_primary_that_became_a_replica_is_left(kept: Kept, launch_redis: Launch) -> None:
    server = launch_redis()
    way = Way(server.address)
    use(kept, way, "REPLICAOF", "127.0.0.1", free_port())
    use(kept, way, "PING")
    assert len(way.opened) == 2


def test_a_node_that_does_not_hold_the_town_any_more_is_left(
    kept: Kept, cluster_ports: list[int]
) -> None:
    ways = [Way(Address.parse(f"redis://:hunter2@127.0.0.1:{port}")) for port in cluster_ports]
    for way in ways:
        for _ in range(3):
            use(kept, way, "PING", town="{repo}-main")
        kept.close()
    assert sorted(len(way.opened) for way in ways) == [1, 3]


def answering(asked: list[bytes], *answers: bytes) -> Callable[[socket.socket], None]:
    """Make a peer that gives these answers, hangs up, and tells what it was asked."""

    def talk(accepted: socket.socket) -> None:
        for answer in answers:
            asked.append(accepted.recv(1 << 16))
            accepted.sendall(answer)
        asked.append(accepted.recv(1 << 16))

    return talk


def test_a_command_on_a_kept_connection_is_never_sent_twice(kept: Kept, tmp_path: Path) -> None:
    asked: list[bytes] = []
    hello = b"*2\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$-1\r\n"
    with peer(tmp_path, answering(asked, b"+PONG\r\n", b":1\r\n", hello)) as address:
        way = Way(address)
        use(kept, way, "INCR", "k")
        with pytest.raises(LostError):
            use(kept, way, "INCR", "k")
        assert len(way.opened) == 1
    assert sum(b"INCR" in words for words in asked) == 2


def test_a_user_who_may_not_read_the_town_keeps_the_connection(
    kept: Kept, launch_redis: Launch
) -> None:
    server: RedisServer = launch_redis()
    with server.connect() as admin:
        admin.execute("ACL", "SETUSER", "bob", "on", ">pw", "~tt:*", "+ping")
    way = Way(Address.parse(f"{server.url}?username=bob&password=pw"))
    for _ in range(2):
        assert use(kept, way, "PING") == b"PONG"
    assert len(way.opened) == 1
