"""From the bytes of a plan file to TOML text and on to its document."""

from __future__ import annotations

from codecs import BOM_UTF8
from typing import Any

import tomli

from tt.core.values import Literal


def text_of(data: bytes) -> str:
    """Decode a file's bytes, without the byte order mark that some editors write.

    Raises UnicodeDecodeError, its offsets counted in `data`.
    """
    text = data.decode()
    return text[1:] if data.startswith(BOM_UTF8) else text


def bytes_of(text: str, like: bytes) -> bytes:
    """Encode a text, with a byte order mark where `like` has one."""
    return BOM_UTF8 + text.encode() if like.startswith(BOM_UTF8) else text.encode()


def parsed(text: str) -> dict[str, Any]:
    """Parse TOML, floats as `Literal`.

    Raises tomli.TOMLDecodeError, RecursionError where it is nested too deeply, and ValueError for
    an integer of thousands of digits.
    """
    return tomli.loads(text, parse_float=Literal)
