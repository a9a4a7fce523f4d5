"""Finding out where things stand in a TOML text, and saying it as line and column."""
# ruff: noqa: E501  texts are easier to compare unbroken

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given

from tests.support.toml_files import plan_files
from tt.adapters.planfile import read_leniently
from tt.adapters.toml_pieces import Pieces, task_starts
from tt.adapters.toml_place import locate, positions, task_offsets
from tt.adapters.toml_read import parsed, text_of
from tt.adapters.toml_scan import headers, items, key_parts, sections, value_end
from tt.core.problem import Place

_VALUES = [
    '""', '"a \\" ] # b"', "''", "'\\'", '"""a"b""c"""', '"""a\\"""b"""', '"""a"""""', "'''a'b''c'''",
    "'''a'''''", '""""""', "''''''", "true", "-1.5e3", "1979-05-27 07:32:00Z", "1979-05-27", "07:32:00",
    "[]", "[ ]", "[\n]", '[1, "]", # ]\n 2]', "[[1], [[]], {}]", "{}", "{ a = 1, b.c = '}' }",
    '{ a = [ { b = """\n}""" } ] }', '[\n  # "\n  1,\n]', "[ '''\n]''' ]",
]  # fmt: skip


@pytest.mark.parametrize("rest", ["", " # c ]}\n", "\r\n", ", 1", " ]", "\t}"])
@pytest.mark.parametrize("value", _VALUES)
def test_a_value_ends_where_it_ends(value: str, rest: str) -> None:
    assert tomllib.loads(f"x = {value}") is not None
    assert value_end(f"x = {value}{rest}", 4) == 4 + len(value)


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("a", ("a",)),
        ("a-b_9", ("a-b_9",)),
        ("a . b\t.c", ("a", "b", "c")),
        ("\"a.b\".'c d'.1", ("a.b", "c d", "1")),
        ('"\\u00e9\\"".x', ('é"', "x")),
    ],
)
def test_a_key_is_split_into_its_parts(written: str, parts: tuple[str, ...]) -> None:
    assert key_parts(written) == parts


def test_items_know_their_commas() -> None:
    text = "x = [ 1, # one,\n  [2, 3] , 'a' ]"
    found, closing = items(text, 4)
    assert [text[item.pair.value : item.pair.value_end] for item in found] == ["1", "[2, 3]", "'a'"]
    assert [item.comma and text[item.comma] for item in found] == [",", ",", None]
    assert text[closing:] == "]"


@given(data=plan_files())
def test_the_quick_search_and_the_full_one_find_the_same_headers(data: bytes) -> None:
    text = text_of(data)
    full = list(headers(text))
    exact = sections(text)[1:]
    assert [(head.path, head.start, head.is_array) for head in full] == [
        (section.path, section.start, section.is_array) for section in exact
    ]
    count = len(parsed(text)["tasks"])
    starts = [head.start for head in full if head.path == ("tasks",)]
    assert task_starts(text, count) == starts
    pieces = Pieces(text, starts)
    assert "".join(pieces[number] for number in range(pieces.last + 1)) == text == pieces.joined()


@given(data=plan_files())
def test_every_field_is_found_where_it_is_written(data: bytes) -> None:
    text = text_of(data)
    document = parsed(text)
    offsets = task_offsets(text, len(document["tasks"]))
    lines = text.split("\n")
    for index, raw in enumerate(document["tasks"]):
        for field, value in raw.items():
            line, column = locate(text, ("tasks", index, field), len(offsets))
            found = lines[line - 1][column - 1 :]
            if isinstance(value, str):
                assert found[0] in "\"'"
            if field == "status":
                assert value in text[offset_at(text, line, column) :][: len(value) + 5]


def offset_at(text: str, line: int, column: int) -> int:
    return sum(len(one) + 1 for one in text.split("\n")[: line - 1]) + column - 1


@pytest.mark.parametrize(
    ("place", "where"),
    [
        (("meta",), (1, 1)),
        (("meta", "description"), (2, 15)),
        (("meta", "nothing"), (1, 1)),
        (("tasks", 0), (4, 3)),
        (("tasks", 0, "status"), (6, 12)),
        (("tasks", 0, "tags"), (7, 8)),
        (("tasks", 0, "tags", 1), (9, 2)),
        (("tasks", 0, "extra", "deep"), (13, 8)),
        (("tasks", 0, "extra"), (13, 8)),
        (("tasks", 0, "nothing"), (4, 3)),
        (("tasks", 1, "extra", "a", "b"), (17, 21)),
        (("tasks", 7, "status"), (1, 1)),
        (("other",), (1, 1)),
    ],
)
def test_a_place_is_a_line_and_a_column(place: Place, where: tuple[int, int]) -> None:
    text = (
        '[meta]\ndescription = "x"\n\n  [[tasks]]\n  id = "a"\n  status = "x"\ntags = [\n\t"one",\n'
        '\t"two",\n]\ndescription = "A"\n[tasks.extra]\ndeep = 1\n\n[[tasks]]\nid = "b"\n'
        "extra = { a = { b = 1 } }\ndescription = 'B'\n"
    )
    assert locate(text, place, 2) == where


def test_positions_count_characters_and_lines_from_one() -> None:
    assert list(positions("é\r\nab\n", [0, 1, 3, 4, 6])) == [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1)]


def test_places_in_inline_tasks_are_found() -> None:
    text = (
        'tasks = [\n  { id = "a", description = "A" }, # {\n  { id = "b", description = "B" },\n]\n'
    )
    assert locate(text, ("tasks", 1, "description"), 2) == (3, 29)
    assert locate(text, ("tasks", 1), 2) == (3, 3)
    assert read_leniently(text.encode(), "f").count == 2
