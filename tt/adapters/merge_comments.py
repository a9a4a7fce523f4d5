"""Comments in a merge: none that a side added may get lost, wherever its neighbours went."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from tt.core.three import Three
from tt.core.weave import surviving, weave

_LINE: Final = r"[^\n]*\n"


def comments_of(text: str) -> Sequence[str]:
    """List the comments of a text of whole statements, without white space around them."""
    if "#" not in text:
        return []
    from tt.adapters.toml_scan import STRING  # its patterns take time to compile

    found = re.finditer(rf"({STRING})|#[^\n]*", text)
    return [one[0].rstrip() for one in found if one[1] is None]


def lost_comments(texts: Three[str], result: str) -> list[str]:
    """List the comments that a result should have and has not.

    It should have what a side added, and what stands on both sides.
    """
    if surviving(texts.map(_maybe_comments)) <= {*_maybe_comments(result)}:
        return []  # which is so in nearly all of a long text, and quickly seen
    found = texts.map(comments_of)
    wanted = surviving(found) - set(comments_of(result))
    return [one for one in dict.fromkeys((*found.ours, *found.theirs)) if one in wanted]


def _maybe_comments(text: str) -> Sequence[str]:
    """List the lines that may have comments."""
    return [line.rstrip() for line in text.split("\n") if "#" in line]


def comment_lines(comments: Sequence[str], newline: str, indent: str = "") -> str:
    """Write comments on lines of their own."""
    return "".join(f"{indent}{comment}{newline}" for comment in comments)


def merged_lines(texts: Three[str]) -> str:
    """Merge comment lines: each of them stays, comes or goes by itself."""
    if texts.theirs in (texts.ours, texts.base):
        return texts.ours
    if texts.ours == texts.base:
        return texts.theirs
    lines = texts.map(_numbered)
    return "".join(line for line, _ in weave(lines, surviving(lines), rank=lambda line: line))


def _numbered(text: str) -> Sequence[tuple[str, int]]:
    """List lines so that those that are equal are told apart."""
    seen: dict[str, int] = {}
    found = []
    for line in re.findall(_LINE, text):
        seen[line] = seen.get(line, -1) + 1
        found.append((line, seen[line]))
    return found
