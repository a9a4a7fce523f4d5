"""Changes as lines: `+` a new task, `~` an edited one, `-` one that is gone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from tt.core.diff import Added, Change, Edited, Removed
from tt.core.model import META_ID
from tt.core.values import ABSENT, MaybeValue
from tt.render.text import Look, clip, columns, pad, safe, value_text

LIMIT: Final = 20
"""Lines of one list of changes before the rest is only counted."""
_LONGEST_ID: Final = 28
_LONGEST_VALUE: Final = 60
_SIGNS: Final = {"+": "green", "~": "yellow", "-": "red"}


def change_lines(
    changes: Sequence[Change], look: Look, *, indent: str = "  ", more: str = "", limit: int = LIMIT
) -> list[str]:
    """Return a line for each task that changes, at most `limit`, then how many there are `more`."""
    tasks = _by_task(changes)
    shown = list(tasks.items()) if look.all else list(tasks.items())[:limit]
    width = min(max((columns(_name(id_)) for id_, _ in shown), default=0), _LONGEST_ID)
    lines = [_line(_name(id_), found, look, indent, width) for id_, found in shown]
    if len(tasks) > len(shown):
        lines.append(look.paint(f"{indent}… and {len(tasks) - len(shown):,} more{more}", "dim"))
    return lines


def tally(changes: Iterable[Change]) -> str:
    """Return `2 added, 1 changed, 1 removed`, leaving out what is none."""
    found = _by_task(changes)
    added = sum(isinstance(first, Added) for first, *_ in found.values())
    removed = sum(isinstance(first, Removed) for first, *_ in found.values())
    edited = len(found) - added - removed
    counts = ((added, "added"), (edited, "changed"), (removed, "removed"))
    return ", ".join(f"{number:,} {word}" for number, word in counts if number)


def _by_task(changes: Iterable[Change]) -> dict[str, list[Change]]:
    found: dict[str, list[Change]] = {}
    for change in changes:
        found.setdefault(change.id, []).append(change)
    return found


def _name(identifier: str) -> str:
    return "[meta]" if identifier == META_ID else safe(identifier)


def _line(name: str, changes: list[Change], look: Look, indent: str, width: int) -> str:
    sign, what = _what(changes)
    head = f"{indent}{sign} {pad(name, width)}  "
    sign = look.paint(sign, _SIGNS[sign])
    return f"{indent}{sign} {pad(name, width)}  {look.fit(what, columns(head))}".rstrip()


def _what(changes: list[Change]) -> tuple[str, str]:
    first = changes[0]
    if isinstance(first, Added):
        return "+", safe(first.task.description)
    if isinstance(first, Removed):
        return "-", safe(first.task.description)
    return "~", ", ".join(edit_text(edit) for edit in changes if isinstance(edit, Edited))


def edit_text(edit: Edited) -> str:
    """Return `status: pending → completed`; of lists of words only what came and went."""
    name = safe(edit.field)
    words = _words(edit.old, edit.new)
    if words:
        return f"{name}: {words}"
    old, new = (clip(value_text(value), _LONGEST_VALUE) for value in (edit.old, edit.new))
    return f"{name}: {old} → {new}"


def _words(old: MaybeValue, new: MaybeValue) -> str:
    """Say what a list of words gained and lost; nothing where that does not tell the change."""
    before = [] if old is ABSENT else old
    after = [] if new is ABSENT else new
    if not isinstance(before, list) or not isinstance(after, list):
        return ""
    gone = [f"-{value_text(item)}" for item in before if item not in after]
    new_ones = [f"+{value_text(item)}" for item in after if item not in before]
    return clip(" ".join(new_ones + gone), _LONGEST_VALUE)
