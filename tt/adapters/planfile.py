"""`tasks.toml` on disk: read whole, edited in place, replaced atomically."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tt.adapters.planfile_disk import read_bytes
from tt.adapters.toml_read import parsed, text_of
from tt.core.diff import Change
from tt.core.document import Reading, read_document
from tt.core.model import Plan
from tt.errors import PlanError
from tt.ports import Snapshot

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

_NOTHING = Snapshot(b"", Plan())


def read_plan(data: bytes, name: str) -> Snapshot:
    """Read the plan in a file's bytes; messages call the file `name`.

    Raises PlanError with every fault there is, NotAPlanError where it is some other document.
    """
    reading = _reading(data, name)
    if reading.problems:
        from tt.adapters.toml_faults import located, plan_error

        raise plan_error(name, located(text_of(data), reading))
    return Snapshot(data, reading.plan, reading.named)


def read_leniently(data: bytes, name: str) -> Reading:
    """Read a plan that may have problems, which the result lists; for merging what is there.

    Raises PlanError only where it is no TOML, NotAPlanError where it is some other document.
    """
    return _reading(data, name)


def _reading(data: bytes, name: str) -> Reading:
    document = _document(data, name)
    try:
        reading = read_document(document)
    except RecursionError as error:
        from tt.adapters.toml_faults import not_toml

        raise not_toml(name, "", error) from None
    if not reading.is_plan:
        from tt.adapters.toml_faults import not_a_plan

        raise not_a_plan(name, document)
    return reading


def _document(data: bytes, name: str) -> dict[str, Any]:
    """Parse bytes; their text is let go before the plan is made, which keeps memory down."""
    try:
        return parsed(text_of(data))
    except UnicodeDecodeError as error:
        from tt.adapters.toml_faults import not_utf8

        raise not_utf8(name, data, error) from None
    except (ValueError, RecursionError) as error:
        from tt.adapters.toml_faults import not_toml

        raise not_toml(name, text_of(data), error) from None


class TomlPlanFile:
    """One plan file; the `PlanFile` port over a path. A symlink is followed, and stays one."""

    def __init__(
        self, path: Path, name: str, read: Callable[[bytes, str], Snapshot] | None = None
    ) -> None:
        """Messages call the file at `path` by `name`; `read` is one that remembers."""
        self._path = path
        self._name = name
        self._read = read or self._read_once
        self._last = _NOTHING
        """The version that was read last: what is staged is often the very same."""

    @property
    def name(self) -> str:
        """How messages call the file."""
        return self._name

    def exists(self) -> bool:
        """Say whether there is something by this name; a link that leads nowhere counts."""
        return os.path.lexists(self._path)

    def read(self) -> Snapshot | None:
        """Read and validate; None where there is no file.

        Raises PlanError where it is invalid, TTError where it cannot be read.
        """
        data = read_bytes(self._path, self._name)
        return None if data is None else self.open(data)

    def parse(self, data: bytes) -> Plan | None:
        """Read another version of the file, such as HEAD's; None where it is no valid plan."""
        try:
            return self.open(data).plan
        except PlanError:
            return None

    def open(self, data: bytes) -> Snapshot:
        """Read another version of the file to edit it. Raises PlanError where it is invalid."""
        return self._read(data, self._name)

    def _read_once(self, data: bytes, name: str) -> Snapshot:
        if not data or data != self._last.data:
            self._last = read_plan(data, name)
        return self._last

    def preview(self, before: Snapshot | None, changes: Sequence[Change]) -> bytes:
        """Return the bytes that `write` would write."""
        if not changes and (before is None or not before.named):
            return b"" if before is None else before.data
        from tt.adapters.toml_edit import edit_plan  # only where something is edited

        known = before or _NOTHING
        return edit_plan(known.data, known, changes)

    def write(self, before: Snapshot | None, changes: Sequence[Change]) -> Snapshot:
        """Make `changes`, and write down the ids that `before` has made, touching no other byte.

        Atomic, and durable when it returns. Raises FileMovedError where the file is not what
        `before` says any more, TTError where it cannot be written; either way the file is as it
        was. Where nothing changes nothing is written.
        """
        known = before or _NOTHING
        data = self.preview(before, changes)
        if data == known.data:
            return known
        from tt.adapters.planfile_write import replace_bytes

        replace_bytes(self._path, self._name, None if before is None else before.data, data)
        from tt.adapters.toml_wish import wish_for

        return Snapshot(data, wish_for(known, changes, {}).after)
