"""Laws of merging files, on odd plans and on plans as people write them."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given

from tests.support.merges import (
    conflict_names,
    human_merges,
    lines_between_markers,
    merged,
    numbered_comments,
    odd_merges,
    stripped,
    tasks_of,
    verdict,
    wanted_comments,
)
from tests.support.toml_files import plan_files
from tt.adapters import merge_edit
from tt.adapters.merge_files import tree_in
from tt.adapters.merge_units import OddTextError, joined, units_of
from tt.adapters.planfile import read_leniently
from tt.adapters.toml_read import text_of
from tt.core.three import Three


def same(one: bytes, other: bytes) -> bool:
    """Say whether two files mean the same; order is format."""
    return _content(one) == _content(other)


def _content(data: bytes) -> object:
    tree = tree_in(text_of(data))
    assert tree is not None
    return {name: fields for name, fields in tree.tables.items() if fields}, tree.tasks


@given(plan_files())
def test_merging_a_file_with_itself_gives_its_bytes(data: bytes) -> None:
    assert merged(Three(data, data, data)).data is data


@given(odd_merges())
def test_a_side_that_changed_nothing_yields_to_the_byte(data: Three[bytes]) -> None:
    for side in data[1:]:
        assert merged(Three(data.base, side, data.base)).data == side
        assert merged(Three(data.base, data.base, side)).data == side


@given(odd_merges())
def test_an_odd_file_merges_by_field_with_all_comments(data: Three[bytes]) -> None:
    result = merged(data)
    assert not result.why
    assert result.is_clean == (not result.conflicts)
    assert wanted_comments(data) <= numbered_comments(result.data)
    for side in ("ours", "theirs") if result.conflicts else ("ours",):
        assert tree_in(text_of(stripped(result.data, side))) is not None


@given(odd_merges())
def test_swapped_sides_of_an_odd_file_give_the_same_plan(data: Three[bytes]) -> None:
    one, other = merged(data), merged(data.swapped())
    assert conflict_names(one) == conflict_names(other)
    assert same(stripped(one.data, "ours"), stripped(other.data, "theirs"))
    assert same(stripped(one.data, "theirs"), stripped(other.data, "ours"))


@given(human_merges())
def test_a_plan_merges_to_what_the_rules_say(data: Three[bytes]) -> None:
    result, said = merged(data), verdict(data)
    assert conflict_names(result) == said.conflicts
    assert result.is_clean == (not said.conflicts)
    sides = {side: tasks_of(stripped(result.data, side)) for side in ("ours", "theirs")}
    for side, original in zip(sides, data[1:], strict=True):
        wanted = {identifier: dict(fields) for identifier, fields in said.tasks.items()}
        for identifier, name in said.conflicts:
            own = tasks_of(original).get(identifier)
            if own is not None and name is None:
                wanted[identifier] = own
            elif own is not None and name in own:
                wanted[identifier][str(name)] = own[str(name)]
        assert sides[side] == wanted


@given(human_merges())
def test_a_plan_as_people_write_it_is_put_together_from_both_texts(data: Three[bytes]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merge_edit, "edited_text", lambda *_: None)
        assert not merged(data).why


@given(human_merges())
def test_no_comment_gets_lost_and_no_removed_one_comes_back(data: Three[bytes]) -> None:
    found = numbered_comments(merged(data).data)
    assert wanted_comments(data) <= found
    base, ours, theirs = data.map(numbered_comments)
    dropped_by_both = base - ours - theirs
    assert not dropped_by_both & found


@given(human_merges())
def test_lines_that_neither_side_changed_stay_as_they_are(data: Three[bytes]) -> None:
    once = data.map(
        lambda content: {line for line, n in Counter(content.splitlines()).items() if n == 1}
    )
    assert once.base & once.ours & once.theirs <= {*merged(data).data.splitlines()}


@given(human_merges())
def test_every_line_of_the_outcome_comes_from_a_side_unless_lists_were_merged(
    data: Three[bytes],
) -> None:
    known = {*data.ours.splitlines(), *data.theirs.splitlines()}
    made = {line for line in merged(data).data.splitlines() if line not in known}
    allowed = (b"tags", b'  "', b"<<<<<<< ours", b"=======", b">>>>>>> theirs", b"#", b"status")
    assert all(line.startswith(allowed) or b"#" in line for line in made)


@given(human_merges())
def test_between_markers_are_only_the_lines_of_what_is_in_conflict(data: Three[bytes]) -> None:
    result = merged(data)
    names = {name for _, name in conflict_names(result)}
    if None in names:
        return
    for line in lines_between_markers(result.data):
        key = line.split(b"=")[0].strip().decode()
        assert key in names or not key.isidentifier() or "notes" in names


@given(plan_files())
def test_units_put_together_are_the_text(data: bytes) -> None:
    text = text_of(data)
    text = text if text.endswith("\n") else text + "\n"
    names = [*read_leniently(data, "f").plan.tasks]
    try:
        assert joined(units_of(text, names)) == text
    except OddTextError:
        return
