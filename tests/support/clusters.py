"""Several servers for tests: a primary that a Sentinel watches, and a cluster of two nodes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.support.redis_server import Launch, RedisServer, free_port, launcher, wait_until
from tt.adapters.redis.address import Address
from tt.adapters.redis.connection import Connection


@dataclass
class Watched:
    """A primary, watched by one Sentinel."""

    primary: RedisServer
    sentinel: RedisServer
    primary_port: int
    sentinel_port: int


def monitor(port: int) -> str:
    """Configure a Sentinel that alone decides about the primary at a port."""
    return f"sentinel monitor main 127.0.0.1 {port} 1\n"


@pytest.fixture
def watched(launch_redis: Launch) -> Watched:
    """A primary, empty, and its Sentinel."""
    primary_port, sentinel_port = free_port(), free_port()
    primary = launch_redis("--port", str(primary_port))
    sentinel = launch_redis("--port", str(sentinel_port), sentinel=monitor(primary_port))
    return Watched(primary, sentinel, primary_port, sentinel_port)


@pytest.fixture(scope="module")
def cluster_ports(redis_binary: str) -> Iterator[list[int]]:
    """A cluster of two nodes, each with half of the slots, and a password."""
    ports = [free_port(), free_port()]
    bus = [free_port(), free_port()]
    with launcher(redis_binary) as launch, ExitStack() as open_ones:
        nodes = [
            open_ones.enter_context(launch_node(launch, port, gossip))
            for port, gossip in zip(ports, bus, strict=True)
        ]
        nodes[0].execute("CLUSTER", "ADDSLOTSRANGE", 0, 8191)
        nodes[1].execute("CLUSTER", "ADDSLOTSRANGE", 8192, 16383)
        nodes[1].execute("CLUSTER", "SET-CONFIG-EPOCH", 2)
        nodes[0].execute("CLUSTER", "MEET", "127.0.0.1", ports[1], bus[1])
        for node in nodes:
            wait_until(lambda node=node: is_whole(node), "the cluster to be whole")  # type: ignore[misc]
        yield ports


def launch_node(launch: Launch, port: int, bus: int) -> Connection:
    """Start a node without slots, and connect to it."""
    options = f"--cluster-enabled yes --port {port} --cluster-port {bus} --requirepass hunter2"
    return Connection.open(Address.parse(f"{launch(*options.split()).url}?password=hunter2"))


def is_whole(node: Connection) -> bool:
    """Say whether a node knows the other one, and that all slots are served."""
    info = node.execute("CLUSTER", "INFO")
    whole = (b"cluster_state:ok", b"cluster_slots_ok:16384", b"cluster_known_nodes:2")
    return isinstance(info, bytes) and all(line in info for line in whole)
