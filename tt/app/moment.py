"""Whether Git is at a point where a sync is right: between operations, and at the end of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # a hook that has nothing to do should not wait for what it does not use
    from pathlib import Path

    from tt.core.worktree import RepoState
    from tt.ports import Operations

_COMMITS: Final = frozenset({"pre-commit", "post-commit"})
_ENDS: Final = {
    "merge": _COMMITS | {"post-merge"},
    "cherry-pick": _COMMITS,
    "revert": _COMMITS,
    "rebase": frozenset({"post-rewrite"}),
    "bisect": frozenset({"post-checkout"}),  # on a branch, that is where `bisect reset` leads
}


def is_settled(state: RepoState, operations: Operations, event: str, plan: Path) -> bool:
    """Say whether the hook `event` may sync the file `plan`; in the middle of an operation not.

    On a detached HEAD there is no town. The commit that concludes a merge, the last commit of a
    cherry-pick or revert, post-rewrite of a rebase and the checkout that leaves a bisection are
    ends, although Git's files of the operation are still there. An autostash of the plan comes back
    after all hooks: until then the file lacks edits that nobody took back.
    """
    if state.branch is None or operations.has_put_away(plan):
        return False
    operation = operations.operation_in_progress()
    if operation is None:
        return True
    return event in _ENDS.get(operation, ()) and operations.picks_left() <= 1
