"""What must hold whatever a team does: no edit is lost, nothing that is finished is reopened."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from tests.matrix.world import in_base, in_redis
from tests.support import moves
from tests.support.moves import PUTTING_AWAY, REOPENED, TAKING, Move
from tests.support.turmoil import BRANCHES, PLAN_FILE, Team
from tt.adapters.planfile import read_plan
from tt.core.merge import goes_back
from tt.core.model import FINISHED, Plan, progress

_KEY: Final = re.compile(r"k(\d+)")


class Seen(NamedTuple):
    """What there is at one moment: a worktree's branch, the plan in four places, and all towns."""

    branch: str
    commit: str
    head: Plan
    staged: Plan
    file: Plan
    base: Plan
    towns: Mapping[str, Plan]

    @property
    def town(self) -> Plan:
        """What the branch's town says; an empty plan where there is none."""
        return self.towns.get(f"here-{self.branch}", Plan())


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


def _is_of_status(conflict: Mapping[str, str]) -> bool:
    """Say whether a conflict keeps a status from the file: its own, or that of the whole task."""
    return not conflict["field"] or conflict["field"] == "status"


@dataclass
class Promises:
    """What was promised to whom.

    `excused` are keys that a user threw away, or decided against: they may be anywhere or nowhere.
    `finished` are the tasks that agents finished, by town, as far as they were not lost with
    Redis before anybody had heard of them. `tasks` are the keys' tasks. `by_hand` are the tasks
    that users finished in a file, by repository: what they leave unstaged is in no commit.
    """

    team: Team
    excused: set[str] = field(default_factory=set)
    finished: dict[str, set[str]] = field(default_factory=dict)
    tasks: dict[str, str] = field(default_factory=dict)
    by_hand: dict[Path, set[str]] = field(default_factory=dict)

    def see(self, top: Path) -> Seen:
        """Look at a worktree and at all towns."""
        towns = {}
        for branch in BRANCHES:
            plan = in_redis(self.team.server, f"here-{branch}")
            if plan is not None:
                towns[f"here-{branch}"] = plan
        ask, branch = self.team.ask, self.team.branch(top)
        seen = Seen(
            branch,
            ask(top, "rev-parse", "HEAD"),
            plan_of(ask(top, "show", f"HEAD:{PLAN_FILE}").encode()),
            plan_of(ask(top, "show", f":{PLAN_FILE}").encode()),
            plan_of((top / PLAN_FILE).read_bytes()),
            in_base(top, f"here-{branch}") or Plan(),
            towns,
        )
        for task in seen.file.tasks.values():
            self.tasks.update(dict.fromkeys(filter(_KEY.fullmatch, task.fields), task.id))
        return seen

    def check(self, move: Move, top: Path, before: Seen, after: Seen) -> None:
        """Check that a move took nothing away but what its user took away."""
        self._excuse_what_was_taken(move, before, after)
        if move is moves.finish:
            done = finished_of(after.file) - finished_of(before.file)
            self.by_hand.setdefault(self.team.stashes(top), set()).update(done)
        if before.branch == after.branch:
            gone = keys_of(before.file) - keys_of(after.file)
            if move is moves.stash:  # what was not committed is in there
                gone &= keys_of(before.head)
            assert not self.promised(gone), f"gone from the file: {self.promised(gone)}"
        for town, plan in before.towns.items():
            now = after.towns.get(town, Plan())
            lost = self.promised(keys_of(plan) - keys_of(now))
            assert not lost, f"gone from {town}: {lost}"
            assert not self._undone(plan, now), f"undone in {town}: {self._undone(plan, now)}"
        if after.commit != before.commit:
            self._check_commit(move, top, before, after)

    def _undone(self, before: Plan, after: Plan) -> list[tuple[str, str, str]]:
        """List the tasks that are less far, or came to another end, without being decided on."""
        both = ((one, after.tasks.get(one.id)) for one in before.tasks.values())
        return [
            (one.id, one.status, now.status)
            for one, now in both
            if now is not None and goes_back(one.status, now.status)
            if one.id != REOPENED and "status" not in self.team.decided
        ]

    def _check_commit(self, move: Move, top: Path, before: Seen, after: Seen) -> None:
        """Check what a commit has of the plan: what agents did, and else what its user gave it."""
        if move in (moves.commit_all, moves.commit_staged):
            assert after.head == after.staged == after.file
        if move in (moves.commit_plan_path, moves.commit_unverified):
            assert after.head == before.file
        if move is moves.commit_other_path:
            assert after.head == before.head
        if move in (moves.commit_all, moves.commit_staged, moves.commit_others) and before.towns:
            behind = self._behind(before.town, after.head)
            if move is moves.commit_others:
                behind -= self.by_hand.get(self.team.stashes(top), set())
            if behind and not self.team.down:
                behind -= {one["id"] for one in self.team.conflicts(top) if _is_of_status(one)}
                assert not behind, f"not in the commit: {behind}"
        if move in (moves.commit_others, moves.commit_pulled):
            staged = before.head if move is moves.commit_pulled else before.staged
            taken = keys_of(after.head) - keys_of(staged) - keys_of(before.head)
            own = taken & self.own(before)
            assert not own, f"in the commit, and not staged: {own}"

    def _behind(self, town: Plan, head: Plan) -> set[str]:
        """List the tasks that are less far in a commit than they are in Redis."""
        both = ((one, head.tasks.get(one.id)) for one in town.tasks.values())
        return {
            one.id
            for one, there in both
            if there is not None and progress(there.status) < progress(one.status)
            if one.id != REOPENED
        }

    def own(self, seen: Seen) -> frozenset[str]:
        """Return the keys that the worktree's user has and nobody else was told of."""
        return keys_of(seen.file) - keys_of(seen.base) - keys_of(seen.town)

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
        gone = keys_of(before.file) - keys_of(after.file)
        if move in TAKING or move in PUTTING_AWAY:
            self._forget_what_is_nowhere(before, after)
        if move in TAKING:
            # A file that lacks what was agreed on has it taken out, by whatever means: Redis
            # follows it in all but statuses. So this takes back what a pull has just brought, too.
            self.excused |= gone | (keys_of(after.base) - keys_of(after.file))
        elif move is moves.drop_task:
            self.excused |= gone
        elif move is moves.decide:
            self.excused |= gone
            self.excused |= keys_of(before.town) - keys_of(after.town)
        if move in PUTTING_AWAY:
            # What was synced and is in no commit counts as taken back by its user, in the stash or
            # on another branch as well: others hear of that.
            told = keys_of(after.base)
            known = keys_of(before.base) | told | keys_of(before.town)
            put_away = (keys_of(before.file) | told) - keys_of(before.head) - keys_of(after.file)
            self.excused |= put_away & known

    def _forget_what_is_nowhere(self, before: Seen, after: Seen) -> None:
        """Forget what was finished in a file alone, as Redis had lost it, and is not any more."""
        kept = finished_of(after.file) | finished_of(
            after.towns.get(f"here-{before.branch}", Plan())
        )
        done = self.finished.get(f"here-{before.branch}", set())
        done.difference_update(finished_of(before.file) - kept)

    def redis_is_lost(self) -> None:
        """Forget what no file has, just before Redis is flushed."""
        for town, tasks in self.finished.items():
            files = [
                finished_of(plan_of((top / PLAN_FILE).read_bytes()))
                for top in self.team.worktrees
                if self.team.town(top) == town
            ]
            tasks.intersection_update(set().union(*files))

    def agent_finished(self, town: str, task: str) -> None:
        """Note what an agent reported."""
        if task != REOPENED:
            self.finished.setdefault(town, set()).add(task)
