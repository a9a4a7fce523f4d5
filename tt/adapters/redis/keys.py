"""The names of a town's keys: tinytown's for tasks and agents, and two hashes of our own."""

from __future__ import annotations

import re
from typing import Final

from tt.record import record

PREFIX: Final = "tt:"
UUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")

_GLOB: Final = str.maketrans({char: f"\\{char}" for char in "\\*?[]"})
# A text, compiled where it is used: few commands look at other towns.
_EVENTS: Final = ":events"  # tinytown keeps an agent's events in `events:agent:<uuid>`
_TOWN_KEY: Final = rf"{PREFIX}(.+):(?:(task|agent):{UUID.pattern}|(plan|tombstones))"


@record
class TownKeys:
    """The keys of one town. A name may hold any text: braces make a Cluster hash tag of it."""

    town: str

    @property
    def prefix(self) -> str:
        """What all of the town's keys begin with."""
        return f"{PREFIX}{self.town}:"

    @property
    def plan(self) -> str:
        """The hash that says whose the town is and how far it has come."""
        return f"{PREFIX}{self.town}:plan"

    @property
    def tombstones(self) -> str:
        """The hash of removed tasks, by plan id."""
        return f"{PREFIX}{self.town}:tombstones"

    def task(self, uuid: str) -> str:
        """The hash of one task."""
        return f"{PREFIX}{self.town}:task:{uuid}"

    def agent(self, uuid: str) -> str:
        """The hash of one agent."""
        return f"{PREFIX}{self.town}:agent:{uuid}"

    def of(self, kind: str, owner: str) -> str:
        """What belongs to one task or agent: its inbox, say."""
        return f"{PREFIX}{self.town}:{kind}:{owner}"

    def own(self, name: str) -> str:
        """What belongs to the town as a whole: its backlog, say."""
        return f"{PREFIX}{self.town}:{name}"


def glob(prefix: str) -> str:
    """Return the pattern of all keys that begin with `prefix`, whatever it holds."""
    return prefix.translate(_GLOB) + "*"


def split_key(key: str) -> tuple[str, str] | None:
    """Return the town of a key and its kind: task, agent, plan, tombstones; None for others."""
    found = re.fullmatch(_TOWN_KEY, key, re.DOTALL)
    if found is None or found[1].endswith(_EVENTS):
        return None
    return found[1], found[2] or found[3]
