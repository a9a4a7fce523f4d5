"""When a conductor looks, decides, acts and ends; in a real town, by a clock of the test's."""

from __future__ import annotations

import pytest

from tests.support.conducted import LEASE, Conducted
from tests.support.workshops import Yard, done
from tt.adapters.redis.connection import Connection
from tt.app.stage import Errand
from tt.core.agents import SUPERVISOR, Agent, AgentState
from tt.core.conducted import Event
from tt.core.conducting import Orders
from tt.core.standstill import Block
from tt.core.times import since_1970
from tt.errors import StoreError, TTError
from tt.workports import Terms

_NO_TERMS = Terms()
GONE = StoreError("redis://localhost:1 does not answer.", "Start it.")


@pytest.fixture
def yard(town: str, connection: Connection) -> Yard:
    return Yard(town, connection)


@pytest.fixture
def chain(yard: Yard) -> Conducted:
    """Three tasks, one after the other, for one agent that is there."""
    yard.agent("dev")
    yard.plan("a", agent="dev")
    yard.plan("b", agent="dev", depends_on=["a"])
    yard.plan("c", agent="dev", depends_on=["b"])
    return Conducted(yard)


def test_a_town_without_tasks_is_said_with_what_to_do(yard: Yard) -> None:
    with pytest.raises(TTError, match="no tasks") as caught:
        Conducted(yard).step()
    assert "tt sync push" in str(caught.value.hint)


def test_a_chain_is_handed_out_stage_by_stage_until_all_is_done(chain: Conducted) -> None:
    assert chain.step() == ["handed_out a dev"]
    chain.work("a")
    assert chain.step() == ["running a dev"]
    chain.finish("a", result="fine")
    assert chain.step() == ["completed a dev", "handed_out b dev"]
    assert chain.told[0].message == "fine"
    chain.finish("b")
    assert chain.step() == ["completed b dev", "handed_out c dev"]
    chain.finish("c")
    assert chain.wait(0.1) == ["completed c dev"]
    assert chain.conduct.is_over
    assert chain.conduct.verdict is not None
    assert chain.conduct.verdict.is_completed


def test_nobody_is_sent_word_of_what_a_conductor_sees_itself(chain: Conducted) -> None:
    chain.step()
    chain.finish("a")
    assert chain.step() == ["completed a dev", "handed_out b dev"]
    chain.finish("b", "failed")
    assert chain.step() == ["failed b dev"]
    assert chain.yard.workshop.inbox(SUPERVISOR) == []


def test_it_looks_at_everything_once_more_before_it_ends(chain: Conducted) -> None:
    chain.step()
    for name in "abc":
        chain.finish(name)
        chain.step()
    chain.lease.before["board"] = lambda: chain.yard.plan("d", agent="dev")
    chain.wait(0.1)
    assert not chain.conduct.is_over
    assert "handed_out d dev" in chain.said


def test_a_group_runs_at_once_and_lands(yard: Yard) -> None:
    yard.agent("dev")
    yard.agent("ops")
    yard.plan("epic", tags=["epic"])
    yard.plan("one", agent="dev", parent="epic")
    yard.plan("two", agent="ops", parent="epic")
    found = Conducted(yard)
    assert found.step() == ["handed_out one dev", "handed_out two ops"]
    found.finish("one")
    found.finish("two")
    found.wait(0.1)
    assert found.conduct.is_over
    assert found.job("epic").state == "completed"
    assert yard.kinds().count("task_completed") == 3


def test_a_failed_stage_stops_what_depends_on_it_and_nothing_else(chain: Conducted) -> None:
    chain.yard.plan("free", agent="dev")
    chain.step()
    chain.finish("a", "failed", "boom")
    chain.finish("free")
    chain.wait(0.1)
    verdict = chain.conduct.verdict
    assert verdict is not None
    assert [(wait.id, wait.block, wait.roots) for wait in verdict.waits] == [
        ("a", Block.FAILED, ()),
        ("b", Block.WAITS, ("a",)),
        ("c", Block.WAITS, ("a",)),
    ]
    assert verdict.waits[0].why == "boom"
    assert (verdict.completed, verdict.total) == (1, 4)


