"""The line in `.gitattributes`: whatever is there, it comes out again to the byte."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from tt.core.attributes import attribute_line, has_line, with_line, without_line

LINE = attribute_line("tasks.toml")


@example(b"\r")
@example(b"a\r\nb\r")
@example(b"a\r\nb")
@given(st.binary().filter(lambda data: LINE.encode() not in data))
def test_a_line_that_is_added_comes_out_to_the_byte(data: bytes) -> None:
    changed = with_line(data, LINE)
    assert has_line(changed, LINE)
    assert without_line(changed, LINE) == data


def test_line_endings_and_a_missing_one_are_kept() -> None:
    assert with_line(b"a text\r\n", LINE) == b"a text\r\n/tasks.toml merge=tt\r\n"
    assert with_line(b"a text", LINE) == b"a text\n/tasks.toml merge=tt"
    assert with_line(b"", LINE) == b"/tasks.toml merge=tt\n"
