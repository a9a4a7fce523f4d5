"""Adding a setting to a TOML text without touching another byte of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_HEADER: Final = r"(?m)^[ \t]*\[[ \t]*{table}[ \t]*\][^\n]*\n?"


def additions(text: str, table: str, key: str, literal: str, about: str = "") -> Iterator[str]:
    """Yield texts in which `table` (the top level for "") got `key = literal`, the likeliest first.

    `about` is a comment for a table that has to be made. Not every text is right: something that
    looks like a table's header can stand in a string. The caller parses, and takes the first that
    means what it should.
    """
    end = "\r\n" if "\r\n" in text else "\n"
    line = f"{key} = {literal}{end}"
    if not table:
        yield from _at_top(text, line, end)
        return
    for found in re.finditer(_HEADER.format(table=re.escape(table)), text):
        before = text[: found.end()]
        yield before + ("" if before.endswith("\n") else end) + line + text[found.end() :]
    gap = _gap(text, end)
    comment = f"# {about}{end}" if about else ""
    yield f"{text}{gap}[{table}]{end}{comment}{line}"
    yield f"{table}.{line}{text}"


def _gap(text: str, end: str) -> str:
    """Return what makes one blank line between `text` and a table after it."""
    if not text.strip("\ufeff \t\r\n") or text.endswith(end * 2):
        return ""
    return end if text.endswith("\n") else end * 2


def _at_top(text: str, line: str, end: str) -> Iterator[str]:
    """Put a line after the comments that a file begins with, and before everything else."""
    comments = re.match(r"\ufeff?(?:[ \t]*#[^\n]*\n)*", text)
    start = comments.end() if comments else 0
    head, rest = text[:start], text[start:]
    yield f"{head}{line}{rest}"
    yield f"{head}{'' if head.endswith(chr(10)) else end}{line}{rest}"
