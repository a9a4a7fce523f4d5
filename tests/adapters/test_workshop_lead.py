"""Who conducts a town, who may judge, and where it can be, on real servers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

import pytest

from tests.support.clusters import Watched
from tests.support.redis_server import Launch, RedisServer, wait_until
from tests.support.workshops import Yard, done, message, refused
from tt.adapters.redis.address import Address
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.identifiers import new_uuid
from tt.adapters.redis.opening import open_connection
from tt.adapters.watchpost import this_host
from tt.bootstrap import open_project
from tt.core.agents import Agent, AgentState
from tt.core.messages import Priority
from tt.errors import StoreError
from tt.podium import Podium

GONE = [AgentState.STOPPED, AgentState.ERROR]


@pytest.fixture
def yard(connection: Connection, town: str) -> Yard:
    return Yard(town, connection)


def test_one_leads_at_a_time(yard: Yard) -> None:
    shop = yard.workshop
    assert shop.leader() is None
    assert shop.lead("a", 60)
    assert not shop.lead("b", 60)
    assert shop.lead("a", 120)
    leader = shop.leader()
    assert leader is not None
    assert leader.token == "a"
    assert 100 < leader.seconds <= 120
    assert not shop.resign("b")
    assert shop.resign("a")
    assert not shop.resign("a")
    assert shop.lead("b", 0.05)
    wait_until(lambda: shop.lead("a", 60), "the lease to pass")


def test_what_never_ends_is_no_lease(yard: Yard) -> None:
    yard.connection.execute("SET", yard.key("conductor"), "for ever")
    assert yard.workshop.leader() is None
    assert yard.workshop.lead("a", 60)


@pytest.mark.parametrize("missing", ["LPOS", "LMOVE"])
def test_a_server_that_is_too_old_is_said_to_be(
    launch_redis: Launch, town: str, missing: str
) -> None:
    server = launch_redis("--rename-command", missing, "")
    with server.connect() as made:
        yard = Yard(town, made)
        agent, (job,) = yard.agent(), yard.plan("a")
        with pytest.raises(StoreError) as caught:  # noqa: PT012  which of them it is depends
            yard.handed(job, agent)
            yard.workshop.take(agent.uuid)
    assert caught.value.hint == "Agents and the conductor need Redis 6.2 or newer, or Valkey."


def test_nobody_is_judged_within_a_lease_of_the_server_s_start(
    launch_redis: Launch, town: str
) -> None:
    server = launch_redis("--appendonly", "yes", "--appendfsync", "always")
    with server.connect() as made:
        shop = Yard(town, made).workshop
        assert not shop.may_judge(30)
        assert shop.may_judge(0)
        made.execute("SET", f"tt:{town}:server", f"{run_id(made)} 1000")
        assert shop.may_judge(30)
    server.stop()
    server.start()
    wait_until(lambda: is_ready(server), "the server to have loaded its data")
    with server.connect() as made:
        shop = Yard(town, made).workshop
        assert not shop.may_judge(30)
        assert not shop.may_judge(30)


def test_nobody_is_judged_within_a_lease_of_a_failover(watched: Watched, town: str) -> None:
    """The one that takes over has run for long, and knows only what it was told."""
    with watched.primary.connect() as first, watched.sentinel.connect() as other:
        assert run_id(first) != run_id(other)
        first.execute("SET", f"tt:{town}:server", "another-run 1000")
        assert not Yard(town, first).workshop.may_judge(30)


def test_a_town_remembers_for_ever_which_server_it_was_on(yard: Yard) -> None:
    """Who forgets takes one that has just taken over for one that was there all the time."""
    yard.workshop.may_judge(30)
    assert yard.connection.execute("TTL", yard.key("server")) == -1


def test_a_server_that_has_run_for_long_is_trusted_at_once(yard: Yard) -> None:
    wait_until(lambda: yard.workshop.may_judge(1) or not forget(yard), "the server to be old")


def is_ready(server: RedisServer) -> bool:
    try:
        server.connect().close()
    except StoreError:
        return False
    return True


def forget(yard: Yard) -> bool:
    return bool(yard.connection.execute("DEL", yard.key("server")))


def run_id(connection: Connection) -> str:
    info = cast("bytes", connection.execute("INFO", "server")).decode()
    return dict(line.partition(":")[::2] for line in info.split("\r\n"))["run_id"]


def test_a_project_without_git_has_a_workshop(
    tmp_path: Path, redis_address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", f"unix://{redis_address.path}")
    with open_project(str(tmp_path), {}) as project:
        agent = project.workshop.enlist(Agent(new_uuid(), "dev", AgentState.IDLE, lease=9))
        assert project.workshop.town == project.town
        project.connection.execute("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no")
        assert list(project.workshop.agents()) == [agent.uuid]
        with project.reach.listen(project.town, [f"inbox:{agent.uuid}"]) as listening:
            project.workshop.send(message(agent.uuid))
            wait_until(lambda: bool(listening.heard().keys), "the message to be heard")


def test_a_conductor_is_woken_by_what_it_will_look_at(
    tmp_path: Path, redis_address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", f"unix://{redis_address.path}")
    with open_project(str(tmp_path), {}) as project, Podium(project, {}) as podium:
        assert podium.filenos(listens=True, leads=True) == ()
        assert podium.listen() is None
        (town,) = podium.filenos(listens=True, leads=True)
        me = Agent(new_uuid(), "dev", AgentState.IDLE, lease=9, host=this_host(), pid=os.getpid())
        assert not podium.dead([me])
        assert podium.filenos(listens=True, leads=False) == (town,)
        assert len(podium.filenos(listens=True, leads=True)) == 2
        assert podium.filenos(listens=False, leads=True) == ()


def test_a_braced_town_is_worked_in_on_a_cluster(cluster_ports: list[int]) -> None:
    url = f"redis+cluster://:hunter2@127.0.0.1:{cluster_ports[0]}"
    for name in ("{a}-main", "{b}-main", "{c}x"):
        with open_connection(Address.parse(url), timeout=10, town=name) as made:
            yard = Yard(name, made)
            agent, (job,) = yard.agent(), yard.plan("a")
            claim = yard.running(job, agent, retries=1).claim
            assert yard.workshop.take(agent.uuid)
            yard.workshop.send(message(agent.uuid, priority=Priority.URGENT))
            assert yard.workshop.beat(agent, {job.uuid: claim}) == frozenset()
            job = done(yard.workshop.finish(job.uuid, "failed", "x", claim=claim, by=agent.uuid))
            yard.running(job, agent)
            yard.connection.execute("RPUSH", yard.key(f"urgent:{agent.uuid}"), "no message")
            yard.workshop.take(agent.uuid)
            yard.workshop.make("x", agent=agent.uuid)
            assert yard.workshop.lead("me", 9)
            assert yard.workshop.resign("me")
            assert len(yard.workshop.bury(agent.uuid, "dead")) == 2
            saved = yard.workshop.dump()
            assert yard.workshop.dismiss([agent.uuid]) == 1
            assert yard.workshop.load(saved, replace=True) == len(saved)
            refused(yard.workshop.claim(job.uuid, agent.uuid))
