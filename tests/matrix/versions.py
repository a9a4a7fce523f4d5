"""Versions of one plan, each named by the edits that it has: what the matrix says in a few letters.

`e` is what the user edits, `f` a second edit of hers, `t` what a topic branch or another clone
committed, `a` and `b` what agents and other people wrote into Redis. `·` is the plan as it was
in the beginning, `-` stands for none at all. Edits are far enough apart for Git to merge them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final, NamedTuple

from tt.adapters.planfile import read_plan
from tt.core.model import Plan

PLAN: Final = """\
#:schema ./tasks.schema.json
# What we do, and in which order. This comment belongs to no task.

[meta]
description = "A plan for tests"
default_agent = "developer"


[[tasks]]
id = "design"  # first of all
description = "Design it"
agent = "architect"
status = "pending"
tags = ["first", "paper"]

# -- the long part ------------------------------------------------


[[tasks]]
id = "build"
description = "Build it"
status = "pending"
depends_on = ["design"]
notes = '''
Not before the paper
is signed.
'''

# -- what comes after ---------------------------------------------


[[tasks]]
id = "test"
description = "Test it"   # by hand
status = "pending"
parent = "build"
estimate = 1.5



[[tasks]]
id = "docs"
description = "Write it up"
status = "pending"
priority = 2

# -- at the end ---------------------------------------------------


[[tasks]]
id = "ship"
description = "Ship it"
agent = "release"
status = "pending"
depends_on = ["build", "docs"]
"""

TASK: Final = """
[[tasks]]
id = "extra"
description = "Added on the other side"
status = "pending"
"""


class Spot(NamedTuple):
    """One field of a task before and after an edit, as TOML has them."""

    task: str
    field: str
    before: str
    after: str


EDITS: Final[Mapping[str, tuple[Spot, ...]]] = {
    "e": (Spot("build", "description", '"Build it"', '"Build it well"'),),
    "f": (Spot("docs", "priority", "2", "3"),),
    "t": (Spot("ship", "agent", '"release"', '"captain"'),),
    "a": (
        Spot("design", "status", '"pending"', '"completed"'),
        Spot("test", "description", '"Test it"', '"Test it twice"'),
    ),
    "b": (Spot("ship", "status", '"pending"', '"running"'),),
}
START: Final = "·"
NONE: Final = "-"
ANY: Final = "?"


def text(version: str) -> str:
    """Return the plan as it is with the edits that `version` names."""
    made = PLAN
    for letter in version.replace(START, ""):
        for spot in EDITS[letter]:
            head, mark, rest = made.partition(f'id = "{spot.task}"')
            old, new = f"{spot.field} = {spot.before}", f"{spot.field} = {spot.after}"
            assert mark, spot
            assert old in rest, spot
            made = head + mark + rest.replace(old, new, 1)
    return made


@cache
def plan(version: str) -> Plan:
    """Return what a version says."""
    return read_plan(text(version).encode(), "tasks.toml").plan


def name(data: bytes | None, letters: str = "".join(EDITS)) -> str:
    """Name the version that a file has, whatever its line endings; its text where it has none."""
    if data is None:
        return NONE
    said = data.replace(b"\r\n", b"\n").decode()
    found = "".join(letter for letter in letters if all(_has(said, spot) for spot in EDITS[letter]))
    return (found or START) if text(found) == said else said


def name_plan(said: Plan | None, letters: str = "".join(EDITS)) -> str:
    """Name the version that says this; all that it says where it is none."""
    if said is None or not (said.tasks or said.meta):
        return NONE
    for number in range(1 << len(letters)):
        version = "".join(letter for bit, letter in enumerate(letters) if number >> bit & 1)
        if plan(version) == said:
            return version or START
    return repr(said)


def _has(said: str, spot: Spot) -> bool:
    rest = said.partition(f'id = "{spot.task}"')[2]
    return f"{spot.field} = {spot.after}" in rest.partition("[[tasks]]")[0]
