"""Agents of a town on a real server: enlisted, alive, dead, gone."""

from __future__ import annotations

from functools import partial
from typing import cast

import pytest

from tests.support.redis_server import wait_until
from tests.support.workshops import Breaking, Yard, done, message
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.identifiers import new_uuid
from tt.adapters.redis.replies import LostError
from tt.adapters.redis.workshop import RedisWorkshop
from tt.core.agents import SUPERVISOR, Agent, AgentState
from tt.core.messages import Kind, Message, Priority
from tt.errors import StoreError, TTError
from tt.record import replace
from tt.workports import Standing, Terms

GONE = [AgentState.STOPPED, AgentState.ERROR]


@pytest.fixture
def yard(connection: Connection, town: str) -> Yard:
    return Yard(town, connection)


def state_of(yard: Yard, agent: Agent) -> str:
    found = yard.workshop.agent(agent.uuid)
    assert found is not None
    return found.state


# Enlisting


def test_an_agent_is_enlisted_with_all_that_it_says(yard: Yard) -> None:
    agent = Agent(
        new_uuid(), "dev", AgentState.STARTING, cli="claude", role="developer", nickname="Mabel",
        parent=new_uuid(), lease=12.5, host="here", pid=42, born="17",
    )  # fmt: skip
    made = yard.workshop.enlist(agent)
    assert made == replace(
        agent, alive=True, created_at=made.created_at, last_heartbeat=made.created_at,
        last_active_at=made.created_at,
    )  # fmt: skip
    assert yard.workshop.agent(agent.uuid) == made
    assert yard.workshop.agents() == {agent.uuid: made}
    assert yard.workshop.events(9, agent=agent.uuid)[0].kind == "agent_spawned"
    assert yard.workshop.agent(new_uuid()) is None


def test_some_agents_are_read_in_the_order_in_which_they_were_made(yard: Yard) -> None:
    made = [yard.agent(name) for name in ("one", "two", "three")]
    asked = [made[2].uuid, new_uuid(), "no uuid", made[0].uuid]
    assert list(yard.workshop.agents(asked)) == [made[0].uuid, made[2].uuid]
    assert yard.workshop.agents([]) == {}


def test_a_sign_of_life_that_may_not_be_looked_for_is_not_taken_for_missing(yard: Yard) -> None:
    yard.agent()
    yard.connection.execute("ACL", "SETUSER", "blind", "on", "nopass", "~*", "+@all", "-exists")
    try:
        yard.connection.execute("AUTH", "blind", "x")
        with pytest.raises(StoreError, match="does not permit"):
            yard.workshop.agents()
    finally:
        yard.connection.execute("AUTH", "default", "")
        yard.connection.execute("ACL", "DELUSER", "blind")


def test_a_name_is_taken_until_its_agent_is_gone(yard: Yard) -> None:
    first = yard.agent()
    with pytest.raises(TTError, match="an agent called dev already, which is idle"):
        yard.agent()
    with pytest.raises(TTError):
        yard.workshop.enlist(first)
    yard.workshop.set_state(first.uuid, AgentState.STOPPED)
    second = yard.agent()
    with pytest.raises(TTError):
        yard.workshop.enlist(first)
    yard.workshop.set_state(second.uuid, AgentState.ERROR)
    assert yard.workshop.enlist(first).alive
    assert len(yard.workshop.agents()) == 2


def test_the_name_of_a_tinytown_agent_is_taken(yard: Yard) -> None:
    yard.world.agent(new_uuid(), "dev")
    uuid = new_uuid()
    fields = {"id": uuid, "name": "tester", "state": "cold"}
    for name, text in fields.items():
        yard.connection.execute("HSET", yard.key(f"agent:{uuid}"), name, text)
    with pytest.raises(TTError, match="tester"):
        yard.agent("tester")
    yard.agent("dev")  # what has no state is no agent


def test_of_two_who_enlist_at_once_one_has_the_name(connection: Connection, town: str) -> None:
    for at in range(9):
        yard = Yard(f"{town}-{at}", connection)
        raced = Breaking(connection, at, meddle=yard.agent)
        try:
            RedisWorkshop(raced, yard.town, yard.clock).enlist(
                Agent(new_uuid(), "dev", AgentState.IDLE, lease=1)
            )
        except TTError:
            assert len(yard.workshop.agents()) == 1
        else:
            assert raced.seen <= at
            return
    raise AssertionError("it was never enlisted in peace")


