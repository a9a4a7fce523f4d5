"""What waits for what: arrows as they were written, groups around tasks, and what is not there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tt.core.convoys import Convoy, Worker, epics
from tt.core.model import Plan, Task
from tt.core.network import Because, Edge, network
from tt.core.query import parse_query, select


def plan_of(tasks: Mapping[str, Mapping[str, Any]], **meta: Any) -> Plan:
    return Plan(
        meta,
        {
            name: Task(name, {"description": name.upper(), "status": "pending", **fields})
            for name, fields in tasks.items()
        },
    )


EPIC = plan_of(
    {
        "epic": {"depends_on": ["spike"]},
        "design": {"parent": "epic", "agent": "ann"},
        "build": {"parent": "epic", "agent": "bob", "depends_on": ["design"]},
        "polish": {"parent": "build", "agent": "bob"},
        "spike": {"agent": "ann"},
        "ship": {"depends_on": ["epic"]},
    },
    description="All of it",
    default_agent="eve",
)


def test_an_arrow_leads_to_what_was_named_and_says_why() -> None:
    assert network(EPIC).edges == (
        Edge("spike", "epic"),
        Edge("design", "build"),
        Edge("build", "polish", Because.STAGE),
        Edge("epic", "ship"),
    )


def test_a_later_stage_of_a_group_is_in_the_group() -> None:
    found = network(EPIC)
    assert list(found.groups) == ["epic"]
    assert found.members() == {"": ["epic", "spike", "ship"], "epic": ["design", "build", "polish"]}


def test_a_stage_that_a_task_names_twice_is_one_arrow() -> None:
    plan = plan_of({"a": {"agent": "x"}, "b": {"parent": "a", "depends_on": ["a", "a"]}})
    assert network(plan).edges == (Edge("a", "b", Because.STAGE),)


def test_of_a_selection_the_groups_around_it_are_shown_and_the_rest_is_counted() -> None:
    found = network(EPIC, select(EPIC, parse_query(["id:build,ship"])))
    assert (list(found.tasks), list(found.groups), found.hidden) == (["build", "ship"], ["epic"], 3)
    assert found.edges == (Edge("epic", "ship"),)


def test_who_does_a_task_is_its_holder_then_its_agent_then_the_default() -> None:
    found = network(EPIC, holders={"build": "bob-2"})
    assert [found.agent(found.named(name)) for name in ("build", "design", "ship", "epic")] == [
        "bob-2", "ann", "eve", "",
    ]  # fmt: skip


def test_what_nobody_has_is_told_and_is_no_arrow() -> None:
    plan = plan_of({"a": {"depends_on": ["ghost"]}, "b": {"parent": "gone", "agent": "x"}})
    found = network(plan)
    assert (found.edges, found.lost) == ((), {"a": ("ghost",), "b": ("gone",)})


def test_groups_in_a_circle_are_drawn_without_it() -> None:
    plan = plan_of({"a": {"parent": "b"}, "b": {"parent": "a"}, "c": {"parent": "a"}})
    found = network(plan)
    assert set(found.groups) | set(found.tasks) == {"a", "b", "c"}
    assert sum(map(len, found.members().values())) == 3


def test_arrows_that_no_box_can_show_are_left_to_words() -> None:
    plan = plan_of({"g": {}, "a": {"parent": "g", "depends_on": ["g"]}, "b": {"depends_on": ["b"]}})
    found = network(plan)
    assert (found.edges, found.arrows()) == ((Edge("g", "a"), Edge("b", "b")), [])


def test_a_group_is_open_while_something_is_left_and_says_what_it_waits_for() -> None:
    (found,) = epics(EPIC, {})
    assert (found.convoy, found.progress.done, found.progress.total) == (Convoy.OPEN, 0, 3)
    assert (found.ready, found.waits_for, found.workers) == ((), ("spike",), ())


def change(**statuses: str) -> Plan:
    tasks = {
        name: Task(name, {**task.fields, "status": statuses.get(name, task.status)})
        for name, task in EPIC.tasks.items()
    }
    return Plan(EPIC.meta, tasks)


def test_who_is_at_a_group_is_known_by_its_holders_or_else_by_its_tasks() -> None:
    plan = change(spike="completed", design="completed", build="running")
    assert epics(plan, {})[0].workers == (Worker("bob", "build", "running"),)
    assert epics(plan, {"build": "bob-2"})[0].workers == (Worker("bob-2", "build", "running"),)


def test_a_group_waits_for_what_failed_inside_of_it() -> None:
    plan = change(spike="completed", design="failed")
    assert epics(plan, {})[0].waits_for == ("design",)


def test_a_group_has_landed_when_all_is_done_and_is_closed_when_it_says_so() -> None:
    done = {"spike": "completed", "design": "completed", "build": "completed"}
    assert epics(change(**done, polish="completed"), {})[0].convoy is Convoy.LANDED
    closed = epics(change(**done, polish="completed", epic="completed"), {})
    assert closed[0].convoy is Convoy.CLOSED
