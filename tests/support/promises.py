"""What must hold whatever a team does: no edit is lost, nothing that is finished is reopened."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from tests.matrix.world import in_base, in_redis
from tests.support.moves import PUTTING_AWAY, TAKING, Move, decide, stash
from tests.support.turmoil import BRANCHES, PLAN_FILE, Team
from tt.adapters.planfile import read_plan
from tt.core.model import FINISHED, Plan

_KEY: Final = re.compile(r"k(\d+)")


class Seen(NamedTuple):
    """What there is at one moment: the branch and the keys of a worktree, and all towns."""

    branch: str
    file: frozenset[str]
    head: frozenset[str]
    base: frozenset[str]
    towns: Mapping[str, Plan]

    def redis(self, town: str) -> frozenset[str]:
        """Return the keys that a town has."""
        return keys_of(self.towns.get(town, Plan()))


def keys_of(plan: Plan) -> frozenset[str]:
    """Return the keys that were added to tasks, all of which have names of their own."""
    fields = (name for task in plan.tasks.values() for name in task.fields)
    return frozenset(name for name in fields if _KEY.fullmatch(name))


def finished_of(plan: Plan) -> frozenset[str]:
    """Return the tasks that are finished; a base may not know of each task how far it is."""
    return frozenset(one.id for one in plan.tasks.values() if one.fields.get("status") in FINISHED)


def plan_of(data: bytes) -> Plan:
    """Return what a file says."""
    return read_plan(data, PLAN_FILE).plan


@dataclass
class Promises:
    """What was promised to whom.

    `excused` are keys that a user threw away, or decided against: they may be anywhere or nowhere.
    `finished` are the tasks that agents finished, by town, as far as they were not lost with
    Redis before anybody had heard of them. `tasks` are the keys' tasks.
    """

    team: Team
    excused: set[str] = field(default_factory=set)
    finished: dict[str, set[str]] = field(default_factory=dict)
    tasks: dict[str, str] = field(default_factory=dict)

    def see(self, top: Path) -> Seen:
        """Look at a worktree and at all towns."""
        towns = {}
        for branch in BRANCHES:
            plan = in_redis(self.team.server, f"here-{branch}")
            if plan is not None:
                towns[f"here-{branch}"] = plan
        data = (top / PLAN_FILE).read_bytes()
        plan = plan_of(data)
        for task in plan.tasks.values():
            self.tasks.update(dict.fromkeys(filter(_KEY.fullmatch, task.fields), task.id))
        head = self.team.ask(top, "show", f"HEAD:{PLAN_FILE}")
        branch = self.team.branch(top)
        base = keys_of(in_base(top, f"here-{branch}") or Plan())
        return Seen(branch, keys_of(plan), keys_of(plan_of(head.encode())), base, towns)

    def check(self, move: Move, before: Seen, after: Seen) -> None:
        """Check that a move took nothing away but what its user took away."""
        self._excuse_what_was_taken(move, before, after)
        if before.branch == after.branch:
            gone = before.file - after.file
            if move is stash:  # what was not committed is in there
                gone &= before.head
            assert not self.promised(gone), f"gone from the file: {self.promised(gone)}"
        for town, plan in before.towns.items():
            now = after.towns.get(town, Plan())
            lost = self.promised(keys_of(plan) - keys_of(now))
            assert not lost, f"gone from {town}: {lost}"
            reopened = finished_of(plan) - finished_of(now)
            assert not reopened, f"reopened in {town}: {reopened}"

    def promised(self, keys: frozenset[str]) -> set[str]:
        """Return those of `keys` that must not be lost."""
        return {key for key in keys if not self._is_excused(key)}

    def _is_excused(self, key: str) -> bool:
        """Say whether the key, or its whole task, was thrown away or decided on."""
        task = self.tasks.get(key, "")
        made = f"k{task[1:]}" if task.startswith("n") else key
        return not self.excused.isdisjoint((key, made)) or not self.team.decided.isdisjoint(
            (key, task)
        )

    def _excuse_what_was_taken(self, move: Move, before: Seen, after: Seen) -> None:
        if move in TAKING:
            self.excused |= before.file - after.file
        elif move is decide:
            town = f"here-{before.branch}"
            self.excused |= before.file - after.file
            self.excused |= before.redis(town) - after.redis(town)
        if move in PUTTING_AWAY:
            # What was synced and is in no commit counts as taken back by its user, in the stash or
            # on another branch as well: others hear of that.
            known = before.base | after.base | before.redis(f"here-{before.branch}")
            self.excused |= ((before.file | after.base) - before.head - after.file) & known

    def redis_is_lost(self) -> None:
        """Forget what nobody but Redis knew of, just before it is flushed."""
        for town, tasks in self.finished.items():
            bases = [in_base(top, town) or Plan() for top in self.team.worktrees]
            tasks.intersection_update(set().union(*map(finished_of, bases)))

    def agent_finished(self, town: str, task: str) -> None:
        """Note what an agent reported."""
        self.finished.setdefault(town, set()).add(task)
