"""Groups, their progress, and the plan as a tree."""

from __future__ import annotations

from tt.core.groups import DEEPEST, groups, tree
from tt.core.model import Plan, Task
from tt.core.values import Value


def plan(**tasks: dict[str, Value]) -> Plan:
    made = {
        name: Task(name, {"description": name, "status": "pending", **fields})
        for name, fields in tasks.items()
    }
    return Plan({}, made)


EPIC = plan(
    epic={"tags": ["epic"]},
    design={"parent": "epic", "agent": "architect", "status": "completed"},
    build={"parent": "epic", "agent": "dev", "status": "running"},
    test={"parent": "build", "agent": "tester"},
    dropped={"parent": "epic", "agent": "dev", "status": "cancelled"},
    alone={"agent": "dev"},
)


def test_a_group_counts_the_work_below_it_at_any_depth() -> None:
    progress = groups(EPIC)["epic"]
    assert dict(progress.by_status) == {"completed": 1, "running": 1, "pending": 1, "cancelled": 1}


def test_cancelled_work_is_not_waited_for() -> None:
    progress = groups(EPIC)["epic"]
    assert (progress.done, progress.total) == (1, 3)


def test_a_parent_with_an_agent_is_a_stage_and_no_group() -> None:
    assert list(groups(EPIC)) == ["epic"]


def test_a_parent_tagged_epic_is_a_group_whoever_does_it() -> None:
    tagged = plan(top={"tags": ["epic"], "agent": "lead"}, child={"parent": "top"})
    assert groups(tagged)["top"].total == 1


def test_a_group_inside_a_group_counts_its_work_and_not_itself() -> None:
    nested = plan(a={}, b={"parent": "a"}, c={"parent": "b", "status": "completed"})
    assert [(name, p.done, p.total) for name, p in groups(nested).items()] == [
        ("a", 1, 1),
        ("b", 1, 1),
    ]


def test_a_task_without_children_is_no_group() -> None:
    assert groups(plan(alone={})) == {}


def test_the_tree_keeps_the_order_of_the_file_and_puts_children_below_their_parents() -> None:
    scattered = plan(child={"parent": "top"}, other={}, top={}, late={"parent": "other"})
    assert [row.task.id for row in tree(scattered)] == ["other", "late", "top", "child"]


def test_the_tree_knows_which_branches_end() -> None:
    assert [(row.task.id, row.last) for row in tree(EPIC)] == [
        ("epic", (False,)),
        ("design", (False, False)),
        ("build", (False, False)),
        ("test", (False, False, True)),
        ("dropped", (False, True)),
        ("alone", (True,)),
    ]


def test_a_selection_shows_the_way_to_it_as_context() -> None:
    rows = tree(EPIC, [EPIC.tasks["test"]])
    assert [(row.task.id, row.context) for row in rows] == [
        ("epic", True),
        ("build", True),
        ("test", False),
    ]


def test_a_filtered_tree_still_tells_the_progress_of_the_whole_group() -> None:
    rows = tree(EPIC, [EPIC.tasks["design"]])
    assert rows[0].progress is not None
    assert rows[0].progress.total == 3


def test_a_parent_that_is_not_in_the_plan_leaves_its_child_at_the_top() -> None:
    orphan = plan(child={"parent": "gone"})
    assert [row.last for row in tree(orphan)] == [(True,)]


def test_a_chain_of_thousands_of_stages_is_laid_out_without_recursion() -> None:
    names = [f"t{number}" for number in range(20_000)]
    chain = plan(
        **{
            name: {"agent": "dev", **({"parent": names[index - 1]} if index else {})}
            for index, name in enumerate(names)
        }
    )
    rows = tree(chain)
    assert [row.task.id for row in rows] == names
    assert max(len(row.last) for row in rows) == DEEPEST