def test_a_failure_that_is_forgiven_is_tried_again(yard: Yard) -> None:
    yard.agent("dev")
    yard.plan("a", agent="dev", retries=1)
    found = Conducted(yard)
    found.step()
    found.finish("a", "failed", "once")
    assert found.step() == ["retried a dev", "handed_out a dev"]
    assert (found.told[0].count, found.told[0].of, found.told[0].message) == (1, 1, "once")
    found.finish("a", "failed", "twice")
    found.wait(0.1)
    assert found.conduct.verdict is not None
    assert found.conduct.verdict.waits[0].why == "twice"


def test_what_ran_while_it_was_not_looking_is_told_in_the_end(chain: Conducted) -> None:
    chain.step()
    chain.stage.tells = False
    chain.finish("a")
    assert chain.step() == []
    chain.stage.tells = chain.stage.lost = True
    assert chain.step() == ["completed a dev", "handed_out b dev"]


def test_a_server_that_cannot_tell_is_asked_every_second(chain: Conducted) -> None:
    chain.stage.deaf = "It is an old one."
    chain.step()
    assert [told.message for told in chain.events(Event.DEAF)] == ["It is an old one."]
    chain.finish("a")
    assert chain.wait(1.1) == ["completed a dev", "handed_out b dev"]
    assert chain.wait(5) == []


# Who is there


def test_an_agent_that_comes_is_given_what_waited_for_it(chain: Conducted) -> None:
    chain.yard.plan("x", agent="ops")
    chain.step()
    chain.yard.agent("ops")
    assert chain.step() == ["agent_joined ops", "handed_out x ops"]


def test_who_rests_is_waited_for(yard: Yard) -> None:
    dev = yard.agent("dev")
    yard.workshop.set_state(dev.uuid, AgentState.PAUSED)
    yard.plan("a", agent="dev")
    found = Conducted(yard)
    assert found.wait(100) == []
    assert not found.conduct.is_over
    yard.workshop.set_state(dev.uuid, AgentState.IDLE)
    assert found.step() == ["agent_resumed dev", "handed_out a dev"]


def test_where_nobody_is_the_agent_it_ends_and_says_so(yard: Yard) -> None:
    yard.plan("a", agent="ghost")
    found = Conducted(yard)
    found.wait(0.1)
    assert found.conduct.verdict is not None
    (wait,) = found.conduct.verdict.waits
    assert (wait.block, wait.agent) == (Block.NOBODY, "ghost")


def test_while_others_work_it_is_said_once_that_nobody_is_the_agent(chain: Conducted) -> None:
    chain.yard.plan("x", agent="ops")
    assert chain.step() == ["nobody ops", "handed_out a dev"]
    chain.finish("a")
    assert chain.step() == ["completed a dev", "handed_out b dev"]
    chain.yard.agent("ops")
    assert chain.step() == ["agent_joined ops", "handed_out x ops"]


def test_what_a_silent_agent_held_is_handed_to_another_one(chain: Conducted) -> None:
    chain.step()
    chain.work("a")
    chain.step()
    chain.yard.agent("second", lease=30)
    chain.yard.connection.execute("DEL", chain.yard.key(f"alive:{chain.job('a').agent}"))
    said = chain.step()
    assert said[:3] == ["agent_joined second", "agent_buried dev", "given_back a dev"]
    assert chain.job("a").deaths == 1
    assert chain.job("a").state == "pending"


def test_nobody_is_judged_while_nobody_could_show_a_sign_of_life(chain: Conducted) -> None:
    chain.step()
    chain.work("a")
    chain.lease.judges = False
    chain.yard.connection.execute("DEL", chain.yard.key(f"alive:{chain.job('a').agent}"))
    assert "agent_buried dev" not in chain.wait(20)
    chain.lease.judges = True
    assert "agent_buried dev" in chain.wait(LEASE / 3)


