"""Putting lines into a TOML text and taking some out, in the style of their neighbours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from tt.adapters.toml_scan import Pair, Section, sections
from tt.adapters.toml_write import newline_of

_BLANK_LINES: Final = re.compile(r"(?:[ \t]*+\r?\n)*")
_TOP_COMMENTS: Final = re.compile(r"(?:[ \t]*+#[^\n]*+(?:\n|\Z))*")
_TOP_DIRECTIVES: Final = re.compile(r"(?:#[:!][^\n]*+(?:\n|\Z))*")
_EQUALS: Final = frozenset({"=", " = ", " =", "= "})


def lead_start(text: str, start: int, floor: int) -> int:
    """Return where the comment lines begin that stand directly above the line at `start`.

    Nothing above the line at `floor` is looked at: there another key's value may look like one.
    """
    while start > floor:
        line = text.rfind("\n", 0, start - 1) + 1
        if not text[line:start].lstrip(" \t").startswith("#"):
            break
        start = line
    return start


def blanks_start(text: str, pos: int) -> int:
    """Return where the blank lines begin that stand directly above the line at `pos`."""
    while pos > 0:
        line = text.rfind("\n", 0, pos - 1) + 1
        if text[line:pos].strip(" \t\r\n"):
            break
        pos = line
    return pos


def blanks_end(text: str, pos: int) -> int:
    """Return where the blank lines end that begin at `pos`."""
    blanks = _BLANK_LINES.match(text, pos)
    return blanks.end() if blanks else pos


def without_lines(text: str, start: int, end: int) -> str:
    """Cut out whole lines; of the blank lines around them those on one side go too."""
    after = blanks_end(text, end)
    if text[after:].strip(" \t"):
        return text[:start] + text[after:]
    return text[: blanks_start(text, start)] + text[end:]


def with_line(text: str, section: Section, anchor: Pair | None, key: str, value: str) -> str:
    """Put `key = value` on a line after the anchor's, or right under the section's header."""
    at = section.head_end if anchor is None else anchor.end
    line = _indent(text, section, anchor) + key + _equals(text, section.pairs, anchor, key) + value
    if at and text[at - 1] != "\n":
        return text[:at] + newline_of(text) + line + text[at:]
    newline = "\r\n" if text.endswith("\r\n", 0, at) else "\n"
    return text[:at] + line + newline + text[at:]


def _indent(text: str, section: Section, anchor: Pair | None) -> str:
    neighbour = anchor or (section.pairs[0] if section.pairs else None)
    if neighbour is not None:
        return text[neighbour.start : neighbour.key_start]
    return text[section.start : text.find("[", section.start)]


def _equals(text: str, pairs: Sequence[Pair], anchor: Pair | None, key: str) -> str:
    """Write the equals sign as the neighbours have it, in its column where they keep one."""
    if not pairs:
        return " = "
    widths = {text.find("=", pair.key_end) - pair.key_start for pair in pairs}
    lengths = {pair.key_end - pair.key_start for pair in pairs}
    if len(widths) == 1 and len(lengths) > 1:
        return " " * max(widths.pop() - len(key), 1) + "= "
    like = anchor or pairs[0]
    written = text[like.key_end : like.value]
    return written if written in _EQUALS else " = "


def with_table(text: str, name: str, follows: str) -> str:
    """Put an empty `[name]` at the top: under the comments and keys that the file begins with.

    `follows` is what comes after `text` in the file.
    """
    newline = newline_of(text + follows)
    at = top_end(text, follows)
    above, rest = text[:at], text[at:]
    if above and not above.endswith("\n"):
        above += newline
    gap = newline if above.strip() else ""
    is_open = rest + follows and not blanks_end(rest + follows, 0)
    return f"{above}{gap}[{name}]{newline}{newline if is_open else ''}{rest}"


def top_end(text: str, follows: str) -> int:
    """Return where a table or key goes that is put at the top of a file."""
    root = sections(text)[0]
    if root.pairs:
        return root.end
    comments = _TOP_COMMENTS.match(text)
    end = comments.end() if comments else 0
    if end == len(text + follows) or blanks_end(text + follows, end) > end:
        return end
    directives = _TOP_DIRECTIVES.match(text)
    return directives.end() if directives else 0
