"""One way in: from an address, or the user's own server, to a connection that is ready."""

from __future__ import annotations

from pathlib import Path

from tt.adapters.redis.address import Address, Kind
from tt.adapters.redis.connection import DEFAULT_TIMEOUT, Connection
from tt.adapters.redis.home import ServerHome
from tt.adapters.redis.replies import LostError, NoServerError, RefusedError, SilentError
from tt.record import replace


def open_connection(
    address: Address, *, timeout: float = DEFAULT_TIMEOUT, town: str | None = None
) -> Connection:
    """Connect to the server that `address` names, or to the one that it leads to.

    Sentinels are asked for the primary, a Cluster for the node that has `town`. After a MovedError
    the way is found anew by calling this again. Raises StoreError, or UsageError for a town that
    cannot be on a Cluster.
    """
    return Connection.open(_lead(address, timeout, town), timeout)


def connect_embedded(home: Path, *, timeout: float = DEFAULT_TIMEOUT) -> Connection:
    """Connect to the user's own server below `home` (`TT_HOME`), starting it where it is not up."""
    connected = connect_running(home, timeout=timeout)
    if connected is not None:
        return connected
    from tt.adapters.redis.server import EmbeddedServer  # only a start needs it

    return Connection.open(EmbeddedServer(home).start(), timeout)


def connect_running(home: Path, *, timeout: float = DEFAULT_TIMEOUT) -> Connection | None:
    """Connect to the user's own server below `home`; None where it is not up, or not up yet."""
    place = ServerHome(home)
    if place.is_private():
        try:
            return Connection.open(place.address, timeout)
        except SilentError:
            raise
        except (NoServerError, LostError):
            pass  # not there, or on its way out
        except RefusedError as error:
            if error.reply.code != "LOADING":
                raise
    return None


def _lead(address: Address, timeout: float, town: str | None) -> Address:
    if address.kind not in (Kind.SENTINEL, Kind.CLUSTER):
        return address
    from tt.adapters.redis.discovery import cluster_node, sentinel_primary  # redis-py is slow

    if address.kind is Kind.SENTINEL:
        node = sentinel_primary(address, timeout)
    else:
        node = cluster_node(address, timeout, town or "")
    return replace(address, kind=Kind.TCP, nodes=(node,), service="")