@pytest.mark.parametrize("same", [True, False])
def test_who_starts_again_while_another_takes_its_name_keeps_it(
    connection: Connection, town: str, same: bool
) -> None:
    for at in range(9):
        yard = Yard(f"{town}-{at}", connection)
        agent = yard.agent()
        yard.workshop.set_state(agent.uuid, AgentState.STOPPED)
        start = partial(yard.workshop.set_state, agent.uuid, AgentState.STARTING)
        raced = Breaking(connection, at, meddle=start)
        shop = RedisWorkshop(raced, yard.town, yard.clock)
        wanted = agent if same else replace(agent, uuid=new_uuid())
        try:
            shop.enlist(wanted)
        except TTError:
            assert state_of(yard, agent) == AgentState.STARTING
            assert len(yard.workshop.agents()) == 1
        else:
            assert raced.seen <= at
            return
    raise AssertionError("it was never enlisted in peace")


# States and signs of life


@pytest.mark.parametrize("gone", GONE)
def test_who_is_gone_can_only_start_again(yard: Yard, gone: AgentState) -> None:
    agent = yard.agent()
    assert yard.workshop.set_state(agent.uuid, gone, "done")
    for state in (AgentState.IDLE, AgentState.WORKING, AgentState.DRAINING):
        assert not yard.workshop.set_state(agent.uuid, state)
    assert state_of(yard, agent) == gone
    assert yard.workshop.set_state(agent.uuid, AgentState.STARTING)
    assert yard.workshop.set_state(agent.uuid, AgentState.IDLE)
    assert not yard.workshop.set_state(new_uuid(), AgentState.IDLE)


def test_a_state_is_an_event_where_it_is_news(yard: Yard) -> None:
    agent = yard.agent()
    before = len(yard.kinds())
    for _ in range(2):
        assert yard.workshop.set_state(agent.uuid, AgentState.DRAINING, "enough")
    (event,) = yard.workshop.events(100)[before:]
    assert event.kind == "agent_state_changed"
    assert event.data.items() >= {
        "agent_id": agent.uuid, "old_state": "idle", "new_state": "draining", "reason": "enough",
    }.items()  # fmt: skip


@pytest.mark.parametrize("state", [*GONE, AgentState.STARTING, AgentState.COLD])
def test_the_stop_flag_is_taken_down_by_who_stops_or_starts(yard: Yard, state: AgentState) -> None:
    agent = yard.agent()
    yard.workshop.ask_to_stop(agent.uuid)
    assert yard.workshop.standing(agent.uuid).must_stop
    assert cast("int", yard.connection.execute("TTL", yard.key(f"stop:{agent.uuid}"))) > 3_590
    yard.workshop.set_state(agent.uuid, AgentState.DRAINING)
    assert yard.workshop.standing(agent.uuid).must_stop
    yard.workshop.set_state(agent.uuid, state)
    assert not yard.workshop.standing(agent.uuid).must_stop


def test_a_sign_of_life_is_good_for_the_lease(yard: Yard) -> None:
    agent = yard.agent(lease=0.05)
    wait_until(lambda: not yard.workshop.agents()[agent.uuid].alive, "the sign of life to pass")
    assert yard.workshop.beat(replace(agent, lease=60.0), {}) == frozenset()
    found = yard.workshop.agent(agent.uuid)
    assert found is not None
    assert found.alive
    assert found.last_heartbeat > agent.last_heartbeat
    ttl = cast("int", yard.connection.execute("PTTL", yard.key(f"alive:{agent.uuid}")))
    assert 50_000 < ttl <= 60_000


def test_a_beat_says_what_is_not_held_any_more(yard: Yard) -> None:
    agent, other, jobs = yard.agent(), yard.agent("other"), yard.plan(*"abcdefg")
    claims = {job.uuid: yard.running(job, agent).claim for job in jobs}
    held, finished, given, moved, removed, taken, plainly = claims
    done(yard.workshop.finish(finished, "completed", ""))
    done(yard.workshop.give_back(given, ""))
    job = done(yard.workshop.give_back(moved, ""))
    yard.running(job, other)
    yard.world.drop(removed)
    yard.world.put(taken, {"assigned_to": other.uuid})
    yard.world.put(plainly, {"state": "completed"})  # as tinytown does
    assert yard.workshop.beat(agent, claims) == {*claims} - {held}
    assert yard.workshop.beat(agent, {held: claims[held]}) == frozenset()
    assert yard.workshop.beat(agent, {held: "another"}) == {held}


@pytest.mark.parametrize("gone", GONE)
def test_who_is_gone_shows_no_sign_of_life_and_holds_nothing(yard: Yard, gone: AgentState) -> None:
    agent, (job,) = yard.agent(), yard.plan("a")
    claim = yard.running(job, agent).claim
    yard.workshop.set_state(agent.uuid, gone)
    assert yard.workshop.beat(agent, {job.uuid: claim}) == {job.uuid}
    assert not yard.workshop.agents()[agent.uuid].alive
    never = Agent(new_uuid(), "never", AgentState.IDLE, lease=9)
    assert yard.workshop.beat(never, {job.uuid: claim}) == {job.uuid}
    assert yard.connection.execute("EXISTS", yard.key(f"agent:{never.uuid}")) == 0


