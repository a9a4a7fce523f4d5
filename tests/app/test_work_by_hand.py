"""What people and agents do by hand in a town, on a real server."""

from __future__ import annotations

import pytest

from tests.support.workshops import Yard, done, message_of
from tt.adapters.redis.connection import Connection
from tt.app import post
from tt.app.assigning import Desk, assign, claim, share, shelve, unshelve
from tt.app.reporting import note, report
from tt.app.tasks import backlog, current, listing, show
from tt.core.agents import SUPERVISOR, Agent, AgentState
from tt.core.conducting import Orders
from tt.core.jobs import Job
from tt.core.messages import Kind, Message, Priority, decode
from tt.core.myself import Myself
from tt.errors import TTError, UsageError

PERSON = Myself()


@pytest.fixture
def yard(connection: Connection, town: str) -> Yard:
    return Yard(town, connection)


@pytest.fixture
def desk(yard: Yard) -> Desk:
    return Desk(yard.workshop, Orders(retries=1, timeout=60))


def me(agent: Agent, job: Job) -> Myself:
    """Whoever works on this attempt at a task."""
    return Myself(agent.uuid, job.uuid, job.claim)


# Reports


def test_an_agent_ends_the_attempt_that_it_was_given(yard: Yard) -> None:
    agent, (job,) = yard.agent(), yard.plan("lint")
    running = yard.running(job, agent)
    found = report(yard.workshop, me(agent, running), "", "completed", "All pass")
    assert (found.was, found.is_done, found.job.state) == ("ended", True, "completed")
    assert yard.job(job.uuid).result == "All pass"
    again = report(yard.workshop, me(agent, running), "lint", "completed", "All pass")
    assert again.is_done
    assert [*yard.kinds()].count("task_completed") == 1


@pytest.mark.parametrize("state", ["completed", "failed"])
def test_a_report_on_an_attempt_that_was_given_up_is_late(yard: Yard, state: str) -> None:
    first, second, (job,) = yard.agent("a"), yard.agent("b"), yard.plan("lint")
    old = yard.running(job, first)
    given = done(yard.workshop.give_back(job.uuid, "silent", claim=old.claim))
    now = yard.running(given, second)
    found = report(yard.workshop, me(first, old), "lint", state, "x")  # type: ignore[arg-type]
    assert (found.was, found.is_done) == ("late", False)
    assert found.job == now == yard.job(job.uuid)
    assert found.agents[second.uuid].name == "b"


def test_a_person_ends_any_task_once(yard: Yard) -> None:
    agent, (job, _) = yard.agent(), yard.plan("lint", "test")
    yard.running(job, agent)
    assert report(yard.workshop, PERSON, "lint", "completed", "x").was == "ended"
    assert report(yard.workshop, PERSON, "lint", "completed", "y").was == "repeated"
    assert report(yard.workshop, PERSON, "lint", "failed", "y").was == "other"
    assert yard.job(job.uuid).result == "x"
    assert report(yard.workshop, PERSON, "test", "cancelled", "").job.state == "cancelled"


def test_an_agent_may_end_another_task_than_its_own_without_its_claim(yard: Yard) -> None:
    agent, (job, _) = yard.agent(), yard.plan("lint", "test")
    running = yard.running(job, agent)
    assert report(yard.workshop, me(agent, running), "test", "completed", "too").was == "ended"
    assert yard.job(job.uuid) == running


def test_a_failure_with_retries_left_is_tried_again(yard: Yard) -> None:
    agent, (job,) = yard.agent(), yard.plan("lint")
    running = yard.running(job, agent, retries=1)
    found = report(yard.workshop, me(agent, running), "", "failed", "no linter")
    assert (found.was, found.job.state, found.job.failures) == ("requeued", "pending", 1)


# Notes


def test_notes_are_kept_in_order_through_a_new_attempt_and_told(yard: Yard) -> None:
    agent, (job,) = yard.agent(), yard.plan("lint")
    note(yard.workshop, PERSON, "lint", "first")
    yard.running(job, agent)
    note(yard.workshop, Myself(agent.uuid), "lint", "second\nline")
    report(yard.workshop, PERSON, "lint", "failed", "")
    yard.world.put(job.uuid, {"state": "pending"})
    kept = yard.job(job.uuid).notes
    assert [(one.by, one.text) for one in kept] == [("", "first"), (agent.uuid, "second\nline")]
    told = [one.data["note"] for one in yard.workshop.events(100) if one.kind == "task_note"]
    assert told == ["first", "second\nline"]


