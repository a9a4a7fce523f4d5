"""One changed field as text: of lists what came and went, of tables what changed inside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tt.core.diff import Edited
from tt.core.values import ABSENT, MaybeValue
from tt.render.nested import inner_changes, is_nested
from tt.render.text import Look, clip, safe, value_text

_LONG: Final = 40
"""Columns of a value that are shown before it is shortened, on a terminal."""
_CONTEXT: Final = 3
"""Words around what changed in a long text."""


def edit_parts(edit: Edited, look: Look) -> list[str]:
    """Return `field: old → new`, several of them where a nested value changed.

    On a terminal long values are shortened to what changed in them, unless all is asked for.
    """
    name, old, new = safe(edit.field), edit.old, edit.new
    if is_nested(old, new):
        inner = inner_changes(name, old, new)
        return [f"{one.path}: {_short(one.old, look)} → {_short(one.new, look)}" for one in inner]
    words = _list_words(old, new)
    if words:
        return [f"{name}: {words}"]
    if isinstance(old, str) and isinstance(new, str) and _is_long(look, old, new):
        return [f"{name}: {_changed_words(safe(old), safe(new))}"]
    return [f"{name}: {_short(value_text(old), look)} → {_short(value_text(new), look)}"]


def _is_long(look: Look, *texts: str) -> bool:
    return look.width > 0 and not look.all and any(len(text) > _LONG for text in texts)


def _short(text: str, look: Look) -> str:
    return clip(text, _LONG) if _is_long(look, text) else text


def _list_words(old: MaybeValue, new: MaybeValue) -> str:
    """Return `+new -gone` for two lists; nothing where that does not tell the change."""
    if ABSENT in (old, new) and not (isinstance(old, list) or isinstance(new, list)):
        return ""
    before, after = ([] if value is ABSENT else value for value in (old, new))
    if not (isinstance(before, list) and isinstance(after, list)):
        return ""
    came = [f"+{value_text(item)}" for item in after if item not in before]
    gone = [f"-{value_text(item)}" for item in before if item not in after]
    return " ".join(came + gone)


def _changed_words(old: str, new: str) -> str:
    """Return `"… so that a {retry → second try} is safe …"`."""
    before, after = old.split(" "), new.split(" ")
    start = _same(before, after)
    end = _same(before[start:][::-1], after[start:][::-1])
    lead, tail = before[:start], before[len(before) - end :]
    gone, came = before[start : len(before) - end], after[start : len(after) - end]
    shown_lead = ("… " if len(lead) > _CONTEXT else "") + "".join(
        f"{word} " for word in lead[-_CONTEXT:]
    )
    shown_tail = "".join(f" {word}" for word in tail[:_CONTEXT])
    shown_tail += " …" if len(tail) > _CONTEXT else ""
    return f'"{shown_lead}{{{_piece(gone)} → {_piece(came)}}}{shown_tail}"'


def _same(one: Sequence[str], other: Sequence[str]) -> int:
    """Count the words at the start that are the same."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _piece(words: Sequence[str]) -> str:
    return clip(" ".join(words), _LONG) if words else "∅"
