"""Digests, without a wait for OpenSSL, which `hashlib` loads first of all: a hook's whole talk with
Redis takes no longer."""

from __future__ import annotations

try:
    from _blake2 import blake2b as _blake2b
    from _sha1 import sha1 as _sha1  # type: ignore[import-not-found]
except ImportError:  # an interpreter without these parts of CPython
    from hashlib import blake2b as _blake2b
    from hashlib import sha1 as _sha1

_SHA1_LENGTH = 40


def new_digest() -> _blake2b:
    """Begin a digest of 64 bytes, which two different contents do not share."""
    return _blake2b()


def digest_of(data: bytes) -> str:
    """Return the digest of all of `data`, as text."""
    return _blake2b(data).hexdigest()


def blob_name(data: bytes, length: int) -> str:
    """Compute the name of a Git blob, in a repository whose names have this length."""
    head = b"blob %d\0" % len(data)
    if length == _SHA1_LENGTH:
        return str(_sha1(head + data, usedforsecurity=False).hexdigest())
    from hashlib import sha256  # few repositories have such names

    return sha256(head + data).hexdigest()
