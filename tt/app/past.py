"""The versions of a plan in Git, read as they are asked for; what cannot be read is passed over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tt.core.lifeline import Commit, Version
from tt.core.model import Plan
from tt.ports import History
from tt.record import field, record

_FIRST_READ: Final = 16
_MOST_READ: Final = 512
"""Versions that are read at once: few at first, since most questions are about the last days."""
_NOTHING: Final = Plan()


@record(frozen=False)
class Past:
    """A plan's history. Its commits are to be taken in their order, newest first."""

    history: History
    commits: Sequence[Commit]
    _by_id: dict[str, Commit]
    _versions: dict[str, Version] = field(default_factory=dict)
    _read: int = 0
    _size: int = _FIRST_READ

    def version(self, commit: Commit) -> Version:
        """Return the plan as a commit has it."""
        while commit.id not in self._versions:
            part = self.commits[self._read : self._read + self._size]
            found = self.history.versions(part)
            self._versions |= {one.id: it for one, it in zip(part, found, strict=True)}
            self._read, self._size = self._read + len(part), min(self._size * 2, _MOST_READ)
        return self._versions[commit.id]

    def forget(self, commit: Commit) -> None:
        """Let go of a version; neither it nor what comes after it may be asked for again."""
        self._versions[commit.id] = Version(None)

    def plan(self, commit: Commit) -> Plan:
        """Return what a readable version holds; an empty plan where there was no file."""
        return self.version(commit).plan or _NOTHING

    def before(self, commit: Commit) -> list[Commit]:
        """Return the nearest commits before this one whose version can be read."""
        return self._readable(commit.parents)

    def last(self) -> list[Commit]:
        """Return the newest commit, or where it cannot be read the nearest before it."""
        return self._readable([commit.id for commit in self.commits[:1]])

    def plans(self, commits: Sequence[Commit]) -> list[Plan]:
        """Return what readable versions hold."""
        return [self.plan(commit) for commit in commits]

    def _readable(self, ids: Sequence[str]) -> list[Commit]:
        found: dict[str, Commit] = {}
        left, seen = list(ids), set[str]()
        while left:
            commit = self._by_id[left.pop(0)]
            if commit.id in seen:
                continue
            seen.add(commit.id)
            if self.version(commit).fault:
                left[:0] = commit.parents
            else:
                found[commit.id] = commit
        return list(found.values())

    def begins(self, commit: Commit) -> bool:
        """Say of a commit with nothing before it whether that is for want of older history."""
        left, seen = [commit], set[str]()
        while left:
            one = left.pop()
            if one.ends:
                return True
            left += [self._by_id[parent] for parent in one.parents if parent not in seen]
            seen.update(one.parents)
        return False


def past_of(history: History) -> Past:
    """Begin to read a history."""
    commits = history.commits()
    return Past(history, commits, {commit.id: commit for commit in commits})
