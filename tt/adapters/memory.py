"""Twins of the small ports in memory: a plan file, a clock, an identity; for tests and rehearsals.

The town and the base have theirs in `memory_store` and `memory_base`.
"""

from __future__ import annotations

from collections.abc import Sequence

from tt.adapters.planfile import read_plan
from tt.core.diff import Change
from tt.core.model import Plan
from tt.errors import FileMovedError, PlanError
from tt.ports import Snapshot


class MemoryPlanFile:
    """A `PlanFile` over bytes: the same reading and editing as on disk, without the disk.

    `data` is what the file holds, None where there is none; whoever sets it is an editor. `writes`
    counts how often the file was replaced.
    """

    def __init__(self, data: bytes | None = None, name: str = "tasks.toml") -> None:
        """Start with `data` in the file."""
        self.name = name
        self.data = data
        self.writes = 0

    def exists(self) -> bool:
        """Say whether there is a file."""
        return self.data is not None

    def read(self) -> Snapshot | None:
        """Read and validate; None where there is no file. Raises PlanError."""
        return None if self.data is None else read_plan(self.data, self.name)

    def parse(self, data: bytes) -> Plan | None:
        """Read another version of the file; None where it is no valid plan."""
        try:
            return self.open(data).plan
        except PlanError:
            return None

    def open(self, data: bytes) -> Snapshot:
        """Read another version of the file to edit it. Raises PlanError where it is invalid."""
        return read_plan(data, self.name)

    def preview(self, before: Snapshot | None, changes: Sequence[Change]) -> bytes:
        """Return the bytes that `write` would write."""
        from tt.adapters.toml_edit import edit_plan  # only where something is edited

        known = before or Snapshot(b"", Plan())
        return edit_plan(known.data, known, changes, known.named)

    def write(self, before: Snapshot | None, changes: Sequence[Change]) -> Snapshot:
        """Make `changes`. Raises FileMovedError where the file is not `before` any more."""
        data = self.preview(before, changes)
        if data == (before.data if before else b""):
            return before or Snapshot(b"", Plan())
        if self.data != (before.data if before else None):
            raise FileMovedError(f"{self.name} was changed by somebody else in the meantime.")
        self.data = data
        self.writes += 1
        return read_plan(data, self.name)


class FixedClock:
    """A `Clock` that stands where it was set."""

    def __init__(self, now: int = 1_800_000_000_000_000_000) -> None:
        """Set it to `now`, in nanoseconds since 1970."""
        self.now = now

    def now_ns(self) -> int:
        """Return the time it was set to."""
        return self.now


class MemoryIdentity:
    """An `Identity` of the names it was given, the primary one first."""

    def __init__(self, *names: str) -> None:
        """Go by `names`; there must be one."""
        self._names = names

    def primary(self) -> str:
        """Return the first name."""
        return self._names[0]

    def every(self) -> tuple[str, ...]:
        """Return all names."""
        return self._names
