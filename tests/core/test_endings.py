"""How an attempt ended, in few words."""

from __future__ import annotations

import pytest

from tt.core.endings import gist


@pytest.mark.parametrize(
    ("said", "short"),
    [
        ("", ""),
        ("\n \n", ""),
        ("Done", "Done"),
        ("\n  Done  \n", "Done"),
        ("ended with exit code 3\noh no\n", "ended with exit code 3 · oh no"),
        ("first\nsecond\n\nthird\n", "first … third"),
    ],
)
def test_what_was_said_at_length_is_told_by_how_it_begins_and_ends(said: str, short: str) -> None:
    assert gist(said) == short