def test_a_process_whose_agent_is_another_one_by_now_shows_no_sign_of_life(yard: Yard) -> None:
    (job,) = yard.plan("lint")
    first = yard.workshop.enlist(replace(yard.agent("a"), uuid=new_uuid(), name="b", host="h",
                                         pid=4, born="ticks 1"))  # fmt: skip
    claims = {job.uuid: yard.running(job, first).claim}
    assert yard.workshop.beat(first, claims) == frozenset()
    for other in ({"host": "i"}, {"pid": 5}, {"born": "ticks 2"}):
        yard.connection.execute("DEL", yard.key(f"alive:{first.uuid}"))
        assert yard.workshop.beat(replace(first, **other), claims) == {job.uuid}
        found = yard.workshop.agent(first.uuid)
        assert found is not None
        assert not found.alive


def test_a_round_that_is_over_is_counted_and_told(yard: Yard) -> None:
    agent = yard.agent()
    yard.workshop.end_round(agent.uuid, 7, "Round 7: a ü")
    found = yard.workshop.agent(agent.uuid)
    assert found is not None
    assert (found.rounds_completed, found.state) == (7, agent.state)
    assert found.last_active_at > agent.last_active_at
    assert list(yard.workshop.activity(agent.uuid)) == ["Round 7: a ü"]


def test_nobody_counts_rounds_of_an_agent_that_is_not_there(yard: Yard) -> None:
    yard.workshop.end_round(new_uuid(), 1, "Round 1")
    assert yard.everything() == {}


def test_all_that_others_may_change_of_an_agent_is_seen_at_one_go(yard: Yard) -> None:
    agent = yard.agent()
    counting = Breaking(yard.connection)
    shop = RedisWorkshop(counting, yard.town, yard.clock)
    assert shop.standing(agent.uuid) == Standing(yard.workshop.agent(agent.uuid))
    assert counting.seen == 1
    assert shop.standing(new_uuid()) == Standing(None)
    for priority in (Priority.NORMAL, Priority.URGENT):
        yard.workshop.send(message(agent.uuid, Kind.QUERY, priority))
        assert shop.standing(agent.uuid).has_mail
        yard.workshop.take(agent.uuid)
        assert not shop.standing(agent.uuid).has_mail
    yard.connection.execute("HSET", yard.key(f"agent:{agent.uuid}"), "state", "odd")
    assert shop.standing(agent.uuid) == Standing(None)


# Death


def bereave(yard: Yard) -> tuple[Agent, dict[str, str]]:
    """Let an agent hold a running and an assigned task, and have taken two messages of three."""
    agent, jobs = yard.agent(), yard.plan("ran", "waits", "free", "others")
    yard.running(jobs[0], agent)
    yard.handed(jobs[1], agent)
    yard.running(jobs[3], yard.agent("other"))
    for _ in range(2):
        assert yard.workshop.take(agent.uuid)
    yard.workshop.send(Message(new_uuid(), SUPERVISOR, agent.uuid, Kind.QUERY))
    return agent, {job.task.id: job.uuid for job in jobs}


def test_who_is_buried_holds_nothing_any_more(yard: Yard) -> None:
    agent, ids = bereave(yard)
    given = yard.workshop.bury(agent.uuid, "its process is gone")
    assert {job.task.id: (job.state, job.deaths) for job in given} == {
        "ran": ("pending", 1), "waits": ("pending", 0),
    }  # fmt: skip
    assert all(job.why == "its process is gone" for job in given)
    assert [message.kind for message in yard.workshop.inbox(agent.uuid)] == [
        "task_assign", "task_assign", "query",
    ]  # fmt: skip
    assert yard.list(f"taken:{agent.uuid}") == []
    found = yard.workshop.agent(agent.uuid)
    assert found is not None
    assert (found.state, found.alive, found.current_task) == (AgentState.STOPPED, False, "")
    assert yard.job(ids["others"]).state == "running"
    before = yard.everything()
    assert yard.workshop.bury(agent.uuid, "again") == ()
    assert yard.everything() == before


