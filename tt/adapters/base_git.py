"""The base in Git: a commit for each sync that changed something, on a ref of this worktree.

`refs/worktree/tt/<town>` belongs to one linked worktree alone and goes with it. A commit's tree is
`meta.json` (all of the base but the tasks), `record.json` (what the sync changed), `tasks/<number>`
(see `base_codec`) and `recent`: the tasks that changed since their shards were written, so that a
small sync writes one small file of them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from tt.adapters.base_codec import (
    DamagedError,
    NewerFormatError,
    decode_header,
    decode_tasks,
)
from tt.adapters.base_git_objects import Layout, SyncCommit, read_commit, tree_entries
from tt.adapters.base_git_write import Sync, cut_history, write_sync
from tt.adapters.base_names import base_ref
from tt.adapters.base_records import decode_record
from tt.adapters.bulk import undisturbed
from tt.adapters.gitbatch import GitObject
from tt.adapters.gitproc import GitMissingError
from tt.adapters.gitrepo import GitRepository
from tt.core.base import Base
from tt.core.model import Task
from tt.core.report import SyncRecord
from tt.errors import BaseMovedError, TTError
from tt.record import replace

LONGEST_HISTORY: Final = 400
KEPT_HISTORY: Final = 200
"""At LONGEST_HISTORY commits, the newest KEPT_HISTORY are kept."""

_STALE: Final = 1.0
"""Seconds for which a lock of ours stands untouched before it is one that was left behind."""

_SHORTEST_NAME: Final = 4
_NAME_LENGTH: Final = 8
_HEX: Final = frozenset("0123456789abcdef")


class GitBaseMemory:
    """What a process keeps of the bases of one town from one store of them to the next."""

    def __init__(self) -> None:
        """Begin with nothing remembered."""
        self.layouts: dict[str, Layout] = {}
        """Of the versions that were read or written."""
        self.listed: tuple[str, list[SyncRecord]] = ("", [])
        """The newest version when the history was listed last, and what was listed."""
        self.asked = 0
        """How much of the history somebody wanted last."""


class GitBaseStore:
    """The base of one town in one worktree; a `BaseStore` of the ports."""

    def __init__(
        self,
        repository: GitRepository,
        town: str,
        longest: int = LONGEST_HISTORY,
        kept: int = KEPT_HISTORY,
        memory: GitBaseMemory | None = None,
    ) -> None:
        """Keep the base in `repository`; its history is cut to `kept` syncs at `longest`.

        `memory` is what an earlier one of the same town and worktree has left.
        """
        self._repository = repository
        self._objects = repository.objects
        self._town = town
        self._ref = base_ref(town)
        self._longest, self._kept = longest, kept
        self._memory = memory or GitBaseMemory()
        self._layouts = self._memory.layouts
        self._goes_on = memory is not None

    def newest(self) -> str | None:
        """Return the version of the newest base; None without one."""
        with self._reading():
            tip = self._tip()
        return None if tip is None else tip.oid

    def load(self) -> Base | None:
        """Read the newest base; None where nothing was ever synced here."""
        with self._reading():
            tip = self._tip()
            self._layouts.clear()
            return None if tip is None else self._read(tip)

    def save(self, previous: Base | None, base: Base, record: SyncRecord) -> Base:
        """Make `base` the newest, as the port says; after any error the old one still is."""
        expected = previous.version if previous is not None else None
        self._check_newest(expected)
        sync = Sync(previous, base, record)
        written = write_sync(self._repository, self._ref, sync, self._layout(expected))
        if written.oid is None and self._takes_stale_lock():
            written = write_sync(self._repository, self._ref, sync, self._layout(expected))
        if written.oid is None:
            self._check_newest(expected)
            raise self._unwritable(written.why)
        oid = written.oid
        self._layouts.clear()
        self._layouts[oid] = written.layout
        if written.layout.depth >= self._longest:
            oid = self._cut(oid) or oid
        if self._goes_on and self._memory.asked:
            self._list_ahead()
        return replace(base, version=oid)

    def history(self, limit: int = 50) -> list[SyncRecord]:
        """List the syncs that changed something, newest first."""
        with self._reading():
            tip = self._tip()
            if tip is None:
                return []
            wanted = min(limit, tip.depth)
            self._memory.asked = limit
            newest, known = self._memory.listed
            if newest != tip.oid or len(known) < wanted:
                names = self._names(wanted, "--abbrev-commit", f"--abbrev={_NAME_LENGTH}")
                known = self._records(names)
                self._memory.listed = (tip.oid, known)
            return known[:wanted]

    def _list_ahead(self) -> None:
        """List the history as it was listed before, so that the next sync does not wait for it."""
        with suppress(TTError):  # whoever wants it next will hear why it cannot be read
            self.history(self._memory.asked)

    def version(self, name: str) -> tuple[Base, Base] | None:
        """Return the base before and after the named sync; None where history does not have it."""
        if len(name) < _SHORTEST_NAME or not _HEX.issuperset(name):
            return None
        with self._reading():
            tip = self._tip()
            found = tip and self._objects.read(f"{name}^{{commit}}")
            if not (tip and found and self._repository.is_ancestor(found.oid, tip.oid)):
                return None
            after = read_commit(found)
            if after.depth == 0:
                return None
            before = self._read(self._commit(after.parent)) if after.parent else Base()
            return before, self._read(after)

    def _tip(self) -> SyncCommit | None:
        found = self._objects.read(self._ref)
        if found is not None:
            return read_commit(found)
        self._check_absent()
        return None

    def _check_absent(self) -> None:
        """Make sure that a ref which leads nowhere is not taken for one that was never made."""
        file = self._repository.state.git_dir / self._ref
        known = self._repository.git("rev-parse", "--verify", "--quiet", self._ref).code == 0
        if known or os.path.lexists(file):
            raise DamagedError("the ref names no commit that Git has")

    def _takes_stale_lock(self) -> bool:
        """Remove the lock that a killed Git left on our ref, and say whether there was one.

        Only `tt` writes this ref, under the worktree's lock, and for milliseconds; what another
        left running may still hold its lock for a moment, and is waited for.
        """
        lock = self._repository.state.git_dir / f"{self._ref}.lock"
        before, deadline = _stamp(lock), time.monotonic() + _STALE
        if before is None:
            return False
        while time.monotonic() < deadline:
            time.sleep(0.05)
            if _stamp(lock) != before:
                return True
        with suppress(OSError):
            lock.unlink()
        return True

    def _check_newest(self, expected: str | None) -> None:
        with self._reading():
            tip = self._tip()
        if (tip and tip.oid) != expected:
            raise BaseMovedError(
                f"Another tt synced the town {self._town} in this worktree meanwhile.",
                "Run the command again.",
            )

    def _commit(self, oid: str) -> SyncCommit:
        found = self._objects.read(oid)
        if found is None:
            raise DamagedError(f"commit {oid} is missing")
        return read_commit(found)

    def _layout(self, version: str | None) -> Layout:
        if version is None:
            return Layout()
        if version not in self._layouts:
            with self._reading():
                self._read(self._commit(version))
        return self._layouts[version]

    def _read(self, commit: SyncCommit) -> Base:
        names = [f"{commit.oid}:{name}" for name in ("meta.json", "recent", "tasks")]
        meta, recent, tree = self._objects.read_all(names)
        if meta is None:
            raise DamagedError(f"meta.json of commit {commit.oid} is missing")
        header = decode_header(meta.data)
        tasks: dict[str, Task] = {}
        with undisturbed():
            newer = self._read_tasks(tree, recent, tasks) | header.gone
        for name in header.gone:
            tasks.pop(name, None)
        if len(tasks) != header.total:
            raise DamagedError(f"commit {commit.oid} has {len(tasks)} of {header.total} tasks")
        self._layouts[commit.oid] = Layout(commit.depth, header.shards, newer)
        return replace(header.base, tasks=tasks, version=commit.oid)

    def _read_tasks(
        self, tree: GitObject | None, recent: GitObject | None, into: dict[str, Task]
    ) -> frozenset[str]:
        """Read the shards, and over them `recent`; return the ids in it."""
        for shard in self._objects.read_all(tree_entries(tree) if tree else []):
            if shard is None:
                raise DamagedError("some of its tasks are missing")
            decode_tasks(shard.data, into)
        newer: dict[str, Task] = {}
        if recent is not None:
            decode_tasks(recent.data, newer)
            into.update(newer)
        return frozenset(newer)

    def _names(self, count: int, *options: str) -> list[str]:
        """List the newest `count` commits, newest first."""
        answer = self._repository.git("rev-list", *options, f"--max-count={count}", self._ref, "--")
        if answer.code != 0:
            raise DamagedError(answer.words)
        return answer.out.decode("ascii").split()

    def _records(self, names: list[str]) -> list[SyncRecord]:
        known = {record.name: record for record in self._memory.listed[1]}
        new = [name for name in names if name not in known]
        blobs = self._objects.read_all([f"{name}:record.json" for name in new])
        for name, blob in zip(new, blobs, strict=True):
            if blob is None:
                raise DamagedError(f"record.json of commit {name} is missing")
            known[name] = decode_record(blob.data, name)
        return [known[name] for name in names]

    def _cut(self, tip: str) -> str | None:
        """Drop all but the newest syncs; None where that had to be left for the next time."""
        with self._reading():
            commits = [self._commit(oid) for oid in reversed(self._names(self._kept))]
            return cut_history(self._repository, self._ref, commits, tip)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Turn what reading finds into errors that name the base; never into "no base"."""
        where = f"{self._ref} in {self._repository.state.git_dir}"
        try:
            yield
        except GitMissingError:
            raise
        except NewerFormatError as error:
            raise TTError(
                f"The base of the town {self._town} ({where}) is of a newer tt: {error}.",
                "Update tt. Nothing was changed.",
            ) from error
        except (ValueError, KeyError, TTError) as error:
            raise TTError(
                f"The base of the town {self._town} ({where}) "
                f"cannot be read: {str(error).rstrip('.')}.",
                "Nothing was changed. `git fsck` says which objects are damaged; bring them back "
                "from a backup of that directory and run this again.",
            ) from error

    def _unwritable(self, why: str) -> TTError:
        return TTError(
            f"The base of the town {self._town} cannot be written to "
            f"{self._repository.state.git_dir}: {why}.",
            "See that the disk has room and the directory can be written, and run this again: "
            "the sync will then be completed.",
        )


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns
