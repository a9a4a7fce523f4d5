"""The way of a task on a real server: each transition, and each one that is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from functools import partial

import pytest

from tests.support.workshops import OURS, Breaking, Yard, done, message_of, refused
from tt.adapters.redis.commands import Command
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.hashes import HashTexts
from tt.adapters.redis.identifiers import new_uuid
from tt.adapters.redis.replies import LostError, Reply, ReplyError
from tt.adapters.redis.workshop import RedisWorkshop
from tt.core.agents import SUPERVISOR, Agent, AgentState
from tt.core.diff import Added, Edited, Removed
from tt.core.jobs import Job
from tt.core.model import Task
from tt.core.values import Value
from tt.errors import StoreError
from tt.record import replace
from tt.workports import Outcome, Terms

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@pytest.fixture
def yard(connection: Connection, town: str) -> Yard:
    return Yard(town, connection)


# Handing out


def test_a_task_is_handed_out_with_a_message_and_an_event(yard: Yard) -> None:
    agent, (job,) = yard.agent(), yard.plan("a")
    handed = yard.handed(job, agent, retries=2, timeout=60)
    assert (handed.state, handed.agent, handed.sender) == ("assigned", agent.uuid, SUPERVISOR)
    assert (handed.retries, handed.timeout) == (2, 60.0)
    assert handed == yard.job(job.uuid)
    (text,) = yard.list(f"inbox:{agent.uuid}")
    said = message_of(text)
    assert UUID.fullmatch(str(said.pop("id")))
    assert str(said.pop("created_at")).endswith("Z")
    assert said == {
        "from": SUPERVISOR, "to": agent.uuid, "type": "task_assign", "task_id": job.uuid,
        "priority": "normal", "correlation_id": None,
    }  # fmt: skip
    event = yard.workshop.events(1)[0]
    assert event.kind == "task_assigned"
    assert event.data.items() >= {
        "event_type": "task_assigned", "agent_id": agent.uuid, "task_id": job.uuid,
        "old_state": "pending", "new_state": "assigned",
    }.items()  # fmt: skip
    assert yard.workshop.events(1, agent=agent.uuid)[0].data == event.data


@pytest.mark.parametrize(
    "change",
    [
        {"state": "assigned"}, {"state": "running"}, {"state": "completed"}, {"state": "failed"},
        {"run:failures": "1"}, {"run:deaths": "1"}, {"run:claim": "x"},
    ],
)  # fmt: skip
def test_what_is_not_as_it_was_is_not_handed_out(yard: Yard, change: dict[str, str]) -> None:
    agent, (job,) = yard.agent(), yard.plan("a")
    yard.world.put(job.uuid, dict(change))
    before = yard.everything()
    assert refused(yard.workshop.hand_out(job, agent.uuid, Terms(), SUPERVISOR)).uuid == job.uuid
    assert yard.everything() == before


@pytest.mark.parametrize("state", [AgentState.STOPPED, AgentState.ERROR])
def test_nothing_is_handed_out_to_an_agent_that_is_gone(yard: Yard, state: AgentState) -> None:
    agent, (job,) = yard.agent(), yard.plan("a")
    yard.workshop.set_state(agent.uuid, state)
    assert refused(yard.workshop.hand_out(job, agent.uuid, Terms(), SUPERVISOR)) == job
    assert refused(yard.workshop.hand_out(job, new_uuid(), Terms(), SUPERVISOR)) == job
    assert yard.list(f"inbox:{agent.uuid}") == []


def test_a_task_that_is_not_there_is_no_task(yard: Yard) -> None:
    agent, (job,) = yard.agent(), yard.plan("a")
    yard.world.drop(job.uuid)
    nothing = Outcome(done=False)
    assert yard.workshop.hand_out(job, agent.uuid, Terms(), SUPERVISOR) == nothing
    assert yard.workshop.claim(job.uuid, agent.uuid) == nothing
    assert yard.workshop.finish(job.uuid, "completed", "") == nothing
    assert yard.workshop.give_back(job.uuid, "") == nothing
    assert yard.workshop.finish("no uuid", "completed", "") == nothing
    yard.connection.execute("SET", yard.key(f"task:{job.uuid}"), "x")
    assert yard.workshop.finish(job.uuid, "completed", "") == nothing


def test_handing_out_twice_with_one_token_is_handing_out_once(yard: Yard) -> None:
    agent, (job,) = yard.agent(), yard.plan("a")
    for _ in range(2):
        done(yard.workshop.hand_out(job, agent.uuid, Terms(), SUPERVISOR, token="t"))
    refused(yard.workshop.hand_out(job, agent.uuid, Terms(), SUPERVISOR, token="u"))
    done(yard.workshop.claim(job.uuid, agent.uuid))
    done(yard.workshop.hand_out(job, agent.uuid, Terms(), SUPERVISOR, token="t"))
    assert len(yard.list(f"inbox:{agent.uuid}")) == 1
    assert yard.kinds().count("task_assigned") == 1


def test_the_plan_s_own_agent_stays_whoever_it_is_handed_to(yard: Yard) -> None:
    agent, (job,) = yard.agent("dev-2"), yard.plan("a", agent="developer")
    assert yard.handed(job, agent).task.agent == "developer"
    assert yard.world.store().load().tasks["a"].task.agent == "developer"
    given = done(yard.workshop.give_back(job.uuid, "so"))
    assert (given.agent, given.task.agent) == ("", "developer")
    assert yard.world.hash(job.uuid).keys().isdisjoint({"agent_for", "assigned_to"})


# Claiming


def test_an_assigned_task_is_claimed_once(yard: Yard) -> None:
    agent, (job,) = yard.agent(), yard.plan("a")
    handed = yard.handed(job, agent)
    claimed = done(yard.workshop.claim(job.uuid, agent.uuid))
    assert (claimed.state, claimed.agent) == ("running", agent.uuid)
    assert claimed.claim not in ("", handed.claim)
    assert claimed.started_at == claimed.updated_at != handed.updated_at
    assert refused(yard.workshop.claim(job.uuid, agent.uuid)) == claimed
    again = yard.workshop.claim(job.uuid, agent.uuid, token=claimed.claim)
    assert done(again) == claimed
    found = yard.workshop.agent(agent.uuid)
    assert found is not None
    assert (found.state, found.current_task) == (AgentState.WORKING, job.uuid)
    assert yard.kinds().count("task_started") == 1


def test_who_is_paused_stays_so_while_it_works(yard: Yard) -> None:
    agent, (job,) = yard.agent(), yard.plan("a")
    yard.handed(job, agent)
    yard.workshop.set_state(agent.uuid, AgentState.PAUSED)
    done(yard.workshop.claim(job.uuid, agent.uuid))
    found = yard.workshop.agent(agent.uuid)
    assert found is not None
    assert found.state is AgentState.PAUSED


def test_another_s_task_and_a_pending_one_are_not_claimed(yard: Yard) -> None:
    agent, other, (job, free) = yard.agent(), yard.agent("other"), yard.plan("a", "b")
    handed = yard.handed(job, agent)
    assert refused(yard.workshop.claim(job.uuid, other.uuid)) == handed
    assert refused(yard.workshop.claim(free.uuid, agent.uuid)) == free


def test_who_was_buried_claims_nothing(yard: Yard) -> None:
    agent = yard.agent()
    yard.workshop.set_state(agent.uuid, AgentState.STOPPED)
    job = yard.workshop.make("later", agent=agent.uuid)
    assert refused(yard.workshop.claim(job.uuid, agent.uuid)) == job


def test_a_task_that_tinytown_assigned_is_claimed(yard: Yard) -> None:
    agent, job = yard.agent(), yard.workshop.make("x")
    yard.world.put(job.uuid, {"state": "assigned", "assigned_to": agent.uuid})
    assert done(yard.workshop.claim(job.uuid, agent.uuid)).claim


def test_the_token_of_a_hand_out_is_no_claim_of_the_agent_s(yard: Yard) -> None:
    agent, (job,) = yard.agent(), yard.plan("a")
    done(yard.workshop.hand_out(job, agent.uuid, Terms(), SUPERVISOR, token="t"))
    assert done(yard.workshop.claim(job.uuid, agent.uuid, token="t")).state == "running"


# Finishing


def test_a_finished_task_says_so_everywhere_once(yard: Yard) -> None:
    agent, (job,) = yard.agent(), yard.plan("a")
    running = yard.running(job, agent)
    for _ in range(2):
        ended = yard.workshop.finish(
            job.uuid, "completed", "all well", claim=running.claim, by=agent.uuid
        )
        after = done(ended)
        assert (after.state, after.result, after.claim) == ("completed", "all well", "")
        assert after.agent == agent.uuid
        assert (after.started_at, bool(after.completed_at)) == (running.started_at, True)
        assert not ended.requeued
    found = yard.workshop.agent(agent.uuid)
    assert found is not None
    assert (found.tasks_completed, found.current_task) == (1, "")
    assert yard.kinds().count("task_completed") == 1
    (report,) = yard.workshop.inbox(SUPERVISOR)
    assert (report.sender, report.kind) == (agent.uuid, "task_done")
    assert report.content == {"task_id": job.uuid, "result": "all well"}
    (event,) = (event for event in yard.workshop.events(9) if event.kind == "task_completed")
    assert event.data.items() >= {"claim": running.claim, "result": "all well"}.items()


def test_a_late_report_changes_nothing(yard: Yard) -> None:
    agent, other, (job,) = yard.agent(), yard.agent("other"), yard.plan("a")
    old = yard.running(job, agent)
    given = done(yard.workshop.give_back(job.uuid, "too slow", claim=old.claim))
    late = [("completed", old.claim, agent.uuid), ("failed", old.claim, agent.uuid)]
    for state, claim, by in late:
        assert refused(yard.workshop.finish(job.uuid, state, "", claim=claim, by=by)) == given  # type: ignore[arg-type]
    new = yard.running(given, other)
    for state, claim, by in [*late, ("completed", new.claim, agent.uuid), ("failed", "x", "")]:
        before = yard.everything()
        assert refused(yard.workshop.finish(job.uuid, state, "", claim=claim, by=by)) == new  # type: ignore[arg-type]
        assert yard.everything() == before


def test_another_end_than_the_one_that_was_is_refused(yard: Yard) -> None:
    agent, (job,) = yard.agent(), yard.plan("a")
    claim = yard.running(job, agent).claim
    ended = done(yard.workshop.finish(job.uuid, "completed", "", claim=claim))
    assert refused(yard.workshop.finish(job.uuid, "failed", "", claim=claim)) == ended
    assert refused(yard.workshop.finish(job.uuid, "cancelled", "")) == ended
    assert refused(yard.workshop.give_back(job.uuid, "", claim=claim)) == ended


def test_a_failure_that_is_forgiven_makes_it_pending_again(yard: Yard) -> None:
    agent, (job,) = yard.agent(), yard.plan("a")
    for failures in (1, 2):
        claim = yard.running(job, agent, retries=2).claim
        for _ in range(2):
            outcome = yard.workshop.finish(job.uuid, "failed", "no", claim=claim, by=agent.uuid)
            job = done(outcome)
            assert outcome.requeued
            assert (job.state, job.failures, job.why) == ("pending", failures, "no")
        left = {"assigned_to", "started_at", "completed_at", "result", "run:claim"}
        assert yard.world.hash(job.uuid).keys().isdisjoint(left)
    claim = yard.running(job, agent, retries=2).claim
    for _ in range(2):
        outcome = yard.workshop.finish(job.uuid, "failed", "no!", claim=claim, by=agent.uuid)
        job = done(outcome)
        assert not outcome.requeued
        assert (job.state, job.failures, job.result) == ("failed", 3, "no!")
    kinds = yard.kinds()
    assert (kinds.count("task_requeued"), kinds.count("task_failed")) == (2, 1)
    (report,) = yard.workshop.inbox(SUPERVISOR)
    assert (report.kind, report.content) == (
        "task_failed", {"task_id": job.uuid, "error": "no!"},
    )  # fmt: skip
    found = yard.workshop.agent(agent.uuid)
    assert found is not None
    assert found.tasks_completed == 0


def test_whoever_ends_a_task_it_is_its_holders_hands_that_are_free(yard: Yard) -> None:
    holder, other = yard.agent(), yard.agent("other")
    mine, theirs = yard.running(yard.plan("a", "b")[0], other), yard.job(yard.plan("c")[0].uuid)
    theirs = yard.running(theirs, holder)
    done(yard.workshop.finish(theirs.uuid, "completed", "", by=other.uuid))
    agents = yard.workshop.agents()
    assert (agents[holder.uuid].current_task, agents[holder.uuid].tasks_completed) == ("", 1)
    assert (agents[other.uuid].current_task, agents[other.uuid].tasks_completed) == (mine.uuid, 0)


def test_an_attempt_that_bears_the_name_of_an_earlier_one_can_be_given_back_as_that_was(
    yard: Yard,
) -> None:
    agent, (job,) = yard.agent(), yard.plan("a")
    for _ in range(2):  # the answer to the first claim was lost, and the task came again
        yard.handed(yard.job(job.uuid), agent)
        done(yard.workshop.claim(job.uuid, agent.uuid, token="mine"))
        given = yard.workshop.give_back(job.uuid, "stopped", claim="mine")
        assert done(given).state == yard.job(job.uuid).state == "pending"
        assert given.requeued


def test_a_person_ends_whatever_is_not_ended(yard: Yard) -> None:
    agent, jobs = yard.agent(), yard.plan("a", "b", "c")
    yard.handed(jobs[1], agent)
    running = yard.running(jobs[2], agent)
    for job in jobs:
        assert done(yard.workshop.finish(job.uuid, "cancelled", "")).state == "cancelled"
    refused(yard.workshop.finish(running.uuid, "completed", "", claim=running.claim))
    assert yard.kinds().count("task_cancelled") == 3
    assert yard.workshop.inbox(SUPERVISOR) == []
    assert "result" not in yard.world.hash(jobs[0].uuid)


def test_what_nobody_works_on_is_failed_for_good(yard: Yard) -> None:
    agent, (job,) = yard.agent(), yard.plan("a")
    claim = yard.running(job, agent, retries=9).claim
    assert done(yard.workshop.finish(job.uuid, "failed", "x", claim=claim)).state == "pending"
    assert done(yard.workshop.finish(job.uuid, "failed", "enough")).state == "failed"


def test_what_a_tinytown_agent_runs_is_known_by_the_claim_of_its_hand_out(yard: Yard) -> None:
    agent, (job,) = yard.agent(lease=0), yard.plan("a")
    handed = yard.handed(job, agent, retries=1)
    yard.world.put(job.uuid, {"state": "running", "started_at": "now"})
    refused(yard.workshop.finish(job.uuid, "failed", "too long", claim="another"))
    assert done(yard.workshop.finish(job.uuid, "failed", "too long", claim=handed.claim)).failures


# Giving back


def test_what_is_given_back_is_held_by_nobody(yard: Yard) -> None:
    agent, jobs = yard.agent(), yard.plan("a", "b")
    yard.handed(jobs[0], agent)
    running = yard.running(jobs[1], agent)
    for job in jobs:
        outcome = yard.workshop.give_back(job.uuid, "stopped")
        given = done(outcome)
        assert outcome.requeued
        assert (given.state, given.agent, given.claim, given.why) == ("pending", "", "", "stopped")
        assert (given.deaths, given.failures, given.started_at) == (0, 0, "")
        assert refused(yard.workshop.give_back(job.uuid, "again")) == given
    refused(yard.workshop.finish(running.uuid, "completed", "", claim=running.claim))
    assert yard.kinds().count("task_requeued") == 2
    found = yard.workshop.agent(agent.uuid)
    assert found is not None
    assert found.current_task == ""
    assert yard.workshop.backlog() == ()


def test_giving_back_with_an_old_claim_changes_nothing(yard: Yard) -> None:
    agent, (job,) = yard.agent(), yard.plan("a")
    old = yard.running(job, agent)
    job = done(yard.workshop.give_back(job.uuid, "x", claim=old.claim))
    new = yard.running(job, agent)
    again = yard.workshop.give_back(job.uuid, "x", claim=old.claim)
    assert (done(again), again.requeued) == (new, True)  # it was done, and is not done twice
    assert refused(yard.workshop.give_back(job.uuid, "x", claim="other")) == new


def test_the_third_death_sets_a_task_aside(yard: Yard) -> None:
    agent, (job,) = yard.agent(), yard.plan("a")
    for deaths in (1, 2, 3):
        claim = yard.running(job, agent).claim
        for _ in range(2):
            outcome = yard.workshop.give_back(job.uuid, "the log", claim=claim, death=True)
            job = done(outcome)
            assert (job.deaths, outcome.requeued) == (deaths, deaths < 3)
    assert (job.state, job.result, job.failures) == ("failed", "the log", 0)
    assert yard.kinds().count("task_failed") == 1
    assert [message.kind for message in yard.workshop.inbox(SUPERVISOR)] == ["task_failed"]


# The backlog


def test_a_task_of_no_plan_waits_in_the_backlog_until_it_is_handed_out(yard: Yard) -> None:
    agent, made = yard.agent(), [yard.workshop.make(f"number {n}", tags=["x"]) for n in range(2)]
    assert list(yard.workshop.backlog()) == [job.uuid for job in made]
    assert made[0].task.fields == {"description": "number 0", "status": "pending", "tags": ["x"]}
    assert not made[0].tagged
    yard.running(made[0], agent)
    assert list(yard.workshop.backlog()) == [made[1].uuid]
    given = done(yard.workshop.give_back(made[0].uuid, "no time"))
    assert list(yard.workshop.backlog()) == [made[1].uuid, made[0].uuid]
    assert yard.workshop.unshelve(given.uuid)
    assert not yard.workshop.unshelve(given.uuid)
    assert yard.workshop.shelve(given.uuid)
    assert not yard.workshop.shelve(given.uuid)
    done(yard.workshop.finish(given.uuid, "cancelled", ""))
    assert list(yard.workshop.backlog()) == [made[1].uuid]
    assert not yard.workshop.shelve(given.uuid)


def test_who_takes_it_out_of_the_backlog_first_has_it(connection: Connection, town: str) -> None:
    yard = Yard(town, connection)
    agent, job = yard.agent(), yard.workshop.make("x")
    key = yard.key("backlog")
    raced = Breaking(connection, 1, meddle=lambda: connection.execute("LREM", key, 0, job.uuid))
    workshop = RedisWorkshop(raced, town, yard.clock)
    assert refused(workshop.hand_out(job, agent.uuid, Terms(), SUPERVISOR)) == job
    assert yard.list(f"inbox:{agent.uuid}") == []
    done(yard.workshop.hand_out(job, agent.uuid, Terms(), SUPERVISOR))


def test_a_task_is_made_for_an_agent_as_tinytown_does(yard: Yard) -> None:
    agent = yard.agent()
    job = yard.workshop.make("Draw it", agent=agent.uuid)
    assert (job.state, job.agent, job.tagged) == ("assigned", agent.uuid, False)
    assert job == yard.job(job.uuid)
    assert [message.text("task_id") for message in yard.workshop.inbox(agent.uuid)] == [job.uuid]
    assert yard.workshop.backlog() == ()
    done(yard.workshop.claim(job.uuid, agent.uuid))


@pytest.mark.parametrize("to_whom", [True, False])
def test_what_is_made_of_one_source_is_one_task(yard: Yard, to_whom: bool) -> None:
    agent = yard.agent().uuid if to_whom else ""
    first = yard.workshop.make("Draw it", agent=agent, source="a message")
    assert yard.workshop.make("Draw it", agent=agent, source="a message") == first
    done(yard.workshop.finish(first.uuid, "completed", "drawn"))
    again = yard.workshop.make("Draw it", agent=agent, source="a message")
    assert (again.uuid, again.state, again.result) == (first.uuid, "completed", "drawn")
    assert yard.workshop.backlog() == ()
    assert len(yard.list(f"inbox:{agent}")) == to_whom
    assert yard.workshop.make("Draw it", source="another").uuid != first.uuid


# Races and broken connections


def enlist_another(shop: RedisWorkshop, job: Job, agent: Agent) -> Agent:
    return shop.enlist(replace(agent, uuid=new_uuid(), name="another"))


STEPS: dict[str, Callable[[RedisWorkshop, Job, Agent], Outcome | Job | Agent]] = {
    "enlist": enlist_another,
    "hand_out": lambda shop, job, agent: shop.hand_out(job, agent.uuid, Terms(), SUPERVISOR),
    "claim": lambda shop, job, agent: shop.claim(job.uuid, agent.uuid),
    "finish": lambda shop, job, agent: shop.finish(job.uuid, "failed", "r", claim=job.claim),
    "a person's end": lambda shop, job, agent: shop.finish(job.uuid, "failed", "r"),
    "give_back": lambda shop, job, agent: shop.give_back(job.uuid, "w", death=True),
    "make": lambda shop, job, agent: shop.make("new"),
    "make for": lambda shop, job, agent: shop.make("new", agent=agent.uuid),
}


def stand(yard: Yard, step: str) -> tuple[Job, Agent]:
    """Let a task stand so that the step can be made."""
    agent, (job,) = yard.agent(), yard.plan("a")
    if step == "hand_out":
        return job, agent
    handed = yard.handed(job, agent, retries=1)
    return (handed if step == "claim" else done(yard.workshop.claim(job.uuid, agent.uuid))), agent


@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("step", STEPS)
def test_a_step_whose_connection_breaks_anywhere_is_made_once(
    connection: Connection, town: str, step: str, after: bool
) -> None:
    for at in range(9):
        yard = Yard(f"{town}-{at}", connection)
        job, agent = stand(yard, step)
        before = len(yard.kinds())
        breaking = Breaking(connection, at, after)
        outcome = STEPS[step](RedisWorkshop(breaking, yard.town, yard.clock), job, agent)
        if isinstance(outcome, Outcome):
            assert outcome.done
            assert outcome.job is not None
            assert outcome.requeued == (outcome.job.state == "pending")
        assert len(yard.kinds()) == before + 1
        if breaking.seen <= at:
            return
    raise AssertionError("it was never done in peace")


def test_a_connection_that_breaks_twice_is_told(connection: Connection, town: str) -> None:
    yard = Yard(town, connection)
    job, agent = stand(yard, "hand_out")

    class Broken(Breaking):
        def pipeline(self, commands: object) -> list[object]:  # type: ignore[override]
            raise LostError("The connection broke.")

    reconnected: list[int] = []
    shop = RedisWorkshop(Broken(connection), town, yard.clock, lambda: reconnected.append(1))
    with pytest.raises(StoreError):
        shop.hand_out(job, agent.uuid, Terms(), SUPERVISOR)
    assert len(reconnected) == 1
    with pytest.raises(StoreError):  # something may have been taken: not for us to repeat
        shop.take(agent.uuid)
    assert len(reconnected) == 2


@pytest.mark.parametrize(("code", "wanted"), [("READONLY", 1), ("MOVED", 1), ("NOPERM", 0)])
def test_a_server_that_is_not_the_town_s_any_more_is_left(
    connection: Connection, town: str, code: str, wanted: int
) -> None:
    yard = Yard(town, connection)
    job, agent = stand(yard, "claim")

    class Refusing(Breaking):
        def pipeline(self, commands: Iterable[Command]) -> list[Reply]:
            self.seen += 1
            if self.seen == 3:
                return [ReplyError(code, f"{code} it is so")]
            return super().pipeline(commands)

    reconnected: list[int] = []
    shop = RedisWorkshop(Refusing(connection), town, yard.clock, lambda: reconnected.append(1))
    if wanted:
        done(shop.claim(job.uuid, agent.uuid))
    else:
        with pytest.raises(StoreError):
            shop.claim(job.uuid, agent.uuid)
    assert len(reconnected) == wanted


@pytest.mark.parametrize(
    ("meddling", "agrees"),
    [
        ({"state": "completed"}, False),
        ({"run:claim": "another"}, False),
        ({"assigned_to": new_uuid()}, False),
        ({"run:failures": "1"}, True),
        ({"run:retries": "0"}, True),
        ({"description": "another"}, True),
    ],
)
@pytest.mark.parametrize("at", range(4))
def test_what_changes_while_a_task_is_finished_is_seen(
    connection: Connection, town: str, meddling: dict[str, str], agrees: bool, at: int
) -> None:
    yard = Yard(town, connection)
    job, agent = stand(yard, "finish")
    fields = dict(meddling)
    raced = Breaking(connection, at, meddle=lambda: yard.world.put(job.uuid, fields))  # type: ignore[arg-type]
    shop = RedisWorkshop(raced, town, yard.clock)
    outcome = shop.finish(job.uuid, "failed", "r", claim=job.claim, by=agent.uuid)
    if raced.seen <= at:
        return
    assert outcome.done == agrees
    raw = yard.world.hash(job.uuid)
    assert raw.items() >= meddling.items() or "run:failures" in meddling
    if "run:failures" in meddling:
        assert raw["run:failures"] == "2"
        assert raw["state"] == "failed"
    if "run:retries" in meddling:
        assert raw["state"] == "failed"


def stop(yard: Yard, job: Job, agent: Agent) -> None:
    assert yard.workshop.set_state(agent.uuid, AgentState.STOPPED)


def put(**fields: str) -> Callable[[Yard, Job, Agent], None]:
    named = {name.replace("__", ":"): text for name, text in fields.items()}
    return lambda yard, job, agent: yard.world.put(job.uuid, named)  # type: ignore[arg-type]


MEDDLINGS: dict[str, list[Callable[[Yard, Job, Agent], None]]] = {
    "hand_out": [
        stop, put(state="assigned"), put(state="cancelled"), put(run__claim="x"),
        put(run__failures="1"), put(run__deaths="1"),
    ],
    "claim": [stop, put(state="pending"), put(state="completed"), put(assigned_to=new_uuid())],
    "finish": [put(state="pending"), put(run__claim="x"), put(state="completed")],
    "a person's end": [put(state="completed"), put(state="cancelled")],
    "give_back": [put(state="pending"), put(state="completed")],
}  # fmt: skip


@pytest.mark.parametrize(
    ("step", "number"), [(step, n) for step in MEDDLINGS for n in range(len(MEDDLINGS[step]))]
)
def test_what_comes_before_a_step_is_seen_by_it_however_late(
    connection: Connection, town: str, step: str, number: int
) -> None:
    for at in range(9):
        yard = Yard(f"{town}-{at}", connection)
        job, agent = stand(yard, step)
        meddle = partial(MEDDLINGS[step][number], yard, job, agent)
        raced = Breaking(connection, at, meddle=meddle)
        outcome = STEPS[step](RedisWorkshop(raced, yard.town, yard.clock), job, agent)
        assert isinstance(outcome, Outcome)
        if raced.seen <= at:
            assert outcome.done
            return
        assert not outcome.done
    raise AssertionError("it was never done in peace")


def test_an_agent_that_is_named_meanwhile_is_the_plan_s_own(
    connection: Connection, town: str
) -> None:
    yard = Yard(town, connection)
    job, agent = stand(yard, "hand_out")
    raced = Breaking(connection, 1, meddle=lambda: put(agent="tester")(yard, job, agent))
    handed = done(STEPS["hand_out"](RedisWorkshop(raced, town, yard.clock), job, agent))  # type: ignore[arg-type]
    assert handed.task.agent == "tester"


@pytest.mark.parametrize("at", range(3))
def test_what_an_agent_has_done_meanwhile_counts(
    connection: Connection, town: str, at: int
) -> None:
    yard = Yard(town, connection)
    job, agent = stand(yard, "finish")
    change = ("HSET", yard.key(f"agent:{agent.uuid}"), "tasks_completed", 7, "current_task", "x")
    raced = Breaking(connection, at, meddle=lambda: connection.execute(*change))
    shop = RedisWorkshop(raced, town, yard.clock)
    done(shop.finish(job.uuid, "completed", "r", claim=job.claim))
    raw = yard.world.read(yard.key(f"agent:{agent.uuid}"))
    assert (raw["tasks_completed"], raw["current_task"]) == ("8", "x")


@pytest.mark.parametrize("state", ["pending", "cancelled", "failed"])
def test_a_claim_counts_only_while_somebody_has_the_task(yard: Yard, state: str) -> None:
    """tinytown writes the state alone."""
    agent, (job,) = yard.agent(), yard.plan("a")
    running = yard.running(job, agent)
    yard.world.put(job.uuid, {"state": state})
    refused(yard.workshop.finish(job.uuid, "completed", "", claim=running.claim, by=agent.uuid))
    refused(yard.workshop.give_back(job.uuid, "", claim=running.claim))


@pytest.mark.parametrize("kind", ["inbox", "backlog", "events", "events:agent"])
def test_a_key_of_another_type_stops_a_step_before_anything_is_written(
    yard: Yard, kind: str
) -> None:
    agent, job = yard.agent(), yard.workshop.make("x")
    key = yard.key(kind if kind in ("backlog", "events") else f"{kind}:{agent.uuid}")
    yard.connection.execute("DEL", key)
    yard.connection.execute("SET", key, "x")
    before = yard.everything()
    with pytest.raises(StoreError, match="WRONGTYPE"):
        yard.workshop.hand_out(job, agent.uuid, Terms(), SUPERVISOR)
    assert yard.everything() == before


# Beside sync


@pytest.mark.parametrize("more", [{}, {"priority": 3}])
def test_a_sync_sees_only_the_status_of_what_is_worked_on(
    yard: Yard, more: dict[str, Value]
) -> None:
    agent, (job,) = yard.agent(), yard.plan("a", agent="dev", tags=["t"], **more)
    plan, plain = job.task.fields, not more

    def seen() -> dict[str, object]:
        state = yard.world.store().load()
        raw = state.tasks["a"].raw
        assert state.faults == ()
        assert isinstance(raw, HashTexts)
        assert not plain or raw.shape.plain  # read the fast way
        return {**state.tasks["a"].task.fields}

    yard.handed(job, agent, retries=1)
    assert seen() == {**plan, "status": "assigned"}
    running = done(yard.workshop.claim(job.uuid, agent.uuid))
    assert seen() == {**plan, "status": "running"}
    yard.workshop.finish(job.uuid, "failed", "no", claim=running.claim)
    assert seen() == plan
    done(yard.workshop.finish(job.uuid, "completed", "yes"))
    assert seen() == {**plan, "status": "completed"}


@pytest.mark.parametrize("first", ["running", "completed", "failed"])
def test_a_task_that_is_reopened_begins_anew(yard: Yard, first: str) -> None:
    agent, (job,) = yard.agent(), yard.plan("a")
    yard.running(job, agent, retries=1)
    job = done(yard.workshop.give_back(job.uuid, "w", death=True))
    old = yard.running(job, agent, retries=1)
    if first != "running":
        done(yard.workshop.finish(job.uuid, first, "r"))  # type: ignore[arg-type]
    edit(yard, first, "pending")
    job = yard.job(job.uuid)
    assert (job.state, job.claim, job.failures, job.deaths, job.agent) == ("pending", "", 0, 0, "")
    assert not [name for name in yard.world.hash(job.uuid) if name.startswith("run:")]
    for state in ("completed", "failed"):
        assert refused(yard.workshop.finish(job.uuid, state, "", claim=old.claim)) == job  # type: ignore[arg-type]
    assert yard.workshop.beat(agent, {job.uuid: old.claim}) == {job.uuid}
    new = yard.running(job, agent)
    refused(yard.workshop.finish(job.uuid, "completed", "", claim=old.claim, by=agent.uuid))
    done(yard.workshop.finish(job.uuid, "completed", "", claim=new.claim, by=agent.uuid))


@pytest.mark.parametrize("status", ["completed", "cancelled", "assigned"])
def test_what_the_file_says_of_a_running_task_ends_the_attempt(yard: Yard, status: str) -> None:
    agent, (job,) = yard.agent(), yard.plan("a")
    running = yard.running(job, agent)
    edit(yard, "running", status)
    assert yard.job(job.uuid).state == status
    assert yard.workshop.beat(agent, {job.uuid: running.claim}) == {job.uuid}
    refused(yard.workshop.finish(job.uuid, "completed", "", claim=running.claim))


def edit(yard: Yard, old: str, new: str) -> None:
    store = yard.world.store()
    assert not store.apply(store.load(), [Edited("a", "status", old, new)], OURS).lost


def test_a_task_that_is_removed_and_made_again_is_another_one(yard: Yard) -> None:
    agent, (job,) = yard.agent(), yard.plan("a")
    old, store = yard.running(job, agent), yard.world.store()
    state = store.load()
    store.apply(state, [Removed(state.tasks["a"].task)], OURS)
    assert yard.workshop.finish(job.uuid, "completed", "", claim=old.claim) == Outcome(done=False)
    assert yard.workshop.beat(agent, {job.uuid: old.claim}) == {job.uuid}
    healed = Task("a", {"description": "Do a", "status": "running"})
    store.apply(store.load(), [Added(healed)], OURS)
    there = refused(yard.workshop.finish(job.uuid, "completed", "", claim=old.claim))
    assert (there.state, there.agent) == ("running", "")


def test_a_sync_that_races_with_a_hand_out_loses(yard: Yard) -> None:
    agent, (job,) = yard.agent(), yard.plan("a")
    store = yard.world.store()
    state = store.load()
    yard.handed(job, agent)
    lost = store.apply(state, [Edited("a", "status", "pending", "cancelled")], OURS).lost
    assert lost == {"a"}
    assert yard.job(job.uuid).state == "assigned"


# Looking


def test_the_board_has_the_plan_and_what_is_no_part_of_it(yard: Yard) -> None:
    agent, (group, part) = yard.agent(), yard.plan("group", "part")
    store = yard.world.store()
    edits = [
        Edited("part", "parent", "", "group"), Edited("part", "depends_on", [], ["group"]),
        Edited("[meta]", "default_agent", "", "dev"), Edited("part", "retries", 0, 2),
    ]  # fmt: skip
    store.apply(store.load(), edits, OURS)
    made = yard.workshop.make("x")
    board = yard.workshop.board()
    assert list(board.jobs) == [group.uuid, part.uuid, made.uuid]
    assert board.jobs[part.uuid].task.fields.items() >= {
        "parent": "group", "depends_on": ["group"], "retries": 2,
    }.items()  # fmt: skip
    assert (board.meta["default_agent"], board.backlog) == ("dev", (made.uuid,))
    assert board.agents == {agent.uuid: yard.workshop.agent(agent.uuid)}
    assert board.faults == ()
    for uuid in board.jobs:
        fresh = RedisWorkshop(yard.connection, yard.town, yard.clock)
        assert fresh.jobs([uuid, "x", new_uuid()]) == {uuid: board.jobs[uuid]}
    assert yard.workshop.jobs(board.jobs) == board.jobs


def test_what_cannot_be_read_is_set_aside_and_said(yard: Yard) -> None:
    agent, other, (job, bad) = yard.agent(), yard.agent("other"), yard.plan("a", "b")
    yard.world.put(bad.uuid, {"state": "odd"})
    yard.connection.execute("HSET", yard.key(f"agent:{other.uuid}"), "state", "odd")
    odd = [yard.key(f"agent:{new_uuid()}"), yard.key(f"task:{new_uuid()}")]
    for key in odd:
        yard.connection.execute("SET", key, "x")
    yard.connection.execute("RPUSH", yard.key("backlog"), b"\xff")
    board = yard.workshop.board()
    assert (list(board.jobs), list(board.agents), board.backlog) == ([job.uuid], [agent.uuid], ())
    keys = {yard.key(f"task:{bad.uuid}"), yard.key(f"agent:{other.uuid}"), *odd}
    assert {fault.key for fault in board.faults} == keys
    assert yard.workshop.jobs([bad.uuid, job.uuid]) == {job.uuid: job}
    assert yard.workshop.agent(other.uuid) is None
    assert yard.workshop.finish(bad.uuid, "completed", "") == Outcome(done=False)


@pytest.mark.parametrize(
    ("field", "text", "read"),
    [
        ("run:failures", "-1", {"failures": 0}),
        ("run:deaths", "9" * 99, {"deaths": 0}),
        ("run:retries", "zwei", {"retries": 0}),
        ("run:timeout", "nan", {"timeout": 0.0}),
        ("run:timeout", "inf", {"timeout": 0.0}),
        ("run:timeout", "1.5", {"timeout": 1.5}),
        ("assigned_to", "somebody", {"agent": ""}),
        ("run:by", "\x1b[2J", {"sender": ""}),
        ("result", b"\xff", {"result": "\\udcff"}),
    ],
)
def test_odd_values_are_read_as_none(
    yard: Yard, field: str, text: str | bytes, read: dict[str, object]
) -> None:
    (job,) = yard.plan("a")
    yard.connection.execute("HSET", yard.key(f"task:{job.uuid}"), field, text)
    found = yard.job(job.uuid)
    assert found == replace(job, **read)
    assert yard.workshop.board().jobs[job.uuid] == found


def test_a_claim_that_is_no_text_is_nobody_s_and_can_be_taken_over(yard: Yard) -> None:
    agent, (job,) = yard.agent(), yard.plan("a")
    running = yard.running(job, agent)
    yard.connection.execute("HSET", yard.key(f"task:{job.uuid}"), "run:claim", b"\xff\xfe")
    refused(yard.workshop.finish(job.uuid, "completed", "", claim=running.claim))
    assert done(yard.workshop.finish(job.uuid, "completed", "")).state == "completed"


def test_events_are_read_from_where_one_was(yard: Yard) -> None:
    yard.workshop.tell("noted", "first", task_id="t", agent_id="")
    (first,) = yard.workshop.events(5)
    assert first.data["message"] == "first"
    assert "agent_id" not in first.data
    for number in range(3):
        yard.workshop.tell("noted", f"{number}")
    later = yard.workshop.events(2, after=first.id)
    assert [event.data["message"] for event in later] == ["0", "1"]
    assert [event.data["message"] for event in yard.workshop.events(2)] == ["1", "2"]
    yard.connection.execute("XADD", yard.key("events"), "*", "data", "no json", "x", b"\xff")
    assert yard.workshop.events(1)[0].data == {}


def test_streams_do_not_grow_for_ever(yard: Yard) -> None:
    for number in range(1_300):
        yard.workshop.tell("noted", str(number))
    assert 1_000 <= len(yard.workshop.events(10_000)) <= 1_150


def test_text_of_a_task_is_kept_as_it_is_in_json(yard: Yard) -> None:
    agent, (job,) = yard.agent(), yard.plan("a")
    claim = yard.running(job, agent).claim
    result = 'q"\\ \n\x1b[31m ü \u2028 \U0001f600'
    yard.workshop.finish(job.uuid, "completed", result, claim=claim)
    assert yard.job(job.uuid).result == result
    assert yard.workshop.inbox(SUPERVISOR)[0].text("result") == result
    (raw,) = yard.list(f"inbox:{SUPERVISOR}")
    assert json.loads(raw)["result"] == result