def test_a_burial_that_is_cut_short_is_begun_again(connection: Connection, town: str) -> None:
    for at in range(100):
        yard = Yard(f"{town}-{at}", connection)
        agent, ids = bereave(yard)

        class Dies(Breaking):
            def pipeline(self, commands: object) -> list[object]:  # type: ignore[override]
                if self.seen >= self.at:
                    raise LostError("It died.")
                return super().pipeline(commands)  # type: ignore[arg-type,return-value]

        died = True
        try:
            RedisWorkshop(Dies(connection, at), yard.town, yard.clock).bury(agent.uuid, "dead")
            died = False
        except LostError:
            if state_of(yard, agent) not in GONE:
                yard.workshop.bury(agent.uuid, "dead")
        jobs = yard.workshop.jobs(ids.values())
        assert [jobs[ids[name]].deaths for name in ("ran", "waits", "free")] == [1, 0, 0]
        assert [jobs[ids[name]].state for name in ("ran", "waits", "free")] == ["pending"] * 3
        assert len(yard.workshop.inbox(agent.uuid)) == 3
        assert yard.kinds().count("agent_stopped") == 1
        if not died:
            return
    raise AssertionError("it was never buried in peace")


def test_two_who_bury_one_agent_count_one_death(connection: Connection, town: str) -> None:
    for at in range(100):
        yard = Yard(f"{town}-{at}", connection)
        agent, ids = bereave(yard)
        other = partial(yard.workshop.bury, agent.uuid, "dead")
        raced = Breaking(connection, at, meddle=other)
        RedisWorkshop(raced, yard.town, yard.clock).bury(agent.uuid, "dead")
        assert yard.job(ids["ran"]).deaths == 1
        assert len(yard.workshop.inbox(agent.uuid)) == 3
        kinds = yard.kinds()
        assert (kinds.count("task_requeued"), kinds.count("agent_stopped")) == (2, 1)
        if raced.seen <= at:
            return
    raise AssertionError("it was never buried in peace")


def test_what_is_handed_to_the_dying_is_given_back_too(connection: Connection, town: str) -> None:
    for at in range(100):
        yard = Yard(f"{town}-{at}", connection)
        agent, ids = bereave(yard)
        free = yard.job(ids["free"])
        hand = (free, agent.uuid, Terms(), SUPERVISOR)
        raced = Breaking(connection, at, meddle=partial(yard.workshop.hand_out, *hand))
        RedisWorkshop(raced, yard.town, yard.clock).bury(agent.uuid, "dead")
        held = [job for job in yard.workshop.board().jobs.values() if job.agent == agent.uuid]
        assert held == []
        if raced.seen <= at:
            return
    raise AssertionError("it was never buried in peace")


def test_what_another_has_by_now_is_not_taken_from_it(connection: Connection, town: str) -> None:
    """tinytown assigns without a claim that would tell."""
    for at in range(100):
        yard = Yard(f"{town}-{at}", connection)
        agent, other, job = yard.agent(), yard.agent("other"), yard.workshop.make("x")
        yard.world.put(job.uuid, {"state": "running", "assigned_to": agent.uuid})
        move = partial(yard.world.put, job.uuid, {"assigned_to": other.uuid})
        raced = Breaking(connection, at, meddle=move)
        RedisWorkshop(raced, yard.town, yard.clock).bury(agent.uuid, "dead")
        if raced.seen <= at:
            return
        assert yard.job(job.uuid).agent == other.uuid
    raise AssertionError("it was never buried in peace")


def test_who_is_gone_is_dismissed_with_all_that_was_its(yard: Yard) -> None:
    agent, _ = bereave(yard)
    other = yard.agent("third")
    yard.workshop.log(agent.uuid, "x")
    yard.workshop.ask_to_stop(agent.uuid)
    assert yard.workshop.dismiss([agent.uuid, other.uuid, new_uuid()]) == 0
    yard.workshop.bury(agent.uuid, "dead")
    assert yard.workshop.dismiss([agent.uuid, other.uuid]) == 1
    assert not [key for key in yard.everything() if agent.uuid in key and ":task:" not in key]
    assert agent.uuid not in yard.workshop.agents()
    assert yard.agent("dev").alive
    assert "third" in {found.name for found in yard.workshop.agents().values()}


def test_who_starts_again_is_not_dismissed(connection: Connection, town: str) -> None:
    for at in range(9):
        yard = Yard(f"{town}-{at}", connection)
        agent = yard.agent()
        yard.workshop.set_state(agent.uuid, AgentState.STOPPED)
        start = partial(yard.workshop.set_state, agent.uuid, AgentState.STARTING)
        raced = Breaking(connection, at, meddle=start)
        dismissed = RedisWorkshop(raced, yard.town, yard.clock).dismiss([agent.uuid])
        if raced.seen <= at:
            assert dismissed == 1
            return
        assert dismissed == 0
        assert state_of(yard, agent) == AgentState.STARTING
    raise AssertionError("it was never dismissed in peace")
