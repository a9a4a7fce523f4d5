"""The Git worktree around the plan, asked through the `git` executable: no library, no locks.

At most three processes serve a sync that has nothing to do with history: one `rev-parse` to find
the worktree, one `cat-file --batch` for every object that is read, one `fast-import` to save.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from tt.adapters import gitproc
from tt.adapters.gitbatch import ObjectReader
from tt.adapters.gitfind import existing_directory, find_state, first_environment
from tt.adapters.gitproc import Finished, GitMissingError
from tt.core.worktree import RepoState
from tt.errors import TTError

if TYPE_CHECKING:
    from tt.core.three import Three

_STAGES: Final = (0, 1, 2, 3)  # 0 is merged; 1, 2 and 3 are a conflict's base, ours and theirs
_OPERATIONS: Final = (
    # During a rebase, CHERRY_PICK_HEAD and MERGE_HEAD may be there as well: the outer one counts.
    ("rebase-apply/applying", "am"),
    ("rebase-apply", "rebase"),
    ("rebase-merge", "rebase"),
    ("MERGE_HEAD", "merge"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
    ("BISECT_LOG", "bisect"),
)
_AUTOSTASHES: Final = ("MERGE_AUTOSTASH", "rebase-merge/autostash", "rebase-apply/autostash")
_MOST_VERSIONS: Final = 1000
"""How many commits of a plan are looked through for who set a status back."""
_SEQUENCES: Final = {b"pick": "cherry-pick", b"p": "cherry-pick", b"revert": "revert"}


def find(start: Path) -> GitRepository | None:
    """Return the worktree around `start`; None where there is no Git or no worktree.

    Raises TTError where Git finds a repository and refuses it (another user's, a newer format).
    """
    start = existing_directory(start)
    environment = first_environment(start)
    reader = None if environment is None else _started_reader(start, environment)
    try:
        found = find_state(start, environment)
        if found is not None:
            repository, reader = GitRepository(*found, reader), None
            return repository
    finally:
        if reader is not None:
            reader.close()
    return None


def _started_reader(start: Path, environment: dict[str, str]) -> ObjectReader | None:
    """Start the process that will answer questions, so that two processes get ready at once."""
    reader = ObjectReader(["-C", str(start)], environment)
    try:
        reader.start()
    except GitMissingError:  # whether that is an error depends on what is found
        return None
    return reader


class GitRepository:
    """A worktree as it was when it was found; a `Repository` of the ports.

    `close` it, or use it in a `with` statement: an open one may hold a Git process.
    """

    def __init__(
        self, state: RepoState, environment: dict[str, str], objects: ObjectReader | None = None
    ) -> None:
        """Take what `find_state` returns; `environment` is for every Git process here."""
        self._state = state
        self.environment = environment
        self.objects = objects or ObjectReader(["-C", str(state.top)], environment)

    @property
    def state(self) -> RepoState:
        """Where it is and what HEAD was when it was found."""
        return self._state

    @property
    def name(self) -> str:
        """The repository's name, the same in all of its worktrees and without any remote.

        It is the main worktree's directory, or a bare repository's without `.git`.
        """
        common = self._state.common_dir
        return common.parent.name if common.name == ".git" else common.name.removesuffix(".git")

    @property
    def index_file(self) -> Path:
        """The index that the commit in flight is made of, or else the worktree's own."""
        own = self._state.git_dir / "index"
        return Path(self.environment.get("GIT_INDEX_FILE", own))

    def private_dir(self, *, per_worktree: bool) -> Path:
        """Return our directory inside Git's: this worktree's, or the one that all share."""
        state = self._state
        return (state.git_dir if per_worktree else state.common_dir) / "tt"

    def git(self, *arguments: str, given: bytes = b"") -> Finished:
        """Run `git` in this worktree to its end, whatever its exit code is."""
        return gitproc.run(["-C", str(self._state.top), *arguments], self.environment, given)

    def show(self, revision: str, path: Path) -> bytes | None:
        """Return the content of `path` at `revision` ("" is the index), None where it has none."""
        name = self.inside(path)
        if name is None:
            return None
        if revision:
            name = f"{revision}:{name}"
            found = self.objects.read(name)
        else:
            name = f":0:{name}"
            found = self.objects.read_index([name], str(self.index_file))[0]
        if found is None:
            self._check_absent(name)
        return found.data if found is not None and found.kind == "blob" else None

    def _check_absent(self, name: str) -> None:
        """Make sure that what could not be read is not there: a damaged file is not no file."""
        if name.startswith("-") or self.git("rev-parse", "--verify", "--quiet", name).code != 0:
            return
        raise TTError(
            f"Git cannot read {name} in {self._state.top}: the object is missing or damaged.",
            "`git fsck` says what is damaged.",
        )

    def unmerged(self, path: Path) -> Three[bytes | None] | None:
        """Return the versions that a merge of `path` was about, None where it is not in conflict.

        A version that has no such file is None.
        """
        from tt.core.three import Three  # a plan is seldom in conflict

        name = self.inside(path)
        if name is None:
            return None
        names = [f":{stage}:{name}" for stage in _STAGES[1:]]
        found = self.objects.read_index(names, str(self.index_file))
        return Three(*(one and one.data for one in found)) if any(found) else None

    def is_tracked(self, path: Path) -> bool:
        """Say whether the index knows `path`, merged or in conflict."""
        name = self.inside(path)
        if name is None:
            return False
        names = [f":{stage}:{name}" for stage in _STAGES]
        return any(self.objects.read_index(names, str(self.index_file)))

    def is_ancestor(self, old: str, new: str) -> bool:
        """Say whether commit `old` is an ancestor of (or is) `new`; False for unknown commits."""
        commits = list(self.objects.read_all([f"{old}^{{commit}}", f"{new}^{{commit}}"]))
        if None in commits:
            return False
        oids = [commit.oid for commit in commits if commit is not None]
        if oids[0] == oids[1]:
            return True
        return self.git("merge-base", "--is-ancestor", *oids).code == 0

    def versions(self, since: str | None, path: Path) -> list[bytes]:
        """List the versions of `path` from where HEAD's history left commit `since`, up to HEAD.

        Merges count with all that was merged. After a rebase that is where the rebased commits
        begin. None where the two have nothing in common, or Git has lost `since`; all of them where
        there was no commit yet (`since` is None).
        """
        name = self.inside(path)
        base = self.git("merge-base", since, "HEAD") if since is not None else None
        if name is None or (base is not None and base.code != 0):
            return []
        start = [] if base is None else base.out.decode("ascii").split()[:1]
        walk = ("--full-history", "--reverse", f"--max-count={_MOST_VERSIONS}", "HEAD")
        beyond = [f"^{commit}" for commit in start]
        listed = self.git("--literal-pathspecs", "rev-list", *walk, *beyond, "--", name)
        commits = [*start, *listed.out.decode("ascii").split()]
        found = self.objects.read_all([f"{commit}:{name}" for commit in commits])
        blobs = {one.oid: one.data for one in found if one is not None and one.kind == "blob"}
        return list(blobs.values())

    def roots(self) -> tuple[str, ...]:
        """Return the root commits that HEAD descends from; () in a shallow clone or unborn."""
        head = self._state.head
        if head is None or (self._state.common_dir / "shallow").exists():
            return ()
        answer = self.git("rev-list", "--max-parents=0", head)
        if answer.code != 0:
            raise TTError(
                f"Git cannot walk the history of {self._state.top}: {answer.words}.",
                "`git fsck` says what is damaged.",
            )
        return tuple(sorted(answer.out.decode("ascii").split()))

    def config(self, key: str) -> str | None:
        """Return the value of a key of Git's configuration, the last where it has several."""
        answer = self.git("config", "--null", "--get", key)
        return (
            answer.out.decode("utf-8", "replace").removesuffix("\0") if answer.code == 0 else None
        )

    def operation_in_progress(self) -> str | None:
        """Name the operation that Git is in the middle of: merge, rebase, am, cherry-pick, …"""
        git_dir = self._state.git_dir
        for name, operation in _OPERATIONS:
            if os.path.lexists(git_dir / name):
                return operation
        return _sequence(git_dir / "sequencer" / "todo")

    def picks_left(self) -> int:
        """Count the commits that a cherry-pick or revert of several has to make, this one too."""
        return len(_todo(self._state.git_dir / "sequencer" / "todo"))

    def has_autostash(self) -> bool:
        """Say whether Git has edits put away that it brings back at the end of what it does."""
        return any(os.path.lexists(self._state.git_dir / name) for name in _AUTOSTASHES)

    def has_put_away(self, path: Path) -> bool:
        """Say whether an autostash has edits of `path`, which Git brings back after its hooks."""
        for name in _AUTOSTASHES:
            try:
                stash = (self._state.git_dir / name).read_text("ascii").strip()
            except OSError:
                continue
            if self.show(stash, path) != self.show(f"{stash}^", path):
                return True
        return False

    def close(self) -> None:
        """End the Git process that answers questions; the next question starts another."""
        self.objects.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def inside(self, path: Path) -> str | None:
        """Return `path` relative to the top, symlinks followed; None where it is outside."""
        top = self._state.top
        absolute = Path(os.path.realpath(top / path))
        for root in (top, Path(os.path.realpath(top))):
            if absolute.is_relative_to(root):
                return str(absolute.relative_to(root))
        return None


def _sequence(todo: Path) -> str | None:
    """Say what is between two commits of a series: a cherry-pick or a revert of several."""
    lines = _todo(todo)
    return _SEQUENCES.get(lines[0].split(None, 1)[0]) if lines else None


def _todo(path: Path) -> list[bytes]:
    """Return the steps that a series has left, the current one too; none without a series."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return []
    return [line for line in lines if line.strip() and not line.startswith(b"#")]
