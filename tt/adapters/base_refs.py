"""Where bases are in Git: a ref of a worktree's own for each town that was synced there."""

from __future__ import annotations

from typing import Final

from tt.adapters.base_names import base_ref
from tt.adapters.gitrepo import GitRepository
from tt.errors import TTError

_NO_HOOKS: Final = ("-c", "core.hooksPath=/dev/null")  # our refs are no business of the user's


def has_base(repository: GitRepository, town: str) -> bool:
    """Say whether any worktree of a repository has ever synced a town."""
    ref = base_ref(town)
    try:
        linked = sorted((repository.state.common_dir / "worktrees").iterdir())
    except OSError:
        linked = []
    places = ["", "main-worktree/", *(f"worktrees/{entry.name}/" for entry in linked)]
    return any(repository.objects.read_all([f"{place}{ref}" for place in places]))


def forget_base(repository: GitRepository, town: str) -> None:
    """Remove a town's base, with its history, from this worktree; nothing where there is none."""
    gone = repository.git(*_NO_HOOKS, "update-ref", "-d", base_ref(town))
    if gone.code != 0:
        raise TTError(
            f"Git cannot remove the base of the town {town}: {gone.words}.",
            "It does no harm; `tt doctor` tells of what else is wrong.",
        )
