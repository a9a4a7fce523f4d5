"""What people call tasks and agents, and what is meant by it."""

from __future__ import annotations

import pytest

from tests.support.workshops import Yard
from tt.adapters.redis.connection import Connection
from tt.app.naming import find_agent, find_task, my_task, pick_agent, the_mailbox, the_task
from tt.core.agents import SUPERVISOR, Agent, AgentState, name_of
from tt.core.jobs import Board, Job
from tt.core.model import Task
from tt.core.myself import Myself
from tt.errors import TTError, UsageError

ONE, TWO = "aaaa1111-0000-4000-8000-000000000001", "aaaa2222-0000-4000-8000-000000000002"
FIELDS = {"description": "Do it", "status": "pending"}


def board(*jobs: Job) -> Board:
    return Board({job.uuid: job for job in jobs})


def agents(*made: Agent) -> dict[str, Agent]:
    return {agent.uuid: agent for agent in made}


def agent(uuid: str, name: str, state: AgentState = AgentState.IDLE, **more: str) -> Agent:
    return Agent(uuid, name, state, **more)  # type: ignore[arg-type]  # only texts are given here


BOTH = board(Job(ONE, Task("lint", FIELDS)), Job(TWO, Task("lint-docs", FIELDS)))


@pytest.mark.parametrize(
    ("name", "uuid"),
    [("lint", ONE), ("lint-docs", TWO), (ONE, ONE), ("aaaa1", ONE), ("aaaa2222-", TWO)],
)
def test_a_task_is_found_by_id_uuid_and_the_beginning_of_a_uuid(name: str, uuid: str) -> None:
    found = find_task(BOTH, name)
    assert found is not None
    assert found.uuid == uuid


@pytest.mark.parametrize("name", ["lin", "lint-", "aaa", "", "LINT", "x" * 50, "aaaa3"])
def test_what_is_the_name_of_no_task_finds_none(name: str) -> None:
    assert find_task(BOTH, name) is None


def test_a_beginning_of_two_uuids_names_both() -> None:
    with pytest.raises(UsageError, match=r"beginning of the uuids of 2 tasks") as caught:
        find_task(BOTH, "aaaa")
    assert caught.value.hint == f"They are {ONE} (lint), {TWO} (lint-docs)."


def test_an_id_that_looks_like_the_beginning_of_a_uuid_is_the_id() -> None:
    found = find_task(board(*BOTH.jobs.values(), Job("b" + ONE[1:], Task("aaaa", FIELDS))), "aaaa")
    assert found is not None
    assert found.task.id == "aaaa"


def test_the_plans_task_comes_before_one_that_would_get_the_same_id() -> None:
    other, plans = Job(ONE, Task("x", FIELDS), tagged=False), Job(TWO, Task("x", FIELDS))
    assert find_task(board(other, plans), "x") == plans


def test_of_two_agents_with_one_name_whoever_is_not_gone_is_meant() -> None:
    gone = agent(ONE, "dev", AgentState.STOPPED, created_at="2")
    there = agent(TWO, "dev", created_at="1")
    assert find_agent(agents(gone, there), "dev") == there
    older = agent(TWO, "dev", AgentState.ERROR, created_at="1")
    assert find_agent(agents(gone, older), "dev") == gone


def test_a_name_comes_before_a_nickname_and_a_uuid() -> None:
    first, second = agent(ONE, "Mabel"), agent(TWO, "dev", nickname="Mabel")
    third = agent("c" + ONE[1:], "aaaa1111")
    known = agents(first, second, third)
    assert find_agent(known, "Mabel") == first
    assert find_agent(known, "aaaa1111") == third
    assert find_agent(known, TWO) == second
    assert find_agent(known, "aaaa2") == second
    assert find_agent(known, "") is None


def test_a_nickname_of_two_agents_names_both_unless_one_is_gone() -> None:
    first, second = agent(ONE, "a", nickname="Bo"), agent(TWO, "b", nickname="Bo")
    with pytest.raises(UsageError, match="`Bo` is the nickname of 2 agents"):
        find_agent(agents(first, second), "Bo")
    gone = agent(TWO, "b", AgentState.STOPPED, nickname="Bo")
    assert find_agent(agents(first, gone), "Bo") == first


def test_an_unknown_agent_is_told_what_is_near() -> None:
    with pytest.raises(TTError, match="The town shop has no agent `develper`") as caught:
        pick_agent(agents(agent(ONE, "developer")), "develper", "shop")
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("Did you mean `developer`? `tt list` ")


@pytest.mark.parametrize("name", ["supervisor", "conductor", SUPERVISOR])
def test_whoever_supervises_has_a_mailbox_but_is_no_agent(name: str) -> None:
    assert the_mailbox({}, name, "shop") == (SUPERVISOR, "supervisor")
    assert find_agent({}, name) is None
    own = agents(agent(ONE, "conductor"))
    assert the_mailbox(own, "conductor", "shop") == (ONE, "conductor")


def test_an_agent_that_is_not_known_is_called_by_the_beginning_of_its_uuid() -> None:
    assert name_of({}, ONE) == "aaaa1111"
    assert name_of(agents(agent(ONE, "dev")), ONE) == "dev"
    assert name_of({}, SUPERVISOR) == "supervisor"


@pytest.mark.parametrize("value", ["", "x", "../x", SUPERVISOR + "\n"])
def test_what_is_no_uuid_in_the_environment_says_nothing_of_who_runs_it(value: str) -> None:
    environ = {"TINYTOWN_AGENT_ID": value, "TT_TASK": value, "TT_CLAIM": "c"}
    assert Myself.of(environ) == Myself()
    assert Myself().sender == SUPERVISOR


@pytest.fixture
def yard(connection: Connection, town: str) -> Yard:
    return Yard(town, connection)


def test_a_task_is_found_in_a_town_whoever_made_it(yard: Yard) -> None:
    (own,) = yard.plan("lint")
    other = yard.workshop.make("Write the changelog")
    yard.world.put(TWO, {"id": TWO, "description": "x", "state": "pending", "tags": '["plan:rs"]',
                         "created_at": "1", "updated_at": "1"})  # fmt: skip
    for name in ("lint", own.uuid, own.uuid[:8]):
        assert the_task(yard.workshop, name).uuid == own.uuid
    for name in (other.task.id, other.uuid, other.uuid[:8]):
        assert the_task(yard.workshop, name).uuid == other.uuid
    assert the_task(yard.workshop, "rs").uuid == TWO


@pytest.mark.parametrize("name", ["lnit", "\udcff", "a b", "*", "lint\n"])
def test_an_unknown_task_is_told_as_such(yard: Yard, name: str) -> None:
    yard.plan("lint")
    with pytest.raises(TTError, match="has no task") as caught:
        the_task(yard.workshop, name)
    assert "`tt task list`" in str(caught.value.hint)
    assert ("Did you mean `lint`?" in str(caught.value.hint)) == (name in ("lnit", "lint\n"))


def test_an_agent_need_not_name_its_task_and_a_person_has_to(yard: Yard) -> None:
    (job,) = yard.plan("lint")
    assert my_task(yard.workshop, Myself(ONE, job.uuid, "c"), "") == job
    with pytest.raises(UsageError, match="Which task"):
        my_task(yard.workshop, Myself(), "")
