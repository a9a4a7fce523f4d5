"""Conflict markers as conflicts of tasks and fields, and deciding them one task at a time."""

from __future__ import annotations

from tt.adapters.merge_files import tree_in
from tt.core.marked import MarkedConflict, marked_conflicts, resolved
from tt.core.markers import MergeSide, hunk
from tt.core.values import ABSENT

OURS, THEIRS = MergeSide.OURS, MergeSide.THEIRS
A = '[[tasks]]\nid = "a"\ndescription = "A"\n'
B = '[[tasks]]\nid = "b"\ndescription = "B"\n'
AGENT = hunk('agent = "x"\n', 'agent = "y"\n')
STATUS = hunk('status = "failed"\n', 'status = "completed"\n')
GONE = hunk("", f"\n{B}")
TEXT = f"{A}{AGENT}{STATUS}{GONE}\n# end\n"


def names(found: tuple[MarkedConflict, ...]) -> list[tuple[str, str | None]]:
    return [(one.id, one.field) for one in found]


def test_each_pair_of_markers_is_told_with_its_task_field_values_and_lines() -> None:
    assert marked_conflicts(TEXT, tree_in) == (
        MarkedConflict("a", "agent", "x", "y", 4, 8),
        MarkedConflict("a", "status", "failed", "completed", 9, 13),
        MarkedConflict("b", None, ABSENT, "B", 14, 20),
    )


def test_deciding_a_task_takes_its_markers_and_no_other_byte() -> None:
    done = resolved(TEXT, "a", THEIRS, tree_in)
    assert done.text == f'{A}agent = "y"\nstatus = "completed"\n{GONE}\n# end\n'
    assert names(done.decided) == [("a", "agent"), ("a", "status")]
    assert names(done.left) == [("b", None)]
    assert (
        resolved(done.text, "b", OURS, tree_in).text
        == f'{A}agent = "y"\nstatus = "completed"\n\n# end\n'
    )


def test_deciding_another_task_decides_nothing() -> None:
    done = resolved(TEXT, "c", OURS, tree_in)
    assert (done.text, done.decided, len(done.left)) == (TEXT, (), 3)


def test_meta_is_decided_like_a_task() -> None:
    text = "[meta]\n" + hunk("x = 1\n", "x = 2\n") + "\n" + A
    assert names(marked_conflicts(text, tree_in)) == [("[meta]", "x")]
    assert resolved(text, "[meta]", OURS, tree_in).text == f"[meta]\nx = 1\n\n{A}"


def test_gits_own_markers_around_several_tasks_are_told_and_left_alone() -> None:
    one, other = A + 'agent = "x"\n\n' + B, A + "\n" + B.replace('"B"', '"B!"')
    text = hunk(one, other)
    assert names(marked_conflicts(text, tree_in)) == [("a", "agent"), ("b", "description")]
    assert resolved(text, "a", OURS, tree_in).text == text


def test_markers_that_differ_in_format_alone_belong_to_no_task() -> None:
    text = A + hunk("# one\n", "# two\n")
    assert names(marked_conflicts(text, tree_in)) == [("", None)]


def test_markers_in_a_text_that_cannot_be_read_belong_to_no_task() -> None:
    text = f"{A}{A}{AGENT}"
    assert names(marked_conflicts(text, tree_in)) == [("", None)]


def test_a_text_without_markers_has_no_conflicts() -> None:
    assert marked_conflicts(A, tree_in) == ()
