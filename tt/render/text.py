"""Text for terminals: what may reach one, in which colours, and how wide."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from tt.core.values import ABSENT, Literal, MaybeValue

# Control characters, bidirectional overrides, invisible marks and lone surrogates: text from a file
# or from Redis could rewrite the screen with them. Joiners stay, scripts and emoji need them.
# Compiled where they are used, since nearly all text is printable.
_SPACES: Final = r"[\t\n\v\f\r\x85\u2028\u2029]+"
_UNSAFE: Final = (
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_ANSI: Final = {
    "bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34",
    "magenta": "35", "cyan": "36",
}  # fmt: skip
_ELLIPSIS: Final = "…"


class Look(NamedTuple):
    """How output may look. `width` is the terminal's in columns, 0 where lines may be any length.

    `all` asks for every line instead of the first ones.
    """

    color: bool = False
    symbols: bool = False
    width: int = 0
    all: bool = False

    def paint(self, text: str, *styles: str) -> str:
        """Return `text` in colours where colours are wanted."""
        if not self.color or not styles or not text:
            return text
        codes = ";".join(_ANSI[style] for style in styles)
        return f"\x1b[{codes}m{text}\x1b[0m"

    def fit(self, text: str, used: int = 0, least: int = 20) -> str:
        """Shorten `text` to what is left of a line of which `used` columns are taken."""
        return text if self.width <= 0 else clip(text, max(self.width - used, least))


def safe(text: str) -> str:
    """Return one line of printable text: line breaks become spaces, what is dangerous `\ufffd`."""
    if text.isprintable():
        return text
    return re.sub(_UNSAFE, "\ufffd", re.sub(_SPACES, " ", text))


def columns(text: str) -> int:
    """Return how many columns of a terminal `text` takes; wide characters take two."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(
        0
        if combining(char) or char in "\u200c\u200d\ufe0f"
        else 1 + (east_asian_width(char) in "WF")
        for char in text
    )


def clip(text: str, limit: int) -> str:
    """Shorten `text` to `limit` columns, with an ellipsis where something is missing."""
    if columns(text) <= limit:
        return text
    kept = text[: limit - 1]
    while kept and columns(kept) > limit - 1:
        kept = kept[:-1]
    return kept.rstrip() + _ELLIPSIS


def pad(text: str, width: int) -> str:
    """Fill `text` up to `width` columns."""
    return text + " " * (width - columns(text))


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return `1 task`, `2 tasks`, `12,000 tasks`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def value_text(value: MaybeValue) -> str:
    """Return a field's value as one safe line; text that is more than a word is quoted."""
    if value is ABSENT:
        return "none"
    if isinstance(value, Literal):
        return safe(value.text)
    if isinstance(value, list):
        return "[" + ", ".join(value_text(item) for item in value) + "]"
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{safe(key)}: {value_text(item)}" for key, item in value.items()) + "}"
        )
    if isinstance(value, int):
        return str(value)
    shown = safe(value)
    return shown if shown and " " not in shown else f'"{shown}"'
