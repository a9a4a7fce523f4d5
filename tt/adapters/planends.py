"""The ends that `tt diff` compares: the worktree, the index, and commits."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Self

from tt.adapters.gitlog import GitHistory
from tt.adapters.gitrepo import GitRepository
from tt.adapters.planfile_disk import read_bytes
from tt.core.compared import End, Partial
from tt.core.lifeline import Version
from tt.errors import NotAPlanError, TTError

_HEAD: Final = "HEAD"
_OURS: Final = 2
"""The stage at which an unmerged index has our version."""


class PlanEnds:
    """The `Ends` port over a worktree and the history of its plan."""

    def __init__(
        self, repository: GitRepository, history: GitHistory, path: Path, name: str, shown: str
    ) -> None:
        """Take the plan's `path`, its `name` below the top, and what messages call it."""
        self.history = history
        self._repository = repository
        self._path, self._name, self._shown = path, name, shown

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.history.close()

    def now(self) -> Version:
        """Return what is in the worktree, read as the versions in history are."""
        return self.history.read(self._data())

    def worktree(self) -> End:
        """Return what is in the worktree."""
        return self._end("worktree", self._name, self._data())

    def _data(self) -> bytes | None:
        """Return the bytes in the worktree; what Git was told not to check out is as staged."""
        data = read_bytes(self._path, self._shown)
        if data is None:
            answer = self._repository.git("--literal-pathspecs", "ls-files", "-t", "--", self._name)
            if answer.out.startswith(b"S "):
                return self._staged(self._name)
        return data

    def index(self) -> End:
        """Return what is staged; of a plan in conflict, our version."""
        name, data = self._name, self._staged(self._name)
        if data is None and self._repository.state.head is not None:
            before = self.history.name_at(_HEAD)
            if before not in (None, name):
                name, data = str(before), self._staged(str(before))
        return self._end("index", name if data is not None else self._name, data)

    def _staged(self, name: str) -> bytes | None:
        names = [f":{stage}:{name}" for stage in (0, _OURS)]
        found = self._repository.objects.read_index(names, str(self._repository.index_file))
        return next((one.data for one in found if one is not None and one.kind == "blob"), None)

    def at(self, revision: str) -> End:
        """Return what a commit has. Raises TTError where Git knows no such commit."""
        if revision == _HEAD and self._repository.state.head is None:
            return End("HEAD (no commit yet)", self._name, exists=False)
        commit = self._commit(revision)
        name = self.history.name_at(commit)
        found = None if name is None else self._repository.objects.read(f"{commit}:{name}")
        data = found.data if found is not None and found.kind == "blob" else None
        return self._end(revision, name or self._name, data)

    def fork(self, one: str, other: str) -> End:
        """Return what the commit has where two lines of history parted."""
        answer = self._repository.git("merge-base", self._commit(one), self._commit(other))
        if answer.code != 0:
            raise TTError(
                f"`{one}` and `{other}` have no commit in common.",
                f"`tt diff {one} {other}` compares the two themselves.",
            )
        return self.at(answer.out.decode("ascii").split()[0][:12])

    def _commit(self, revision: str) -> str:
        asked = f"{revision}^{{commit}}"
        answer = self._repository.git("rev-parse", "--verify", "--quiet", "--end-of-options", asked)
        if answer.code != 0:
            raise TTError(
                f"Git knows no commit `{revision}`.", "To see what became of a task: `tt log TASK`."
            )
        return answer.out.decode("ascii").split()[-1]

    def _end(self, called: str, file: str, data: bytes | None) -> End:
        if data is None:
            return End(called, file, exists=False)
        from tt.adapters.planpart import read_partly  # only a comparison reads what is damaged

        try:
            return End(called, file, read_partly(data, file))
        except NotAPlanError as error:
            return End(called, file, Partial(faults=(error.message.rstrip("."),)), exists=False)
