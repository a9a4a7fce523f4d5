"""Settings are added to a file's text without touching what is there."""

from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from tt.core.splice import additions


def first(text: str, table: str = "sync", key: str = "repo") -> str:
    return next(additions(text, table, key, '"x"'))


def test_an_empty_file_gets_a_table() -> None:
    assert first("") == '[sync]\nrepo = "x"\n'


def test_a_new_table_stands_apart() -> None:
    assert first('name = "a"\n') == 'name = "a"\n\n[sync]\nrepo = "x"\n'
    assert first('name = "a"') == 'name = "a"\n\n[sync]\nrepo = "x"\n'
    assert first('name = "a"\n\n') == 'name = "a"\n\n[sync]\nrepo = "x"\n'


def test_a_table_that_is_there_gets_the_key() -> None:
    assert first("[sync] # ours\nfile = 'p'\n") == "[sync] # ours\nrepo = \"x\"\nfile = 'p'\n"


def test_a_table_at_the_very_end_of_a_file_gets_the_key() -> None:
    assert first("[sync]") == '[sync]\nrepo = "x"\n'


def test_line_endings_are_those_of_the_file() -> None:
    assert first("a = 1\r\n[sync]\r\n") == 'a = 1\r\n[sync]\r\nrepo = "x"\r\n'


def test_a_key_of_the_top_level_stands_before_every_table() -> None:
    text = first("# a comment\n\n[redis]\nport = 1\n", table="", key="name")
    assert text == '# a comment\nname = "x"\n\n[redis]\nport = 1\n'


def test_a_header_inside_a_string_is_only_one_of_the_candidates() -> None:
    text = "note = '''\n[sync]\n'''\n"
    meaning = [tomllib.loads(made).get("sync") for made in additions(text, "sync", "repo", '"x"')]
    assert {"repo": "x"} in meaning
    assert meaning[0] is None


@given(st.sampled_from(["", "a = 1\n", "[sync]\n", "[b]\nc = 2", "# c\r\n\r\n[sync]\r\nd = 1\r\n"]))
def test_nothing_that_was_there_is_lost(text: str) -> None:
    for made in additions(text, "sync", "repo", '"x"'):
        rest = iter(made)
        assert all(char in rest for char in text)
