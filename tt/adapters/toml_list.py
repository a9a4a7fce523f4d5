"""Turning the array that stands in a text into another one, item by item."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

from tt.adapters.toml_items import spliced, with_items, without_items
from tt.adapters.toml_scan import items
from tt.adapters.toml_write import newline_of, value_text
from tt.core.values import Value


def list_spliced(text: str, opening: int, old: Sequence[Value], new: Sequence[Value]) -> str:
    """Make the array at `opening`, which says `old`, say `new`; items that stay are not touched.

    Works from right to left, so that the indexes of what is still to do stay right.
    """
    steps = SequenceMatcher(None, [*map(repr, old)], [*map(repr, new)], autojunk=False)
    for tag, i1, i2, j1, j2 in reversed(steps.get_opcodes()):
        if tag == "equal":
            continue
        both = min(i2 - i1, j2 - j1)
        if j2 - j1 > both:
            text = _with_values(text, opening, i1 + both, new[j1 + both : j2])
        if i2 - i1 > both:
            text = without_items(text, opening, range(i1 + both, i2))
        for step in reversed(range(both)):
            text = _with_value(text, opening, i1 + step, new[j1 + step])
    return text


def _with_values(text: str, opening: int, at: int, values: Sequence[Value]) -> str:
    """Put values in at `at`, quoted as their neighbour is."""
    found = items(text, opening)[0]
    near = found[max(at - 1, 0)].pair if found else None
    like = "" if near is None else text[near.value : near.value_end]
    like = "" if like.startswith(('"""', "'''")) else like
    return with_items(text, opening, at, [value_text(value, like) for value in values])


def _with_value(text: str, opening: int, index: int, value: Value) -> str:
    pair = items(text, opening)[0][index].pair
    written = value_text(value, text[pair.value : pair.value_end], newline_of(text))
    return spliced(text, [(pair.value, pair.value_end, written)])
