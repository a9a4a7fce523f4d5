"""What changed inside a nested value, path by path: the one place that uses deepdiff."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from tt.core.values import ABSENT, MaybeValue
from tt.render.text import safe, value_text

_BARE: Final = re.compile(r"[\w-]+")
_NONE: Final = value_text(ABSENT)


class Inner(NamedTuple):
    """One change inside a value: where, and both sides as text (`none` where there was none)."""

    path: str
    old: str
    new: str


def is_nested(old: MaybeValue, new: MaybeValue) -> bool:
    """Say whether two values are tables, or lists of more than words: worth a look inside."""
    if isinstance(old, dict) and isinstance(new, dict):
        return True
    if not (isinstance(old, list) and isinstance(new, list)):
        return False
    return any(isinstance(item, list | dict) for item in (*old, *new))


def inner_changes(field: str, old: MaybeValue, new: MaybeValue) -> list[Inner]:
    """List what changed inside, in the order of the paths; they begin with the field's name."""
    from deepdiff import DeepDiff  # eighty milliseconds, for the few who nest

    found = DeepDiff(_leaves(old), _leaves(new), view="tree", verbose_level=2)
    return sorted(_inner(field, found), key=lambda inner: _natural(inner.path))


def _inner(field: str, found: Any) -> Iterator[Inner]:
    for level in (level for levels in found.values() for level in levels):
        path = field + "".join(_step(key) for key in level.path(output_format="list"))
        yield Inner(path, _text(level.t1), _text(level.t2))


def _leaves(value: MaybeValue) -> object:
    """Turn everything that is no table or list into its text, which tells `1` from `"1"`."""
    if isinstance(value, dict):
        return {key: _leaves(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_leaves(item) for item in value]
    return value_text(value) if not isinstance(value, str) else f'"{safe(value)}"'


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "[" + ", ".join(map(_text, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{safe(key)}: {_text(item)}" for key, item in value.items()) + "}"
    return _NONE  # deepdiff's own mark for what is not there


def _step(key: str | int) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    return f".{key}" if _BARE.fullmatch(key) else f'."{safe(key)}"'


def _natural(path: str) -> list[tuple[int, str]]:
    """Order `[2]` before `[10]`."""
    return [(int(part) if part.isdecimal() else -1, part) for part in re.split(r"(\d+)", path)]
