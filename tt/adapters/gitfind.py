"""Finding the worktree around a directory with one `git rev-parse`, and the environment it needs.

A hook runs with GIT_DIR, GIT_INDEX_FILE and others set: they are right for the repository that is
being committed to and wrong for every other one, where GIT_DIR beats even `-C`. So the variables
of `git rev-parse --local-env-vars` are kept, made absolute, for the repository of the current
directory only.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn, TypeAlias

from tt.adapters.gitproc import Finished, GitMissingError, run
from tt.core.worktree import RepoState
from tt.errors import TTError

LOCAL_VARIABLES: Final = frozenset({
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_CONFIG", "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS", "GIT_DIR", "GIT_GRAFT_FILE", "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE", "GIT_INTERNAL_SUPER_PREFIX", "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_REPLACE_REF_BASE", "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
})  # fmt: skip
"""What `git rev-parse --local-env-vars` prints: a repository's own, not to be passed to another."""

_OURS: Final = {
    "GIT_OPTIONAL_LOCKS": "0",  # reading must never take index.lock from a commit
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",  # a partial clone's reads stay off the network
    "LC_ALL": "C",
}
_NEXT: Final = "--tt-next"  # rev-parse prints what it does not know: a mark between two paths
_QUESTIONS: Final = (
    "rev-parse", "--path-format=absolute", "--absolute-git-dir", _NEXT, "--git-common-dir", _NEXT,
    "--show-toplevel", _NEXT, "HEAD", _NEXT, "--symbolic-full-name", "HEAD",
)  # fmt: skip
_HEADS: Final = "refs/heads/"
_HASH_LENGTHS: Final = (40, 64)
_NOWHERE: Final = ("(or any of the parent directories)", "(or any parent up to mount point")
_NO_WORKTREE: Final = "must be run in a work tree"
_DISTRUST: Final = ("dubious ownership", "unsafe repository")


Found: TypeAlias = tuple[RepoState, dict[str, str]]
"""A worktree, and the environment for the Git processes that run in it."""


def first_environment(start: Path) -> dict[str, str] | None:
    """Return the environment in which Git, run in `start`, finds its worktree.

    None where a hook's variables are around and `start` is not the current directory: then it
    takes more than one question.
    """
    foreign = foreign_environment(os.environ)
    if os.environ.keys() <= foreign.keys():
        return foreign
    return dict(os.environ) | _OURS if start.samefile(Path.cwd()) else None


def find_state(start: Path, environment: dict[str, str] | None) -> Found | None:
    """Return the worktree around the directory `start`, given its `first_environment`.

    None where there is no repository, in a bare one and inside a `.git` directory.
    """
    if environment is not None:
        return _found(_ask(start, environment), environment, start)
    here = Path.cwd()
    current = find_state(here, first_environment(here))
    foreign = foreign_environment(os.environ)
    other = _found(_ask(start, foreign), foreign, start)
    if current is None or other is None:
        return other
    return current if current[0].git_dir == other[0].git_dir else other


def foreign_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for Git in another repository than the current directory's."""
    return {
        name: value
        for name, value in environment.items()
        if name not in LOCAL_VARIABLES
        and not name.startswith(("GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_"))
    } | _OURS


def _ask(start: Path, environment: Mapping[str, str]) -> Finished | None:
    try:
        return run(["-C", str(start), *_QUESTIONS], environment)
    except GitMissingError:
        if any(os.path.lexists(parent / ".git") for parent in (start, *start.parents)):
            raise
        return None


def _found(answer: Finished | None, environment: dict[str, str], start: Path) -> Found | None:
    if answer is None:
        return None
    parts = os.fsdecode(answer.out).split(f"\n{_NEXT}\n")
    if len(parts) < 4:
        _check_refusal(answer, start)
        return None
    git_dir, common_dir, top = map(Path, parts[:3])
    head = parts[3].strip()
    state_head = head if len(head) in _HASH_LENGTHS else None
    environment = _pinned(environment, git_dir, top)
    name = parts[4].strip() if len(parts) > 4 else ""
    if not name.startswith(_HEADS) and not (state_head and name == "HEAD"):
        name = _symbolic_head(top, environment)
    branch = name.removeprefix(_HEADS) if name.startswith(_HEADS) else None
    return RepoState(top, git_dir, common_dir, branch, state_head), environment


def _symbolic_head(top: Path, environment: Mapping[str, str]) -> str:
    """Ask for HEAD's branch where `rev-parse` could not tell: before the first commit."""
    answer = run(["-C", str(top), "symbolic-ref", "--quiet", "HEAD"], environment)
    return os.fsdecode(answer.out).strip()


def _pinned(environment: dict[str, str], git_dir: Path, top: Path) -> dict[str, str]:
    """Name the repository in the environment, so that Git need not search for it again."""
    pinned = environment | {"GIT_DIR": str(git_dir), "GIT_WORK_TREE": str(top)}
    for name in ("GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR"):
        if name in pinned:  # Git means them relative to the worktree's top, where it goes first
            pinned[name] = str(top / pinned[name])
    return pinned


def _check_refusal(answer: Finished, start: Path) -> None:
    """Raise what Git says where it is more than "there is no worktree here"."""
    words = answer.err.decode("utf-8", "replace")
    if any(sign in words for sign in (*_NOWHERE, _NO_WORKTREE)):
        return
    if any(sign in words for sign in _DISTRUST):
        _distrusted(start)
    raise TTError(
        f"Git does not accept the repository around {start}: {answer.words}.",
        "Run `git status` there and repair what it says.",
    )


def _distrusted(start: Path) -> NoReturn:
    raise TTError(
        f"Git does not trust the repository around {start}, because it belongs to another user.",
        "If you trust it, say so with `git config --global --add safe.directory DIR`.",
    )


def existing_directory(start: Path) -> Path:
    """Return `start`, or the nearest directory above it where it is a file or not there yet."""
    path = Path(os.path.abspath(start))  # noqa: PTH100  symlinks are Git's to follow
    while not path.is_dir():
        path = path.parent
    return path
