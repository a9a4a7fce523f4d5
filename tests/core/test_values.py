"""Values: equal means "the same in the file", and the JSON form loses nothing."""

from __future__ import annotations

import json
import tomllib
from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tt.core.values import ABSENT, Literal, Value, dump, from_toml, literal, load, plain

_LITERALS = [
    "true", "false", "1.50", "-0.0", "1e5", "6.02E+23", "1_000.5", "inf", "-inf", "nan",
    "2026-01-31", "07:32:00", "07:32:00.999000", "1979-05-27T07:32:00",
    "1979-05-27T07:32:00+00:00", "1979-05-27T00:32:00.500000-07:00",
]  # fmt: skip
_keys = st.one_of(st.text(max_size=5), st.just("$toml"))
_values: st.SearchStrategy[Value] = st.recursive(
    st.one_of(st.text(), st.integers(), st.sampled_from(_LITERALS).map(Literal)),
    lambda inner: st.lists(inner) | st.dictionaries(_keys, inner),
    max_leaves=8,
)


@given(_values)
def test_the_json_form_comes_back_as_it_was(value: Value) -> None:
    assert load(dump(value)) == value


@given(_values, _values)
def test_different_values_have_different_json(one: Value, other: Value) -> None:
    assert (dump(one) == dump(other)) == (one == other) or is_reordered(one, other)


def is_reordered(one: Value, other: Value) -> bool:
    """Tables are equal in any order of keys, and their JSON keeps the order."""
    return one == other and dump(one) != dump(other)


def test_what_python_takes_for_equal_is_not() -> None:
    values = [from_toml(value) for value in (True, 1, 1.0, "1", False, 0)]
    assert all(a != b for at, a in enumerate(values) for b in values[at + 1 :])
    assert from_toml(float("nan")) == from_toml(float("nan"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (1.5, "1.5"),
        (float("inf"), "inf"),
        (date(2026, 1, 31), "2026-01-31"),
        (time(7, 32), "07:32:00"),
        (datetime(1979, 5, 27, 7, 32), "1979-05-27T07:32:00"),  # noqa: DTZ001  a local time
    ],
)
def test_types_of_toml_become_literals(value: object, text: str) -> None:
    assert from_toml([value]) == [Literal(text)]


def test_what_is_no_toml_is_refused() -> None:
    with pytest.raises(TypeError):
        from_toml(None)


@pytest.mark.parametrize("text", _LITERALS)
def test_a_literal_means_itself_in_a_file(text: str) -> None:
    document = tomllib.loads(f"x = {text}", parse_float=Literal)
    assert from_toml(document["x"]) == literal(text) == Literal(text)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1979-05-27 07:32:00z", "1979-05-27T07:32:00+00:00"),
        ("1979-05-27t07:32:00.5", "1979-05-27T07:32:00.500000"),
        ("07:32:00.123456789", "07:32:00.123456"),
    ],
)
def test_a_date_or_time_comes_out_as_a_file_would_give_it(written: str, read: str) -> None:
    assert literal(written) == Literal(read)
    assert load(json.dumps({"$toml": written})) == Literal(read)


@pytest.mark.parametrize(
    "text",
    ["", "1", "x", "True", "1.", ".5", "1__0.5", "01.5", "NaN", "2026-13-01", "07:60:00",
     "1.5\nx = 1", "2026-W01-1", "20260131", "1979-05-27T07:32:00+25:00", "1.5 # note", "true\n"],
)  # fmt: skip
def test_no_other_text_gets_in_as_a_literal(text: str) -> None:
    with pytest.raises(ValueError):
        literal(text)
    with pytest.raises(ValueError):
        load(json.dumps({"$toml": text}))


@pytest.mark.parametrize(
    "text",
    ["null", "[null]", "{", "", '{"$toml": 3}', '{"$toml": [1]}', '{"$toml": [[1]]}', '"\\ud800"',
     '{"\\udc00": 1}', "[" * 100_000, '{"$toml": null}', '{"$toml": true}'],
)  # fmt: skip
def test_what_is_no_value_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        load(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", Literal("true")),
        ("1.50", Literal("1.50")),
        ("NaN", Literal("nan")),
        ("-Infinity", Literal("-inf")),
        ('"\\ud83d\\ude00"', "😀"),
        ('{"$toml": "nan"}', Literal("nan")),
        ('{"$toml": [["$toml", "x"]]}', {"$toml": "x"}),
    ],
)
def test_json_of_other_writers_is_understood(text: str, value: Value) -> None:
    assert load(text) == value


def test_plain_data_is_for_people_and_programs() -> None:
    value: Value = {"a": [Literal("true"), Literal("1.5"), 1], "b": {"c": Literal("2026-01-31")}}
    assert plain(value) == {"a": [True, "1.5", 1], "b": {"c": "2026-01-31"}}
    assert plain(ABSENT) is None
    assert repr(ABSENT) == "ABSENT"
