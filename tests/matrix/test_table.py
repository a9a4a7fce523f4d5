"""The tables in the documentation are those that are tested."""

from __future__ import annotations

from tests.matrix.docs import PAGE, page
from tests.matrix.table import ROWS


def test_the_table_in_the_documentation_is_what_is_tested() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(text), "run `python -m tests.matrix.docs`"


def test_every_row_has_a_name_of_its_own() -> None:
    titles = [scene.title for scene in ROWS]
    assert len(titles) == len(set(titles))
