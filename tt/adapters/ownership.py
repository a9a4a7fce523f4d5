"""The names by which a project's towns know it: an `Identity` of the ports, with Git or without."""

from __future__ import annotations

from pathlib import Path

from tt.adapters.gitrepo import GitRepository
from tt.errors import TTError


class ProjectIdentity:
    """Who a project is: its configured id first, then what its repository is known by.

    Without Git the random id lives in `private`, a directory of ours.
    """

    def __init__(self, configured: str, repository: GitRepository | None, private: Path) -> None:
        self._configured = configured
        self._repository = repository
        self._private = private

    def primary(self) -> str:
        """Return the configured id, else a random one that is kept with the repository."""
        return self._configured or self._own()

    def every(self) -> tuple[str, ...]:
        """Return all of them, the primary one first; the first time it walks the history."""
        from tt.adapters.identity import identities

        if self._repository is None:
            return tuple(dict.fromkeys((self.primary(), self._own())))
        return tuple(dict.fromkeys((self.primary(), *identities(self._repository))))

    def _own(self) -> str:
        from tt.adapters.identity import identities, private_id

        try:
            if self._repository is None:
                return private_id(self._private)
            return private_id(self._repository.private_dir(per_worktree=False))
        except OSError as error:
            if self._repository is not None:
                return identities(self._repository)[0]
            raise TTError(
                f"The project's id cannot be kept in {self._private}: {error.strerror}.",
                "See that you may write there, or let `tt init` write it to tinytown.toml.",
            ) from error
