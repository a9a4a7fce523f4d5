"""Reading many versions fast: the same as reading each, and nothing is parsed twice."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.plans import plan, plans, task
from tests.support.sites import plan_text
from tt.adapters.planfile import read_leniently
from tt.adapters.planpast import PastPlans
from tt.core.model import Plan
from tt.errors import PlanError

PIECES = [
    '[[tasks]]\nid = "a"\ndescription = "A"\n',
    '[[tasks]]\r\nid = "b"\r\ndescription = "B"\r\nparent = "a"\r\n',
    '[[tasks]]\ndescription = "nameless"\n',
    '[[tasks]]\ndescription = "nameless"\n',
    '[[ tasks ]]\nid = "c"\ndescription = "C"\n',
    '  [[tasks]]\nid = "d"\ndescription = "D"\n',
    '[[tasks]] # e\nid = "e"\ndescription = """\n[[tasks]]\nid = "no"\n"""\n',
    "[[tasks]]\nid = \"f\"\ndescription = '''\n\n[[tasks]]\n'''\n",
    '[[tasks]]\nid = "g"\ndescription = "G"\n[tasks.more]\nx = 1.50\n[[tasks.steps]]\ny = true\n',
    '[other]\nx = 1\n',
    '[meta]\ndescription = "M"\n',
    '[[tasks]]\nid = "h"\ndescription = "H"\nstatus = "done"\n',
    '[[tasks]]\nid = "i"\n',
    '[[tasks]]\nid = "j"\ndescription = 1\n',
    "# a comment\n\n",
    "x = [\n[[1]],\n]\n",
    "[[tasks]\n",
    '<<<<<<< HEAD\n',
    'tasks = []\n',
    '[[tasks]]\nid = "a"\ndescription = "again"\n',
    '"""\n',
]  # fmt: skip


def expected(data: bytes) -> Plan | None:
    """Read the slow way; None where something of it cannot be understood."""
    try:
        reading = read_leniently(data, "p")
    except PlanError:
        return None
    grave = {"type", "status", "id", "duplicate"}
    return None if grave & {problem.code for problem in reading.problems} else reading.plan


@example([[PIECES[0], PIECES[10]], [PIECES[0], PIECES[9]]])
@example([[PIECES[0], PIECES[4]], [PIECES[7], PIECES[0]], [PIECES[6], PIECES[0]]])
@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=7), min_size=1, max_size=4))
def test_versions_are_read_as_each_of_them_alone_would_be(versions: list[list[str]]) -> None:
    past = PastPlans("p")
    for pieces in versions:
        data = "".join(pieces).encode()
        version = past.read(data)
        assert version.plan == expected(data)
        assert (version.plan is None) == bool(version.fault)
        if version.plan is not None:
            assert list(version.plan.tasks) == list(expected(data).tasks)  # type: ignore[union-attr]


@given(plans(valid=False))
def test_any_plan_is_read_whatever_its_links(one: Plan) -> None:
    if one.tasks:
        sound = Plan({"m": 1}, one.tasks)
        assert PastPlans("p").read(plan_text(sound).encode()).plan == sound


def test_a_task_that_stands_in_two_versions_is_one_object() -> None:
    past, first = PastPlans("p"), plan(task("a"), task("b"), task("c"))
    second = plan(task("a"), task("b", status="running"), task("c"))
    one, two = (past.read(plan_text(p).encode()).plan for p in (first, second))
    assert one is not None
    assert two is not None
    assert one.tasks["a"] is two.tasks["a"]
    assert one.tasks["b"] is not two.tasks["b"]


def test_a_version_without_the_file_is_no_fault() -> None:
    version = PastPlans("p").read(None)
    assert (version.plan, version.fault) == (None, "")


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"\xff", "line 1: the byte 0xff is not UTF-8, which TOML is written in"),
        (b"x = ", "line 1: this is no TOML value"),
        (b"", "p is empty"),
        (b'[[tasks]]\nid = "a"\ndescription = "A"\nstatus = "x"', "line 4: unknown status `x`"),
    ],
)
def test_what_cannot_be_read_says_why_in_a_line(data: bytes, fault: str) -> None:
    assert PastPlans("p").read(data).fault == fault
