"""Merging three files for Git; the outcome takes the place of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from tt.core.merged import LineMerge, MergedFile
from tt.core.three import Three
from tt.errors import TTError

MergeLines: TypeAlias = Callable[[], LineMerge]
"""Returns the merge of the three files' lines. Raises TTError where there is none."""

MergeFiles: TypeAlias = Callable[[Three[bytes], int, MergeLines], MergedFile]
"""Merges three versions of a plan, with conflict markers of a size."""


def merge(
    files: Three[str], size: int, merge_files: MergeFiles, merge_lines: MergeLines
) -> MergedFile:
    """Merge three files, with conflict markers of `size`, and write the outcome into ours.

    Raises TTError where one cannot be read or ours cannot be written.
    """
    data = files.map(_read)
    merged = merge_files(data, size, merge_lines)
    if merged.data != data.ours:
        _write(files.ours, merged.data)
    return merged


def merge_by_lines(ours: str, merge_lines: MergeLines) -> None:
    """Write into ours what Git itself would make of the three, for when all else has failed."""
    _write(ours, merge_lines().data)


# By `open`: importing pathlib would take as long as merging a small plan.


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read()
    except OSError as error:
        raise TTError(f"{path} cannot be read: {error.strerror}.") from error


def _write(path: str, data: bytes) -> None:
    try:
        with open(path, "wb") as file:  # noqa: PTH123
            file.write(data)
    except OSError as error:
        raise TTError(f"{path} cannot be written: {error.strerror}.") from error
