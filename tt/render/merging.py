"""What the merge driver says, in a line or two among Git's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tt.core.treemerge import TOP_ID, MergeConflict
from tt.render.text import count, safe

_SHOWN: Final = 5
HOW_TO_END: Final = (
    "`tt conflicts` shows both sides; `tt resolve ID --ours` or `--theirs` ends one."
)


def merge_lines(path: str, conflicts: Sequence[MergeConflict], why: str) -> list[str]:
    """Return what to say of a merge that somebody has to look at."""
    if why:
        return [
            f"tt: {safe(path)} was merged line by line: {why}.",
            "    Look at it before you `git add` it; `tt check` says what is wrong in it.",
        ]
    if not conflicts:
        return []
    fields: dict[str, list[str]] = {}
    for conflict in conflicts:
        fields.setdefault(conflict.id, []).append(conflict.field or "removed or changed")
    told = [f"{_name(name)} ({', '.join(map(safe, said))})" for name, said in fields.items()]
    if len(told) > _SHOWN:
        told = [*told[:_SHOWN], f"{len(told) - _SHOWN:,} more"]
    number = count(len(conflicts), "conflict")
    reasons = dict.fromkeys(conflict.why for conflict in conflicts if conflict.why)
    return [
        f"tt: {safe(path)}: {number}: {'; '.join(told)}.",
        *(f"    {safe(reason)}" for reason in reasons),
        f"    {HOW_TO_END}",
    ]


def _name(identifier: str) -> str:
    return "top" if identifier == TOP_ID else safe(identifier)
