"""Plans of any size that look like real ones; the same size gives the same bytes.

python -m benchmarks.plans 1000 > tasks.toml
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from typing import Final

AGENTS: Final = (
    "architect",
    "developer",
    "tester",
    "reviewer",
    "documenter",
    "deployer",
    "analyst",
)
EPIC_SIZE: Final = 25
"""Tasks in one epic, the epic itself among them."""

_VERBS: Final = (
    "Implement",
    "Design",
    "Review",
    "Migrate",
    "Document",
    "Measure",
    "Harden",
    "Split",
)
_THINGS: Final = (
    "profile endpoints",
    "session storage",
    "the billing export",
    "rate limiting",
    "the search index",
    "upload validation",
    "webhook delivery",
    "password reset mails",
    "the audit trail",
    "feature flags",
)
_ENDS: Final = (
    "so that a retry is safe after the connection was lost",
    "and keep the old clients working until the next release",
    "with a test that fails on the behaviour reported last week",
    "as agreed in the review – naïve callers included",
    "without touching what the mobile team depends on",
)
_TAGS: Final = ("backend", "frontend", "api", "security", "q1-2026", "docs", "infra", "urgent")


def make_plan(count: int, seed: int = 1) -> str:
    """Write a plan of `count` tasks: epics with children, seven agents, tags and dependencies."""
    draw = random.Random(seed)
    meta = '[meta]\ndescription = "A plan to measure with"\ndefault_agent = "developer"\n'
    return meta + "".join(_task(number, draw) for number in range(count))


def task_ids(count: int) -> Iterator[str]:
    """Yield the ids of `make_plan(count)`, in its order."""
    return (_task_id(number) for number in range(count))


def _task_id(number: int) -> str:
    kind = "epic" if number % EPIC_SIZE == 0 else "task"
    return f"{kind}-{number:06d}"


def _task(number: int, draw: random.Random) -> str:
    identifier = _task_id(number)
    text = f"{draw.choice(_VERBS)} {draw.choice(_THINGS)} {draw.choice(_ENDS)} ({number})"
    lines = ["", "[[tasks]]", f'id = "{identifier}"', f'description = "{text}"']
    if number % EPIC_SIZE == 0:
        lines[0] = f"\n# --- epic {number // EPIC_SIZE} ---"
        lines += ['status = "pending"', 'tags = ["epic"]']
        return "\n".join(lines) + "\n"
    tags = ", ".join(f'"{tag}"' for tag in draw.sample(_TAGS, draw.randint(1, 3)))
    lines += [
        f'agent = "{AGENTS[number % len(AGENTS)]}"',
        'status = "pending"',
        f'parent = "{_task_id(number - number % EPIC_SIZE)}"',
        f"tags = [{tags}]",
    ]
    if number % 5 == 3:
        lines.append(f'depends_on = ["{_task_id(number - 1)}"]')
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(make_plan(int(sys.argv[1])))
