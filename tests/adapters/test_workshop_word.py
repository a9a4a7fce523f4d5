"""Word of a task's end: who gets it, and that an inbox that nobody reads does not grow for ever."""

from __future__ import annotations

import pytest

from tests.support.workshops import Yard, done
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.jobscene import MOST_UNREAD
from tt.core.agents import SUPERVISOR, Agent
from tt.core.jobs import Job
from tt.core.messages import Kind, Message, encode
from tt.workports import Terms

SILENT = Terms(word=False)


@pytest.fixture
def yard(connection: Connection, town: str) -> Yard:
    return Yard(town, connection)


def end(yard: Yard, job: Job, agent: Agent, terms: Terms, state: str = "completed") -> Job:
    """Hand a task out, and end it."""
    handed = done(yard.workshop.hand_out(job, agent.uuid, terms, SUPERVISOR))
    claimed = done(yard.workshop.claim(handed.uuid, agent.uuid))
    return done(yard.workshop.finish(job.uuid, state, "so", claim=claimed.claim, by=agent.uuid))  # type: ignore[arg-type]


def fill(yard: Yard, *kinds: str) -> list[str]:
    """Put messages of these kinds into the supervisor's inbox; return them as they lie there."""
    texts = [
        encode(Message(f"m{number}", "a", SUPERVISOR, kind, {"task_id": "t"}))
        for number, kind in enumerate(kinds)
    ]
    yard.connection.execute("RPUSH", yard.key(f"inbox:{SUPERVISOR}"), *texts)
    return texts


def unread(yard: Yard) -> list[str]:
    return yard.list(f"inbox:{SUPERVISOR}")


@pytest.mark.parametrize("state", ["completed", "failed"])
def test_who_wants_no_word_gets_none_and_the_event_tells_all_the_same(
    yard: Yard, state: str
) -> None:
    agent, (job,) = yard.agent(), yard.plan("a")
    assert end(yard, job, agent, SILENT, state).sender == SUPERVISOR
    assert unread(yard) == []
    assert yard.kinds().count(f"task_{state}") == 1


def test_who_hands_the_same_task_out_later_and_wants_word_gets_it(yard: Yard) -> None:
    agent, (job,) = yard.agent(), yard.plan("a")
    handed = done(yard.workshop.hand_out(job, agent.uuid, SILENT, SUPERVISOR))
    given = done(yard.workshop.give_back(job.uuid, "no", claim=handed.claim))
    end(yard, given, agent, Terms())
    (word,) = yard.workshop.inbox(SUPERVISOR)
    assert (word.kind, word.text("task_id")) == (Kind.TASK_DONE, job.uuid)


def test_new_word_takes_the_place_of_the_oldest_in_an_inbox_that_nobody_reads(yard: Yard) -> None:
    agent, (job,) = yard.agent(), yard.plan("a")
    kinds = ["query", "task_failed", *["task_done"] * (MOST_UNREAD - 2)]
    before = fill(yard, *kinds)
    end(yard, job, agent, Terms())
    assert unread(yard)[:-1] == [before[0], *before[2:]]
    assert yard.workshop.inbox(SUPERVISOR)[-1].text("task_id") == job.uuid


def test_one_message_less_than_that_and_nothing_goes(yard: Yard) -> None:
    agent, (job,) = yard.agent(), yard.plan("a")
    before = fill(yard, *["task_done"] * (MOST_UNREAD - 1))
    end(yard, job, agent, Terms())
    assert unread(yard)[:-1] == before
    assert len(unread(yard)) == MOST_UNREAD


def test_what_people_and_agents_write_never_makes_room(yard: Yard) -> None:
    agent, (job,) = yard.agent(), yard.plan("a")
    odd = ["no JSON", "[]", '{"type":["task_done"]}', '{"text":"\\"type\\":\\"task_done\\""}']
    yard.connection.execute("RPUSH", yard.key(f"inbox:{SUPERVISOR}"), *odd)
    before = odd + fill(yard, *["query"] * MOST_UNREAD)
    assert end(yard, job, agent, Terms()).state == "completed"
    assert unread(yard) == before