def test_the_last_fifty_notes_are_kept(yard: Yard) -> None:
    (job,) = yard.plan("lint")
    for number in range(52):
        note(yard.workshop, PERSON, job.uuid, f"{number}")
    kept = yard.job(job.uuid).notes
    assert [one.text for one in kept] == [f"{number}" for number in range(2, 52)]


def test_a_note_is_no_edit_of_the_plan_and_a_sync_leaves_it(yard: Yard) -> None:
    (job,) = yard.plan("lint", priority=3)
    before = yard.world.store().load().tasks["lint"].task
    note(yard.workshop, PERSON, "lint", "x")
    assert yard.world.store().load().tasks["lint"].task == before
    assert yard.world.hash(job.uuid)["x:priority"] == "3"


@pytest.mark.parametrize("raw", ["{", "[1]", '{"a":1}', '"x"', "[" * 5000])
def test_notes_that_another_tool_broke_are_left_out(yard: Yard, raw: str) -> None:
    (job,) = yard.plan("lint")
    yard.world.put(job.uuid, {"run:notes": raw})
    assert yard.job(job.uuid).notes == ()
    note(yard.workshop, PERSON, "lint", "x")
    assert [one.text for one in yard.job(job.uuid).notes] == ["x"]


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_note_is_none(yard: Yard, text: str) -> None:
    yard.plan("lint")
    with pytest.raises(UsageError, match="nothing in that note"):
        note(yard.workshop, PERSON, "lint", text)


# Looking


def test_a_task_is_shown_with_how_far_those_are_that_it_depends_on(yard: Yard) -> None:
    yard.plan("design", "code")
    yard.plan("test", depends_on=["design", "code", "docs"])
    report(yard.workshop, PERSON, "design", "completed", "")
    found = show(yard.workshop, PERSON, "test")
    assert found.depends_on == {"design": "completed", "code": "pending", "docs": "gone"}


def test_agent_in_a_filter_means_whoever_has_a_task(yard: Yard) -> None:
    dev, jobs = yard.agent("dev"), yard.plan("a", "b", agent="tester")
    yard.plan("c", tags=["x"])
    yard.handed(jobs[0], dev)

    def ids(*words: str, state: str = "") -> list[str]:
        return [job.task.id for job in listing(yard.workshop, words, state).jobs]

    assert ids("agent:dev") == ["a"]
    assert ids("agent:tester") == ["b"]
    assert ids(state="pending") == ["b", "c"]
    assert ids("tag:x", state="pending") == ["c"]
    assert listing(yard.workshop, ["tag:x"]).total == 3
    with pytest.raises(UsageError, match="no filter"):
        ids("nope:x")


def test_what_is_current_is_what_an_agent_works_on(yard: Yard) -> None:
    dev, idle, (job,) = yard.agent("dev"), yard.agent("idle"), yard.plan("a")
    running = yard.running(job, dev)
    assert current(yard.workshop, PERSON, "").work == {dev.uuid: (running,)}
    assert [one.name for one in current(yard.workshop, PERSON, "").agents] == ["dev"]
    assert current(yard.workshop, PERSON, "idle").work == {}
    assert [one.name for one in current(yard.workshop, PERSON, "idle").agents] == ["idle"]
    assert current(yard.workshop, me(dev, running), "").work == {dev.uuid: (running,)}
    assert current(yard.workshop, Myself(idle.uuid), "").work == {}


# Giving tasks out


def test_an_id_is_given_out_as_the_plan_says(yard: Yard, desk: Desk) -> None:
    dev, _ = yard.agent("dev"), yard.plan("a", retries=3, timeout=9)
    yard.plan("b")
    found = assign(desk, "dev", "a")
    assert (found.made, found.job.state, found.job.agent) == (False, "assigned", dev.uuid)
    assert (found.job.retries, found.job.timeout, found.job.sender) == (3, 9.0, SUPERVISOR)
    found = assign(desk, "dev", "b")
    assert (found.job.retries, found.job.timeout) == (1, 60.0)
    assert len(yard.list(f"inbox:{dev.uuid}")) == 2


@pytest.mark.parametrize("text", ["Fix the login form", "a b", "Refactor", "a"])
def test_a_text_makes_a_task_as_tinytown_does(yard: Yard, desk: Desk, text: str) -> None:
    dev, _ = yard.agent("dev"), yard.plan("a")
    found = assign(desk, "dev", text, new=text == "a")
    raw = yard.world.hash(found.job.uuid)
    assert found.made
    assert (raw["description"], raw["state"], raw["tags"]) == (text, "assigned", "[]")
    assert raw["assigned_to"] == dev.uuid
    (message,) = yard.list(f"inbox:{dev.uuid}")
    assert message_of(message)["task_id"] == found.job.uuid


