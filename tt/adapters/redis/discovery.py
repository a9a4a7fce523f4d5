"""Asking Sentinels and Cluster nodes where a town is. The only place that uses redis-py.

It only finds the way; the talking is done over our own connection.
"""

from __future__ import annotations

from contextlib import closing
from typing import Any

from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.exceptions import RedisClusterException, RedisError
from redis.retry import Retry
from redis.sentinel import Sentinel

from tt.adapters.redis.address import Address, Kind, Login, printable
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.replies import RefusedError
from tt.errors import StoreError, UsageError
from tt.record import replace


def sentinel_primary(address: Address, timeout: float) -> tuple[str, int]:
    """Ask the Sentinels for the primary of the service: its host and port. Raises StoreError."""
    try:
        with closing(_sentinels(address, timeout)) as sentinels:
            host, port = sentinels.discover_master(address.service)
    except RedisError as error:
        raise _trouble(address, address.sentinel_login, timeout) or StoreError(
            f"The Sentinels of {address.display} know no primary named "
            f"`{printable(address.service)}` that is up.",
            "Check the name against the `sentinel monitor` line of their configuration.",
        ) from error
    return str(host), int(port)


def cluster_node(address: Address, timeout: float, town: str) -> tuple[str, int]:
    """Ask a Cluster for the node that holds the keys of `town`: its host and port.

    Raises UsageError for a town whose keys would be scattered over the nodes, and StoreError.
    """
    if not _has_hash_tag(town):
        raise UsageError(
            f"The town `{printable(town)}` cannot be on a Redis Cluster: its name has no braces.",
            "Braces keep a town together on one node: name it, say, `{myrepo}-main`.",
        )
    try:
        with closing(_cluster(address, timeout)) as cluster:
            node = cluster.get_node_from_key(f"tt:{town}:plan")
    except (RedisError, RedisClusterException) as error:
        raise _trouble(address, address.login, timeout) or StoreError(
            f"{address.display} does not say which node holds the town: {printable(str(error))}",
            "Check that it is a cluster, and that all of its slots are served.",
        ) from error
    if node is None:
        raise StoreError(f"No node of {address.display} holds the town now.", "Try again later.")
    return str(node.host), int(node.port)


def _sentinels(address: Address, timeout: float) -> Any:
    options = _options(address, address.sentinel_login, timeout)
    return Sentinel(list(address.nodes), sentinel_kwargs=options)  # type: ignore[no-untyped-call]


def _cluster(address: Address, timeout: float) -> Any:
    nodes = [ClusterNode(host, port) for host, port in address.nodes]  # type: ignore[no-untyped-call]
    return RedisCluster(startup_nodes=nodes, **_options(address, address.login, timeout))


def _has_hash_tag(town: str) -> bool:
    """Say whether the keys `tt:<town>:*` are hashed by the part of the town in braces alone."""
    _, opened, rest = town.partition("{")
    tag, closed, _ = rest.partition("}")
    return bool(opened and closed and tag)


def _options(address: Address, login: Login, timeout: float) -> dict[str, Any]:
    """Translate an address for redis-py; no retries, and all nodes together in `timeout`."""
    seconds = timeout / len(address.nodes)
    options: dict[str, Any] = {
        "username": login.username or None,
        "password": login.password or None,
        "socket_timeout": seconds,
        "socket_connect_timeout": seconds,
        "retry": Retry(NoBackoff(), 0),
    }
    tls = address.tls
    if tls is not None:
        options |= {
            "ssl": True,
            "ssl_cert_reqs": "required" if tls.verify else "none",
            "ssl_check_hostname": tls.verify and tls.check_hostname,
            "ssl_ca_certs": tls.authorities or None,
            "ssl_certfile": tls.certificate or None,
            "ssl_keyfile": tls.key or None,
        }
    return options


def _trouble(address: Address, login: Login, timeout: float) -> StoreError | None:
    """Say in our own words why the nodes cannot be asked; None where they can."""
    found: list[StoreError] = []
    for node in address.nodes:
        single = replace(address, kind=Kind.TCP, nodes=(node,), login=login, db=0, service="")
        try:
            Connection.open(single, timeout / len(address.nodes)).close()
        except StoreError as error:
            found.append(error)
    if len(found) < len(address.nodes):
        return None
    return next((error for error in found if isinstance(error, RefusedError)), found[0])
