"""What was at rest when a hook looked last, so that the next one need not look.

A look is a function of the plan's bytes, the base, what Redis answers, and a few settings. Where it
found that nothing is to be done, a digest of all that it saw is kept with the worktree: the same
digest is the same nothing. Two files and a thousand hashes are compared so in a tenth of the time
that it takes to understand them, and most commits find them as the last one left them. Whatever
departs, and whatever goes wrong here, means an ordinary look. Nothing is ever written for a memo
but the memo itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from marshal import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from tt import __version__
from tt.adapters.base_names import base_ref, escape
from tt.adapters.digest import digest_of
from tt.adapters.planfile_disk import read_bytes
from tt.adapters.private import noted, renew
from tt.adapters.redis.keys import TownKeys
from tt.adapters.redis.witness import look_over
from tt.errors import TTError

if TYPE_CHECKING:
    from tt.adapters.gitrepo import GitRepository
    from tt.adapters.redis.commands import Commands
    from tt.adapters.redis.witness import Witness

_FORMAT: Final = f"tt memo 1, {__version__}"
_LINES: Final = 4
_PLAIN: Final = 2  # the form of `marshal` that depends on values alone


class Place(NamedTuple):
    """What a memo is of. `settings` are the values, beside these, that a look depends on."""

    repository: GitRepository
    town: str
    path: Path
    """The plan's, below the worktree's top."""
    settings: Sequence[str]


class Memo:
    """The memo of one town in one worktree."""

    def __init__(self, place: Place) -> None:
        self._place = place
        folder = place.repository.private_dir(per_worktree=True) / "memos"
        self._file = folder / escape(place.town)

    def keep(self, plan: bytes, base: str, witness: Witness) -> None:
        """Remember that nothing is to be done for these bytes, this version of the base, and what
        `witness` heard last. Best effort: where it cannot be kept, the next hook looks."""
        seen = witness.digest
        if seen is None:
            return
        lines = [_FORMAT, self._inputs(plan, base), seen, " ".join(witness.agents)]
        with suppress(OSError):
            renew(self._file, "".join(f"{line}\n" for line in lines).encode())

    def holds(self, connection: Commands, *, staged: bool) -> bool:
        """Say whether all is as it was remembered.

        With `staged`, the index has to have what the worktree has, too. Raises StoreError where
        Redis does not answer: that would be no different with a look.
        """
        lines = noted(self._file).splitlines()
        if len(lines) != _LINES or not self._unchanged(lines, staged=staged):
            return False
        keys = TownKeys(self._place.town)
        return look_over(connection, keys, lines[3].split()) == lines[2]

    def _unchanged(self, lines: Sequence[str], *, staged: bool) -> bool:
        """Say whether plan and base, and with `staged` the index, are the remembered ones."""
        repository, _, path, _ = self._place
        try:
            plan = read_bytes(repository.state.top / path, str(path))
            base, index = self._base_and_index()
        except TTError:  # a look will find it again, and say it in its own way
            return False
        if plan is None or base is None or index is None or (staged and index != plan):
            return False
        return list(lines[:2]) == [_FORMAT, self._inputs(plan, base)]

    def _base_and_index(self) -> tuple[str | None, bytes | None]:
        """Read the base's version, and what is staged of the plan, with one question to Git.

        What is not merged is not staged: there a look has other things to say.
        """
        repository, town, path, _ = self._place
        names = [base_ref(town), f":0:{path.as_posix()}"]
        base, index = repository.objects.read_index(names, str(repository.index_file))
        version = base.oid if base is not None and base.kind == "commit" else None
        return version, index.data if index is not None else None

    def _inputs(self, plan: bytes, base: str) -> str:
        _, town, path, settings = self._place
        return digest_of(dumps([town, str(path), *settings, base, plan], _PLAIN))
