"""Parents and dependencies as a graph, checked against a slow but plain search."""

from __future__ import annotations

from hypothesis import given

from tests.support.plans import plan, plans, task
from tt.core.graph import cycles, graph_problems, links, missing_links
from tt.core.model import Plan


def _reaches_itself(one: Plan, start: str) -> bool:
    seen: set[str] = set()
    todo = [target for _, target in links(one, start)]
    while todo:
        node = todo.pop()
        if node == start:
            return True
        if node not in seen:
            seen.add(node)
            todo += [target for _, target in links(one, node)]
    return False


@given(plans(valid=False))
def test_there_are_cycles_if_and_only_if_some_task_waits_for_itself(one: Plan) -> None:
    waiting = {identifier for identifier in one.tasks if _reaches_itself(one, identifier)}
    found = cycles(one)
    assert bool(found) is bool(waiting)
    assert {identifier for cycle in found for identifier, _ in cycle} <= waiting


@given(plans(valid=False))
def test_each_cycle_is_a_way_back_to_where_it_begins(one: Plan) -> None:
    for cycle in cycles(one):
        around = [*cycle[1:], cycle[0]]
        for (here, name), (target, _) in zip(cycle, around, strict=True):
            assert (name, target) in list(links(one, here))
        assert len({here for here, _ in cycle}) == len(cycle)


@given(plans(valid=False))
def test_links_and_missing_links_are_all_that_tasks_name(one: Plan) -> None:
    named = {
        (found.id, name, wanted)
        for found in one.tasks.values()
        for name, wanted in [
            ("parent", found.parent),
            *(("depends_on", wanted) for wanted in found.depends_on),
        ]
        if wanted is not None
    }
    there = {(found, *link) for found in one.tasks for link in links(one, found)}
    assert named == there | set(missing_links(one))


def test_a_task_that_is_its_own_parent_is_a_cycle() -> None:
    assert cycles(plan(task("a", parent="a"))) == [[("a", "parent")]]


def test_parents_and_dependencies_make_one_graph() -> None:
    mixed = plan(task("child", parent="stage"), task("stage", depends_on=["child"]))
    assert cycles(mixed) == [[("child", "parent"), ("stage", "depends_on")]]


def test_two_ways_to_one_task_are_no_cycle() -> None:
    diamond = plan(
        task("a", depends_on=["b", "c"]), task("b", parent="d"), task("c", parent="d"), task("d")
    )
    assert cycles(diamond) == []


def test_two_cycles_are_both_found() -> None:
    pairs = plan(
        task("a", parent="b"), task("b", parent="a"), task("c", parent="d"), task("d", parent="c")
    )
    assert len(cycles(pairs)) == 2


def test_a_chain_of_ten_thousand_stages_is_walked() -> None:
    chain = [task("t0"), *(task(f"t{n}", parent=f"t{n - 1}") for n in range(1, 10_000))]
    assert cycles(plan(*reversed(chain))) == []
    closed = [task("t0", depends_on=["t9999"]), *chain[1:]]
    assert [len(cycle) for cycle in cycles(plan(*closed))] == [10_000]


def test_an_unknown_parent_is_a_problem_with_its_place_and_a_guess() -> None:
    (problem,) = graph_problems(
        plan(task("login"), task("test", parent="lgoin")), {"login": 0, "test": 1}
    )
    assert (problem.code, problem.place) == ("parent", ("tasks", 1, "parent"))
    assert "`lgoin`" in problem.message
    assert "`login`" in (problem.hint or "")


def test_an_unknown_dependency_is_a_problem() -> None:
    (problem,) = graph_problems(plan(task("test", depends_on=["zz"])), {"test": 0})
    assert (problem.code, problem.place) == ("dependency", ("tasks", 0, "depends_on"))
    assert problem.hint is None


def test_a_cycle_is_one_problem_at_the_task_that_is_last_in_the_file() -> None:
    around = plan(task("a", parent="c"), task("b", parent="a"), task("c", parent="b"))
    (problem,) = graph_problems(around, {"a": 0, "b": 1, "c": 2})
    assert (problem.code, problem.place) == ("cycle", ("tasks", 2, "parent"))
    assert problem.message.count("`a`") == 2
