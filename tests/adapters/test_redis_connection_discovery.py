"""Sentinel and Cluster, on real ones: they are asked for the way, and then left out of it."""

from __future__ import annotations

import pytest

from tests.support.clusters import Watched, monitor
from tests.support.redis_server import Launch, free_port
from tt.adapters.redis.address import Address
from tt.adapters.redis.opening import open_connection
from tt.adapters.redis.replies import MovedError, NoServerError, RefusedError
from tt.errors import StoreError, UsageError


def test_the_sentinels_lead_to_the_primary(watched: Watched) -> None:
    url = f"redis+sentinel://127.0.0.1:{watched.sentinel_port}/main/2"
    with open_connection(Address.parse(url)) as made:
        assert made.address == f"redis://127.0.0.1:{watched.primary_port}/2"
        assert made.execute("SET", "k", "v") == b"OK"


def test_a_sentinel_that_is_down_is_passed_over(watched: Watched) -> None:
    url = f"redis+sentinel://127.0.0.1:{free_port()},127.0.0.1:{watched.sentinel_port}/main"
    with open_connection(Address.parse(url)) as made:
        assert made.execute("PING") == b"PONG"


def test_a_service_that_the_sentinels_do_not_know_is_named(watched: Watched) -> None:
    url = f"redis+sentinel://127.0.0.1:{watched.sentinel_port}/other"
    with pytest.raises(StoreError) as caught:
        open_connection(Address.parse(url))
    assert "know no primary named `other`" in caught.value.message


def test_sentinels_of_which_none_runs_are_no_server() -> None:
    url = f"redis+sentinel://127.0.0.1:{free_port()},127.0.0.1:{free_port()}/main"
    with pytest.raises(NoServerError) as caught:
        open_connection(Address.parse(url))
    assert caught.value.message.startswith("No server listens on redis://127.0.0.1:")


def test_sentinels_with_a_password_of_their_own_are_told_it(launch_redis: Launch) -> None:
    primary_port, port = free_port(), free_port()
    launch_redis("--port", str(primary_port), "--requirepass", "data")
    secret = f"{monitor(primary_port)}sentinel auth-pass main data\n"
    launch_redis("--port", str(port), "--requirepass", "watch", sentinel=secret)
    place = f"127.0.0.1:{port}/main"
    with open_connection(
        Address.parse(f"redis+sentinel://:data@{place}?sentinel_password=watch")
    ) as made:
        assert made.execute("PING") == b"PONG"
    for url, said in (
        (f"redis+sentinel://:data@{place}", "asks for a password"),
        (f"redis+sentinel://:data@{place}?sentinel_password=no", "does not accept the user name"),
        (f"redis+sentinel://:no@{place}?sentinel_password=watch", "does not accept the user name"),
    ):
        with pytest.raises(RefusedError) as caught:
            open_connection(Address.parse(url))
        assert said in caught.value.message


def test_a_cluster_leads_to_the_node_that_holds_the_town(cluster_ports: list[int]) -> None:
    used = set()
    for number in range(8):
        town = f"{{repo{number}}}-main"
        with open_connection(
            Address.parse(f"redis+cluster://:hunter2@127.0.0.1:{cluster_ports[number % 2]}"),
            town=town,
        ) as made:
            keys = (f"tt:{town}:plan", f"tt:{town}:task:1")
            assert made.execute("MSET", keys[0], 1, keys[1], 2) == b"OK"
            used.add(made.address)
    assert used == {f"redis://127.0.0.1:{port}" for port in cluster_ports}


def test_a_node_that_does_not_hold_the_town_says_that_it_is_elsewhere(
    cluster_ports: list[int],
) -> None:
    refusals = []
    for port in cluster_ports:
        with open_connection(Address.parse(f"redis://:hunter2@127.0.0.1:{port}")) as made:
            (reply,) = made.pipeline([("SET", "tt:{repo}-main:plan", 1)])
            try:
                made.check(reply)
            except MovedError as error:
                refusals.append(error)
    assert len(refusals) == 1
    assert "is a node of a cluster, and the town is on another one" in refusals[0].message
    assert "redis+cluster://" in str(refusals[0].hint)


@pytest.mark.parametrize("town", ["repo-main", "", "{}repo", "{repo", "}repo{"])
def test_a_town_without_braces_is_refused_on_a_cluster(town: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_connection(Address.parse("redis+cluster://127.0.0.1:1"), town=town)
    assert "has no braces" in caught.value.message
    assert "`{myrepo}-main`" in str(caught.value.hint)


def test_keys_of_a_town_without_braces_are_not_kept_together(cluster_ports: list[int]) -> None:
    with (
        open_connection(Address.parse(f"redis://:hunter2@127.0.0.1:{cluster_ports[0]}")) as made,
        pytest.raises(RefusedError) as caught,
    ):
        made.execute("MSET", "tt:repo:plan", 1, "tt:repo:task:1", 2)
    assert "keeps a town together only by braces" in caught.value.message


def test_a_cluster_without_all_slots_says_so(launch_redis: Launch) -> None:
    port = free_port()
    server = launch_redis(
        "--cluster-enabled", "yes", "--port", str(port), "--cluster-port", str(free_port())
    )
    with server.connect() as connection, pytest.raises(RefusedError) as caught:
        connection.execute("SET", "k", "v")
    assert "is a cluster that is not complete: CLUSTERDOWN" in caught.value.message
    with pytest.raises(StoreError) as unknown:
        open_connection(Address.parse(f"redis+cluster://127.0.0.1:{port}"), town="{repo}")
    assert unknown.value.message.startswith(f"redis+cluster://127.0.0.1:{port} does not say which")


def test_a_server_that_is_no_cluster_is_told_apart(launch_redis: Launch) -> None:
    port = free_port()
    launch_redis("--port", str(port))
    with pytest.raises(StoreError) as caught:
        open_connection(Address.parse(f"redis+cluster://127.0.0.1:{port}"), town="{repo}")
    assert "does not say which node holds the town" in caught.value.message


def test_a_cluster_of_which_no_node_runs_is_no_server() -> None:
    with pytest.raises(NoServerError):
        open_connection(Address.parse(f"redis+cluster://127.0.0.1:{free_port()}"), town="{repo}")


def test_a_cluster_with_a_password_asks_for_it(cluster_ports: list[int]) -> None:
    port = cluster_ports[0]
    for login, said in (("", "asks for a password"), (":no@", "does not accept the user name")):
        with pytest.raises(RefusedError) as caught:
            open_connection(Address.parse(f"redis+cluster://{login}127.0.0.1:{port}"), town="{r}")
        assert caught.value.message.startswith(f"redis://127.0.0.1:{port} {said}")
