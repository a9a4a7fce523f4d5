"""What can be begun, against a definition that is as plain as it can be, and case by case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hypothesis import given
from hypothesis import strategies as st

from tests.support.plans import plan, task
from tt.core.groups import children, is_group
from tt.core.model import STATUSES, Plan, Task
from tt.core.readiness import Shape, Stand, Standing, behind, is_root
from tt.core.values import Value

NAMES = tuple("abcdefgh")


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Plans whose parents go up without a circle; dependencies go anywhere, and to nobody."""
    made: list[Task] = []
    for place, name in enumerate(NAMES[: draw(st.integers(1, len(NAMES)))]):
        fields: dict[str, Value] = {}
        parent = draw(st.sampled_from((None, None, "gone", *NAMES[:place])))
        if parent is not None:
            fields["parent"] = parent
        if draw(st.booleans()):
            fields["agent"] = "dev"
        if draw(st.integers(0, 3)) == 0:
            fields["tags"] = ["epic"]
        wanted = draw(st.lists(st.sampled_from((*NAMES, "gone")), max_size=2, unique=True))
        if wanted:
            fields["depends_on"] = list(wanted)
        made.append(task(name, status=draw(st.sampled_from(sorted(STATUSES))), **fields))
    draw(st.randoms(use_true_random=False)).shuffle(made)
    return plan(*made)


class Plainly:
    """The rules in the words of the design, at any price."""

    def __init__(self, found: Plan) -> None:
        self.tasks = found.tasks
        self.below = children(found)

    def is_group(self, name: str) -> bool:
        return is_group(self.tasks[name], self.below)

    def is_void(self, name: str) -> bool:
        """A group of which nothing is left."""
        return self.is_group(name) and not self.left(name)

    def left(self, name: str) -> list[str]:
        inside = [one.id for one in self.below[name]]
        return [
            one for one in inside if self.tasks[one].status != "cancelled" and not self.is_void(one)
        ]

    def is_done(self, name: str) -> bool:
        if name not in self.tasks:
            return False
        if self.tasks[name].status == "completed":
            return True
        if not self.is_group(name):
            return False
        left = self.left(name)
        return bool(left) and all(map(self.is_done, left))

    def asks(self, name: str) -> Iterator[str]:
        found = self.tasks[name]
        yield from found.depends_on
        parent = found.parent
        if parent is None:
            return
        if parent in self.tasks and self.is_group(parent):
            yield from self.asks(parent)
        else:
            yield parent

    def is_ready(self, name: str) -> bool:
        pending = self.tasks[name].status == "pending" and not self.is_group(name)
        return pending and all(map(self.is_done, self.asks(name)))


@given(plans())
def test_ready_done_and_landed_are_what_the_rules_say(found: Plan) -> None:
    shape, plainly, tasks = Shape(found), Plainly(found), found.tasks
    done = shape.done(tasks)
    assert done == {name for name in tasks if plainly.is_done(name)}
    assert [one.id for one in shape.ready(tasks, done)] == list(filter(plainly.is_ready, tasks))
    assert {one.id for one in shape.landed(tasks, done)} == {
        name
        for name in tasks
        if plainly.is_group(name)
        and plainly.is_done(name)
        and tasks[name].status not in ("completed", "failed", "cancelled")
    }


@given(plans())
def test_a_task_waits_for_just_what_it_asks_for_and_is_not_done(found: Plan) -> None:
    plainly = Plainly(found)
    for name, stand in Shape(found).stands(found.tasks).items():
        if stand.standing in (Standing.WAITING, Standing.READY):
            wanted = {one for one in plainly.asks(name) if not plainly.is_done(one)}
            assert set(stand.waits_for) == wanted
            assert len(stand.waits_for) == len(wanted)
            assert (stand.standing is Standing.READY) == plainly.is_ready(name)


@given(plans(), st.sampled_from(sorted(STATUSES)), st.data())
def test_a_shape_serves_as_long_as_only_statuses_change(
    found: Plan, status: str, data: st.DataObject
) -> None:
    shape = Shape(found)
    name = data.draw(st.sampled_from(sorted(found.tasks)))
    moved = Task(name, {**found.tasks[name].fields, "status": status})
    tasks = {**found.tasks, name: moved}
    assert shape.stands(tasks) == Shape(Plan({}, tasks)).stands(tasks)


def causes(found: Mapping[str, Stand], identifier: str) -> tuple[str, ...]:
    """Return the tasks at the root of a wait; see `is_root`.

    Without any, all that is waited for can still be done, or waits for itself.
    """
    roots: dict[str, None] = {}
    seen: set[str] = set()
    todo = [identifier]
    while todo:
        at = todo.pop()
        if at in seen:
            continue
        seen.add(at)
        stand = found.get(at)
        if at != identifier and is_root(stand):
            roots[at] = None
        elif stand is not None:
            todo += reversed(stand.waits_for)
    return tuple(roots)


@given(plans())
def test_what_is_behind_a_root_has_it_for_a_cause(found: Plan) -> None:
    stands = Shape(found).stands(found.tasks)
    named = {name for stand in stands.values() for name in stand.waits_for}
    roots = [name for name in sorted({*stands, *named}) if is_root(stands.get(name))]
    reached = behind(stands, roots, len(roots))
    for name, stand in stands.items():
        if not is_root(stand):
            assert set(reached.get(name, ())) == set(causes(stands, name))


