"""Conflict markers, read as Git and other tools write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tt.core.markers import Hunk, MergeSide, has_markers, hunk, pieces, sided

OURS, THEIRS = MergeSide.OURS, MergeSide.THEIRS


def test_a_conflict_is_written_as_git_writes_it() -> None:
    assert hunk("a\n", "b\n") == "<<<<<<< ours\na\n=======\nb\n>>>>>>> theirs\n"
    assert (
        hunk("a\r\n", "", 9, "\r\n") == f"{'<' * 9} ours\r\na\r\n{'=' * 9}\r\n{'>' * 9} theirs\r\n"
    )


def test_what_was_written_is_read_again() -> None:
    text = "one\n" + hunk("a\n", "b\nc\n") + "two\n" + hunk("", "d\n", 9)
    one, first, two, second = pieces(text)
    assert (one, two) == ("one\n", "two\n")
    assert isinstance(first, Hunk)
    assert isinstance(second, Hunk)
    assert (first.ours, first.theirs, first.line) == ("a\n", "b\nc\n", 2)
    assert (second.ours, second.theirs, second.line) == ("", "d\n", 9)
    assert sided(text, OURS) == "one\na\ntwo\n"
    assert sided(text, THEIRS) == "one\nb\nc\ntwo\nd\n"


def test_a_third_side_is_left_out() -> None:
    text = "<<<<<<< HEAD\na\n||||||| 1234\no\n=======\nb\n>>>>>>> topic\n"
    assert sided(text, OURS) == "a\n"
    assert sided(text, THEIRS) == "b\n"


def test_a_conflict_within_a_conflict_belongs_to_the_side_it_is_in() -> None:
    inner = hunk("a\n", "b\n", 7)
    text = hunk(inner, "c\n", 9)
    [outer] = pieces(text)
    assert isinstance(outer, Hunk)
    assert outer.ours == inner
    assert sided(text, OURS) == "a\n"
    assert sided(text, THEIRS) == "c\n"


@pytest.mark.parametrize(
    "text",
    [
        "<<<<<<< ours\na\n",
        "<<<<<<< ours\na\n>>>>>>> theirs\n",
        "=======\n>>>>>>> theirs\n",
        "<<<<<< ours\na\n======\nb\n>>>>>> theirs\n",
        "<<<<<<<x\na\n=======\nb\n>>>>>>> theirs\n",
        " <<<<<<< ours\na\n=======\nb\n>>>>>>> theirs\n",
        "<<<<<<< ours\na\n========\nb\n>>>>>>> theirs\n",
    ],
)
def test_what_does_not_open_or_close_is_no_conflict(text: str) -> None:
    assert pieces(text) == [text]


def test_a_beginning_within_a_conflict_of_the_same_size_begins_the_conflict() -> None:
    text = "<<<<<<< no\n" + hunk("a\n", "b\n")
    assert sided(text, OURS) == "<<<<<<< no\na\n"


def test_markers_without_words_or_a_last_newline_count() -> None:
    text = "<<<<<<<\na\n=======\nb\n>>>>>>>"
    assert has_markers(text)
    assert sided(text, THEIRS) == "b\n"


def test_line_endings_stay() -> None:
    text = "x\r\n" + hunk("a\r\n", "b\r\n", newline="\r\n")
    assert sided(text, OURS) == "x\r\na\r\n"


_MARKS = [
    "<<<<<<< o",
    "=======",
    "||||||| b",
    ">>>>>>> t",
    "<<<<<<<<< o",
    "=========\r",
    ">>>>>>>>>",
]
_lines = st.lists(st.sampled_from([*(f"{mark}\n" for mark in _MARKS), "a\n", "\n", "end"])).map(
    "".join
)


@given(_lines)
def test_the_pieces_are_the_text(text: str) -> None:
    found = pieces(text)
    assert "".join(p.text if isinstance(p, Hunk) else p for p in found) == text
    assert all(found)
    for piece in found:
        if isinstance(piece, Hunk):
            assert text.splitlines(keepends=True)[piece.line - 1].startswith("<<<<<<<")


@given(_lines)
def test_a_side_has_no_conflict_left(text: str) -> None:
    for side in MergeSide:
        assert not any(isinstance(piece, Hunk) for piece in pieces(sided(text, side)))
