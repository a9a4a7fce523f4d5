"""Digests, without a wait for OpenSSL, which `hashlib` loads first of all: a hook's whole talk with
Redis takes no longer."""

from __future__ import annotations

try:
    from _blake2 import blake2b as _blake2b
except ImportError:  # an interpreter without this part of CPython
    from hashlib import blake2b as _blake2b


def new_digest() -> _blake2b:
    """Begin a digest of 64 bytes, which two different contents do not share."""
    return _blake2b()


def digest_of(data: bytes) -> str:
    """Return the digest of all of `data`, as text."""
    return _blake2b(data).hexdigest()
