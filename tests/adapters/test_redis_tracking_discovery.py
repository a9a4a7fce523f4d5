"""Listening through TLS, in a cluster and behind Sentinels, to the server that counts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.clusters import monitor
from tests.support.listening import SECONDS, heard, wait_for_news
from tests.support.redis_server import Launch, RedisServer, free_port, wait_until
from tests.support.tls import tls_front
from tt.adapters.redis.address import Address
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.heard import Heard
from tt.adapters.redis.opening import open_connection
from tt.adapters.redis.replies import MovedError
from tt.adapters.redis.tracking import Tracking, track
from tt.errors import StoreError

UUID = "0a1b2c3d-0000-4000-8000-{:012x}"
TOWN = "{repo}-main"


def listen(address: Address, town: str) -> Tracking:
    return track(open_connection(address, town=town), town, SECONDS, tasks=True)


def test_a_town_is_heard_through_tls_with_nothing_left_behind_in_it(
    redis_server: RedisServer, certificate: Path, town: str
) -> None:
    wanted = {UUID.format(number) for number in range(3_000)}
    with tls_front(redis_server, certificate) as port, redis_server.connect() as made:
        address = Address.parse(f"rediss://localhost:{port}?ssl_ca_certs={certificate}")
        with listen(address, town) as tracking:
            # In one message, of more bytes than TLS has in a record, and than a read asks for.
            keys = [f"tt:{town}:task:{uuid}" for uuid in sorted(wanted)]
            made.execute("MSET", *(part for key in keys for part in (key, "x")))
            found: set[str] = set()
            while found != wanted:
                found |= heard(tracking).uuids
            tracking.ping()
            assert tracking.heard() == Heard()


def test_the_end_of_a_tls_connection_is_heard(
    redis_server: RedisServer, certificate: Path, town: str
) -> None:
    with tls_front(redis_server, certificate) as port, redis_server.connect() as made:
        address = Address.parse(f"rediss://localhost:{port}?ssl_ca_certs={certificate}")
        with listen(address, town) as tracking:
            made.execute("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            wait_for_news(tracking)
            with pytest.raises(StoreError):
                tracking.ping()


def test_a_town_in_a_cluster_is_heard_from_either_node(cluster_ports: list[int]) -> None:
    used = set()
    for number in range(8):
        town = f"{{repo{number}}}-main"
        address = Address.parse(f"redis+cluster://:hunter2@127.0.0.1:{cluster_ports[number % 2]}")
        with (
            open_connection(address, town=town) as made,
            listen(address, town) as tracking,
        ):
            used.add(tracking.address)
            made.execute("HSET", f"tt:{town}:task:{UUID.format(1)}", "f", 1)
            assert heard(tracking) == Heard(frozenset({UUID.format(1)}))
            tracking.ping()
    assert len(used) == 2


def test_a_town_of_another_node_is_not_listened_to_here(cluster_ports: list[int]) -> None:
    refused = 0
    for port in cluster_ports:
        single = Connection.open(Address.parse(f"redis://:hunter2@127.0.0.1:{port}"))
        try:
            track(single, TOWN, SECONDS, tasks=True).close()
        except MovedError:
            refused += 1
    assert refused == 1


def test_a_town_that_moves_to_another_node_is_missed_by_a_ping(cluster_ports: list[int]) -> None:
    town = "{moving}-main"
    address = Address.parse(f"redis+cluster://:hunter2@127.0.0.1:{cluster_ports[0]}")
    ways = [Address.parse(f"redis://:hunter2@127.0.0.1:{port}") for port in cluster_ports]
    with Connection.open(ways[0]) as one, Connection.open(ways[1]) as two:
        slot = one.execute("CLUSTER", "KEYSLOT", f"tt:{town}:plan")
        with listen(address, town) as tracking:
            ours = [each for each in (one, two) if each.address == tracking.address]
            (theirs,) = (each for each in (one, two) if each.address != tracking.address)
            new = theirs.execute("CLUSTER", "MYID")
            for each in (theirs, *ours):
                each.execute("CLUSTER", "SETSLOT", slot, "NODE", new)
            with pytest.raises(MovedError) as caught:
                tracking.ping()
            assert "the town is on another one" in caught.value.message
            assert tracking.filenos == ()
        with listen(address, town) as again:
            assert again.address == theirs.address
            theirs.execute("HSET", f"tt:{town}:plan", "f", 1)
            assert heard(again) == Heard(town=True)


@dataclass
class Pair:
    """A primary, its replica, and a Sentinel that gives the primary up soon."""

    primary: RedisServer
    replica: RedisServer
    ports: tuple[int, int]
    address: Address


@pytest.fixture
def pair(launch_redis: Launch) -> Pair:
    one, two, three = free_port(), free_port(), free_port()
    primary = launch_redis("--port", str(one), "--repl-diskless-sync-delay", "0")
    replica = launch_redis("--port", str(two), "--replicaof", f"127.0.0.1 {one}")
    with replica.connect() as second:
        wait_until(lambda: is_linked(second), "the replica to follow", 30)
    impatient = f"{monitor(one)}sentinel down-after-milliseconds main 300\n"
    sentinel = launch_redis("--port", str(three), sentinel=impatient)
    with sentinel.connect() as made:
        wait_until(lambda: knows_a_replica(made), "the Sentinel to know the replica", 30)
    address = Address.parse(f"redis+sentinel://127.0.0.1:{three}/main")
    return Pair(primary, replica, (one, two), address)


def is_linked(replica: Connection) -> bool:
    info = replica.execute("INFO", "replication")
    return isinstance(info, bytes) and b"master_link_status:up" in info


def knows_a_replica(sentinel: Connection) -> bool:
    known = sentinel.execute("SENTINEL", "REPLICAS", "main")
    return isinstance(known, list) and any(
        isinstance(each, list) and b"master-link-status" in each and b"ok" in each for each in known
    )


def test_after_a_failover_the_new_primary_is_listened_to(pair: Pair, town: str) -> None:
    with listen(pair.address, town) as tracking:
        assert tracking.address == f"redis://127.0.0.1:{pair.ports[0]}"
        pair.primary.stop()
        wait_for_news(tracking)
        with pytest.raises(StoreError):
            tracking.heard()
    wait_until(lambda: leads_to(pair.address, pair.ports[1]), "another primary", 60)
    with listen(pair.address, town) as tracking, pair.replica.connect() as made:
        made.execute("HSET", f"tt:{town}:task:{UUID.format(1)}", "f", 1)
        assert heard(tracking) == Heard(frozenset({UUID.format(1)}))
        tracking.ping()


def leads_to(address: Address, port: int) -> bool:
    try:
        with open_connection(address) as made:
            return made.address.endswith(f":{port}")
    except StoreError:
        return False