def test_who_slept_like_the_agents_gives_them_a_lease_to_show_that_they_live(
    chain: Conducted,
) -> None:
    """A laptop that was closed for an hour: no sign of life is left when it is opened."""
    chain.step()
    alive = chain.yard.key(f"alive:{chain.work('a').agent}")
    chain.step()
    chain.yard.connection.execute("DEL", alive)
    chain.now += 3600
    assert "agent_buried dev" not in chain.wait(LEASE - 1)
    chain.yard.connection.execute("SET", alive, 1)
    assert chain.wait(2 * LEASE) == []
    chain.yard.connection.execute("DEL", alive)
    assert "agent_buried dev" in chain.step()


def test_who_is_still_silent_a_lease_after_the_sleep_is_dead(chain: Conducted) -> None:
    chain.step()
    chain.yard.connection.execute("DEL", chain.yard.key(f"alive:{chain.work('a').agent}"))
    chain.now += 3600
    assert "agent_buried dev" in chain.wait(LEASE + LEASE / 3)


def test_nobody_is_judged_within_a_lease_of_redis_being_back(chain: Conducted) -> None:
    chain.step()
    alive = chain.yard.key(f"alive:{chain.work('a').agent}")
    chain.step()
    chain.yard.connection.execute("DEL", alive)
    chain.lease.error = GONE
    chain.wait(LEASE)
    chain.lease.error = None
    assert "agent_buried dev" not in chain.wait(LEASE - 6)
    assert "agent_buried dev" in chain.wait(LEASE)


def test_who_shows_a_sign_of_life_in_the_last_moment_is_not_buried(chain: Conducted) -> None:
    chain.step()
    held = chain.work("a")
    alive = chain.yard.key(f"alive:{held.agent}")
    chain.yard.connection.execute("DEL", alive)
    chain.lease.before["agent"] = lambda: None  # the news that it is silent
    found = chain.conduct

    def beat() -> None:
        chain.yard.connection.execute("SET", alive, 1)

    heard = chain.stage.heard()
    assert held.agent in heard.agents
    agent = chain.yard.workshop.agent(held.agent)
    assert agent is not None
    assert not agent.alive
    chain.stage.lost = True
    chain.lease.before["agent"] = beat
    found.step()
    assert chain.job("a").state == "running"
    assert not chain.events(Event.BURIED)


def test_a_process_that_is_gone_from_this_machine_is_dead_at_once(chain: Conducted) -> None:
    chain.step()
    chain.work("a")
    chain.stage.gone = {"dev": "its process 7 is gone"}
    assert chain.step()[:2] == ["running a dev", "agent_buried dev"]
    (buried,) = chain.events(Event.BURIED)
    assert (buried.message, buried.count) == ("its process 7 is gone", 1)


def test_what_somebody_held_who_stopped_goes_back(chain: Conducted) -> None:
    chain.step()
    holder = chain.job("a").agent
    chain.yard.connection.execute("HSET", chain.yard.key(f"agent:{holder}"), "state", "stopped")
    said = chain.step()
    assert "given_back a dev" in said
    assert chain.job("a").state == "pending"
    chain.wait(0.1)
    assert chain.conduct.is_over


def test_another_tools_agent_that_takes_too_long_has_failed(yard: Yard) -> None:
    yard.agent("rust", lease=0)
    yard.plan("a", agent="rust", timeout=60)
    found = Conducted(yard)
    found.step()
    found.work("a")
    found.step()
    assert found.wait(59) == []
    assert found.wait(2) == ["failed a rust"]
    assert found.job("a").result == "took longer than 60 seconds"


def test_what_ran_before_the_conductor_came_is_measured_by_its_own_word(yard: Yard) -> None:
    rust = yard.agent("rust", lease=0)
    (task,) = yard.plan("a", agent="rust", timeout=60)
    yard.running(task, rust)
    found = Conducted(yard)
    began = since_1970(found.job("a").started_at)
    assert began is not None
    found.now = began + 50
    found.conduct = found.another()
    assert found.step() == []
    assert found.wait(9) == []
    assert found.wait(2) == ["failed a rust"]


