"""The history of a plan: one `git log` for the commits, one `cat-file` for what they hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from tt.adapters import gitproc
from tt.adapters.gitrepo import GitRepository
from tt.adapters.gittrail import Blobs, Trail, blobs_at, configured_name, has_path
from tt.adapters.planpast import PastPlans
from tt.core.lifeline import Commit, Version
from tt.errors import TTError

_FIELDS: Final = ("%H", "%P", "%h", "%aN", "%aE", "%at", "%ct", "%s")
_FORMAT: Final = "--format=tformat:" + "%x00".join(_FIELDS)
_LOG: Final = (
    # What users set for themselves would leave commits out.
    "-c", "log.follow=false", "-c", "log.showRoot=true",
    "log", "-z", "--date-order", "--parents", "--encoding=UTF-8", "--no-show-signature",
    "--no-decorate", "--no-notes", "--no-color", "--no-patch", _FORMAT,
)  # fmt: skip
_PATIENCE: Final = 600.0
"""Seconds that Git may take to walk a large history; it is silent meanwhile."""
_LAST: Final = 253_402_300_799
"""The last second of the year 9999: later times cannot be written, and are nonsense."""


class GitHistory:
    """The `History` port: the commits below HEAD that touch one plan, through its names.

    `close` it: it may hold a Git process.
    """

    def __init__(self, repository: GitRepository, name: str, shown: str) -> None:
        """Follow the plan that is at `name` below the top now; messages call it `shown`."""
        # Here somebody asked for the past: a partial clone may fetch what it has put off.
        environment = {
            key: value
            for key, value in repository.environment.items()
            if key != "GIT_NO_LAZY_FETCH"
        }
        self._repository = GitRepository(repository.state, environment)
        self._trail = Trail(self._repository, name)
        self._past = PastPlans(shown)
        self._places: dict[str, str] = {}
        self._blobs: Blobs = {}
        self._commits: Sequence[Commit] | None = None

    def commits(self) -> Sequence[Commit]:
        """List the commits that touched the plan, newest first, children before their parents."""
        if self._commits is None:
            self._commits = () if self._repository.state.head is None else self._followed()
        return self._commits

    def _followed(self) -> Sequence[Commit]:
        """Walk again with each name that is found to be an earlier one of the plan."""
        known: tuple[str, ...] = ()
        commits: Sequence[Commit] = ()
        while True:
            names = tuple(self._trail.names)
            if names != known:
                commits, known = self._listed(names), names
                wanted = [(commit.id, name) for commit in commits for name in names]
                self._blobs = blobs_at(self._repository, wanted)
            self._places = self._trail.places(commits, self._blobs)
            if not self._trail.explore(commits, self._blobs, self._places):
                self._check_gaps(commits)
                return commits

    def _listed(self, names: Sequence[str]) -> list[Commit]:
        answer = gitproc.run(
            ["-C", str(self._repository.state.top), "--literal-pathspecs", *_LOG, "HEAD", "--",
             *names],
            self._repository.environment,
            limit=_PATIENCE,
        )  # fmt: skip
        if answer.code != 0:
            raise TTError(
                f"Git cannot walk the history of {self._repository.state.top}: {answer.words}.",
                "`git fsck` says what is damaged.",
            )
        ends = _shallow_ends(self._repository)
        words = answer.out.decode("utf-8", "replace").split("\0")
        size = len(_FIELDS)
        return [
            _commit(words[start : start + size], ends) for start in range(0, len(words) - 1, size)
        ]

    def _check_gaps(self, commits: Sequence[Commit]) -> None:
        """Make sure that where the plan goes away it was removed: a damaged blob is no removal."""
        for commit in commits:
            if self._blob(commit.id) is None and any(map(self._blob, commit.parents)):
                has_path(self._repository, commit.id, self._places[commit.id])

    def _blob(self, commit: str) -> str | None:
        return self._blobs.get((commit, self._places[commit]))

    def versions(self, commits: Sequence[Commit]) -> Iterator[Version]:
        """Read the plan as each of these commits has it."""
        blobs = [self._blob(commit.id) for commit in commits]
        objects = self._repository.objects.read_all([blob for blob in blobs if blob is not None])
        for commit, blob in zip(commits, blobs, strict=True):
            found = None if blob is None else next(objects)
            if blob is not None and found is None:
                raise TTError(
                    f"Git cannot read the plan of {commit.short}: blob {blob} is missing.",
                    "`git fsck` says what is damaged.",
                )
            yield self._past.read(None if found is None else found.data, self._places[commit.id])

    def read(self, data: bytes | None) -> Version:
        """Read a version that is not committed."""
        return self._past.read(data, self._trail.names[0])

    def name_at(self, revision: str) -> str | None:
        """Return the plan's path at a commit; None where it has none."""
        first = self._trail.names[0]
        for name in (first, configured_name(self._repository, revision)):
            if name is not None and has_path(self._repository, revision, name):
                return name
        self.commits()
        others = self._trail.names[1:]
        return next((name for name in others if has_path(self._repository, revision, name)), None)

    def moment(self, words: str) -> int:
        """Return what Git takes `words` for, such as "2 weeks ago", in seconds since 1970."""
        answer = self._repository.git("rev-parse", f"--since={words}")
        _, _, seconds = answer.out.decode("ascii", "replace").strip().partition("=")
        if answer.code != 0 or not seconds.isdecimal():
            raise TTError(f"Git does not know when `{words}` is.", "Write it like 2026-01-31.")
        return int(seconds)

    def close(self) -> None:
        """End the process that reads objects."""
        self._repository.close()


def _commit(words: Sequence[str], ends: frozenset[str]) -> Commit:
    oid, parents, short, author, email, time, committed, subject = words
    return Commit(
        oid.strip(), short, tuple(parents.split()), author, email, _seconds(time),
        _seconds(committed), subject, oid.strip() in ends,
    )  # fmt: skip


def _seconds(text: str) -> int:
    """Read a time as Git stores it; what can be no time becomes the nearest that is one."""
    return min(int(text), _LAST) if text.isdecimal() else 0


def _shallow_ends(repository: GitRepository) -> frozenset[str]:
    """Return the commits whose parents this clone does not have."""
    try:
        return frozenset((repository.state.common_dir / "shallow").read_text("ascii").split())
    except OSError:
        return frozenset()


def check_name(name: str | None, shown: str) -> str:
    """Return a plan's path below the top where Git can be asked for it; raises TTError."""
    if name is None:
        raise TTError(f"{shown} leads out of the worktree: Git has no history of it.")
    if "\n" in name:
        raise TTError(f"The name of {name!r} has a line break in it: Git cannot be asked for it.")
    return name
