"""Identifiers that nobody else has."""

from __future__ import annotations

import os


def new_uuid() -> str:
    """Return a random uuid (version 4), as tinytown's are. The module `uuid` takes time to load."""
    raw = bytearray(os.urandom(16))
    raw[6], raw[8] = raw[6] & 0x0F | 0x40, raw[8] & 0x3F | 0x80
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
