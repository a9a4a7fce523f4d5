"""Anything that can happen in a town, in any order: a machine with a model of what must follow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import cast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.support.effort import EFFORT
from tests.support.redis_server import RedisServer, running
from tests.support.workshops import OURS, Breaking, Yard, check_history, message
from tt.adapters.redis.identifiers import new_uuid
from tt.adapters.redis.workshop import RedisWorkshop
from tt.core.agents import GONE, SUPERVISOR, Agent, AgentState
from tt.core.diff import Added, Edited
from tt.core.jobs import Job
from tt.core.messages import Message
from tt.core.model import Task
from tt.record import replace
from tt.workports import Outcome, Terms

NAMES = ["a", "b", "c"]
_numbers = count(1)


@dataclass
class Stand:
    """How a task has to stand."""

    state: str = "pending"
    agent: str = ""
    claim: str = ""
    failures: int = 0
    deaths: int = 0
    retries: int = 0
    planned: bool = True
    shelved: bool = False
    ended: set[tuple[str, str]] = field(default_factory=set)

    def free(self) -> None:
        self.state, self.agent, self.claim = "pending", "", ""
        self.shelved |= not self.planned


@dataclass
class Person:
    """One agent: what the process knows, and what its town has to know of it."""

    agent: Agent
    gone: bool = False
    taken: list[Message] = field(default_factory=list)
    claims: list[tuple[str, str]] = field(default_factory=list)
    sent: int = 0
    settled: int = 0
    completed: int = 0
    before: Agent | None = None
    """What a process knows of itself that slept while another one became the agent."""


class Town(RuleBasedStateMachine):
    """Conductors with old boards, agents that die and come back, people, syncs, a server."""

    server: RedisServer

    @initialize()
    def begin(self) -> None:
        self.connection = self.server.connect()
        self.connection.execute("FLUSHALL")
        self.yard = Yard(f"machine-{next(_numbers)}", self.connection)
        self.people = [Person(self.enlisted(name)) for name in ("one", "two")]
        self.jobs = {job.uuid: job for job in self.yard.plan(*NAMES)}
        self.uuids = list(self.jobs)
        self.stands = {uuid: Stand() for uuid in self.uuids}
        self.boards: list[dict[str, Job]] = [dict(self.jobs)]
        self.broken: Callable[[], RedisWorkshop] | None = None
        self.was_broken = False
        self.reports = 0

    def enlisted(self, name: str) -> Agent:
        made = Agent(new_uuid(), name, AgentState.IDLE, lease=30.0, host="here", pid=next(_numbers))
        return self.yard.workshop.enlist(made)

    def at(self, task: int) -> str:
        """Return the uuid of a task: those of the plan come first, then those made since."""
        return self.uuids[task % len(self.uuids)]

    @property
    def shop(self) -> RedisWorkshop:
        """The workshop: for one operation on a connection that breaks, where that was wished."""
        broken, self.broken = self.broken, None
        self.was_broken = broken is not None
        return broken() if broken else self.yard.workshop

    @rule(at=st.integers(0, 4), after=st.booleans())
    def let_the_next_connection_break(self, at: int, after: bool) -> None:
        def breaking() -> RedisWorkshop:
            made = Breaking(self.connection, at, after)
            return RedisWorkshop(made, self.yard.town, self.yard.clock)

        self.broken = breaking

    @rule()
    def look(self) -> None:
        self.boards.append(dict(self.yard.workshop.board().jobs))

    @rule(
        board=st.integers(0, 9),
        task=st.integers(0, 4),
        who=st.integers(0, 1),
        retries=st.integers(0, 2),
    )
    def hand_out(self, board: int, task: int, who: int, retries: int) -> None:
        job = self.boards[-1 - board % len(self.boards)].get(self.at(task))
        if job is None:
            return
        stand, person = self.stands[job.uuid], self.people[who]
        fits = (job.failures, job.deaths, job.claim) == (stand.failures, stand.deaths, stand.claim)
        wanted = stand.state == "pending" and fits and not person.gone
        outcome = self.shop.hand_out(job, person.agent.uuid, Terms(retries), SUPERVISOR)
        assert outcome.done == wanted
        if wanted:
            person.sent += 1
            stand.state, stand.agent, stand.retries = "assigned", person.agent.uuid, retries
            stand.shelved = False
            stand.claim = self.job_in(outcome).claim

    @rule(who=st.integers(0, 1))
    def take(self, who: int) -> None:
        person = self.people[who]
        found = self.yard.workshop.take(person.agent.uuid)
        if found is not None:
            person.taken.append(found)

    @rule(who=st.integers(0, 1), task=st.integers(0, 4))
    def claim(self, who: int, task: int) -> None:
        person, stand = self.people[who], self.stands[self.at(task)]
        uuid = person.agent.uuid
        wanted = stand.state == "assigned" and stand.agent == uuid and not person.gone
        outcome = self.shop.claim(self.at(task), uuid)
        assert outcome.done == wanted
        if wanted:
            claim = self.job_in(outcome).claim
            stand.state, stand.claim = "running", claim
            person.claims.append((self.at(task), claim))

    @precondition(lambda self: any(person.claims for person in self.people))
    @rule(
        data=st.data(),
        state=st.sampled_from(["completed", "failed", "cancelled"]),
        named=st.booleans(),
    )
    def finish_what_was_claimed_some_time(
        self, data: st.DataObject, state: str, named: bool
    ) -> None:
        claimed = [(person, pair) for person in self.people for pair in person.claims]
        person, (uuid, claim) = data.draw(st.sampled_from(claimed))
        stand, by = self.stands[uuid], person.agent.uuid if named else ""
        outcome = self.shop.finish(uuid, state, "r", claim=claim, by=by)  # type: ignore[arg-type]
        if (claim, state) in stand.ended:
            assert outcome.done
        elif stand.state in ("assigned", "running") and stand.claim == claim:
            assert outcome.done
            self.end(uuid, state, claim)
        else:
            assert not outcome.done

    @rule(task=st.integers(0, 4), state=st.sampled_from(["completed", "failed", "cancelled"]))
    def a_person_ends_it(self, task: int, state: str) -> None:
        stand = self.stands[self.at(task)]
        wanted = stand.state in ("pending", "assigned", "running")
        assert self.shop.finish(self.at(task), state, "p").done == wanted  # type: ignore[arg-type]
        if wanted:
            self.end(self.at(task), state, "")

    def end(self, uuid: str, state: str, claim: str) -> None:
        stand = self.stands[uuid]
        held, holder = stand.state != "pending", self.person(stand.agent)
        if claim:
            stand.ended = {(claim, state)}
        elif held or stand.state == "pending":
            stand.ended = set()
        if state == "failed" and held:
            stand.failures += 1
            if stand.failures <= stand.retries:
                stand.free()
                return
        if holder is not None and state == "completed":
            holder.completed += 1
        stand.state, stand.claim, stand.shelved = state, "", False

    @rule(task=st.integers(0, 4), death=st.booleans(), how=st.sampled_from(["", "its", "old"]))
    def give_back(self, task: int, death: bool, how: str) -> None:
        uuid = self.at(task)
        stand = self.stands[uuid]
        claim = {"": "", "its": stand.claim, "old": "old"}[how]
        wanted = stand.state in ("assigned", "running") and claim in ("", stand.claim)
        outcome = self.shop.give_back(uuid, "w", claim=claim, death=death)
        assert outcome.done == wanted
        if wanted:
            self.give(stand, death)

    def give(self, stand: Stand, death: bool) -> None:
        stand.deaths += death
        stand.ended = set()
        if death and stand.deaths >= 3:
            stand.state, stand.claim, stand.shelved = "failed", "", False
        else:
            stand.free()

    @rule(which=st.integers(0, 2), who=st.integers(-1, 1))
    def make_a_task_of_a_message_perhaps_again(self, which: int, who: int) -> None:
        to = "" if who < 0 else self.people[who].agent.uuid
        job = self.shop.make("made", agent=to, source=f"message {which}")
        if job.uuid in self.stands:
            return
        self.uuids.append(job.uuid)
        state, shelved = ("assigned", False) if to else ("pending", True)
        stand = Stand(state, to, job.claim, planned=False, shelved=shelved)
        self.stands[job.uuid] = stand
        self.boards[-1][job.uuid] = job
        if to:
            self.people[who].sent += 1

    @rule(task=st.integers(0, 4))
    def shelve(self, task: int) -> None:
        stand = self.stands[self.at(task)]
        wanted = stand.state == "pending" and not stand.shelved
        assert self.shop.shelve(self.at(task)) == wanted or self.was_broken
        stand.shelved |= wanted

    @rule(task=st.integers(0, 4))
    def unshelve(self, task: int) -> None:
        stand = self.stands[self.at(task)]
        assert self.shop.unshelve(self.at(task)) == stand.shelved or self.was_broken
        stand.shelved = False

    @rule(who=st.integers(0, 1), which=st.integers(0, 5))
    def settle(self, who: int, which: int) -> None:
        person = self.people[who]
        if person.taken:
            done = person.taken.pop(which % len(person.taken))
            self.shop.settle(person.agent.uuid, done)
            person.settled += 1

    @rule(who=st.integers(0, 1), priority=st.sampled_from(["normal", "high", "urgent"]))
    def send(self, who: int, priority: str) -> None:
        person = self.people[who]
        self.shop.send(message(person.agent.uuid, priority=priority))
        person.sent += 1

    @rule(who=st.integers(0, 1))
    def beat(self, who: int) -> None:
        person = self.people[who]
        claims = dict(person.claims)
        held = {
            uuid: claim for uuid, claim in claims.items() if not person.gone
            and (self.stands[uuid].state, self.stands[uuid].claim) == ("running", claim)
        }  # fmt: skip
        assert self.shop.beat(person.agent, claims) == claims.keys() - held.keys()

    @rule(who=st.integers(0, 1))
    def another_process_becomes_the_agent(self, who: int) -> None:
        person = self.people[who]
        if not person.gone:
            return
        person.before = person.agent
        named = replace(person.agent, pid=next(_numbers), tasks_completed=person.completed)
        person.agent = self.shop.enlist(named)
        self.yard.workshop.untake(person.agent.uuid)
        person.taken, person.gone = [], False

    @precondition(lambda self: any(person.before for person in self.people))
    @rule(who=st.integers(0, 1))
    def the_process_before_it_shows_a_sign_of_life(self, who: int) -> None:
        before = self.people[who].before
        if before is not None:
            claims = dict(self.people[who].claims)
            self.connection.execute("DEL", self.yard.key(f"alive:{before.uuid}"))
            assert self.shop.beat(before, claims) == claims.keys()
            assert not self.yard.workshop.agents()[before.uuid].alive

    @rule(who=st.integers(0, 1))
    def kill_and_bury(self, who: int) -> None:
        """The process may be a zombie: its claims are tried later."""
        person = self.people[who]
        given = self.shop.bury(person.agent.uuid, "dead")
        assert {job.uuid for job in given} == {
            uuid for uuid, stand in self.stands.items()
            if stand.agent == person.agent.uuid and stand.state in ("assigned", "running")
        }  # fmt: skip
        for job in given:
            stand = self.stands[job.uuid]
            self.give(stand, stand.state == "running")
        person.taken, person.gone = [], True

    @rule(who=st.integers(0, 1))
    def restart(self, who: int) -> None:
        person = self.people[who]
        self.shop.set_state(person.agent.uuid, AgentState.STARTING)
        assert self.yard.workshop.set_state(person.agent.uuid, AgentState.IDLE)
        self.shop.untake(person.agent.uuid)
        person.taken, person.gone = [], False

    @rule(who=st.integers(0, 1), state=st.sampled_from([*GONE, AgentState.IDLE, AgentState.PAUSED]))
    def say_a_state(self, who: int, state: AgentState) -> None:
        person = self.people[who]
        wanted = not person.gone or state in GONE
        assert self.shop.set_state(person.agent.uuid, state) == wanted
        person.gone = person.gone or state in GONE

    @rule(task=st.integers(0, 4))
    def reopen(self, task: int) -> None:
        uuid = self.at(task)
        stand = self.stands[uuid]
        if stand.state == "pending" or not stand.planned:
            return
        name = NAMES[self.uuids.index(uuid)]
        store = self.yard.world.store()
        edited = Edited(name, "status", stand.state, "pending")
        assert not store.apply(store.load(), [edited], OURS).lost
        self.stands[uuid] = Stand()

    @rule()
    def the_server_forgets_its_scripts_and_reads_its_data_again(self) -> None:
        self.connection.execute("SCRIPT", "FLUSH")
        self.connection.execute("DEBUG", "RELOAD")

    @rule()
    def all_is_flushed_and_healed_from_the_file(self) -> None:
        self.connection.execute("FLUSHALL")
        store = self.yard.world.store()
        added = [Added(Task(n, {"description": f"Do {n}", "status": "pending"})) for n in NAMES]
        store.apply(store.load(), added, OURS)
        self.uuids = list(self.jobs)
        self.stands = {uuid: Stand() for uuid in self.uuids}
        self.boards = [{uuid: board[uuid] for uuid in self.uuids} for board in self.boards]
        for person in self.people:
            person.claims = [pair for pair in person.claims if pair[0] in self.jobs]
            person.sent = person.settled = person.completed = 0
            person.taken, person.gone, person.before = [], False, None
            self.yard.workshop.enlist(person.agent)

    @invariant()
    def what_is_there_is_what_must_be(self) -> None:
        found = self.yard.workshop.jobs(self.uuids)
        for uuid, stand in self.stands.items():
            job = found[uuid]
            assert (job.state, job.claim) == (stand.state, stand.claim)
            assert (job.failures, job.deaths) == (stand.failures, stand.deaths)
            if stand.state in ("pending", "assigned", "running"):
                assert job.agent == stand.agent

    @invariant()
    def the_backlog_has_what_waits_there_once(self) -> None:
        shelved = sorted(uuid for uuid, stand in self.stands.items() if stand.shelved)
        assert sorted(self.yard.workshop.backlog()) == shelved

    @invariant()
    def no_message_vanishes(self) -> None:
        for person in self.people:
            uuid = person.agent.uuid
            there = [*self.yard.list(f"inbox:{uuid}"), *self.yard.list(f"urgent:{uuid}")]
            taken = self.yard.list(f"taken:{uuid}")
            assert len(taken) == len(person.taken)
            assert len(there) + len(taken) + person.settled == person.sent
            known = self.yard.workshop.agent(uuid)
            assert known is not None
            assert known.tasks_completed == person.completed
            assert (known.state in GONE) == person.gone

    @invariant()
    def each_attempt_has_one_beginning_and_at_most_one_end(self) -> None:
        stands = check_history(self.yard.workshop.events(10_000))
        for uuid, state in stands.items():
            assert self.stands[uuid].state in (state, "pending")

    def teardown(self) -> None:
        if hasattr(self, "connection"):
            self.connection.close()

    def person(self, uuid: str) -> Person | None:
        return next((person for person in self.people if person.agent.uuid == uuid), None)

    def job_in(self, outcome: Outcome) -> Job:
        assert outcome.job is not None
        return outcome.job


@pytest.fixture
def own_server(redis_binary: str) -> Iterator[RedisServer]:
    """A server that can be told to forget."""
    with running(redis_binary) as server:
        server.stop()
        server.options = ("--enable-debug-command", "yes")
        yield server.start()


def test_whatever_happens_in_a_town_is_what_must_follow(own_server: RedisServer) -> None:
    machine = type("TownHere", (Town,), {"server": own_server})
    examples = 500 if EFFORT == "nightly" else 25
    effort = settings(max_examples=examples, stateful_step_count=40, deadline=None)
    run_state_machine_as_test(cast("type[RuleBasedStateMachine]", machine), settings=effort)
