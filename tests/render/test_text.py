"""What may reach a terminal, and how wide it is."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tt.core.values import ABSENT, Literal
from tt.render.text import Look, clip, columns, count, safe, value_text


@given(st.text(st.characters(codec=None)))
def test_nothing_that_could_drive_a_terminal_gets_through(text: str) -> None:
    made = safe(text)
    for char in made:
        assert unicodedata.category(char) not in {"Cc", "Cs", "Zl", "Zp"}
        assert unicodedata.bidirectional(char) not in {
            "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI",
        }  # fmt: skip


@given(st.text(st.characters(codec="utf-8")))
def test_what_is_safe_stays_as_it_is(text: str) -> None:
    assert safe(safe(text)) == safe(text)


@pytest.mark.parametrize("text", ["Größe", "日本語", "👩‍💻 ok", "العربية", "⬆️ up", "a\u00a0b", "ﷺ"])
def test_every_script_is_kept(text: str) -> None:
    assert safe(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", "a\ufffd[31mb"),
        ("a\x9b31mb", "a\ufffd31mb"),
        ("line\r\nbreak", "line break"),
        ("tab\there", "tab here"),
        ("a\u202eb", "a\ufffdb"),
        ("a\u2066b\u2069", "a\ufffdb\ufffd"),
        ("zero\u200bwidth\ufeff", "zero\ufffdwidth\ufffd"),
        ("\udc80", "\ufffd"),
        ("a\x85b\u2028c", "a b c"),
        ("\x07\x08\x7f", "\ufffd" * 3),
    ],
)
def test_what_is_dangerous_is_replaced(text: str, shown: str) -> None:
    assert safe(text) == shown


@pytest.mark.parametrize(
    ("text", "width"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("👩", 2), ("", 0)]
)
def test_width_is_counted_in_columns(text: str, width: int) -> None:
    assert columns(text) == width


@given(st.text(st.characters(codec="utf-8")), st.integers(1, 30))
def test_clipped_text_fits(text: str, limit: int) -> None:
    assert columns(clip(text, limit)) <= limit
    if columns(text) <= limit:
        assert clip(text, limit) == text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (ABSENT, "none"),
        ("pending", "pending"),
        ("two words", '"two words"'),
        ("", '""'),
        ("a\nb", '"a b"'),
        ("x\x1by", "x\ufffdy"),
        (3, "3"),
        (Literal("true"), "true"),
        (["a", "b c"], '[a, "b c"]'),
        ({"k\x1b": [1]}, "{k\ufffd: [1]}"),
    ],
)
def test_values_are_one_safe_line(value: object, shown: str) -> None:
    assert value_text(value) == shown  # type: ignore[arg-type]


def test_numbers_are_easy_to_read() -> None:
    assert [count(number, "task") for number in (0, 1, 12_000)] == [
        "0 tasks",
        "1 task",
        "12,000 tasks",
    ]


def test_colours_are_only_where_they_are_wanted() -> None:
    assert Look().paint("x", "red") == "x"
    assert Look(color=True).paint("x", "red", "bold") == "\x1b[31;1mx\x1b[0m"


def test_lines_are_shortened_only_for_a_terminal() -> None:
    text = "word " * 50
    assert Look().fit(text) == text
    assert columns(Look(width=40).fit(text, used=10)) <= 30
