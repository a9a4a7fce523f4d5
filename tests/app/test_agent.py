"""What an agent does at each step: on a real server, with a program and a clock of our own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

import pytest

from tests.support.town_worlds import TickingClock
from tests.support.workshops import OURS, Breaking, Yard, message
from tt.adapters.redis.commands import Arg, Command
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.identifiers import new_uuid
from tt.adapters.redis.replies import Reply
from tt.adapters.redis.workshop import RedisWorkshop
from tt.app.agent import LINGER, AgentLoop
from tt.app.agentduty import Duty, Means
from tt.app.agentports import EVERYTHING
from tt.core.agents import SUPERVISOR, Agent, AgentState
from tt.core.clis import BUILT_IN, Cli, Reporting, read_cli
from tt.core.diff import Edited
from tt.core.jobs import Job
from tt.core.messages import Kind, Message
from tt.core.prompts import TEMPLATE, Teller
from tt.errors import StoreError, TTError
from tt.record import replace
from tt.workports import Ended, Outcome, Terms

PLAIN = read_cli("plain", {"command": "true"}, "f")
LEASE = 30.0


@dataclass
class Program:
    """A program that ends when the test says so."""

    prompt: str
    more: Mapping[str, str]
    code: int | None = None
    said: str = ""
    stopped: bool = False
    is_frozen: bool = False
    fileno: int = -1
    due: float | None = None
    survivors: tuple[int, ...] = ()
    prints: bool = False

    def last_lines(self) -> str:
        return self.said

    def pump(self) -> bool:
        printed, self.prints = self.prints, False
        return printed

    def poll(self) -> int | None:
        return self.code

    def stop(self) -> None:
        self.stopped, self.is_frozen = True, False

    def freeze(self) -> None:
        self.is_frozen = True

    def thaw(self) -> None:
        self.is_frozen = False


@dataclass
class Checked:
    """A connection that asks before each use whether it may."""

    connection: Connection
    check: Callable[[], None]

    @property
    def address(self) -> str:
        return self.connection.address

    def execute(self, *args: Arg) -> Reply:
        self.check()
        return self.connection.execute(*args)

    def pipeline(self, commands: Iterable[Command]) -> list[Reply]:
        self.check()
        return self.connection.pipeline(commands)

    def stream(self, commands: Iterable[Command]) -> Iterator[Reply]:
        self.check()
        return self.connection.stream(commands)


@dataclass
class Stand:
    """An agent, its loop, and all that it works with."""

    yard: Yard
    cli: Cli = PLAIN
    rounds: int = 0
    lease: float = LEASE
    now: float = 100.0
    away: bool = False
    programs: list[Program] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    cannot: str = ""
    news: frozenset[str] = EVERYTHING
    is_listening: bool = False

    def __post_init__(self) -> None:
        made = Agent(new_uuid(), "dev", AgentState.STARTING, cli="x", lease=self.lease)
        self.me = self.yard.workshop.enlist(made)
        self.loop = self.hire(self.shop(self._check))

    def shop(self, check: Callable[[], None]) -> RedisWorkshop:
        connection = Checked(cast("Connection", self.yard.connection), check)
        return RedisWorkshop(connection, self.yard.town, TickingClock())

    def _check(self) -> None:
        if self.away:
            raise StoreError("Redis is not there.")

    def hire(self, shop: RedisWorkshop) -> AgentLoop:
        teller = Teller("dev", "", self.yard.town, "/tt", self.cli.report is Reporting.SELF)
        means = Means(shop, self, self, self.say, lambda: self.now, TickingClock(), new_uuid)
        self.loop = AgentLoop(self.me, Duty(self.cli, teller, TEMPLATE, self.rounds), means)
        return self.loop

    @property
    def due(self) -> float:
        return float("inf")

    def heard(self) -> frozenset[str]:
        self._check()
        self.is_listening = True
        news, self.news = self.news, frozenset()
        return news

    def close(self) -> None:
        self.is_listening = False

    def say(self, line: str, *, activity: bool = False) -> str:
        self.said.append(line)
        return line

    def begin(self, prompt: str, number: int, more: Mapping[str, str]) -> Program:
        if self.cannot:
            raise TTError(self.cannot)
        self.programs.append(Program(prompt, more))
        return self.programs[-1]

    @property
    def program(self) -> Program:
        return self.programs[-1]

    def task(self, name: str = "lint", retries: int = 0, timeout: float = 0.0) -> Job:
        (job,) = self.yard.plan(name)
        return self.yard.handed(job, self.me, retries, timeout)

    def end(self, code: int = 0, said: str = "") -> None:
        self.program.code, self.program.said = code, said
        self.step()

    def job(self, job: Job) -> Job:
        return self.yard.job(job.uuid)

    def state(self) -> str:
        found = self.yard.workshop.agent(self.me.uuid)
        assert found is not None
        return found.state

    def step(self, seconds: float = 0.0) -> None:
        self.now += seconds
        self.news = EVERYTHING
        self.loop.step()


@pytest.fixture
def yard(connection: Connection, town: str) -> Yard:
    return Yard(town, connection)


@pytest.fixture
def stand(yard: Yard) -> Stand:
    return Stand(yard)


def test_an_agent_without_work_is_idle(stand: Stand) -> None:
    stand.step()
    assert stand.state() == "idle"
    assert stand.loop.is_ready


def test_a_task_is_claimed_run_and_reported(stand: Stand) -> None:
    job = stand.task()
    stand.step()
    assert (stand.job(job).state, stand.job(job).claim) == (
        "running",
        stand.program.more["TT_CLAIM"],
    )
    assert stand.program.more["TT_TASK"] == job.uuid
    assert "Do lint" in stand.program.prompt
    assert stand.state() == "working"
    stand.step()
    stand.end(0, "fine")
    assert (stand.job(job).state, stand.job(job).result) == ("completed", "fine")
    assert stand.yard.list(f"taken:{stand.me.uuid}") == []
    stand.step(LINGER)
    assert stand.state() == "idle"


def test_the_town_hears_the_last_line_of_a_program_and_not_each_one(stand: Stand) -> None:
    stand.task()
    stand.step()
    activity = stand.yard.workshop.activity
    stand.program.prints, stand.program.said = True, "one\ntwo \x1b[2J\n"
    stand.step(0.5)
    assert activity(stand.me.uuid) == []
    assert stand.loop.due == pytest.approx(stand.now + 0.5)
    stand.step(0.5)
    assert activity(stand.me.uuid) == ["two  [2J"]
    stand.step(5)
    assert len(activity(stand.me.uuid)) == 1
    stand.away, stand.program.prints, stand.program.said = True, True, "three\n"
    stand.step(0.1)
    assert stand.loop.due > stand.now
    stand.away = False
    stand.step(5)
    assert activity(stand.me.uuid) == ["three", "two  [2J"]


def test_who_has_just_worked_waits_a_moment_before_it_says_that_it_is_idle(stand: Stand) -> None:
    first, second = stand.task("one"), stand.task("two")
    stand.step()
    stand.end()
    stand.end()
    assert [stand.job(job).state for job in (first, second)] == ["completed", "completed"]
    stand.step(LINGER / 2)
    assert stand.state() == "working"
    assert stand.loop.due == pytest.approx(stand.now + LINGER / 2)
    kinds = stand.yard.kinds()
    third = stand.task("three")
    stand.step(LINGER / 4)
    assert stand.job(third).state == "running"
    assert stand.yard.kinds() == [*kinds, "task_assigned", "task_started"]
    stand.end()
    stand.step(LINGER)
    assert stand.state() == "idle"
    assert stand.loop.due > stand.now + 1


def test_a_program_that_cannot_be_started_fails_its_task(stand: Stand) -> None:
    stand.cannot = "/bin/x cannot be started: No such file or directory."
    job = stand.task()
    stand.step()
    stand.step()
    assert (stand.job(job).state, stand.job(job).result) == ("failed", stand.cannot)


def test_what_came_before_is_in_the_prompt(yard: Yard) -> None:
    stand = Stand(yard)
    yard.plan("epic", tags=["epic"])
    (design,) = yard.plan("design", agent="boss", parent="epic")
    yard.workshop.finish(design.uuid, "completed", "see d.md")
    (build,) = yard.plan("build", parent="design", depends_on=["nothing"])
    yard.handed(build, stand.me)
    stand.step()
    assert "`design` (completed): Do design\n\n> see d.md" in stand.program.prompt


def test_a_claim_that_is_lost_stops_the_program_and_reports_nothing(stand: Stand) -> None:
    job = stand.task()
    stand.step()
    stand.yard.workshop.give_back(job.uuid, "somebody wants it")
    stand.step(LEASE / 3)
    assert stand.program.stopped
    stand.end(-15)
    assert stand.job(job).state == "pending"
    assert any("not this agent's any more: it is pending" in line for line in stand.said)
    assert any("what this attempt did does not count" in line for line in stand.said)


def test_a_task_that_was_given_to_another_is_not_reported_by_the_first(stand: Stand) -> None:
    job = stand.task()
    stand.step()
    given = stand.yard.workshop.give_back(job.uuid, "").job
    assert given is not None
    other = stand.yard.agent("other")
    stand.yard.running(given, other)
    stand.end(0, "too late")
    assert (stand.job(job).state, stand.job(job).agent) == ("running", other.uuid)


def test_a_program_that_has_reported_has_a_while_to_end(stand: Stand) -> None:
    job = stand.task()
    stand.step()
    stand.yard.workshop.finish(
        job.uuid, "completed", "by itself", claim=stand.program.more["TT_CLAIM"]
    )
    stand.step(1)
    assert not stand.program.stopped
    stand.step(121)
    assert stand.program.stopped
    stand.end(-15)
    assert stand.job(job).result == "by itself"


def test_a_program_that_has_reported_is_stopped_where_the_task_is_to_be_done_again(
    stand: Stand,
) -> None:
    job = stand.task()
    stand.step()
    stand.yard.workshop.finish(job.uuid, "completed", "done", claim=stand.program.more["TT_CLAIM"])
    stand.step(1)
    assert not stand.program.stopped
    store = stand.yard.world.store()
    store.apply(store.load(), [Edited("lint", "status", "completed", "pending")], OURS)
    stand.step(LEASE / 3)
    assert stand.program.stopped
    stand.end(-15)
    assert stand.job(job).state == "pending"


def test_a_task_has_its_time_and_no_more(stand: Stand) -> None:
    job = stand.task(timeout=60)
    stand.step()
    assert stand.loop.due <= 100 + LEASE / 3
    stand.step(59.9)
    assert not stand.program.stopped
    stand.step(0.2)
    assert stand.program.stopped
    stand.end(-15, "so far")
    assert stand.job(job).result == "stopped after its timeout of 60 s\nso far"


def test_who_sleeps_between_claim_and_program_looks_whose_the_task_is_before_it_begins(
    yard: Yard,
) -> None:
    stand = Stand(yard)
    yard.plan("design")
    (job,) = yard.plan("build", depends_on=["design"])  # of which the prompt tells
    yard.handed(job, stand.me)

    def sleep_after_the_claim() -> None:
        if yard.job(job.uuid).state == "running":
            yard.workshop.give_back(job.uuid, "silent", death=True)
            stand.now += LEASE

    stand.hire(stand.shop(sleep_after_the_claim))
    stand.step()
    assert stand.loop.due <= stand.now
    _until(stand, lambda: stand.state() == "idle")
    assert stand.programs == []
    assert stand.job(job).state == "pending"


@pytest.mark.parametrize("ended", ["completed", "failed", "cancelled"])
def test_a_task_that_somebody_else_has_ended_by_now_ends_the_program_at_once(
    stand: Stand, ended: Ended
) -> None:
    job = stand.task()
    stand.step()
    stand.yard.workshop.give_back(job.uuid, "silent")
    stand.yard.running(stand.job(job), stand.yard.agent("other"))
    stand.yard.workshop.finish(job.uuid, ended, "by another")
    stand.step()
    assert stand.program.stopped
    stand.end(-15)
    assert (stand.job(job).state, stand.job(job).result) == (ended, "by another")


# Redis away


def test_a_program_goes_on_without_redis_for_a_lease_and_then_stands_still(stand: Stand) -> None:
    job = stand.task(timeout=40)
    stand.step()
    stand.away = True
    stand.step(LEASE - 1)
    assert not stand.program.is_frozen
    assert stand.loop.due <= stand.now + 1
    stand.step(1)
    assert stand.program.is_frozen
    stand.step(1000)
    assert not stand.program.stopped  # its time stands still, too
    stand.away = False
    stand.step(1)
    assert not stand.program.is_frozen
    assert stand.job(job).state == "running"
    stand.step(5)
    assert not stand.program.stopped
    stand.end(0)
    assert stand.job(job).state == "completed"
    assert stand.said.count("Redis is back.") == 1


def test_a_connection_that_broke_keeps_nobody_awake(stand: Stand) -> None:
    stand.task()
    stand.step()
    assert stand.is_listening
    stand.away = True
    stand.step(LEASE / 3)  # it is a sign of life that finds out, and not who listens
    assert not stand.is_listening
    assert stand.loop.due > stand.now
    stand.away = False
    stand.step(1)
    assert stand.is_listening


def test_what_stands_still_has_no_deadline(stand: Stand) -> None:
    job = stand.task(timeout=LEASE + 10)
    stand.step()
    stand.away = True
    for _ in range(int(LEASE) + 20):
        stand.step(1)
        assert stand.loop.due > stand.now
    assert stand.program.is_frozen
    assert not stand.program.stopped
    stand.away = False
    stand.step(1)
    assert not stand.program.is_frozen
    stand.step(9)
    assert not stand.program.stopped
    stand.step(2)
    assert stand.program.stopped
    stand.end(-15)
    assert "stopped after its timeout" in stand.job(job).result


def test_what_is_not_begun_when_redis_goes_away_waits_and_says_so_once(yard: Yard) -> None:
    stand = Stand(yard)
    yard.plan("design")
    (job,) = yard.plan("build", depends_on=["design"])  # of which the prompt tells
    yard.handed(job, stand.me)

    def go_away_after_the_claim() -> None:
        stand.away |= yard.job(job.uuid).state == "running"
        stand._check()

    stand.hire(stand.shop(go_away_after_the_claim))
    stand.step()
    assert (stand.programs, stand.job(job).state) == ([], "running")
    for _ in range(2 * int(LEASE)):
        stand.step(1)
        assert stand.loop.due > stand.now
    assert len(stand.said) == 1


def test_a_task_that_somebody_else_got_meanwhile_is_let_go_when_redis_is_back(stand: Stand) -> None:
    job = stand.task()
    stand.step()
    stand.away = True
    stand.step(LEASE)
    (given,) = stand.yard.workshop.bury(stand.me.uuid, "silent")
    other = stand.yard.agent("other")
    stand.yard.running(given, other)
    stand.away = False
    stand.step(2)
    assert stand.program.stopped
    stand.end(0, "done twice")
    assert (stand.job(job).agent, stand.job(job).state) == (other.uuid, "running")
    stand.step()
    assert stand.state() == "idle"  # it is back in the town


def test_who_ends_while_redis_is_away_waits_only_for_a_moment(stand: Stand) -> None:
    stand.step()
    stand.away = True
    stand.loop.end("enough", now=True)
    stand.step(1)
    assert not stand.loop.is_over
    stand.step(6)
    assert stand.loop.is_over
    assert stand.loop.failed


# The town


def test_who_is_to_end_and_has_a_program_waits_for_it_though_redis_be_away(stand: Stand) -> None:
    stand.task()
    stand.step()
    stand.away = True
    stand.step(1)
    stand.loop.end("asked to stop", now=False)
    stand.step(10)
    assert not stand.loop.is_over
    stand.program.code = 0
    stand.step(1)
    assert stand.loop.is_over
    assert stand.loop.failed


def test_who_is_to_end_does_not_come_back_to_the_town(stand: Stand) -> None:
    stand.step()
    stand.yard.workshop.bury(stand.me.uuid, "silent")
    stand.loop.end("asked to stop", now=False)
    stand.step()
    assert stand.loop.is_over
    assert stand.state() == "stopped"
    assert stand.yard.kinds().count("agent_spawned") == 1


def test_who_was_buried_comes_back_unless_its_name_is_taken(yard: Yard) -> None:
    stand = Stand(yard)
    stand.step()
    yard.workshop.bury(stand.me.uuid, "silent")
    stand.step()
    assert stand.state() == "idle"
    yard.workshop.bury(stand.me.uuid, "silent")
    yard.agent("dev")
    stand.step()
    assert stand.loop.is_over
    assert stand.loop.failed
    assert stand.state() == "stopped"


@pytest.mark.parametrize("works", [True, False])
@pytest.mark.parametrize("late", [True, False])
def test_who_slept_while_another_process_became_this_agent_ends_without_a_word(
    yard: Yard, works: bool, late: bool
) -> None:
    stand = Stand(yard)
    stand.me = yard.workshop.enlist(replace(stand.me, name="two", uuid=new_uuid(), pid=4, born="a"))
    stand.hire(stand.shop(stand._check))
    if works:
        stand.task()
    stand.step()
    yard.workshop.bury(stand.me.uuid, "it was asleep")
    successor = yard.workshop.enlist(replace(stand.me, pid=5, born="b"))
    yard.workshop.set_state(successor.uuid, AgentState.STOPPED if late else AgentState.IDLE)
    stand.yard.workshop.send(message(successor.uuid, Kind.INFORMATIONAL, summary="for the other"))
    there = yard.everything()
    stand.step(LEASE)
    if works:
        assert stand.program.stopped
        assert not stand.loop.is_over
        stand.end(-15)
    assert stand.loop.is_over
    assert stand.loop.failed
    assert len(stand.programs) == works
    assert yard.everything() == there


def test_who_comes_back_just_as_another_process_becomes_this_agent_leaves_that_one_alone(
    yard: Yard,
) -> None:
    stand = Stand(yard)
    stand.me = yard.workshop.enlist(replace(stand.me, name="two", uuid=new_uuid(), pid=4, born="a"))
    stand.hire(stand.shop(stand._check))
    stand.step()
    yard.workshop.bury(stand.me.uuid, "it was asleep")

    def succeed() -> None:
        yard.workshop.enlist(replace(stand.me, pid=5, born="b"))

    # It sees that it was buried, and then asks to be enlisted.
    raced = Breaking(yard.connection, 1, meddle=succeed)
    stand.hire(RedisWorkshop(raced, yard.town, TickingClock()))
    stand.step()
    assert stand.loop.is_over
    assert stand.state() == "starting"


def test_who_is_removed_from_the_town_ends(stand: Stand) -> None:
    job = stand.task()
    stand.step()
    stand.yard.connection.execute("DEL", stand.yard.key(f"agent:{stand.me.uuid}"))
    stand.step()
    assert stand.program.stopped
    stand.end(-15)
    assert stand.loop.is_over
    assert stand.job(job).state == "pending"


def test_a_pause_that_comes_between_two_rounds_is_not_overwritten(stand: Stand) -> None:
    stand.task()
    stand.step()
    stand.yard.workshop.set_state(stand.me.uuid, AgentState.PAUSED)
    stand.end(0)
    stand.step()
    assert stand.state() == "paused"


def test_a_pause_that_comes_at_the_last_moment_is_not_overwritten_either(yard: Yard) -> None:
    stand = Stand(yard)

    class Late(RedisWorkshop):
        def set_state(
            self, uuid: str, state: AgentState, why: str = "", *, since: AgentState | None = None
        ) -> bool:
            yard.workshop.set_state(uuid, AgentState.PAUSED)
            return super().set_state(uuid, state, why, since=since)

    stand.hire(Late(yard.connection, yard.town, TickingClock()))
    stand.step()
    stand.step()
    assert stand.state() == "paused"
    assert stand.loop.is_ready


def test_a_claim_whose_answer_was_lost_for_good_is_known_again(yard: Yard) -> None:
    stand = Stand(yard)
    lost: list[str] = []

    class Deaf(RedisWorkshop):
        def claim(self, uuid: str, agent: str, *, token: str = "") -> Outcome:
            outcome = super().claim(uuid, agent, token=token)
            if not lost:
                lost.append(token)
                raise StoreError("The answer is lost, and Redis is away.")
            return outcome

    stand.hire(Deaf(yard.connection, yard.town, TickingClock()))
    job = stand.task()
    stand.step()
    assert (stand.programs, stand.job(job).state) == ([], "running")
    stand.step(2)
    assert stand.program.more["TT_CLAIM"] == lost[0] == stand.job(job).claim


def test_a_question_wakes_a_program_that_can_answer(yard: Yard) -> None:
    stand = Stand(yard, BUILT_IN["claude"])
    stand.step()
    yard.workshop.send(
        Message(new_uuid(), SUPERVISOR, stand.me.uuid, Kind.QUERY, {"question": "Why?"})
    )
    stand.step()
    assert "> Why?" in stand.program.prompt
    assert stand.state() == "working"
    stand.end(0)
    stand.step(LINGER)
    assert stand.state() == "idle"
    assert yard.list(f"taken:{stand.me.uuid}") == []


def test_who_ends_leaves_in_the_inbox_what_was_taken_and_not_begun(yard: Yard) -> None:
    stand = Stand(yard, rounds=1)
    first, second = stand.task("one"), stand.task("two")
    stand.step()
    assert len(yard.list(f"inbox:{stand.me.uuid}")) == 0
    stand.end()
    assert stand.loop.is_over
    assert [stand.job(job).state for job in (first, second)] == ["completed", "assigned"]
    assert [found.text("task_id") for found in yard.workshop.inbox(stand.me.uuid)] == [second.uuid]
    assert yard.list(f"taken:{stand.me.uuid}") == []


def test_a_message_whose_answer_failed_is_read_again(yard: Yard) -> None:
    stand = Stand(yard)
    failed: list[str] = []

    class Failing(RedisWorkshop):
        def send(self, message: Message) -> None:
            if not failed:
                failed.append(message.kind)
                raise StoreError("Redis is away.")
            super().send(message)

    stand.hire(Failing(yard.connection, yard.town, TickingClock()))
    yard.workshop.send(message(stand.me.uuid, Kind.PING))
    stand.step()
    assert failed == ["pong"]
    stand.step(1)
    assert [answer.kind for answer in yard.workshop.inbox(SUPERVISOR)] == ["pong"]
    assert yard.list(f"taken:{stand.me.uuid}") == []


def test_all_messages_are_taken_when_they_are_told_of(stand: Stand) -> None:
    for number in range(25):
        news = message(stand.me.uuid, Kind.INFORMATIONAL, summary=str(number))
        stand.yard.workshop.send(news)
    stand.step()
    assert stand.yard.list(f"inbox:{stand.me.uuid}") == []


def test_news_are_kept_until_a_prompt_has_them(stand: Stand) -> None:
    note = Message(new_uuid(), SUPERVISOR, stand.me.uuid, Kind.INFORMATIONAL, {"summary": "use X"})
    stand.yard.workshop.send(note)
    stand.step()
    assert stand.programs == []
    assert len(stand.yard.list(f"taken:{stand.me.uuid}")) == 1
    stand.task()
    stand.step()
    assert "> use X" in stand.program.prompt
    stand.step()
    assert stand.yard.list(f"taken:{stand.me.uuid}") == []


def test_a_task_is_found_behind_however_many_news_and_all_of_those_are_told(stand: Stand) -> None:
    send, to = stand.yard.workshop.send, stand.me.uuid
    for number in range(260):
        send(message(to, Kind.INFORMATIONAL, summary=f"news-{number};"))
    jobs = [stand.task(f"t{number}") for number in range(7)]
    _until(stand, lambda: all(stand.job(job).state == "completed" for job in jobs))
    told = "".join(program.prompt for program in stand.programs)
    assert re.findall(r"news-(\d+);", told) == [str(number) for number in range(260)]
    stand.step()
    assert stand.yard.list(f"taken:{to}") == stand.yard.list(f"inbox:{to}") == []


def test_a_message_for_a_task_that_is_somebody_elses_is_set_aside(stand: Stand) -> None:
    job = stand.task()
    stand.yard.workshop.give_back(job.uuid, "")
    stand.step()
    assert stand.programs == []
    assert any("is not begun: it is pending" in line for line in stand.said)
    assert stand.yard.list(f"taken:{stand.me.uuid}") == []


# Cut short


@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("at", range(24))
def test_no_task_and_no_message_is_lost_wherever_the_connection_breaks(
    yard: Yard, at: int, after: bool
) -> None:
    stand = Stand(yard)
    broken = Breaking(yard.connection, at, after)
    stand.hire(RedisWorkshop(broken, yard.town, TickingClock()))
    jobs = [stand.task(name) for name in ("a", "b")]
    note = Message(new_uuid(), SUPERVISOR, stand.me.uuid, Kind.INFORMATIONAL, {"summary": "X"})
    yard.workshop.send(note)
    _until(stand, lambda: all(stand.job(job).state == "completed" for job in jobs))
    assert len([kind for kind in yard.kinds() if kind == "task_completed"]) == 2
    _until(stand, lambda: yard.list(f"taken:{stand.me.uuid}") == [])
    assert yard.list(f"inbox:{stand.me.uuid}") == []
    assert any("> X" in program.prompt for program in stand.programs)


@pytest.mark.parametrize("at", range(0, 30, 2))
def test_who_dies_anywhere_loses_nothing(yard: Yard, at: int) -> None:
    stand = Stand(yard)
    stand.hire(stand.shop(_Dying(at)))
    jobs = [stand.task(name) for name in ("a", "b")]
    with pytest.raises(_DeathError):
        _until(stand, lambda: False, steps=40)
    yard.workshop.bury(stand.me.uuid, "its process is gone")
    again = Stand(yard)
    for job in jobs:
        found = again.job(job)
        if found.state == "pending":
            yard.workshop.hand_out(found, again.me.uuid, Terms(), SUPERVISOR)
    _until(again, lambda: all(again.job(job).state == "completed" for job in jobs))
    assert len([kind for kind in yard.kinds() if kind == "task_completed"]) == 2


def test_what_the_process_before_had_taken_is_read_again_though_nobody_buried_it(
    yard: Yard,
) -> None:
    stand = Stand(yard)
    job = stand.task()
    taken = yard.workshop.take(stand.me.uuid)
    assert taken is not None
    assert taken.text("task_id") == job.uuid
    stand.hire(stand.shop(stand._check))
    stand.step()
    stand.end(0)
    assert stand.job(job).state == "completed"


class _DeathError(BaseException):
    pass


@dataclass
class _Dying:
    """A connection at whose `at`th use the whole process is dead."""

    at: int
    seen: int = 0

    def __call__(self) -> None:
        self.seen += 1
        if self.seen > self.at:
            raise _DeathError


def _until(stand: Stand, fact: Callable[[], bool], steps: int = 60) -> None:
    """Let each program end at once, until something is so."""
    for _ in range(steps):
        if fact():
            return
        stand.step(1.0)
        if stand.programs and stand.program.code is None:
            stand.program.code = 0
    raise AssertionError(f"it does not come about: {stand.said}")


@pytest.mark.parametrize("at", range(0, 24, 2))
def test_a_message_with_a_task_in_it_makes_one_task_wherever_its_reader_dies(
    yard: Yard, at: int
) -> None:
    stand = Stand(yard)
    stand.hire(stand.shop(_Dying(at)))
    content = {"description": "Sweep the yard"}
    yard.workshop.send(Message(new_uuid(), SUPERVISOR, stand.me.uuid, Kind.TASK, content))
    with pytest.raises(_DeathError):
        _until(stand, lambda: False, steps=40)
    yard.workshop.bury(stand.me.uuid, "its process is gone")
    stand.me = yard.workshop.enlist(replace(stand.me, state=AgentState.STARTING))
    stand.hire(stand.shop(lambda: None))
    for job in yard.workshop.board().jobs.values():
        yard.workshop.hand_out(job, stand.me.uuid, Terms(), SUPERVISOR)
    _until(
        stand, lambda: [job.state for job in yard.workshop.board().jobs.values()] == ["completed"]
    )
