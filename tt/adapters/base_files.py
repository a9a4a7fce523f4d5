"""The base in files, for use without Git: `.tt/base/<town>/<number>.json`, the highest is newest.

A file has three lines: the base without its tasks, the record of the sync, the tasks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from tt.adapters.base_codec import (
    DamagedError,
    NewerFormatError,
    decode_header,
    decode_tasks,
    encode_header,
    encode_tasks,
)
from tt.adapters.base_names import escape
from tt.adapters.base_records import decode_record, encode_record
from tt.adapters.bulk import undisturbed
from tt.adapters.private import create, make_private_directory
from tt.core.base import Base
from tt.core.model import Task
from tt.core.report import SyncRecord
from tt.errors import BaseMovedError, TTError
from tt.record import replace

MOST_VERSIONS: Final = 51
"""The newest 50 syncs can be listed and undone; the oldest of them needs what was before it."""

MOST_BYTES: Final = 64 << 20
"""Of large plans, only as many versions are kept as fit in here; two at least."""

_LEAST_VERSIONS: Final = 2
_VERSION: Final = re.compile(r"([1-9][0-9]*)\.json")


class FileBaseStore:
    """The base of one town beside the plan file; a `BaseStore` of the ports."""

    def __init__(
        self, directory: Path, town: str, most: int = MOST_VERSIONS, room: int = MOST_BYTES
    ) -> None:
        """Keep the base under `directory`: at most `most` versions, in `room` bytes."""
        self._directory = directory / escape(town)
        self._town = town
        self._most, self._room = most, room

    def newest(self) -> str | None:
        """Return the version of the newest base; None without one."""
        with self._reading():
            numbers = self._numbers()
            return self._version(numbers[-1]) if numbers else None

    def load(self) -> Base | None:
        """Read the newest base; None where nothing was ever synced here."""
        with self._reading():
            numbers = self._numbers()
            return self._read(numbers[-1]) if numbers else None

    def save(self, previous: Base | None, base: Base, record: SyncRecord) -> Base:
        """Make `base` the newest, as the port says; after any error the old one still is."""
        with self._reading():
            newest = (self._numbers() or [0])[-1]
            version = self._version(newest) if newest else None
        if version != (previous.version if previous is not None else None):
            raise self._moved()
        if not self._write(newest + 1, base, record):
            raise self._moved()
        self._prune()
        with self._reading():
            return replace(base, version=self._version(newest + 1))

    def history(self, limit: int = 50) -> list[SyncRecord]:
        """List the syncs that changed something, newest first."""
        with self._reading():
            numbers = self._numbers()
            known = [number for number in numbers if number == 1 or number - 1 in numbers]
            return [self._record(number) for number in reversed(known[-limit:] if limit else [])]

    def version(self, name: str) -> tuple[Base, Base] | None:
        """Return the base before and after the named sync; None where history does not have it."""
        with self._reading():
            numbers = {str(number): number for number in self._numbers()}
            number = numbers.get(name)
            if number is None or not (number == 1 or str(number - 1) in numbers):
                return None
            return (self._read(number - 1) if number > 1 else Base()), self._read(number)

    def _version(self, number: int) -> str:
        """Return what tells a version from one of the same number in a directory made anew."""
        return f"{number}.{self._path(number).stat().st_mtime_ns}"

    def _path(self, number: int) -> Path:
        return self._directory / f"{number}.json"

    def _numbers(self) -> list[int]:
        """List the versions that are there, oldest first."""
        try:
            names = [path.name for path in self._directory.iterdir()]
        except FileNotFoundError:
            return []
        return sorted(int(match[1]) for match in map(_VERSION.fullmatch, names) if match)

    def _read(self, number: int) -> Base:
        lines = self._path(number).read_bytes().split(b"\n")
        if len(lines) != 4:
            raise DamagedError(f"{self._path(number)} is not whole")
        header = decode_header(lines[0])
        tasks: dict[str, Task] = {}
        with undisturbed():
            decode_tasks(lines[2], tasks)
        if len(tasks) != header.total:
            raise DamagedError(f"{self._path(number)} has {len(tasks)} of {header.total} tasks")
        return replace(header.base, tasks=tasks, version=self._version(number))

    def _record(self, number: int) -> SyncRecord:
        with self._path(number).open("rb") as file:
            file.readline()
            return decode_record(file.readline(), str(number))

    def _write(self, number: int, base: Base, record: SyncRecord) -> bool:
        lines = (encode_header(base, 1), encode_record(record), encode_tasks(base.tasks.values()))
        try:
            make_private_directory(self._directory)
            return create(self._path(number), (line + b"\n" for line in lines))
        except OSError as error:
            raise TTError(
                f"The base of the town {self._town} cannot be written to {self._directory}: "
                f"{error.strerror}.",
                "See that the disk has room and the directory can be written, and run this "
                "again: the sync will then be completed.",
            ) from error

    def _prune(self) -> None:
        """Remove what is too old or too much. What cannot be removed stays until the next time."""
        used = 0
        for kept, number in enumerate(reversed(self._numbers())):
            with suppress(OSError):
                used += self._path(number).stat().st_size
                if kept >= self._most or (kept >= _LEAST_VERSIONS and used > self._room):
                    self._path(number).unlink()

    def _moved(self) -> BaseMovedError:
        return BaseMovedError(
            f"Another tt synced the town {self._town} here meanwhile.", "Run the command again."
        )

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Turn what reading finds into errors that name the base; never into "no base"."""
        where = f"The base of the town {self._town} in {self._directory}"
        try:
            yield
        except NewerFormatError as error:
            hint = "Update tt. Nothing was changed."
            raise TTError(f"{where} is of a newer tt: {error}.", hint) from error
        except (ValueError, OSError) as error:
            raise TTError(
                f"{where} cannot be read: {error}.",
                "Nothing was changed. Bring the file back from a backup, or put it aside: the "
                "version before it then counts as the newest.",
            ) from error
