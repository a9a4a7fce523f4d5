"""Ids that `tt` makes: readable, the same in every clone, and never "the next number".

Sequential ids collide as soon as two branches each make a task, so a made id is a slug of the
description with a short hash. The uuid of a plan task in Redis is computed, too (UUIDv5, RFC 4122
section 4.3, of a namespace of our own and "<town>/<plan id>"): pushing twice is the same push, and
two clones agree without talking.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, Final

_NAMESPACE: Final = bytes.fromhex("6d1f2b7cf0b45d8c9d0f3f3a5c1e7a42")
_HASH_CHARS: Final = 6
_BASE32: Final = "abcdefghijklmnopqrstuvwxyz234567"
_SLUG_CHARS: Final = 40


def slug(text: str) -> str:
    """Shorten a description to at most 40 characters of a-z, 0-9 and single hyphens."""
    import unicodedata  # only ids that are made need it

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
    from hashlib import sha256

    number = int.from_bytes(sha256(f"{description}\0{salt}".encode()).digest()[:4])
    short = "".join(_BASE32[number >> shift & 31] for shift in range(27, 27 - 5 * _HASH_CHARS, -5))
    return f"{slug(description) or 'task'}-{short}"


@cache
def _sha1() -> Callable[..., Any]:
    """Import late: a sync that makes no task needs no hash, and OpenSSL takes time to load."""
    from hashlib import sha1

    return sha1


def task_uuid(town: str, plan_id: str) -> str:
    """Compute the uuid of a plan task: UUIDv5 of the town and the plan id."""
    return _uuid_of(f"{town}/{plan_id}")


def made_uuid(town: str, source: str) -> str:
    """Compute the uuid of a task in no plan that is made of something, a message say: who makes it
    again makes the same one. No plan task has it."""
    return _uuid_of(f"{town}\0{source}")


def _uuid_of(name: str) -> str:
    encoded = name.encode(errors="surrogatepass")
    digest = _sha1()(_NAMESPACE + encoded, usedforsecurity=False).digest()
    text = digest[:16].hex()
    variant = "89ab"[digest[8] >> 4 & 3]
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"
