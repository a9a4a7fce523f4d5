"""By what a project is known already: an `Identity` of the ports that makes nothing."""

from __future__ import annotations

from pathlib import Path

from tt.adapters.gitrepo import GitRepository
from tt.adapters.identity import private_id


class KnownIdentity:
    """The names that a project has; one that was never given an id has none, and gets none here."""

    def __init__(self, configured: str, repository: GitRepository | None, private: Path) -> None:
        """Take the configured id and where a random one would be; see `ProjectIdentity`."""
        self._configured = configured
        self._repository = repository
        self._private = private

    def primary(self) -> str:
        """Return the configured id, else the random one, else nothing."""
        return next(iter(self.every()), "")

    def every(self) -> tuple[str, ...]:
        """Return all of them; walks the history. Raises TTError where the random id is damaged."""
        roots = self._repository.roots() if self._repository else ()
        made = (private_id(self._private),) if (self._private / "repo").exists() else ()
        found = (self._configured, *roots, *made)
        return tuple(dict.fromkeys(name for name in found if name))
