"""A town as a document: every key, its type, its time to live and its value; pure.

The same form as a plain dump of a town: JSON, with bytes that are no UTF-8 as lone surrogates.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

from tt.record import record

Content: TypeAlias = "bytes | list[Any]"
KINDS: Final = frozenset({"string", "list", "set", "hash", "zset", "stream"})
_FLAT: Final = frozenset({"list", "set"})
_ID: Final = re.compile(rb"([0-9]{1,20})-([0-9]{1,20})")
_END: Final = (2**64 - 1, 2**64 - 1)
_LONGEST: Final = 10**15
"""Milliseconds; a server refuses a time to live that it cannot count."""


class BadSaveError(ValueError):
    """A document that is no saved town; the text says why."""


@record
class SavedKey:
    """One key. `ending` is what follows the town's prefix, `ttl` are milliseconds, -1 for ever.

    `content` is the bytes of a string; the elements of a list or set; else pairs: a hash's fields
    and texts, a sorted set's members and scores, a stream's ids and lists of fields and texts.
    """

    ending: bytes
    kind: str
    ttl: int
    content: Content


def write_saved(town: str, saved: Iterable[SavedKey]) -> str:
    """Write down a town."""
    keys = [
        {
            "key": _text(one.ending),
            "type": one.kind,
            "ttl_ms": one.ttl,
            "value": _texts(one.content),
        }
        for one in saved
    ]
    return json.dumps({"format": 1, "town": town, "keys": keys}, indent=1) + "\n"


def read_saved(document: str) -> tuple[str, list[SavedKey]]:
    """Return the name of a town that was written down, and its keys. Raises BadSaveError."""
    try:
        found = json.loads(document)
        if found["format"] != 1:
            raise BadSaveError("it was written by a later version of tt")
        keys = [_read_key(entry) for entry in found["keys"]]
        if len({key.ending for key in keys}) < len(keys):
            raise BadSaveError("it has a key twice")
        return str(found["town"]), keys
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, BadSaveError):
            raise
        raise BadSaveError(f"it is no saved town: {error!r}") from error


def _read_key(entry: dict[str, Any]) -> SavedKey:
    kind, ttl = entry["type"], entry["ttl_ms"]
    content = _bytes(entry["value"])
    lives = isinstance(ttl, int) and -1 <= ttl <= _LONGEST
    if kind not in KINDS or not lives or not _fits(kind, content):
        raise BadSaveError(f"its key {entry['key']!r} is of no kind that there is")
    return SavedKey(_one(entry["key"]), kind, ttl, content)


def _fits(kind: str, content: Content) -> bool:
    if kind == "string":
        return isinstance(content, bytes)
    if not isinstance(content, list) or not content:
        return kind == "stream" and content == []
    if kind in _FLAT:
        return all(isinstance(part, bytes) for part in content)
    if not all(isinstance(pair, list) and len(pair) == 2 for pair in content):
        return False
    if kind == "stream":
        return _is_stream(content)
    texts = all(isinstance(part, bytes) for pair in content for part in pair)
    return texts and (kind == "hash" or all(_is_score(score) for _, score in content))


def _is_stream(entries: list[Any]) -> bool:
    """Say whether a server takes these entries: ids that rise, and fields with their texts."""
    last = (0, 0)
    for where, parts in entries:
        found = _ID.fullmatch(where) if isinstance(where, bytes) else None
        here = (int(found[1]), int(found[2])) if found else last
        if not last < here < _END or not isinstance(parts, list) or not parts or len(parts) % 2:
            return False
        if not all(isinstance(part, bytes) for part in parts):
            return False
        last = here
    return True


def _is_score(text: bytes) -> bool:
    try:
        return b"_" not in text and float(text) == float(text)
    except ValueError:
        return False


def _texts(content: Any) -> Any:
    return _text(content) if isinstance(content, bytes) else [_texts(part) for part in content]


def _bytes(content: Any) -> Any:
    return [_bytes(part) for part in content] if isinstance(content, list) else _one(content)


def _text(one: bytes) -> str:
    return one.decode(errors="surrogateescape")


def _one(text: Any) -> bytes:
    if not isinstance(text, str):
        raise BadSaveError(f"{text!r} is no text")
    return text.encode(errors="surrogateescape")
