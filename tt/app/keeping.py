"""A whole town kept in a file and put back, and a town made empty."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from tt.app.recovery import release
from tt.core.saved import BadSaveError, SavedKey, read_saved, write_saved
from tt.core.times import rfc3339
from tt.core.worked import Cleared, Restored, Saved
from tt.errors import TTError
from tt.ports import Clock
from tt.record import record
from tt.workports import Workshop

_SUFFIX: Final = ".json"


@record
class Shelf:
    """Where saves of a town are kept. `write` writes a whole file, for this user alone, or raises
    OSError; `clock` names them."""

    folder: Path
    write: Callable[[Path, bytes], None]
    clock: Clock

    def fresh(self, town: str) -> Path:
        """Return a name that says which town and when."""
        stamp = re.sub(r"[-:]", "", rfc3339(self.clock.now_ns())[:23]).replace(".", "-")
        return self.folder / f"{_plain(town)}-{stamp}Z{_SUFFIX}"

    def newest(self, town: str) -> Path | None:
        """Return the last save of a town; None where there is none."""
        name = re.compile(rf"{re.escape(_plain(town))}-\d{{8}}T\d{{6}}-\d{{3}}Z\{_SUFFIX}")
        try:
            found = [path for path in self.folder.iterdir() if name.fullmatch(path.name)]
        except OSError:
            return None
        return max(found, default=None)


def save(workshop: Workshop, shelf: Shelf, path: Path | None) -> Saved:
    """Write the whole town into a file. Raises TTError where there is nothing, or no place."""
    saved = list(workshop.dump())
    if not saved:
        raise TTError(f"The town {workshop.town} is empty: there is nothing to save.")
    return _write(workshop.town, shelf, path, saved)


def read(shelf: Shelf, town: str, path: Path | None) -> tuple[Path, str, list[SavedKey]]:
    """Read a save, by default the newest one; return its file, its town and what is in it."""
    found = path or shelf.newest(town)
    if found is None:
        raise TTError(
            f"There is no save of the town {town} in {shelf.folder}.",
            "`tt save` makes one; `tt restore FILE` takes any other.",
        )
    try:
        name, saved = read_saved(found.read_text(encoding="utf-8", errors="strict"))
    except OSError as error:
        hint = f"Saves of this town are in {shelf.folder}; `tt restore` takes the newest."
        raise TTError(f"{found} cannot be read: {error.strerror}.", hint) from error
    except (BadSaveError, UnicodeDecodeError) as error:
        raise TTError(f"{found} cannot be restored: {error}.", "It was not changed.") from error
    return found, name, saved


def restore(
    workshop: Workshop, shelf: Shelf, found: tuple[Path, str, list[SavedKey]], *, replace: bool
) -> Restored:
    """Put a save that was read into the town; with `replace` in the place of what is there, which
    is saved before."""
    path, town, saved = found
    before = backup(workshop, shelf) if replace else None
    return Restored(str(path), town, workshop.load(saved, replace=replace), before)


def backup(workshop: Workshop, shelf: Shelf) -> Saved | None:
    """Save what is in the town; None where there is nothing."""
    saved = list(workshop.dump())
    return _write(workshop.town, shelf, None, saved) if saved else None


def reset(workshop: Workshop, shelf: Shelf, *, agents_only: bool) -> Cleared:
    """Save the town, then take all of it away; with `agents_only` the agents, whose work is given
    back."""
    before, board = backup(workshop, shelf), workshop.board()
    counted = len(board.agents), len(board.jobs), len(board.backlog)
    if agents_only:
        given = [job for agent in board.agents.values() for job in release(workshop, agent)]
        removed = workshop.dismiss(board.agents)
        return Cleared(before, removed, 0, 0, len(given))
    workshop.load((), replace=True)
    return Cleared(before, *counted)


def _write(town: str, shelf: Shelf, path: Path | None, saved: Sequence[SavedKey]) -> Saved:
    target = path or shelf.fresh(town)
    try:
        if path is None:
            shelf.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        shelf.write(target, write_saved(town, saved).encode())
    except OSError as error:
        raise TTError(f"{target} cannot be written: {error.strerror}.") from error
    return Saved(str(target), town, len(saved))


def _plain(town: str) -> str:
    """Return a town's name as a part of a file's name."""
    return re.sub(r"[^\w.-]", "_", town, flags=re.ASCII)[:100] or "town"
