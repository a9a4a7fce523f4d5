"""Boxes that lie beside and in each other, and never on each other; lanes that are few."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.core.test_network import plan_of
from tt.core.lanes import Knot, Turn, strands
from tt.core.layers import Box, Size, lay_out
from tt.core.levels import levels
from tt.core.network import Network, network


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Draw any plan's graph: groups in groups, circles too, as a store may hold them."""
    number = draw(st.integers(1, 14))
    names = [f"t{index}" for index in range(number)]
    tasks = {}
    for name in names:
        fields: dict[str, object] = {}
        if draw(st.booleans()):
            fields["agent"] = "ann"
        if draw(st.booleans()):
            fields["parent"] = draw(st.sampled_from(names))
        fields["depends_on"] = draw(st.lists(st.sampled_from(names), max_size=3))
        tasks[name] = {key: value for key, value in fields.items() if value}
    return network(plan_of(tasks))


def test_a_level_is_the_longest_way_from_a_beginning() -> None:
    assert levels("abcd", [("a", "b"), ("b", "c"), ("a", "c"), ("d", "c")]) == {
        "a": 0, "b": 1, "c": 2, "d": 0,
    }  # fmt: skip


def test_a_circle_has_levels_and_an_end() -> None:
    found = levels("abc", [("a", "b"), ("b", "c"), ("c", "a")])
    assert sorted(found.values()) == [0, 1, 2]


@given(networks())
def test_boxes_lie_apart_or_within_and_lines_join_them(found: Network) -> None:
    arrows = [(edge.before, edge.after) for edge in found.arrows()]
    sizes = dict.fromkeys(found.tasks, Size(60.0, 20.0))
    inside = found.members()
    drawing = lay_out(sizes, inside, arrows, dict.fromkeys(found.groups, 90.0))
    boxes = drawing.boxes
    assert boxes.keys() == {*found.groups, *found.tasks}
    for members in inside.values():
        assert not any(overlap(boxes[one], boxes[other]) for one, other in combinations(members, 2))
    for name, group in found.around.items():
        assert contains(boxes[group], boxes[name])
    whole = Box(0.0, 0.0, *drawing.size)
    assert all(contains(whole, box) for box in boxes.values())
    for (before, after), line in zip(arrows, drawing.lines, strict=True):
        assert line[0].x == boxes[before].x + boxes[before].width
        assert line[-1].x == boxes[after].x


def overlap(one: Box, other: Box) -> bool:
    beside = one.x + one.width <= other.x or other.x + other.width <= one.x
    return not beside and one.y < other.y + other.height and other.y < one.y + one.height


def contains(outer: Box, box: Box) -> bool:
    return (
        outer.x <= box.x
        and outer.y <= box.y
        and box.x + box.width <= outer.x + outer.width + 1e-6
        and box.y + box.height <= outer.y + outer.height + 1e-6
    )


def test_what_waits_stands_to_the_right_of_what_it_waits_for() -> None:
    edges = [("a", "b"), ("b", "c"), ("a", "c"), ("c", "d")]
    drawing = lay_out(dict.fromkeys("abcd", Size(50.0, 20.0)), {"": "abcd"}, edges, {})
    for before, after in edges:
        assert drawing.boxes[before].x + 50 < drawing.boxes[after].x


def test_a_long_line_goes_around_what_is_in_between() -> None:
    edges = [("a", "b"), ("b", "c"), ("a", "c")]
    drawing = lay_out(dict.fromkeys("abc", Size(50.0, 20.0)), {"": "abc"}, edges, {})
    start, bend, turn, end = drawing.lines[2]
    assert bend.y == turn.y
    assert not drawing.boxes["b"].y <= bend.y <= drawing.boxes["b"].y + 20
    assert start.x < bend.x < turn.x < end.x


def test_barycentres_uncross_what_need_not_cross() -> None:
    edges = [("a", "y"), ("b", "x")]
    drawing = lay_out(dict.fromkeys("abxy", Size(50.0, 20.0)), {"": "abxy"}, edges, {})
    first = sorted("ab", key=lambda one: drawing.boxes[one].y)
    then = sorted("xy", key=lambda one: drawing.boxes[one].y)
    assert (first, then) in ((["a", "b"], ["y", "x"]), (["b", "a"], ["x", "y"]))


@given(networks(), st.integers(1, 4))
def test_each_task_has_one_line_and_each_arrow_is_drawn_or_told(found: Network, most: int) -> None:
    lines = strands(found, most).lines
    order = [line.node for line in lines if isinstance(line, Knot)]
    assert sorted(order) == sorted((*found.groups, *found.tasks))
    drawn = arrows_of(lines)
    assert all(order.index(before) < order.index(after) for before, after in drawn)
    told = {
        (before, line.node) for line in lines if isinstance(line, Knot) for before in line.untold
    }
    assert not drawn & told
    ours = {(edge.before, edge.after) for edge in found.edges if edge.after in found.tasks}
    assert ours <= drawn | told


def arrows_of(lines: Sequence[Knot | Turn]) -> set[tuple[str, str]]:
    """Follow the lanes as a reader would, and return what leads to what."""
    lanes: dict[int, set[str]] = {}
    arrows: set[tuple[str, str]] = set()
    last = ""
    for line in lines:
        if isinstance(line, Turn):
            for lane in line.to:
                lanes.setdefault(lane, set()).add(last)
            continue
        last = line.node
        if line.joins is None:
            arrows |= {(before, last) for before in lanes.pop(line.at, set())}
        else:
            lanes.setdefault(line.joins, set()).add(last)
    return arrows


@given(networks(), st.integers(1, 4))
def test_there_are_no_more_lanes_than_there_may_be(found: Network, most: int) -> None:
    assert all(len(line.lanes) <= most for line in strands(found, most).lines)


def test_what_finds_no_lane_is_told_in_words() -> None:
    names = [f"t{index}" for index in range(20)]
    plan = plan_of({"start": {}, **{name: {"depends_on": ["start"]} for name in names}})
    knots = [line for line in strands(network(plan)).lines if isinstance(line, Knot)]
    assert [knot.untold for knot in knots[1:]] == [("start",)] * 20
    assert all(len(knot.lanes) <= 1 for knot in knots)


def test_a_chain_has_one_lane_and_as_many_levels_as_tasks() -> None:
    names = [f"t{index}" for index in range(50)]
    links = {after: {"depends_on": [before]} for before, after in pairwise(names)}
    found = strands(network(plan_of({names[0]: {}, **links})))
    assert found.levels == 50
    assert {line.at for line in found.lines if isinstance(line, Knot)} == {0}


def test_depth_needs_no_recursion() -> None:
    number = 3000
    chain = {f"t{index}": {"depends_on": [f"t{index - 1}"]} for index in range(1, number)}
    groups = {f"g{index}": {"parent": f"g{index - 1}"} for index in range(1, number)}
    found = network(plan_of({"t0": {}, "g0": {}, **chain, **groups}))
    assert strands(found).levels == number
    sizes = dict.fromkeys(found.tasks, Size(60.0, 20.0))
    edges = [(edge.before, edge.after) for edge in found.arrows()]
    drawing = lay_out(sizes, found.members(), edges, dict.fromkeys(found.groups, 90.0))
    assert len(drawing.boxes) == 2 * number