def test_an_agent_that_is_removed_from_the_town_is_forgotten(chain: Conducted) -> None:
    leaver = chain.yard.agent("leaver")
    chain.step()
    assert [agent.name for agent in known(chain)] == ["dev", "leaver"]
    chain.yard.workshop.set_state(leaver.uuid, AgentState.STOPPED)
    chain.yard.workshop.dismiss([leaver.uuid])
    chain.step()
    assert [agent.name for agent in known(chain)] == ["dev"]


def known(chain: Conducted) -> list[Agent]:
    ledger = chain.conduct.ledger
    assert ledger is not None
    return list(ledger.agents.values())


def test_a_sign_of_life_is_nothing_to_decide_on(chain: Conducted) -> None:
    chain.step()
    held = chain.work("a")
    chain.step()
    (dev,) = chain.yard.workshop.agents().values()
    assert not chain.yard.workshop.beat(dev, {held.uuid: held.claim})
    chain.lease.calls.clear()
    assert chain.step() == []
    assert chain.lease.calls == ["agents"]


def test_from_time_to_time_it_looks_at_the_agents_that_it_knows_and_at_no_other_key(
    chain: Conducted,
) -> None:
    chain.step()
    chain.step()
    (dev,) = chain.yard.workshop.agents()
    chain.lease.asked.clear()
    chain.wait(LEASE)
    assert chain.lease.asked == [("agents", ({dev},))] * 3


def test_an_agent_of_ours_ends_by_itself_what_takes_too_long(yard: Yard) -> None:
    yard.agent("ours")
    yard.plan("a", agent="ours", timeout=60)
    found = Conducted(yard)
    found.step()
    found.work("a")
    assert found.wait(600) == ["running a ours"]


# Agents that are started


def test_agents_that_nobody_is_are_started_and_given_their_tasks(yard: Yard) -> None:
    yard.plan("a", agent="dev")
    found = Conducted(yard, Orders(spawns=True))
    assert found.step() == ["spawning dev"]
    assert found.wait(5) == []
    yard.agent("dev")
    found.stage.tells = False
    found.stage.over = [Errand("spawn", "dev")]
    assert found.step() == ["agent_joined dev", "handed_out a dev"]
    assert found.stage.spawned == ["dev"]


def test_an_agent_that_cannot_be_started_is_said_and_the_reason_why_it_ends(yard: Yard) -> None:
    yard.plan("a", agent="dev")
    yard.plan("b", agent="ops")
    found = Conducted(yard, Orders(spawns=True))
    found.stage.barred = {"dev": "`claude` is not there."}
    assert found.step()[:2] == ["spawn_failed dev", "spawning ops"]
    found.stage.over = [Errand("spawn", "ops", "It ended.", "See its log.")]
    found.wait(0.1)
    assert found.conduct.verdict is not None
    assert [wait.why for wait in found.conduct.verdict.waits] == [
        "`claude` is not there.",
        "It ended.",
    ]


def test_an_agent_that_ends_again_and_again_is_started_no_more(yard: Yard) -> None:
    yard.plan("a", agent="dev")
    found = Conducted(yard, Orders(spawns=True))
    for _ in range(10):
        found.step()
        if found.stage.spawned:
            dead = yard.agent("dev")
            yard.workshop.set_state(dead.uuid, AgentState.STOPPED)
            found.stage.over = [Errand("spawn", "dev")]
    assert len(found.stage.spawned) == 3
    found.wait(0.1)
    assert found.conduct.verdict is not None
    assert "3 times" in found.conduct.verdict.waits[0].why


# Commits


def test_commits_are_batched_one_a_second_and_one_at_the_end(yard: Yard) -> None:
    yard.agent("dev")
    yard.plan("a", agent="dev")
    yard.plan("b", agent="dev")
    found = Conducted(yard, commits=True)
    found.step()
    found.step()
    assert found.stage.commits == 1
    found.stage.over = [Errand("commit", "", said="Tasks: a assigned")]
    found.finish("a")
    assert found.step() == ["committed", "completed a dev"]
    found.finish("b")
    found.step()
    assert found.stage.commits == 1
    found.wait(1.0)
    assert found.conduct.verdict is not None
    assert not found.conduct.is_over
    assert found.stage.commits == 2
    found.stage.over = [Errand("commit", "")]
    found.wait(0.1)
    assert found.conduct.is_over


