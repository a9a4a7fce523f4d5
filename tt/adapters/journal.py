"""The note of a sync that began to write, kept in a file until the base knows of it.

A line for each: the format, the version of the base it began from, and its changes in the stored
form of `base_records`, with tabs between. Lines of another version are of a sync that got to its
end; what is no whole line is of one that was killed before it wrote anything else.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from tt.adapters.base_records import decode_record, encode_record
from tt.adapters.private import make_private_directory
from tt.core.begun import Begun
from tt.core.report import SyncRecord

_FORMAT: Final = b"1"
_PARTS: Final = 3
_MODE: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT


class FileJournal:
    """A `Journal` of the ports, in one file of one town in one worktree."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def begin(self, version: str, begun: Begun) -> None:
        """Note a sync that goes on from this version of the base; some 500 changes of it.

        Best effort: where it cannot be kept, a kill at the wrong moment may mean a conflict.
        """
        record = encode_record(SyncRecord("", "", "", begun.to_store, begun.to_file))
        line = b"\t".join([_FORMAT, version.encode(), record])
        with suppress(OSError):
            make_private_directory(self._path.parent)
            descriptor = os.open(self._path, _MODE, 0o600)
            try:
                os.write(descriptor, b"\n%s\n" % line)  # what was cut off before ends here
            finally:
                os.close(descriptor)

    def begun(self, version: str) -> Sequence[Begun]:
        """List what was noted since this version of the base, oldest first."""
        try:
            data = self._path.read_bytes()
        except OSError:
            return ()
        found = (_decode(version, line) for line in data.split(b"\n"))
        return [one for one in found if one is not None]

    def end(self) -> None:
        """Forget it all: the base knows."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def _decode(version: str, line: bytes) -> Begun | None:
    """Read a line that is of this version, and whole."""
    parts = line.split(b"\t")
    if len(parts) != _PARTS or parts[:2] != [_FORMAT, version.encode()]:
        return None
    try:
        record = decode_record(parts[2], "")
    except ValueError:
        return None
    return Begun(record.to_store, record.to_file)
