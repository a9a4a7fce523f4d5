"""The line in `.gitattributes` that gives the plan to our merge driver."""

from __future__ import annotations

from typing import Final

DRIVER: Final = "tt"
"""The name of the merge driver, in attributes and configuration."""

_SPECIAL: Final = "*?[\\"
_NEEDS_QUOTES: Final = ' \t"'


def attribute_line(path: str) -> str:
    """Return the line for the plan at `path`, relative to the worktree's top."""
    pattern = "/" + "".join(f"\\{char}" if char in _SPECIAL else char for char in path)
    return f"{_quoted(pattern)} merge={DRIVER}"


def _quoted(pattern: str) -> str:
    """Write a pattern as Git writes C strings, where it would be taken for several words."""
    if not any(char in _NEEDS_QUOTES or not char.isprintable() for char in pattern):
        return pattern
    inner = "".join(
        char if char.isprintable() else "".join(f"\\{byte:03o}" for byte in char.encode())
        for char in pattern.replace("\\", "\\\\").replace('"', '\\"')
    )
    return f'"{inner}"'


def with_line(data: bytes, line: str) -> bytes:
    """Add a line at the end, where it decides; line endings are the file's, so is a missing one."""
    end = b"\r\n" if b"\r\n" in data else b"\n"
    added = line.encode("utf-8", "surrogateescape")
    return data + added + end if not data or data.endswith(b"\n") else data + end + added


def without_line(data: bytes, line: str) -> bytes:
    """Take the line out again: what `with_line` was given, to the byte."""
    wanted = line.encode("utf-8", "surrogateescape")
    lines = data.splitlines(keepends=True)
    left = b"".join(each for each in lines if each.strip() != wanted)
    if lines and lines[-1] == wanted:  # it had no line ending, as what was the last before it
        return left.removesuffix(b"\r\n" if b"\r\n" in left[:-2] else b"\n")
    return left


def has_line(data: bytes, line: str) -> bool:
    """Say whether the line is in it."""
    return without_line(data, line) != data
