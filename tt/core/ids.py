"""Ids that `tt` makes: readable, the same in every clone, and never "the next number".

Sequential ids collide as soon as two branches each make a task, so a made id is a slug of the
description with a short hash. The uuid of a plan task in Redis is computed, too (UUIDv5, RFC 4122
section 4.3, of a namespace of our own and "<town>/<plan id>"): pushing twice is the same push, and
two clones agree without talking.
"""

from __future__ import annotations

import re
import unicodedata
from base64 import b32encode
from hashlib import sha1, sha256
from typing import Final

_NAMESPACE: Final = bytes.fromhex("6d1f2b7cf0b45d8c9d0f3f3a5c1e7a42")
_HASH_CHARS: Final = 6
_SLUG_CHARS: Final = 40


def slug(text: str) -> str:
    """Shorten a description to at most 40 characters of a-z, 0-9 and single hyphens."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", ascii_text)
    made = "-".join(words)[: _SLUG_CHARS + 1]
    return (
        made[:_SLUG_CHARS].rstrip("-")
        if len(made) <= _SLUG_CHARS
        else made[: made.rfind("-")] or made[:_SLUG_CHARS]
    )


def made_id(description: str, salt: str = "") -> str:
    """Make an id of a description; `salt` tells apart what has the same description."""
    digest = sha256(f"{description}\0{salt}".encode()).digest()
    short = b32encode(digest).decode().lower()[:_HASH_CHARS]
    return f"{slug(description) or 'task'}-{short}"


def task_uuid(town: str, plan_id: str) -> str:
    """Compute the uuid of a plan task: UUIDv5 of the town and the plan id."""
    digest = sha1(_NAMESPACE + f"{town}/{plan_id}".encode(), usedforsecurity=False).digest()
    text = digest[:16].hex()
    variant = "89ab"[digest[8] >> 4 & 3]
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"
