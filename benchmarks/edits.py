"""Edits as a person and as agents make them, never the same, and proof that they arrived."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence

from benchmarks.world import World

_STATES = ("pending", "assigned", "running", "completed")


class Edits:
    """Makes edits on a few tasks that are spread over the plan; `check` looks for the last ones."""

    def __init__(self, world: World, hashes: Mapping[bytes, list[bytes]]) -> None:
        self._world = world
        self._keys = _keys_by_plan_id(hashes)
        self._round = 0
        self._described: Sequence[str] = ()
        self._moved: Sequence[str] = ()

    def in_file(self, count: int) -> Callable[[], None]:
        """Return what gives `count` tasks a new description in the file."""
        return lambda: self._edit(self._spread(count), ())

    def in_store(self, count: int) -> Callable[[], None]:
        """Return what moves `count` tasks to another state in Redis, as an agent would."""
        return lambda: self._edit((), self._spread(count))

    def in_both(self, count: int) -> Callable[[], None]:
        """Return what does both, on `count` tasks each, none of them the same."""
        return lambda: self._edit(self._spread(2 * count)[::2], self._spread(2 * count)[1::2])

    def check(self) -> None:
        """End the benchmark if the edits that were made last are not on the other side."""
        plan = self._world.plan.read_text(encoding="utf-8")
        for identifier in self._described:
            (text,) = self._world.ask(("HGET", self._keys[identifier], "description"))
            if not (isinstance(text, bytes) and text.decode().startswith(f"v{self._round} ")):
                sys.exit(f"the edit of {identifier} in the file did not reach Redis: {text!r}")
        for identifier in self._moved:
            if f'status = "{self._state()}"' not in _block(plan, identifier):
                sys.exit(f"the edit of {identifier} in Redis did not reach the file")

    def _spread(self, count: int) -> list[str]:
        """Pick `count` tasks, evenly over the plan; none is an epic."""
        known = sorted(name for name in self._keys if not name.startswith("epic"))
        step = len(known) // count
        return known[step // 2 :: step][:count]

    def _state(self) -> str:
        return _STATES[self._round % len(_STATES)]

    def _edit(self, described: Sequence[str], moved: Sequence[str]) -> None:
        self._round += 1
        self._described, self._moved = described, moved
        if described:
            plan = self._world.plan.read_text(encoding="utf-8")
            for identifier in described:
                pattern = rf'(id = "{identifier}"\ndescription = ")(?:v\d+ )?'
                plan = re.sub(pattern, rf"\g<1>v{self._round} ", plan, count=1)
            self._world.plan.write_text(plan, encoding="utf-8")
        if moved:
            self._world.ask(*(("HSET", self._keys[name], "state", self._state()) for name in moved))


def _keys_by_plan_id(hashes: Mapping[bytes, list[bytes]]) -> dict[str, bytes]:
    """Find the Redis key of each plan id, by the tag that tinytown's format has for it."""
    found: dict[str, bytes] = {}
    for key, values in hashes.items():
        fields = dict(zip(values[::2], values[1::2], strict=True))
        for tag in json.loads(fields.get(b"tags", b"[]")):
            if tag.startswith("plan:"):
                found[tag.removeprefix("plan:")] = key
    return found


def _block(plan: str, identifier: str) -> str:
    """Cut one task's lines out of the plan."""
    start = plan.index(f'id = "{identifier}"')
    end = plan.find("[[tasks]]", start)
    return plan[start:end] if end > 0 else plan[start:]
