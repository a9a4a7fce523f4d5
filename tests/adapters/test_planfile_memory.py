"""Reading a plan file with a memory: the same as without one, and only what changed is parsed."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.adapters.test_planpast import PIECES
from tests.support.plans import plan, plans, task
from tests.support.sites import plan_text
from tt.adapters.planfile import TomlPlanFile, read_plan
from tt.adapters.planfile_memory import PlanMemory
from tt.adapters.planpieces import read_piece
from tt.core.diff import Edited
from tt.core.model import Plan
from tt.errors import TTError
from tt.ports import Snapshot

LINKED = [
    '[[tasks]]\nid = "k"\ndescription = "K"\nparent = "a"\n',
    '[[tasks]]\nid = "l"\ndescription = "L"\ndepends_on = ["m"]\n',
    '[[tasks]]\nid = "m"\ndescription = "M"\ndepends_on = ["l"]\n',
    '[[tasks]]\nid = "m"\ndescription = "M"\n',
]


def said(read: object, data: bytes) -> object:
    """Return what reading says: the snapshot with the order of its tasks, or the error."""
    try:
        snapshot = read(data, "p")  # type: ignore[operator]
    except TTError as error:
        return type(error), str(error), getattr(error, "problems", None)
    assert isinstance(snapshot, Snapshot)
    return snapshot, list(snapshot.plan.tasks), snapshot.named


@example([[PIECES[0], PIECES[10]], [PIECES[0], PIECES[9]]])
@example([[PIECES[0], LINKED[1], LINKED[3]], [PIECES[0], LINKED[1], LINKED[2]], [LINKED[1]]])
@given(st.lists(st.lists(st.sampled_from(PIECES + LINKED), max_size=7), min_size=1, max_size=5))
def test_every_version_is_read_as_it_would_be_alone(versions: list[list[str]]) -> None:
    memory = PlanMemory()
    for pieces in versions:
        data = "".join(pieces).encode()
        assert said(memory.read, data) == said(read_plan, data)


@given(st.lists(plans(valid=False), min_size=1, max_size=4), st.booleans())
def test_any_plan_is_read_whatever_its_links(versions: list[Plan], crlf: bool) -> None:
    memory = PlanMemory()
    for one in versions:
        text = plan_text(Plan({"m": 1}, one.tasks))
        data = (text.replace("\n", "\r\n") if crlf else text).encode()
        assert said(memory.read, data) == said(read_plan, data)


@pytest.mark.parametrize("data", [b"", b"\xff", b"x = 1", b"[meta]\n", b"\xef\xbb\xbf[[tasks]]"])
def test_what_is_no_plan_is_refused_in_the_same_words(data: bytes) -> None:
    assert said(PlanMemory().read, data) == said(read_plan, data)


def test_a_task_that_stands_in_two_versions_is_one_object_and_parsed_once() -> None:
    memory = PlanMemory()
    first = plan(*(task(f"t{number}") for number in range(50)))
    second = plan(*first.tasks.values(), task("new"))
    before = memory.read(plan_text(first).encode(), "p").plan
    with patch("tt.adapters.planfile_memory.read_piece", wraps=read_piece) as parsed:
        after = memory.read(plan_text(second).encode(), "p").plan
    assert all(after.tasks[name] is one for name, one in before.tasks.items())
    assert parsed.call_count <= 2  # the last one of before has an empty line after it now


def test_a_task_is_one_object_too_where_the_text_had_to_be_read_as_a_whole() -> None:
    memory = PlanMemory()
    odd = plan_text(plan(task("a"), task("b"))) + '\n[[tasks]]\ndescription = "nameless"\n'
    before = memory.read(odd.encode(), "p").plan
    after = memory.read(f"{odd}note = 1\n".encode(), "p").plan
    assert after.tasks["a"] is before.tasks["a"]


def test_a_broken_version_in_between_makes_nothing_new() -> None:
    memory = PlanMemory()
    data = plan_text(plan(task("a"), task("b"))).encode()
    before = memory.read(data, "p").plan
    with pytest.raises(TTError):
        memory.read(data + b'\n[[tasks]]\nid = "a"', "p")
    assert memory.read(data + b"\n", "p").plan.tasks["a"] is before.tasks["a"]


def test_what_is_gone_is_forgotten() -> None:
    memory = PlanMemory()
    for number in range(100):
        text = plan_text(plan(task("a"), task("b", f"version {number}")))
        memory.read(text.encode(), "p")
    assert len(memory._pieces) == 2


def test_a_file_reads_and_writes_with_it(tmp_path: Path) -> None:
    path = tmp_path / "tasks.toml"
    path.write_text('# why\n[[tasks]]\nid = "a"\ndescription = "A"\n')
    file = TomlPlanFile(path, "p", PlanMemory().read)
    before = file.read()
    assert before is not None
    written = file.write(before, [Edited("a", "description", "A", "B")])
    assert path.read_text() == '# why\n[[tasks]]\nid = "a"\ndescription = "B"\n'
    assert file.read() == written
