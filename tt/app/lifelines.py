"""What Git's history says of a plan: the life of its tasks, commit by commit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from tt.app.past import Past, past_of
from tt.core.document import did_you_mean
from tt.core.lifeline import Commit, Entry, Log, Renamed, Step, Version
from tt.core.model import META_ID, Plan
from tt.core.steps import deeds, steps
from tt.errors import TTError
from tt.ports import History
from tt.record import field, record

_SKEW: Final = 86_400
"""Seconds by which clocks may differ: a commit older than that ends a search by time."""
_NOTHING: Final = Plan()


@record
class Wanted:
    """Which part of a history: of one task, at most `limit` commits, committed between two times.

    Times are seconds since 1970.
    """

    task: str | None = None
    limit: int = 20
    since: int | None = None
    until: int | None = None

    def holds(self, commit: Commit) -> bool:
        """Say whether a commit is between the two times."""
        after = self.since is None or commit.committed >= self.since
        return after and (self.until is None or commit.committed <= self.until)

    def is_past(self, commit: Commit) -> bool:
        """Say whether no commit that comes after this one can be between the two times."""
        return self.since is not None and commit.committed < self.since - _SKEW


def tell(history: History, now: Version, wanted: Wanted, file: str) -> Log:
    """Tell what happened to a plan, or to one task of it, newest first.

    `now` is the worktree's version. A merge counts for what it has from none of its parents.
    Raises TTError for a task that was never there.
    """
    story = _Story(past_of(history), wanted)
    entries = list(story.fresh(now)) if wanted.until is None else []
    left = wanted.limit
    for entry in story.committed():
        left -= not entry.fault
        if left < 0:
            return Log(file, now.file, wanted.task, tuple(entries), more=True)
        entries.append(entry)
    if wanted.task not in (None, META_ID) and not story.met_task:
        raise unknown_task(str(wanted.task), story.met)
    return Log(file, now.file, wanted.task, tuple(entries))


def unknown_task(task: str, known: Iterable[str]) -> TTError:
    """Make the error for an id that neither the plan nor its history knows."""
    near = did_you_mean(task, sorted(known))
    hint = near[0].upper() + near[1:] if near else "`tt plan` lists the tasks."
    return TTError(f"There is no task `{task}`, and there never was.", hint)


@record(frozen=False)
class _Story:
    """A log in the making. `ids` are what the wanted task was called, `met` every id there was.

    `led_to` are the commits right before those that were told of: one of them that cannot be read
    may have made a part of what they are said to have done.
    """

    past: Past
    wanted: Wanted
    ids: set[str] = field(default_factory=set)
    met: set[str] = field(default_factory=set)
    led_to: set[str] = field(default_factory=set)

    @property
    def met_task(self) -> bool:
        """Whether the wanted task was ever there, as far as this was told."""
        return self.wanted.task in self.met

    def fresh(self, now: Version) -> Iterator[Entry]:
        """Tell what differs between the last commit and the worktree, or that nobody can."""
        if now.fault:
            yield Entry(None, fault=now.fault, file=now.file)
            return
        plan = now.plan or _NOTHING
        found = self._picked(steps(self.past.plans(self.past.last()), plan), plan)
        if found:
            self.led_to.update(commit.id for commit in self.past.commits[:1])
            yield Entry(None, tuple(deeds(found)), file=now.file)

    def committed(self) -> Iterator[Entry]:
        """Tell of the commits that did something to what is wanted."""
        for commit in self.past.commits:
            if self.wanted.is_past(commit) and (self.wanted.task is None or self.met_task):
                return
            entry = self._entry(commit)
            self.past.forget(commit)
            if entry is not None:
                self.led_to.update(commit.parents)
                if self.wanted.holds(commit):
                    yield entry

    def _entry(self, commit: Commit) -> Entry | None:
        """Tell of one commit; None where it did nothing to what is wanted."""
        past, version = self.past, self.past.version(commit)
        if version.fault:
            told = self.wanted.task is None or commit.id in self.led_to
            return Entry(commit, fault=version.fault, file=version.file) if told else None
        plan, parents = past.plan(commit), past.before(commit)
        if not parents and past.begins(commit):
            self._picked((), plan)
            there = len(plan.tasks if self.wanted.task is None else self.ids & plan.tasks.keys())
            return Entry(commit, there=there, file=version.file) if there else None
        found = self._picked(steps(past.plans(parents), plan), plan)
        return Entry(commit, tuple(deeds(found)), file=version.file) if found else None

    def _picked(self, found: Iterable[Step], plan: Plan) -> list[Step]:
        """Keep what is about the wanted task, and learn by which name it went before."""
        if self.wanted.task is None:
            return list(found)
        self.ids.add(self.wanted.task)
        self.met.update(plan.tasks)
        picked: list[Step] = []
        for step in found:
            was = step.was if isinstance(step, Renamed) else step.id
            self.met.update((step.id, was))
            if not self.ids.isdisjoint((step.id, was)):
                picked.append(step)
                self.ids.add(was)
        return picked
