"""Real plans: read, edited task by task, and otherwise the same to the byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.effort import EFFORT
from tt.adapters.planfile import read_leniently
from tt.adapters.toml_edit import edit_plan
from tt.core.diff import Added, Edited, Removed
from tt.core.document import canonical
from tt.core.model import Task

FIXTURES = Path(__file__).resolve().parents[2] / "../shared/fixtures"
EVERY = 5 if EFFORT == "dev" else 1
PLANS = sorted(FIXTURES.glob("*.tasks.toml")) + sorted(FIXTURES.glob("merges/*/*.toml"))[::EVERY]

pytestmark = pytest.mark.skipif(not PLANS, reason="the fixtures are not there")


def lines_that_differ(one: bytes, other: bytes) -> list[tuple[bytes, bytes]]:
    pairs = zip(one.split(b"\n"), other.split(b"\n"), strict=True)
    return [(before, after) for before, after in pairs if before != after]


@pytest.mark.parametrize("path", PLANS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_each_status_of_a_real_plan_is_one_line(path: Path) -> None:
    data = path.read_bytes()
    before = read_leniently(data, path.name)
    assert edit_plan(data, before, [], before.named) == data
    changes = [
        Edited(task.id, "status", task.status, "cancelled")
        for task in before.plan.tasks.values()
        if task.status != "cancelled"
    ]
    edited = edit_plan(data, before, changes)
    differing = lines_that_differ(data, edited)
    assert len(differing) == len(changes)
    assert {after for _, after in differing} <= {b'status = "cancelled"'}
    back = [Edited(change.id, "status", change.new, change.old) for change in changes]
    assert edit_plan(edited, read_leniently(edited, path.name), back) == data


@pytest.mark.parametrize("path", PLANS[::7], ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_other_task_of_a_real_plan_can_go_and_come_back(path: Path) -> None:
    data = path.read_bytes()
    before = read_leniently(data, path.name)
    gone = list(before.plan.tasks.values())[::2]
    rest = edit_plan(data, before, [Removed(task) for task in gone])
    back = [Added(Task(task.id, task.fields)) for task in gone]
    again = edit_plan(rest, read_leniently(rest, path.name), back)
    reading = read_leniently(again, path.name)
    assert reading.plan.tasks == {task.id: canonical(task) for task in before.plan.tasks.values()}
    assert again.count(b"\n") == data.count(b"\n")