def test_a_task_that_the_last_commit_brings_into_the_plan_is_waited_for(yard: Yard) -> None:
    dev = yard.agent("dev")
    yard.plan("a", agent="dev", status="completed")
    made = yard.workshop.make("By hand", agent=dev.uuid)
    found = Conducted(yard, commits=True)
    found.wait(0.1)
    assert found.conduct.verdict is not None
    assert not found.conduct.is_over
    yard.connection.execute("HSET", yard.key(f"task:{made.uuid}"), "tags", '["plan:by-hand"]')
    found.stage.over = [Errand("commit", "", said="Tasks: by-hand assigned")]
    assert found.wait(0.1) == ["committed", "added by-hand"]
    assert found.conduct.verdict is None
    found.finish("by-hand")
    assert found.wait(1.1) == ["completed by-hand dev"]
    found.stage.over = [Errand("commit", "")]
    found.wait(1.1)
    found.stage.over = [Errand("commit", "")]
    found.wait(1.1)
    assert found.conduct.is_over
    assert found.conduct.verdict is not None
    assert found.conduct.verdict.total == 2


def test_a_commit_that_fails_is_told_once_and_tried_at_the_next_change(yard: Yard) -> None:
    yard.agent("dev")
    yard.plan("a", agent="dev")
    yard.plan("b", agent="dev", depends_on=["a"])
    found = Conducted(yard, commits=True)
    found.stage.commit_error = TTError("A merge is in progress.")
    found.wait(1.5)
    assert "commit_failed" in found.said
    found.finish("a")
    assert "commit_failed" not in found.wait(1.5)
    found.stage.commit_error = None
    found.finish("b")
    found.wait(1.5)
    for number in (1, 2):
        assert found.stage.commits == number
        found.stage.over = [Errand("commit", "")]
        found.wait(0.1)
    assert found.conduct.is_over
    assert found.conduct.commit_problem == ""


def test_a_last_commit_that_fails_is_the_conductors_failure(yard: Yard) -> None:
    yard.agent("dev")
    yard.plan("a", agent="dev", status="completed")
    found = Conducted(yard, commits=True)
    found.stage.commit_error = TTError("A merge is in progress.")
    found.wait(5)
    assert found.conduct.is_over
    assert found.conduct.commit_problem == "A merge is in progress."


# Who leads


def test_one_leads_and_the_other_stands_by_and_takes_over(chain: Conducted) -> None:
    chain.step()
    other = chain.another()
    chain.told.clear()
    other.step()
    other.step()
    assert chain.said == ["stands_by"]
    assert other.due <= chain.now + LEASE + 0.1
    chain.now = other.due
    chain.finish("a")
    other.step()
    assert chain.said == ["stands_by", "leads", "handed_out b dev"]


def test_who_stands_by_takes_over_at_once_when_it_is_told_that_nobody_leads(
    chain: Conducted,
) -> None:
    chain.step()
    other = chain.another()
    other.step()
    chain.conduct.resign()
    chain.stage.leader = True
    other.step()
    assert other.is_leading


def test_a_leader_renews_its_lease_before_it_runs_out(chain: Conducted) -> None:
    chain.step()
    for _ in range(100):
        chain.wait(LEASE / 7)
        leader = chain.lease.leader()
        assert chain.conduct.is_leading
        assert leader is not None
        assert leader.seconds > LEASE / 2


def test_who_has_lost_its_lease_does_nothing_any_more(chain: Conducted) -> None:
    chain.step()
    chain.now += LEASE + 1
    chain.lease.lease = ("another", chain.now + LEASE)
    chain.finish("a")
    assert chain.step() == ["lost_lead"]
    assert chain.job("b").state == "pending"


def test_who_loses_its_lease_in_the_middle_of_a_step_stops_there(yard: Yard) -> None:
    yard.agent("dev")
    yard.agent("ops")
    yard.plan("a", agent="dev")
    yard.plan("b", agent="ops")
    found = Conducted(yard)

    def sleep() -> None:
        found.now += LEASE + 1
        found.lease.lease = ("another", found.now + LEASE)

    found.lease.before["hand_out"] = sleep
    assert found.step() == ["handed_out a dev"]
    assert found.step() == ["lost_lead"]
    assert found.job("b").state == "pending"