CHAIN = plan(
    task("lint", agent="linter"),
    task("build", agent="builder", parent="lint"),
    task("test", agent="tester", parent="build"),
)
GROUP = plan(
    task("epic", tags=["epic"]),
    task("design", agent="architect", parent="epic"),
    task("build", agent="developer", parent="epic"),
)


def with_status(found: Plan, **statuses: str) -> Plan:
    tasks = {
        name: Task(name, {**one.fields, "status": statuses.get(name, one.status)})
        for name, one in found.tasks.items()
    }
    return Plan(found.meta, tasks)


def ready(found: Plan) -> list[str]:
    shape = Shape(found)
    return [one.id for one in shape.ready(found.tasks, shape.done(found.tasks))]


def stands(found: Plan) -> dict[str, Stand]:
    return Shape(found).stands(found.tasks)


def test_a_stage_comes_before_its_children() -> None:
    assert ready(CHAIN) == ["lint"]
    assert ready(with_status(CHAIN, lint="running")) == []
    assert ready(with_status(CHAIN, lint="completed")) == ["build"]
    assert ready(with_status(CHAIN, lint="completed", build="completed")) == ["test"]


def test_all_of_a_group_can_be_begun_at_once_and_the_group_itself_never() -> None:
    assert ready(GROUP) == ["design", "build"]


def test_a_group_has_landed_when_all_its_tasks_are_done() -> None:
    half = with_status(GROUP, design="completed")
    assert stands(half)["epic"] == Stand(Standing.OPEN, ("build",))
    both = with_status(half, build="completed")
    assert stands(both)["epic"].standing is Standing.LANDED


def test_cancelled_tasks_of_a_group_are_not_waited_for() -> None:
    found = with_status(GROUP, design="completed", build="cancelled")
    assert stands(found)["epic"].standing is Standing.LANDED


def test_a_group_of_which_all_was_cancelled_is_not_done_and_holds_up_what_waits_for_it() -> None:
    found = plan(*GROUP.tasks.values(), task("ship", agent="ops", depends_on=["epic"]))
    found = with_status(found, design="cancelled", build="cancelled")
    assert stands(found)["epic"] == Stand(Standing.OPEN)
    assert causes(stands(found), "ship") == ("epic",)
    assert causes(stands(found), "epic") == ()


def test_what_depends_on_a_group_waits_until_all_of_it_is_done() -> None:
    found = plan(*GROUP.tasks.values(), task("ship", agent="ops", depends_on=["epic"]))
    assert stands(with_status(found, design="completed"))["ship"].waits_for == ("epic",)
    assert ready(with_status(found, design="completed", build="completed")) == ["ship"]


def test_what_a_group_waits_for_all_inside_wait_for_however_deep() -> None:
    found = plan(
        task("first", agent="dev"),
        task("outer", depends_on=["first"]),
        task("inner", parent="outer", depends_on=["second"]),
        task("second", agent="dev"),
        task("leaf", agent="dev", parent="inner", depends_on=["third"]),
        task("third", agent="dev"),
    )
    assert stands(found)["leaf"].waits_for == ("third", "second", "first")


def test_a_stage_inside_of_a_group_waits_for_what_the_group_waits_for() -> None:
    found = plan(
        task("first", agent="dev"),
        task("group", depends_on=["first"]),
        task("stage", agent="dev", parent="group"),
        task("after", agent="dev", parent="stage"),
    )
    assert ready(found) == ["first"]
    assert stands(found)["after"].waits_for == ("stage",)
    assert ready(with_status(found, first="completed")) == ["stage"]


def test_ids_that_no_task_has_are_waited_for_and_are_the_cause() -> None:
    found = plan(task("a", agent="dev", depends_on=["gone"]), task("b", agent="dev", parent="lost"))
    assert ready(found) == []
    assert causes(stands(found), "a") == ("gone",)
    assert causes(stands(found), "b") == ("lost",)


def test_tasks_in_a_circle_wait_and_have_no_cause_outside_of_it() -> None:
    found = plan(task("a", agent="dev", depends_on=["b"]), task("b", agent="dev", depends_on=["a"]))
    assert ready(found) == []
    assert causes(stands(found), "a") == ()


def test_groups_that_hold_each_other_are_never_done_by_themselves() -> None:
    found = plan(
        task("one", parent="two"), task("two", parent="one"),
        task("leaf", agent="dev", parent="one", status="completed"),
    )  # fmt: skip
    assert Shape(found).done(found.tasks) == {"leaf"}
    assert {stand.standing for stand in stands(found).values()} == {Standing.OPEN, Standing.DONE}


def test_a_failed_stage_holds_up_what_waits_for_it_and_nothing_else() -> None:
    found = plan(*CHAIN.tasks.values(), task("docs", agent="writer"))
    found = with_status(found, lint="failed")
    assert ready(found) == ["docs"]
    assert causes(stands(found), "test") == ("lint",)


def test_a_chain_of_thousands_and_groups_thousands_deep_take_no_recursion_and_no_time() -> None:
    deep = [task("g0", status="pending")]
    deep += [task(f"g{number}", parent=f"g{number - 1}") for number in range(1, 5000)]
    leaf = task("leaf", agent="dev", parent="g4999", status="completed")
    found = plan(*deep, leaf)
    landed = Shape(found).landed(found.tasks, Shape(found).done(found.tasks))
    assert [one.id for one in landed] == [f"g{number}" for number in reversed(range(5000))]