def test_one_word_that_is_nearly_an_id_makes_no_task(yard: Yard, desk: Desk) -> None:
    yard.agent("dev")
    yard.plan("review")
    with pytest.raises(UsageError, match="did you mean `review`"):
        assign(desk, "dev", "rewiev")
    assert len(yard.workshop.board().jobs) == 1


def test_what_a_task_should_have_waited_for_is_said(yard: Yard, desk: Desk) -> None:
    yard.agent("dev")
    yard.plan("a", "b", "failed")
    yard.plan("c", depends_on=["a", "b", "failed"])
    report(yard.workshop, PERSON, "a", "completed", "")
    report(yard.workshop, PERSON, "failed", "failed", "")
    assert assign(desk, "dev", "c").unmet == ("b", "failed")


@pytest.mark.parametrize("state", ["completed", "failed", "cancelled", "running", "assigned"])
def test_only_a_pending_task_is_given_out(yard: Yard, desk: Desk, state: str) -> None:
    yard.agent("dev")
    (job,) = yard.plan("a")
    yard.world.put(job.uuid, {"state": state})
    with pytest.raises(TTError, match=f"The task `a` is {state}") as caught:
        assign(desk, "dev", "a")
    assert caught.value.hint is not None
    assert yard.world.hash(job.uuid)["state"] == state


def test_who_has_a_task_is_said_to_whoever_gives_it_out_again(yard: Yard, desk: Desk) -> None:
    dev, (job,) = yard.agent("dev"), yard.plan("a")
    yard.agent("other")
    yard.handed(job, dev)
    with pytest.raises(TTError, match="The task `a` is assigned: dev has it"):
        assign(desk, "other", "a")


@pytest.mark.parametrize("state", [AgentState.STOPPED, AgentState.ERROR])
def test_whoever_is_gone_is_given_nothing(yard: Yard, desk: Desk, state: AgentState) -> None:
    dev, _ = yard.agent("dev"), yard.plan("a")
    yard.workshop.set_state(dev.uuid, state)
    before = yard.everything()
    for text in ("a", "Fix the login form"):
        with pytest.raises(TTError, match=f"dev is {state}, and takes no work"):
            assign(desk, "dev", text)
    assert yard.everything() == before


# The backlog


def test_what_is_claimed_leaves_the_backlog(yard: Yard, desk: Desk) -> None:
    yard.agent("dev")
    job = shelve(yard.workshop, "Write the changelog", ["docs"])
    assert [one.uuid for one in backlog(yard.workshop).jobs] == [job.uuid]
    assert claim(desk, job.uuid[:8], "dev").job.state == "assigned"
    assert backlog(yard.workshop).backlog == ()
    with pytest.raises(TTError, match="not in the backlog; it is assigned"):
        claim(desk, job.uuid, "dev")


def test_all_of_the_backlog_that_can_be_is_given_out_in_order(yard: Yard, desk: Desk) -> None:
    dev = yard.agent("dev")
    jobs = [shelve(yard.workshop, text, []) for text in ("one", "two", "three")]
    yard.world.drop(jobs[0].uuid)
    yard.world.put(jobs[1].uuid, {"state": "failed"})
    found = share(desk, "dev")
    assert [job.uuid for job in found.given] == [jobs[2].uuid]
    assert set(found.left) == {jobs[0].uuid, jobs[1].task.id}
    assert len(yard.list(f"inbox:{dev.uuid}")) == 1


def test_what_is_removed_from_the_backlog_stays_a_task(yard: Yard) -> None:
    job = shelve(yard.workshop, "one", [])
    unshelve(yard.workshop, job.task.id)
    assert yard.list("backlog") == []
    assert yard.job(job.uuid).state == "pending"
    with pytest.raises(TTError, match="is not in the backlog"):
        unshelve(yard.workshop, job.uuid)


def test_what_is_no_task_any_more_can_leave_the_backlog(yard: Yard, desk: Desk) -> None:
    yard.agent("dev")
    job = shelve(yard.workshop, "one", [])
    yard.world.drop(job.uuid)
    with pytest.raises(TTError, match="no such task any more"):
        claim(desk, job.uuid, "dev")
    assert unshelve(yard.workshop, job.uuid) == job.uuid
    assert yard.list("backlog") == []


