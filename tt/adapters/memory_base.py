"""The base in memory: the twin of the stores in Git and in files, for tests and dry runs."""

from __future__ import annotations

from tt.adapters.base_records import shortened
from tt.core.base import Base
from tt.core.report import SyncRecord
from tt.errors import BaseMovedError
from tt.record import replace


class MemoryBaseStore:
    """A `BaseStore` that forgets everything at the end of the process."""

    def __init__(self, base: Base | None = None) -> None:
        """Start empty, or from `base` as if a sync nobody remembers had left it."""
        self._first = replace(base, version="0") if base is not None else None
        self._versions: list[tuple[Base, SyncRecord]] = []

    def newest(self) -> str | None:
        """Return the version of the newest base."""
        newest = self.load()
        return None if newest is None else newest.version

    def load(self) -> Base | None:
        """Return the newest base; None where nothing was ever saved."""
        return self._versions[-1][0] if self._versions else self._first

    def save(self, previous: Base | None, base: Base, record: SyncRecord) -> Base:
        """Make `base` the newest; raises BaseMovedError where `previous` is no longer that."""
        newest = self.load()
        if (newest and newest.version) != (previous and previous.version):
            raise BaseMovedError("The base was saved by another meanwhile.", "Run it again.")
        name = str(len(self._versions) + 1)
        saved = replace(base, version=name)
        self._versions.append((saved, replace(shortened(record), name=name)))
        return saved

    def history(self, limit: int = 50) -> list[SyncRecord]:
        """List the saved records, newest first."""
        return [record for _, record in reversed(self._versions)][:limit]

    def version(self, name: str) -> tuple[Base, Base] | None:
        """Return the base before and after the named sync."""
        before = self._first or Base()
        for base, record in self._versions:
            if record.name == name:
                return before, base
            before = base
        return None