def test_who_led_again_after_a_gap_looks_at_everything_anew(chain: Conducted) -> None:
    chain.step()
    chain.stage.tells = False
    chain.finish("a")
    chain.now += LEASE + 1
    assert chain.step() == ["completed a dev", "handed_out b dev"]


def test_a_task_that_another_conductor_hands_out_first_is_not_handed_out_twice(
    chain: Conducted,
) -> None:
    other = chain.yard.agent("other")
    task = chain.job("a")

    def faster() -> None:
        done(chain.yard.workshop.hand_out(task, other.uuid, _NO_TERMS, ""))

    chain.lease.before["hand_out"] = faster
    assert chain.step() == ["handed_out a other"]
    assert chain.yard.kinds().count("task_assigned") == 1


def test_an_agent_that_goes_in_the_last_moment_is_handed_nothing(chain: Conducted) -> None:
    (dev,) = chain.yard.workshop.agents().values()
    chain.lease.before["hand_out"] = lambda: chain.yard.workshop.set_state(
        dev.uuid, AgentState.STOPPED
    )
    chain.wait(0.1)
    assert chain.job("a").state == "pending"
    assert chain.conduct.is_over


# Redis goes away


def test_redis_that_goes_away_is_told_once_and_tried_again(chain: Conducted) -> None:
    chain.step()
    chain.lease.error = GONE
    chain.stage.lost = True
    assert chain.wait(60) == ["offline"]
    (offline,) = chain.events(Event.OFFLINE)
    assert offline.hint == "Start it.\nThe conductor waits for it."
    chain.lease.error = None
    chain.finish("a")
    assert chain.wait(6) == ["online", "completed a dev", "handed_out b dev"]


def test_who_begins_while_redis_is_away_waits_for_it(chain: Conducted) -> None:
    chain.lease.error = GONE
    assert chain.wait(5) == ["offline"]
    chain.lease.error = None
    assert chain.wait(6) == ["online", "handed_out a dev"]


def test_who_takes_in_nothing_is_not_woken_by_the_town(chain: Conducted) -> None:
    chain.step()
    assert chain.conduct.listens
    chain.lease.error = GONE
    chain.stage.lost = True
    chain.step()
    assert not chain.conduct.listens
    chain.lease.error = None
    chain.wait(6)
    assert chain.conduct.listens
    chain.conduct.end()
    assert not chain.conduct.listens


# One step


def test_once_does_all_that_can_be_done_now_and_ends(yard: Yard) -> None:
    yard.agent("dev")
    yard.plan("epic", tags=["epic"])
    yard.plan("one", agent="dev", parent="epic", status="completed")
    yard.plan("two", agent="dev", depends_on=["epic"])
    found = Conducted(yard, once=True)
    assert found.step() == ["completed epic", "handed_out two dev"]
    assert found.conduct.is_over
    assert found.conduct.goes_on


def test_once_waits_for_no_redis(yard: Yard) -> None:
    found = Conducted(yard, once=True)
    found.lease.error = GONE
    with pytest.raises(StoreError, match="does not answer"):
        found.step()


def test_once_leaves_it_to_the_one_who_leads(chain: Conducted) -> None:
    chain.lease.lease = ("another", chain.now + LEASE)
    once = Conducted(chain.yard, once=True)
    once.stage.workshop.lease = ("another", once.now + LEASE)
    assert once.step() == ["stands_by"]
    assert once.conduct.is_over
    assert once.conduct.verdict is None


def test_who_is_asked_to_end_begins_nothing_more_and_resigns(chain: Conducted) -> None:
    chain.step()
    chain.finish("a")
    chain.conduct.end()
    assert chain.step() == []
    assert chain.conduct.is_over
    chain.conduct.resign()
    assert chain.lease.leader() is None
    assert chain.job("b").state == "pending"