def test_a_tag_cannot_make_a_task_one_of_the_plan(yard: Yard) -> None:
    with pytest.raises(UsageError, match="plan:"):
        shelve(yard.workshop, "one", ["plan:lint"])
    with pytest.raises(UsageError, match="description"):
        shelve(yard.workshop, "  ", [])


# Messages


def message(sender: str, to: str, *, urgent: bool = False) -> Message:
    kind, content = post.content_of("task", "Look")
    priority = Priority.URGENT if urgent else Priority.NORMAL
    return Message(f"m-{sender}-{to}-{urgent}", sender, to, kind, content, priority)


def test_messages_go_by_the_names_of_agents(yard: Yard) -> None:
    dev, tester = yard.agent("dev"), yard.agent("tester")
    sent, by, to = post.send(yard.workshop, yard.clock, message("tester", "dev", urgent=True))
    assert (sent.sender, sent.to, by, to) == (tester.uuid, dev.uuid, "tester", "dev")
    assert len(yard.list(f"urgent:{dev.uuid}")) == 1
    post.send(yard.workshop, yard.clock, message(SUPERVISOR, "dev"))
    found = post.inbox(yard.workshop, Myself(dev.uuid), "")
    assert [one.priority for one in found.messages] == ["urgent", "normal"]
    assert set(found.senders.values()) == {"tester", "supervisor"}
    with pytest.raises(TTError, match="no agent `nobody`"):
        post.send(yard.workshop, yard.clock, message("nobody", "dev"))


@pytest.mark.parametrize(
    ("text", "ack"),
    [
        ("approved", {"type": "approved"}), ("Thanks!", {"type": "thanks"}),
        ("received", {"type": "received"}), ("fine by me", {"type": "acknowledged"}),
        ("Rejected: too slow", {"type": "rejected", "reason": "too slow"}),
    ],
)  # fmt: skip
def test_an_acknowledgment_is_one_of_tinytowns(text: str, ack: dict[str, str]) -> None:
    assert post.content_of("ack", text) == (Kind.CONFIRMATION, {"ack_type": ack})


def test_a_message_of_nothing_is_none() -> None:
    with pytest.raises(UsageError):
        post.content_of("query", " ")


def test_what_came_after_a_look_is_not_cleared_with_it(yard: Yard) -> None:
    agent, jobs = yard.agent(), yard.plan("a", "b")
    for job in jobs:
        report(yard.workshop, me(agent, yard.running(job, agent)), "", "completed", "x")
    seen = post.inbox(yard.workshop, PERSON, "")
    assert [seen.tasks[one.text("task_id")][0] for one in seen.messages] == ["a", "b"]
    post.send(yard.workshop, yard.clock, message(agent.uuid, "supervisor", urgent=True))
    assert post.clear(yard.workshop, seen) == 2
    assert post.clear(yard.workshop, seen) == 0
    left = post.inbox(yard.workshop, PERSON, "").messages
    assert [one.kind for one in left] == [Kind.TASK]


def test_an_agent_that_clears_its_inbox_keeps_its_work_and_what_it_has_taken(yard: Yard) -> None:
    """An AI may well run `tt inbox --clear`: the task that waits for it would never be done."""
    agent, (job,) = yard.agent(), yard.plan("a")
    taken, news, late = (Message(name, "x", agent.uuid, Kind.QUERY) for name in "abc")
    yard.workshop.send(taken)
    assert yard.workshop.take(agent.uuid) == taken
    yard.handed(job, agent)
    yard.workshop.send(news)
    seen = post.inbox(yard.workshop, Myself(agent.uuid), "")
    yard.workshop.send(late)
    assert post.clear(yard.workshop, seen) == 1
    left = post.inbox(yard.workshop, PERSON, "dev").messages
    assert [one.text("task_id") or one.id for one in left] == [job.uuid, "c"]
    assert [message_id(text) for text in yard.list(f"taken:{agent.uuid}")] == ["a"]


def message_id(text: str) -> str:
    return decode(text).id


def test_all_inboxes_are_those_of_agents_and_of_who_supervises(yard: Yard) -> None:
    yard.agent("dev")
    post.send(yard.workshop, yard.clock, message("dev", "supervisor"))
    found = post.inboxes(yard.workshop)
    assert [(one.name, len(one.messages)) for one in found] == [("dev", 0), ("supervisor", 1)]
