"""What `tt doctor` found, check by check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from tt.core.health import Finding
from tt.render.text import Look, count, safe

_SIGNS: Final = {"ok": ("+", "green"), "warn": ("!", "yellow"), "fail": ("-", "red")}


def doctor_lines(found: Sequence[Finding], look: Look) -> list[str]:
    """Return a line for each finding, its hint below it, and the sum."""
    lines: list[str] = []
    for finding in found:
        lines.append(f"{look.paint(*_SIGNS[finding.state])} {safe(finding.message)}")
        if finding.hint:
            lines += [f"    {safe(line)}" for line in finding.hint.split("\n")]
    return [*lines, "", _sum(found, look)]


def _sum(found: Sequence[Finding], look: Look) -> str:
    states = Counter(finding.state for finding in found)
    if not states["fail"] and not states["warn"]:
        return look.paint(f"{count(len(found), 'check')}, all is well.", "green")
    parts = [
        look.paint(f"{states['fail']} failed", "red") if states["fail"] else "",
        look.paint(count(states["warn"], "warning"), "yellow") if states["warn"] else "",
    ]
    return f"{count(len(found), 'check')}: {', '.join(part for part in parts if part)}."
