"""Laws of editing, on odd files: what changes is what was wished, and nothing else does."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.toml_files import changes_to, edits_to, plan_files
from tt.adapters import toml_proof
from tt.adapters.planfile import read_plan
from tt.adapters.toml_edit import edit_plan
from tt.adapters.toml_place import offset_of, task_offsets
from tt.adapters.toml_read import text_of
from tt.adapters.toml_scan import value_end
from tt.core.diff import Added, Edited, Removed, apply
from tt.core.document import canonical
from tt.core.model import META_ID, Plan
from tt.core.values import ABSENT

_COMMENT = re.compile(r"# c\d+")


def comments(data: bytes) -> list[str]:
    return _COMMENT.findall(data.decode())


def wished(plan: Plan, changes: list) -> Plan:
    after = apply(plan, changes)
    return Plan(after.meta, {name: canonical(task) for name, task in after.tasks.items()})


@given(data=plan_files())
def test_no_change_is_the_same_bytes(data: bytes) -> None:
    before = read_plan(data, "f")
    assert edit_plan(data, before, []) is data


@pytest.mark.parametrize("whole", [10**9, 0], ids=["proved whole", "proved by pieces"])
@given(pick=st.data())
def test_the_edited_bytes_say_the_plan_with_the_changes(whole: int, pick: st.DataObject) -> None:
    data = pick.draw(plan_files(), "data")
    before = read_plan(data, "f")
    changes = pick.draw(changes_to(before.plan), "changes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(toml_proof, "WHOLE_CHARS", whole)
        edited = edit_plan(data, before, changes, before.named)
    after = read_plan_unlinked(edited)
    assert after == wished(before.plan, changes)
    assert edited.startswith(b"\xef\xbb\xbf") == data.startswith(b"\xef\xbb\xbf")


def read_plan_unlinked(data: bytes) -> Plan:
    """Read a plan whose parents and dependencies may be gone."""
    from tt.adapters.planfile import read_leniently

    reading = read_leniently(data, "f")
    assert not reading.named
    return reading.plan
