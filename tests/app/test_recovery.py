"""Recovery by hand, on a real server: who is dead, and where what they held goes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import cast

import pytest

from tests.support.workshops import Yard, done, message_of
from tt.adapters.redis.connection import Connection
from tt.app import post
from tt.app.assigning import Desk
from tt.app.reclaiming import Reclaim, orphans, reclaim
from tt.app.recovery import Sight, prune, recover
from tt.core.agents import SUPERVISOR, Agent, AgentState
from tt.core.conducting import Orders
from tt.core.jobs import Job
from tt.core.messages import Message
from tt.core.times import rfc3339
from tt.errors import TTError, UsageError


@pytest.fixture
def yard(connection: Connection, town: str) -> Yard:
    """A town on a server that has been there for long, so that silence is death."""
    made = Yard(town, connection)
    info = cast("bytes", connection.execute("INFO", "server")).decode()
    run = dict(line.partition(":")[::2] for line in info.split("\r\n"))["run_id"]
    connection.execute("SET", made.key("server"), f"{run} 0")
    return made


@pytest.fixture
def desk(yard: Yard) -> Desk:
    return Desk(yard.workshop, Orders())


def sight(*gone: Agent, now: float = 0.0) -> Sight:
    def look(agents: Iterable[Agent]) -> Mapping[str, str]:
        there = {agent.uuid for agent in agents}
        return {one.uuid: "its process is gone" for one in gone if one.uuid in there}

    return Sight(look, now)


def silence(yard: Yard, agent: Agent) -> None:
    yard.connection.execute("DEL", yard.key(f"alive:{agent.uuid}"))


def foreign(yard: Yard, name: str, state: AgentState, ago: float) -> Agent:
    """Make an agent as tinytown does, that was heard of some seconds ago."""
    agent = yard.agent(name, lease=0)
    beat = rfc3339(time.time_ns() - int(ago * 1e9))
    fields = {"state": str(state), "last_heartbeat": beat}
    for field, text in fields.items():
        yard.connection.execute("HSET", yard.key(f"agent:{agent.uuid}"), field, text)
    return agent


def mail(yard: Yard, to: str, sort: post.Sort = "task", text: str = "Look at it") -> None:
    kind, content = post.content_of(sort, text)
    message = Message(f"{sort}-{text}-{to}", SUPERVISOR, to, kind, content)
    post.send(yard.workshop, yard.clock, message)


# Who is dead


def test_whoever_is_silent_for_a_lease_gives_back_what_it_held(yard: Yard) -> None:
    dead, alive, jobs = yard.agent("dead"), yard.agent("alive"), yard.plan("a", "b", "c")
    yard.running(jobs[0], dead)
    yard.handed(jobs[1], dead)
    yard.running(jobs[2], alive)
    silence(yard, dead)
    found = recover(yard.workshop, sight())
    assert [(one.agent.name, one.spared) for one in found.found] == [("dead", False)]
    assert "no sign of life for 30 seconds" in found.found[0].why
    assert {job.task.id for job in found.found[0].jobs} == {"a", "b"}
    assert [yard.job(job.uuid).state for job in jobs] == ["pending", "pending", "running"]
    assert [yard.job(job.uuid).deaths for job in jobs] == [1, 0, 0]
    assert recover(yard.workshop, sight()).found == ()


def test_whose_process_is_gone_is_dead_at_once(yard: Yard) -> None:
    agent, (job,) = yard.agent(), yard.plan("a")
    yard.running(job, agent)
    assert recover(yard.workshop, sight()).found == ()
    (found,) = recover(yard.workshop, sight(agent)).found
    assert found.why == "its process is gone"
    assert yard.job(job.uuid).state == "pending"


def test_nobody_is_judged_within_a_lease_of_the_servers_start(yard: Yard) -> None:
    agent = yard.agent()
    silence(yard, agent)
    now = cast("list[bytes]", yard.connection.execute("TIME"))[0].decode()
    run = cast("bytes", yard.connection.execute("GET", yard.key("server"))).split()[0].decode()
    yard.connection.execute("SET", yard.key("server"), f"{run} {now}")
    (found,) = recover(yard.workshop, sight()).found
    assert (found.spared, found.why) == (True, "it is silent, and so was Redis until just now")
    there = yard.workshop.agent(agent.uuid)
    assert there is not None
    assert there.state == "idle"


def test_a_dry_run_changes_nothing(yard: Yard) -> None:
    agent, (job,) = yard.agent(), yard.plan("a")
    yard.running(job, agent)
    silence(yard, agent)
    before = yard.everything()
    (found,) = recover(yard.workshop, sight(), dry_run=True).found
    assert [one.task.id for one in found.jobs] == ["a"]
    assert yard.everything() == before


def test_whoever_stopped_with_work_in_its_hands_gives_it_back(yard: Yard) -> None:
    agent, idle, (job,) = yard.agent("dev"), yard.agent("idle"), yard.plan("a")
    yard.handed(job, agent)
    for one in (agent, idle):
        yard.workshop.set_state(one.uuid, AgentState.STOPPED)
    (found,) = recover(yard.workshop, sight()).found
    assert (found.agent.name, found.why) == ("dev", "it is stopped")
    assert yard.job(job.uuid).state == "pending"


@pytest.mark.parametrize(
    ("state", "ago", "spared"),
    [
        (AgentState.IDLE, 119, None), (AgentState.IDLE, 121, False),
        (AgentState.STARTING, 121, False), (AgentState.DRAINING, 121, False),
        (AgentState.WORKING, 119, None), (AgentState.WORKING, 10_000, True),
        (AgentState.PAUSED, 10_000, True),
    ],
)  # fmt: skip
def test_another_tools_agent_is_judged_as_that_tool_does_unless_it_works(
    yard: Yard, state: AgentState, ago: float, spared: bool | None
) -> None:
    foreign(yard, "rust", state, ago)
    found = recover(yard.workshop, sight(now=time.time())).found
    assert [one.spared for one in found] == ([] if spared is None else [spared])


def test_whoever_is_named_is_dead_unless_it_shows_signs_of_life(yard: Yard) -> None:
    working = foreign(yard, "rust", AgentState.WORKING, 10_000)
    other = foreign(yard, "idle", AgentState.IDLE, 10_000)
    yard.agent("ours")
    (found,) = recover(yard.workshop, sight(), ["rust"]).found
    assert (found.agent.uuid, found.why) == (working.uuid, "somebody said so")
    (found,) = recover(yard.workshop, sight(), ["ours"]).found
    assert found.spared
    states = {one.name: one.state for one in yard.workshop.agents().values()}
    assert states == {"rust": "stopped", "idle": "idle", "ours": "idle"}
    assert other.uuid in yard.workshop.agents()


def test_whoever_was_heard_of_since_is_left_alone(yard: Yard) -> None:
    agent = yard.agent()
    silence(yard, agent)

    def beat(agents: Iterable[Agent]) -> Mapping[str, str]:
        yard.workshop.beat(agent, {})
        return {}

    assert recover(yard.workshop, Sight(beat, 0.0)).found == ()
    there = yard.workshop.agent(agent.uuid)
    assert there is not None
    assert there.state == "idle"


def test_the_third_death_ends_a_task(yard: Yard) -> None:
    (job,) = yard.plan("a")
    for number in range(3):
        agent = yard.agent(f"dev{number}")
        yard.running(yard.job(job.uuid), agent)
        silence(yard, agent)
        recover(yard.workshop, sight())
    assert (yard.job(job.uuid).state, yard.job(job.uuid).deaths) == ("failed", 3)


# Giving it to others


@pytest.fixture
def gone(yard: Yard) -> tuple[Agent, list[Job]]:
    """An agent that stopped: one task of the plan, one that is in none, two messages."""
    agent, jobs = yard.agent("gone"), yard.plan("a")
    yard.running(jobs[0], agent)
    jobs.append(yard.workshop.make("Draw it", agent=agent.uuid))
    mail(yard, "gone")
    mail(yard, "gone", "query", "Which tables?")
    yard.workshop.set_state(agent.uuid, AgentState.STOPPED)
    return agent, jobs


def became(found: Iterable[object]) -> list[str]:
    return [one.became for one in found]  # type: ignore[attr-defined]


def test_without_a_destination_work_is_listed_and_stays(
    yard: Yard, desk: Desk, gone: tuple[Agent, list[Job]]
) -> None:
    before = yard.everything()
    assert became(reclaim(desk, Reclaim())) == ["listed"] * 3
    assert became(orphans(desk, Reclaim())) == ["listed"] * 2
    assert yard.everything() == before


def test_work_goes_to_the_backlog_and_what_is_none_stays(
    yard: Yard, desk: Desk, gone: tuple[Agent, list[Job]]
) -> None:
    agent, jobs = gone
    assert became(reclaim(desk, Reclaim(to_backlog=True))) == ["backlog"] * 3
    assert [yard.job(job.uuid).state for job in jobs] == ["pending", "pending"]
    waiting = yard.workshop.jobs(yard.workshop.backlog())
    texts = {job.task.description for job in waiting.values()}
    assert texts == {"Do a", "Draw it", "Look at it"}
    left = [message_of(text)["type"] for text in yard.list(f"inbox:{agent.uuid}")]
    assert left == ["query"]
    assert yard.list(f"taken:{agent.uuid}") == []
    assert reclaim(desk, Reclaim(to_backlog=True)) == ()


def test_work_that_was_asked_for_is_in_the_backlog_once_though_the_message_comes_back(
    yard: Yard, desk: Desk, gone: tuple[Agent, list[Job]]
) -> None:
    agent, _ = gone
    (asked,) = (one for one in yard.workshop.inbox(agent.uuid) if one.kind == "task")
    for _ in range(2):  # as where it is killed before the message is settled
        reclaim(desk, Reclaim(to_backlog=True))
        yard.workshop.send(asked)
    waiting = yard.workshop.jobs(yard.workshop.backlog())
    assert sorted(job.task.description or "" for job in waiting.values()) == [
        "Do a", "Draw it", "Look at it",
    ]  # fmt: skip


def test_work_goes_to_another_agent_with_its_messages(
    yard: Yard, desk: Desk, gone: tuple[Agent, list[Job]]
) -> None:
    agent, jobs = gone
    other = yard.agent("other")
    assert became(reclaim(desk, Reclaim(to="other", source="gone"))) == ["other"] * 4
    assert [yard.job(job.uuid).agent for job in jobs] == [other.uuid] * 2
    texts = [message_of(text) for text in yard.list(f"inbox:{other.uuid}")]
    kinds = [text["type"] for text in texts]
    assert sorted(map(str, kinds)) == ["query", "task", "task_assign", "task_assign"]
    assert {text["to"] for text in texts} == {other.uuid}
    assert yard.list(f"inbox:{agent.uuid}") == []


def test_what_somebody_has_who_is_there_is_not_taken_away(yard: Yard, desk: Desk) -> None:
    agent, (job,) = yard.agent("dev"), yard.plan("a")
    yard.agent("other")
    yard.running(job, agent)
    with pytest.raises(UsageError, match="dev is working: what it has is its own"):
        reclaim(desk, Reclaim(to="other", source="dev"))
    assert reclaim(desk, Reclaim(to="other")) == ()
    assert yard.job(job.uuid).agent == agent.uuid


def test_work_is_not_given_to_whoever_is_gone(
    yard: Yard, desk: Desk, gone: tuple[Agent, list[Job]]
) -> None:
    before = yard.everything()
    with pytest.raises(TTError, match="gone is stopped, and takes no work"):
        reclaim(desk, Reclaim(to="gone"))
    assert yard.everything() == before


def test_orphans_are_tasks_whose_agent_is_gone_or_was_never_here(
    yard: Yard, desk: Desk, gone: tuple[Agent, list[Job]]
) -> None:
    (job,) = yard.plan("b")
    elsewhere, nobody = yard.plan("c", "d")
    yard.world.put(job.uuid, {"state": "running", "assigned_to": "f" * 8 + gone[0].uuid[8:]})
    yard.world.put(elsewhere.uuid, {"state": "running"})
    found = orphans(desk, Reclaim(cancel=True))
    names = {one.job.task.id for one in found if one.job}
    assert names == {"a", "b", gone[1][1].task.id}
    assert became(found) == ["cancelled"] * 3
    assert yard.job(elsewhere.uuid).state == "running"
    assert yard.job(nobody.uuid).state == "pending"


def test_only_what_is_in_no_plan_is_deleted(
    yard: Yard, desk: Desk, gone: tuple[Agent, list[Job]]
) -> None:
    _, (planned, other) = gone
    found = {one.job.uuid: one for one in orphans(desk, Reclaim(delete=True)) if one.job}
    assert found[planned.uuid].became == "kept"
    assert "in the plan" in found[planned.uuid].why
    assert found[other.uuid].became == "deleted"
    assert yard.job(planned.uuid).state == "running"
    assert not yard.workshop.remove(planned.uuid)
    assert not yard.workshop.remove(other.uuid)
    assert yard.workshop.jobs([other.uuid]) == {}
    assert [*yard.kinds()][-1] == "task_deleted"


# Removing agents


def test_whoever_has_stopped_is_removed_and_what_it_held_given_back(yard: Yard) -> None:
    agent, there, (job,) = yard.agent("dev"), yard.agent("there"), yard.plan("a")
    yard.running(job, agent)
    yard.workshop.set_state(agent.uuid, AgentState.STOPPED)
    found = prune(yard.workshop)
    assert [one.name for one in found.removed] == ["dev"]
    assert [one.task.id for one in found.given_back] == ["a"]
    assert (yard.job(job.uuid).state, yard.job(job.uuid).deaths) == ("pending", 0)
    assert list(yard.workshop.agents()) == [there.uuid]


def test_whoever_has_work_in_its_inbox_stays_unless_all_are_to_go(yard: Yard) -> None:
    agent = yard.agent("dev")
    mail(yard, "dev")
    yard.workshop.set_state(agent.uuid, AgentState.STOPPED)
    assert [one.name for one, _ in prune(yard.workshop).kept] == ["dev"]
    assert [one.name for one in prune(yard.workshop, every=True).removed] == ["dev"]
    assert yard.list(f"inbox:{agent.uuid}") == []


def test_all_agents_go_and_those_at_work_learn_of_it(yard: Yard) -> None:
    agent, (job,) = yard.agent("dev"), yard.plan("a")
    running = yard.running(job, agent)
    assert len(prune(yard.workshop, every=True).removed) == 1
    assert done(yard.workshop.finish(job.uuid, "completed", "by hand")).state == "completed"
    assert yard.workshop.beat(agent, {job.uuid: running.claim}) == {job.uuid}
