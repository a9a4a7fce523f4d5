"""Putting items into an array or inline table and taking some out, in the layout that is there."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Final, TypeAlias

from tt.adapters.toml_scan import Item, items, line_end
from tt.adapters.toml_write import newline_of

Splice: TypeAlias = tuple[int, int, str]
"""Start, end, and the text that takes the place of what is between them."""

_INDENT: Final = "    "


def spliced(text: str, splices: Iterable[Splice]) -> str:
    """Return the text with the splices made; they must not overlap, but deletions may."""
    parts: list[str] = []
    done = 0
    for start, end, new in sorted(splices, key=lambda splice: splice[:2]):
        parts += (text[done : max(start, done)], new)
        done = max(done, end)
    return "".join((*parts, text[done:]))


def without_items(text: str, opening: int, gone: Collection[int]) -> str:
    """Take out the items with these indexes, each with its comma and the comment on its line."""
    found, closing = items(text, opening)
    kept = [index for index in range(len(found)) if index not in gone]
    if not kept and text[opening + 1 : closing].find("\n") < 0:
        return spliced(text, [(opening + 1, closing, "")])
    cuts = [_cut(text, found, index) for index in gone]
    if kept and kept[-1] != len(found) - 1:
        cuts += _tail_cuts(text, found[kept[-1]], found[-1])
    return spliced(text, [(start, end, "") for start, end in cuts])


def _cut(text: str, found: Sequence[Item], index: int) -> tuple[int, int]:
    """Say what goes with an item: its whole line where it has one, else up to its neighbour."""
    item = found[index]
    start, last_on_line = item.pair.start, _ends_line(text, item)
    if last_on_line and _begins_line(text, start):
        return text.rfind("\n", 0, start) + 1, line_end(text, item.end)
    if index + 1 < len(found) and not last_on_line:
        return start, found[index + 1].pair.start
    if index > 0 and "\n" not in text[found[index - 1].end : start]:
        return found[index - 1].end, item.end
    return start, item.end


def _tail_cuts(text: str, kept: Item, last: Item) -> list[tuple[int, int]]:
    """Cut what joined the last item that stays to those after it, all of which go."""
    cuts = []
    if last.comma is None and kept.comma is not None:
        cuts.append((kept.comma, kept.comma + 1))
    if "\n" not in text[kept.end : last.end]:
        cuts.append((kept.end, last.end))
    return cuts


def with_items(text: str, opening: int, at: int, new: Sequence[str]) -> str:
    """Put new items in so that the first of them has index `at`."""
    found, closing = items(text, opening)
    if not found:
        return _filled(text, opening, closing, new)
    if at == 0:
        return _before_first(text, opening, found, new)
    anchor = found[at - 1]
    if _ends_line(text, anchor) and "\n" in text[opening : found[-1].pair.start]:
        return _on_lines(text, anchor, new)
    space = _space_after_comma(text, found)
    if anchor.comma is None:
        end = anchor.pair.value_end
        return spliced(text, [(end, end, "".join(f",{space}{item}" for item in new))])
    return spliced(text, [(anchor.end, anchor.end, "".join(f"{space}{item}," for item in new))])


def _filled(text: str, opening: int, closing: int, new: Sequence[str]) -> str:
    """Put the first items into empty brackets."""
    inner = text[opening + 1 : closing]
    if "\n" not in inner:
        pad = " " if text[opening] == "{" else ""
        return spliced(text, [(opening + 1, closing, pad + ", ".join(new) + pad)])
    line = text.rfind("\n", 0, closing) + 1
    newline = newline_of(inner)
    comment = re.search(r"\n([ \t]*)#", inner)
    indent = comment[1] if comment else text[line:closing] + _INDENT
    last = newline if text[opening] == "{" else f",{newline}"
    lines = f",{newline}".join(indent + item for item in new) + last
    return spliced(text, [(line, line, lines)])


def _before_first(text: str, opening: int, found: Sequence[Item], new: Sequence[str]) -> str:
    start = found[0].pair.start
    between = _space_after_comma(text, found)
    if _begins_line(text, start) and "\n" in text[opening:start]:
        line = text.rfind("\n", 0, start) + 1
        between = newline_of(text[opening:start]) + text[line:start]
    return spliced(text, [(start, start, "".join(f"{item},{between}" for item in new))])


def _on_lines(text: str, anchor: Item, new: Sequence[str]) -> str:
    """Put items on lines of their own after the anchor's, which ends a line."""
    start = anchor.pair.start
    line = text.rfind("\n", 0, start) + 1
    indent = text[line:start] if _begins_line(text, start) else _INDENT
    at = line_end(text, anchor.end)
    newline = "\r\n" if text[:at].endswith("\r\n") else "\n"
    if anchor.comma is not None:
        return spliced(text, [(at, at, "".join(f"{indent}{item},{newline}" for item in new))])
    lines = f",{newline}".join(indent + item for item in new) + newline
    end = anchor.pair.value_end
    return spliced(text, [(end, end, ","), (at, at, lines)])


def _begins_line(text: str, start: int) -> bool:
    return _is_space(text, text.rfind("\n", 0, start) + 1, start)


def _ends_line(text: str, item: Item) -> bool:
    """Say whether nothing but a comment follows the item and its comma on their line."""
    pos = item.end
    while text[pos] in " \t":
        pos += 1
    return text.startswith(("#", "\n", "\r\n"), pos)


def _is_space(text: str, start: int, end: int) -> bool:
    return not text[start:end].strip(" \t")


def _space_after_comma(text: str, found: Sequence[Item]) -> str:
    """Return the white space between two items that share a line, a blank where none do."""
    for before, after in itertools.pairwise(found):
        between = text[before.end : after.pair.start]
        if not between.strip(" \t"):
            return between
    return " "
