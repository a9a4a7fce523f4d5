"""One step of the conductor: what is done now, in which order, and whether it goes on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.test_readiness import CHAIN, GROUP, plans
from tests.support.boards import agent, job, jobs_of, ledger
from tt.core.agents import GONE, Agent, AgentState
from tt.core.conducting import (
    Action,
    Bury,
    Complete,
    Fail,
    HandOut,
    Orders,
    Seen,
    Spawn,
    decide,
    terms,
)
from tt.core.jobs import Board, Job
from tt.core.ledger import Ledger
from tt.core.model import STATUSES, Plan, Task
from tt.core.rehearsal import rehearse
from tt.core.standstill import Block, Wait, explain, judge
from tt.core.values import Literal, Value
from tt.record import replace

ORDERS = Orders()
NOTHING = Seen()


def words(actions: tuple[Action, ...]) -> list[str]:
    """Say actions in short."""
    said = []
    for action in actions:
        match action:
            case HandOut(given, to):
                said.append(f"{given.task.id}→{to.name}")
            case Complete(group):
                said.append(f"{group.task.id}!")
            case Bury(dead):
                said.append(f"†{dead.name}")
            case Fail(late):
                said.append(f"{late.task.id}✗")
            case Spawn(name):
                said.append(f"+{name}")
    return said


def step(found: Ledger, orders: Orders = ORDERS, seen: Seen = NOTHING) -> list[str]:
    return words(decide(found, orders, seen).actions)


CREW = [agent(name) for name in ("linter", "builder", "tester", "architect", "developer")]


def test_a_chain_is_handed_out_stage_by_stage() -> None:
    jobs = jobs_of(CHAIN)
    assert step(ledger(jobs, CREW)) == ["lint→linter"]
    jobs[0] = job("lint", "completed", agent="linter")
    assert step(ledger(jobs, CREW)) == ["build→builder"]


def test_a_group_is_handed_out_at_once() -> None:
    assert step(ledger(jobs_of(GROUP), CREW)) == ["design→architect", "build→developer"]


def test_the_order_is_the_files_and_then_that_of_their_making() -> None:
    jobs = [job(name, agent="dev") for name in ("a", "b", "c", "d")]
    crew = [agent("dev")]
    orders = Orders(per_agent=4)
    assert step(ledger(jobs, crew, ["c", "b"]), orders) == ["c→dev", "b→dev", "a→dev", "d→dev"]


def test_an_agent_gets_one_to_do_and_one_to_wait() -> None:
    jobs = [job(name, agent="dev") for name in ("a", "b", "c")]
    assert step(ledger(jobs, [agent("dev")])) == ["a→dev", "b→dev"]


def test_of_several_the_one_with_the_least_to_do_gets_it() -> None:
    jobs = [job("a", "running", by="one"), *(job(name, agent="dev") for name in "bcde")]
    crew = [agent("one", role="dev"), agent("two", role="dev")]
    assert step(ledger(jobs, crew)) == ["b→two", "c→one", "d→two"]


def test_a_name_counts_before_a_role_and_a_role_before_a_nickname() -> None:
    named, role = agent("dev"), agent("x", role="dev")
    nick = agent("y", nickname="dev")
    one = [job("a", agent="dev")]
    assert step(ledger(one, [nick, role, named])) == ["a→dev"]
    assert step(ledger(one, [nick, role])) == ["a→x"]
    assert step(ledger(one, [nick])) == ["a→y"]
    gone = replace(named, state=AgentState.STOPPED)
    assert step(ledger(one, [gone, nick])) == ["a→y"]


def test_who_names_no_agent_is_for_the_default_one() -> None:
    found = ledger([job("a")], [agent("dev")], meta={"default_agent": "dev"})
    assert step(found) == ["a→dev"]
    assert step(ledger([job("a")], [agent("dev")])) == []


@pytest.mark.parametrize(
    "state", [AgentState.PAUSED, AgentState.DRAINING, AgentState.STOPPED, AgentState.ERROR]
)
def test_who_rests_or_is_gone_is_given_nothing(state: AgentState) -> None:
    assert step(ledger([job("a", agent="dev")], [agent("dev", state)])) == []


def test_who_rests_is_waited_for_and_who_is_gone_is_not() -> None:
    one = [job("a", agent="dev")]
    assert decide(ledger(one, [agent("dev", AgentState.PAUSED)]), ORDERS, NOTHING).goes_on
    assert not decide(ledger(one, [agent("dev", AgentState.STOPPED)]), ORDERS, NOTHING).goes_on


def test_no_more_are_under_way_at_once_than_may_be() -> None:
    jobs = [job("x", "running", by="dev"), *(job(name, agent=name) for name in "abc")]
    crew = [agent("dev"), *(agent(name) for name in "abc")]
    assert step(ledger(jobs, crew), Orders(max_parallel=3)) == ["a→a", "b→b"]
    full = decide(ledger(jobs, crew), Orders(max_parallel=1), NOTHING)
    assert (full.actions, full.goes_on) == ((), True)


def test_what_is_held_elsewhere_takes_no_room_here() -> None:
    jobs = [job("x", "running"), job("a", agent="dev")]
    assert step(ledger(jobs, [agent("dev")]), Orders(max_parallel=1)) == ["a→dev"]


def test_a_landed_group_is_completed_and_what_waits_for_it_is_handed_out_at_once() -> None:
    jobs = [
        job("epic", tags=["epic"]), job("one", "completed", parent="epic", agent="dev"),
        job("after", agent="dev", depends_on=["epic"]),
    ]  # fmt: skip
    assert step(ledger(jobs, [agent("dev")])) == ["epic!", "after→dev"]


def test_a_dead_agent_is_buried_and_gets_nothing() -> None:
    jobs = [job("a", "running", by="dev"), job("b", agent="dev")]
    found = decide(ledger(jobs, [agent("dev")]), ORDERS, Seen(dead={"@dev": "gone"}))
    assert words(found.actions) == ["†dev"]


def test_who_has_stopped_with_work_in_hand_is_buried_and_else_left_in_peace() -> None:
    stopped = agent("dev", AgentState.STOPPED)
    assert step(ledger([job("a", "assigned", by="dev")], [stopped])) == ["†dev"]
    assert step(ledger([job("a", "completed", by="dev")], [stopped])) == []


def test_only_another_tools_agent_is_failed_for_taking_too_long() -> None:
    jobs = [job("a", "running", by="rust", timeout=5), job("b", "running", by="ours", timeout=5)]
    found = ledger(jobs, [agent("rust", lease=0), agent("ours")])
    assert step(found, seen=Seen(busy={"u-a": 4.9, "u-b": 9})) == []
    assert step(found, seen=Seen(busy={"u-a": 5, "u-b": 9})) == ["a✗"]


def test_agents_that_nobody_is_are_spawned_once_each() -> None:
    jobs = [job("a", agent="dev"), job("b", agent="dev"), job("c", agent="ops")]
    orders = Orders(spawns=True)
    assert step(ledger(jobs), orders) == ["+dev", "+ops"]
    spawning = decide(ledger(jobs), orders, Seen(spawning=frozenset({"dev", "ops"})))
    assert (spawning.actions, spawning.goes_on) == ((), True)
    barred = decide(ledger(jobs), orders, Seen(barred={"dev": "no", "ops": "no"}))
    assert (barred.actions, barred.goes_on) == ((), False)


def test_no_more_agents_are_spawned_than_may_be() -> None:
    jobs = [job(name, agent=name) for name in "abc"]
    found = ledger(jobs, [agent("x"), agent("y", AgentState.STOPPED)])
    assert step(found, Orders(spawns=True, max_agents=2)) == ["+a"]


def test_tasks_that_are_in_no_plan_are_not_handed_out_and_count_for_their_agent() -> None:
    loose = replace(job("loose", agent="dev"), tagged=False)
    held = [replace(job(f"h{number}", "assigned", by="dev"), tagged=False) for number in range(2)]
    found = decide(ledger([loose, *held, job("a", agent="dev")], [agent("dev")]), ORDERS, NOTHING)
    assert (found.actions, found.goes_on, found.ready) == ((), True, ("a",))


def test_it_goes_on_while_an_agent_of_the_town_works_and_not_for_one_elsewhere() -> None:
    crew = [agent("dev")]
    assert decide(ledger([job("a", "running", by="dev")], crew), ORDERS, NOTHING).goes_on
    assert not decide(ledger([job("a", "running")], crew), ORDERS, NOTHING).goes_on
    assert not decide(ledger([job("a", "running", by="who")], crew), ORDERS, NOTHING).goes_on


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, (1, 60.0)),
        ({"retries": 3}, (3, 60.0)),
        ({"retries": 0, "timeout": 0}, (0, 0.0)),
        ({"timeout": Literal("1.5")}, (1, 1.5)),
        ({"retries": -1, "timeout": -1}, (1, 60.0)),
        ({"retries": "many", "timeout": "5"}, (1, 60.0)),
        ({"retries": Literal("true"), "timeout": Literal("nan")}, (1, 60.0)),
        ({"timeout": Literal("inf")}, (1, 60.0)),
        ({"timeout": ["5"]}, (1, 60.0)),
        ({"retries": 10**12, "timeout": 10**400}, (1_000_000, 60.0)),
    ],
)
def test_a_task_says_itself_how_often_and_how_long(
    fields: dict[str, Value], found: tuple[int, float]
) -> None:
    task = Task("a", {"description": "a", "status": "pending", **fields})
    assert terms(task, Orders(retries=1, timeout=60)) == found


# Why tasks wait, and how it ends


def waits(found: Ledger, seen: Seen = NOTHING, orders: Orders = ORDERS) -> dict[str, Wait]:
    decided = decide(found, orders, seen)
    return {wait.id: wait for wait in explain(found, orders, seen, decided)}


def test_a_failed_stage_is_the_root_cause_of_all_that_waits_for_it_and_of_nothing_else() -> None:
    jobs = jobs_of(CHAIN)
    lint = Task("lint", {**jobs[0].task.fields, "status": "failed"})
    jobs[0] = replace(jobs[0], task=lint, result="boom")
    found = ledger([*jobs, job("docs", "completed", agent="writer")], CREW)
    decided = decide(found, ORDERS, NOTHING)
    verdict = judge(found, ORDERS, NOTHING, decided)
    assert not decided.goes_on
    assert (verdict.total, verdict.completed, verdict.is_completed) == (4, 1, False)
    assert verdict.waits == (
        Wait("lint", Block.FAILED, why="boom"),
        Wait("build", Block.WAITS, ("lint",), ("lint",)),
        Wait("test", Block.WAITS, ("build",), ("lint",)),
    )


def test_each_reason_is_told_apart() -> None:
    jobs = [
        job("nobody", agent="ghost"), job("unnamed"), job("elsewhere", "running"),
        job("paused", agent="sleepy"), job("busy", agent="dev"),
        job("behind", depends_on=["nobody"]),
        job("dangling", depends_on=["gone"]), job("one", depends_on=["two"]),
        job("two", depends_on=["one"]), job("later", depends_on=["doing"]),
        job("doing", "running", by="dev"), job("next", "assigned", by="dev"),
    ]  # fmt: skip
    found = waits(ledger(jobs, [agent("dev"), agent("sleepy", AgentState.PAUSED)]))
    assert {name: wait.block for name, wait in found.items()} == {
        "nobody": Block.NOBODY, "unnamed": Block.UNNAMED, "elsewhere": Block.ELSEWHERE,
        "paused": Block.PAUSED, "busy": Block.BUSY, "behind": Block.WAITS,
        "dangling": Block.WAITS, "one": Block.CIRCLE, "two": Block.CIRCLE, "later": Block.WAITS,
    }  # fmt: skip
    assert found["behind"].roots == ("nobody",)
    assert found["dangling"].roots == ("gone",)
    assert found["later"].roots == ()


def test_where_room_is_what_lacks_it_is_said_so() -> None:
    jobs = [job("x", "running", by="dev"), job("a", agent="ops")]
    found = ledger(jobs, [agent("dev"), agent("ops")])
    assert waits(found, orders=Orders(max_parallel=1))["a"].block is Block.LIMIT


def test_all_is_completed_where_only_cancelled_tasks_are_not() -> None:
    jobs = [
        job("epic", "completed", tags=["epic"]), job("a", "completed", parent="epic", agent="x"),
        job("b", "cancelled", parent="epic", agent="x"),
        job("hollow"), job("c", "cancelled", parent="hollow", agent="x"),
    ]  # fmt: skip
    found = ledger(jobs)
    decided = decide(found, ORDERS, NOTHING)
    verdict = judge(found, ORDERS, NOTHING, decided)
    assert (decided.goes_on, verdict.is_completed) == (False, True)
    assert (verdict.total, verdict.completed, verdict.cancelled) == (3, 1, 2)


def test_all_is_not_completed_where_a_task_cannot_be_read() -> None:
    done, waiting = job("a", "completed", agent="x"), job("b", agent="x", depends_on=["lost"])
    for jobs in ([done], [done, waiting]):
        board = Board({one.uuid: one for one in jobs}, aside=frozenset({"lost"}))
        found = Ledger(board)
        decided = decide(found, ORDERS, NOTHING)
        verdict = judge(found, ORDERS, NOTHING, decided)
        assert (decided.goes_on, verdict.is_completed) == (False, False)
        assert (verdict.total, verdict.completed, verdict.aside) == (len(jobs) + 1, 1, ("lost",))


def test_a_rehearsal_says_what_would_be_done_and_by_whom_what_is_under_way() -> None:
    jobs = [job("a", "running", by="dev"), job("b", agent="dev"), job("c", agent="ops")]
    dead = replace(agent("ops"), alive=False)
    found = rehearse(ledger(jobs, [agent("dev"), dead]), ORDERS, {}, 0.0)
    assert words(found.step.actions) == ["†ops", "b→dev"]
    assert found.under_way == {"a": "dev"}
    assert [wait.id for wait in found.verdict.waits] == ["c"]


def test_a_rehearsal_buries_the_dead_with_what_they_hold_and_nobody_who_has_stopped() -> None:
    jobs = [job("a", "running", by="dev"), job("b", agent="ops")]
    crew = [agent("dev"), agent("ops", AgentState.STOPPED)]
    found = rehearse(ledger(jobs, crew), ORDERS, {"@dev": "gone", "@ops": "gone"}, 0.0)
    assert words(found.step.actions) == ["†dev"]
    assert (found.under_way, found.returned) == ({}, {"@dev": ("a",)})
    assert [(wait.id, wait.block) for wait in found.verdict.waits] == [("b", Block.STOPPED)]


def test_who_is_started_is_waited_for() -> None:
    found = ledger([job("a", agent="dev"), job("b", depends_on=["a"])])
    waiting = waits(found, orders=Orders(spawns=True))
    assert waiting["a"].block is Block.STARTING
    assert waiting["b"].roots == ()
    barred = waits(found, Seen(barred={"dev": "it ends"}), Orders(spawns=True))
    assert barred["a"] == Wait("a", Block.NOBODY, agent="dev", why="it ends")
    assert barred["b"].roots == ("a",)


# Laws


def acted(found: Ledger, actions: tuple[Action, ...], status: str) -> None:
    """Have what a step says done, and every task that was handed out end at once."""
    for action in actions:
        if isinstance(action, Complete | HandOut):
            new = "completed" if isinstance(action, Complete) else status
            task = Task(action.job.task.id, {**action.job.task.fields, "status": new})
            found.update([action.job.uuid], {action.job.uuid: replace(action.job, task=task)})


@given(plans(), st.sampled_from(["completed", "failed"]))
def test_conducting_ends_and_then_every_task_is_done_or_has_a_reason(
    plan: Plan, status: str
) -> None:
    found = ledger(jobs_of(plan), [agent("dev")], meta={"default_agent": "dev"})
    before = {one.task.id for one in found.jobs.values() if one.state == "pending"}
    for _ in range(2 * len(plan.tasks) + 1):
        decided = decide(found, ORDERS, NOTHING)
        if not decided.actions:
            break
        acted(found, decided.actions, status)
    assert not decided.actions
    assert not decided.goes_on
    verdict = judge(found, ORDERS, NOTHING, decided)
    reasons = {wait.id for wait in verdict.waits}
    for name, task in found.tasks.items():
        if name not in found.shape.groups and task.status not in ("completed", "cancelled"):
            assert name in reasons
    assert verdict.is_completed == (not reasons)
    assert not before & {name for name in reasons if found.tasks[name].status == "running"}


@given(plans(), st.integers(0, 3), st.integers(1, 3))
def test_a_step_gives_away_only_what_is_ready_and_to_no_one_too_much(
    plan: Plan, parallel: int, most: int
) -> None:
    found = ledger(jobs_of(plan), [agent("dev"), agent("two", role="dev")],
                   meta={"default_agent": "dev"})  # fmt: skip
    orders = Orders(max_parallel=parallel, per_agent=most)
    decided = decide(found, orders, NOTHING)
    given_out = [act for act in decided.actions if isinstance(act, HandOut)]
    names = [act.job.task.id for act in given_out]
    ready = [one.id for one in found.shape.ready(found.tasks, found.shape.done(found.tasks))]
    assert len(set(names)) == len(names)
    assert [name for name in ready if name in names] == names
    assert sorted([*names, *decided.ready]) == sorted(ready)
    assert all(sum(a.agent.name == one for a in given_out) <= most for one in ("dev", "two"))
    assert not parallel or len(given_out) <= parallel
    assert decide(found, orders, NOTHING) == decided


CHANGES = st.tuples(st.sampled_from("abcdefgh"), st.sampled_from([*sorted(STATUSES), "gone"]))


@given(plans(), st.lists(CHANGES, max_size=8))
def test_a_ledger_that_hears_of_each_change_is_the_same_as_one_made_anew(
    plan: Plan, changes: list[tuple[str, str]]
) -> None:
    jobs = {one.uuid: one for one in jobs_of(plan)}
    heard = ledger(jobs.values(), order="abcdefgh")
    for name, status in changes:
        uuid = f"u-{name}"
        if status == "gone":
            jobs.pop(uuid, None)
        else:
            jobs[uuid] = job(name, status, by="dev" if status in ("assigned", "running") else "")
        heard.update([uuid], {uuid: jobs[uuid]} if uuid in jobs else {})
    anew = ledger(jobs.values(), order="abcdefgh")
    assert list(heard.tasks.items()) == list(anew.tasks.items())
    assert (heard.jobs, heard.held, heard.uuids) == (anew.jobs, anew.held, anew.uuids)
    assert heard.shape.stands(heard.tasks) == anew.shape.stands(anew.tasks)
    assert not heard.is_stale


def test_two_tasks_of_one_name_are_for_a_look_at_everything() -> None:
    found = ledger([job("a")])
    twin = replace(job("a"), uuid="u-twin")
    found.update(["u-twin"], {"u-twin": twin})
    assert found.is_stale


def test_a_step_at_ten_thousand_tasks_hands_out_no_more_than_agents_can_take() -> None:
    """How long it takes is measured by `python -m benchmarks.agents`."""
    found = ledger(_thousands(), [agent(f"a{number}") for number in range(8)])
    assert len(decide(found, ORDERS, NOTHING).actions) == 16


def _thousands() -> list[Job]:
    jobs = [job(f"g{number}") for number in range(10)]
    for number in range(10_000):
        after: dict[str, Value] = {"depends_on": [f"t{number - 100}"]} if number >= 100 else {}
        jobs.append(job(f"t{number}", agent=f"a{number % 8}", parent=f"g{number % 10}", **after))
    return jobs


def test_who_is_gone_is_known_by_its_state() -> None:
    crew: list[Agent] = [agent(str(state), state) for state in AgentState]
    jobs = [job(f"t-{one.name}", agent=one.name) for one in crew]
    given_to = {name.partition("→")[2] for name in step(ledger(jobs, crew))}
    assert given_to == {"cold", "starting", "idle", "working"}
    assert not given_to & set(map(str, GONE))
