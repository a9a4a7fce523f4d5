"""Ending the conflicts of a merge that stand between markers in the plan file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tt.core.document import did_you_mean
from tt.core.marked import MarkedConflict, Resolution
from tt.core.markers import MergeSide
from tt.errors import TTError


class MarkedFile(Protocol):
    """A plan file that may have conflict markers in it."""

    @property
    def name(self) -> str:
        """How messages call the file."""
        ...

    def conflicts(self) -> tuple[MarkedConflict, ...]:
        """List what is between conflict markers; nothing where there are none, or no file."""
        ...

    def resolve(self, identifier: str, side: MergeSide) -> Resolution:
        """Take one side's lines for one task or table, and leave every other byte as it is."""
        ...


def resolve_marked(file: MarkedFile, identifier: str, side: MergeSide) -> Resolution:
    """Decide what is between the markers of one task, and say what is still open.

    Raises TTError where there are no markers, or none that are about this task alone.
    """
    found = file.conflicts()
    if not found:
        raise TTError(
            f"There are no conflict markers in {file.name}.",
            "Between the file and Redis, `tt resolve ID --file` or `--store` decides.",
        )
    about = [conflict for conflict in found if conflict.id == identifier]
    if not about:
        known = [conflict.id for conflict in found if conflict.id]
        hint = did_you_mean(identifier, known)
        raise TTError(
            f"No conflict markers in {file.name} are about `{identifier}`.",
            (hint and hint[0].upper() + hint[1:]) or "`tt conflicts` lists those that there are.",
        )
    others = {each.line for each in found if each.id != identifier}
    if all(each.line in others for each in about):
        raise _shared(file.name, about[0], found)
    return file.resolve(identifier, side)


def _shared(name: str, one: MarkedConflict, found: Sequence[MarkedConflict]) -> TTError:
    """Say that markers cannot be decided for one task, because others are between them as well."""
    others = sorted({each.id for each in found if each.line == one.line} - {one.id})
    told = " and ".join(f"`{identifier}`" for identifier in (one.id, *others))
    return TTError(
        f"The markers of lines {one.line} to {one.last} in {name} are about {told} together.",
        "Edit these lines: keep what is right of both sides, and delete the marker lines.",
    )
