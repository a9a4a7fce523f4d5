"""Laws of editing, on odd files: what changes is what was wished, and nothing else does."""

from __future__ import annotations

import re
import tomllib
from difflib import SequenceMatcher

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.support.toml_files import changes_to, plan_files
from tt.adapters import toml_proof
from tt.adapters.planfile import read_leniently, read_plan
from tt.adapters.toml_edit import edit_plan
from tt.adapters.toml_place import offset_of, task_offsets
from tt.adapters.toml_read import parsed, text_of
from tt.adapters.toml_scan import value_end
from tt.core.diff import Added, Change, Edited, Removed, apply
from tt.core.document import canonical
from tt.core.model import STATUSES, Plan
from tt.core.values import ABSENT, MaybeValue, Value

_COMMENT = re.compile(r"# c\d+")


def comments(data: bytes) -> list[str]:
    return _COMMENT.findall(data.decode())


def wished(plan: Plan, changes: list[Change]) -> Plan:
    after = apply(plan, changes)
    return Plan(after.meta, {name: canonical(task) for name, task in after.tasks.items()})


def plan_of(data: bytes) -> Plan:
    """Read a plan whose parents and dependencies may be gone, and whose tasks all have ids."""
    reading = read_leniently(data, "f")
    assert not reading.named
    return reading.plan


@given(data=plan_files())
def test_no_change_is_the_same_bytes(data: bytes) -> None:
    before = read_plan(data, "f")
    assert edit_plan(data, before, [], {}) is data
    same = [Edited(task.id, "status", "failed", task.status) for task in before.plan.tasks.values()]
    assert edit_plan(data, before, same, {}) is data


@pytest.mark.parametrize("whole", [10**9, 0], ids=["proved whole", "proved by pieces"])
@given(pick=st.data())
def test_the_edited_bytes_say_the_plan_with_the_changes(whole: int, pick: st.DataObject) -> None:
    data = pick.draw(plan_files(), "data")
    before = read_plan(data, "f")
    changes = pick.draw(changes_to(before.plan), "changes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(toml_proof, "WHOLE_CHARS", whole)
        patch.setattr(toml_proof, "_SHARE", 0)
        edited = edit_plan(data, before, changes)
    assert plan_of(edited) == wished(before.plan, changes)
    assert tomllib.loads(text_of(edited))  # TOML 1.0: what other tools read
    assert edited.startswith(b"\xef\xbb\xbf") == data.startswith(b"\xef\xbb\xbf")


def named(data: bytes) -> bytes:
    """Give an id to each task that has none."""
    return edit_plan(data, read_plan(data, "f"), [])


def written_fields(data: bytes) -> list[tuple[int, str]]:
    """List (index of task, field) for what the file says with bytes of its own."""
    raw = parsed(text_of(data))["tasks"]
    return [(at, name) for at, task in enumerate(raw) for name in task if name != "id"]


_NEW: dict[str, st.SearchStrategy[Value]] = {
    "status": st.sampled_from(sorted(STATUSES)),
    "tags": st.lists(st.sampled_from(["alpha", "b c", "[x]", "new", "it's"]), min_size=1),
    "depends_on": st.lists(st.sampled_from(["t0", "t1"]), min_size=1),
}


@given(pick=st.data())
def test_an_edit_of_one_value_changes_no_byte_outside_it(pick: st.DataObject) -> None:
    data = named(pick.draw(plan_files(), "data"))
    plan, text = read_plan(data, "f").plan, text_of(data)
    index, field = pick.draw(st.sampled_from(written_fields(data)), "field")
    task = list(plan.tasks.values())[index]
    old = task.fields.get(field, ABSENT)
    assume(not isinstance(old, dict) and not is_tables(old))
    new = pick.draw(_NEW.get(field, st.sampled_from(["new", "it's", "two\nlines", 'q"'])), "new")
    start = offset_of(text, ("tasks", index, field), task_offsets(text, len(plan.tasks)))
    end = value_end(text, start)
    edited = text_of(edit_plan(data, read_plan(data, "f"), [Edited(task.id, field, old, new)]))
    assert edited.startswith(text[:start])
    assert edited.endswith(text[end:])


def is_tables(value: MaybeValue) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict) for item in value)


@given(pick=st.data())
def test_edits_that_take_nothing_away_keep_every_comment(pick: st.DataObject) -> None:
    data = pick.draw(plan_files(), "data")
    before = read_plan(data, "f")
    names = ["brand_new", "status", "agent", "description"]
    changes: list[Change] = [
        Edited(task.id, name, task.fields.get(name, ABSENT), "completed")
        for task in before.plan.tasks.values()
        for name in pick.draw(st.lists(st.sampled_from(names), unique=True), "fields")
    ]
    edited = edit_plan(data, before, changes)
    assert comments(edited) == comments(data)


@given(pick=st.data())
def test_a_removed_task_takes_lines_and_changes_none(pick: st.DataObject) -> None:
    data = named(pick.draw(plan_files(), "data"))
    assume("\ntasks = [" not in f"\n{text_of(data)}")
    before = read_plan(data, "f")
    change = pick.draw(st.sampled_from([*before.plan.tasks.values()]).map(Removed), "change")
    edited = edit_plan(data, before, [change])
    left = [line for line in lines(edited) if line != "tasks = []"]
    steps = SequenceMatcher(None, lines(data), left, autojunk=False).get_opcodes()
    assert {step[0] for step in steps} <= {"equal", "delete"}


@given(pick=st.data())
def test_a_task_that_is_added_and_removed_leaves_the_others_as_they_were(
    pick: st.DataObject,
) -> None:
    data = named(pick.draw(plan_files(), "data"))
    before = read_plan(data, "f")
    extra = canonical(before.plan.tasks[next(iter(before.plan.tasks))])
    added = Added(type(extra)("brand-new", extra.fields))
    there = edit_plan(data, before, [added])
    back = edit_plan(there, read_plan(there, "f"), [Removed(added.task)])
    assert lines(back) == lines(data)


def lines(data: bytes) -> list[str]:
    """Return the lines that are not blank."""
    return [line for line in text_of(data).splitlines() if line.strip()]
