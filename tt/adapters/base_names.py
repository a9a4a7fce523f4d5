"""How the base of a town is called, in files and in Git."""

from __future__ import annotations

from typing import Final

_SAFE: Final = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_")
_LONGEST_NAME: Final = 180


def escape(town: str) -> str:
    """Make a name for files and refs of a town's name: unique, also where case does not count."""
    data = town.encode("utf-8", "surrogatepass")
    name = "".join(chr(byte) if byte in _SAFE else f"%{byte:02x}" for byte in data) or "%"
    if len(name) <= _LONGEST_NAME:
        return name
    from hashlib import sha256  # few names are that long

    return f"{name[:_LONGEST_NAME]}%-{sha256(data).hexdigest()[:32]}"


def base_ref(town: str) -> str:
    """Return the ref that holds a town's base in the worktree in which it is asked for."""
    return f"refs/worktree/tt/{escape(town)}"
