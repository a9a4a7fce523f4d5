"""What the use cases need of the world outside, as small protocols; adapters implement them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol

from tt.record import field, record

if TYPE_CHECKING:  # who uses a port for itself should not wait for all that others carry
    from tt.core.base import Base
    from tt.core.begun import Begun
    from tt.core.compared import End
    from tt.core.diff import Change
    from tt.core.lifeline import Commit, Version
    from tt.core.model import Plan, Task
    from tt.core.report import Duplicate, Fault, SyncRecord
    from tt.core.three import Three
    from tt.core.values import Value
    from tt.core.worktree import RepoState

NO_UUIDS: Final[Mapping[str, str]] = MappingProxyType({})
_NO_META: Final[Mapping[str, Value]] = MappingProxyType({})


@record
class Snapshot:
    """A plan file as it was read: its exact bytes and the plan they say.

    `named` are the ids derived for tasks that have none in the file, by their index in it.
    """

    data: bytes
    plan: Plan
    named: Mapping[int, str] = field(default_factory=dict)


class PlanFile(Protocol):
    """One `tasks.toml`."""

    @property
    def name(self) -> str:
        """How messages call the file: its path as the user would type it."""
        ...

    def exists(self) -> bool:
        """Say whether there is such a file, whatever it holds."""
        ...

    def read(self) -> Snapshot | None:
        """Read and validate; None where there is no file. Raises PlanError where it is invalid."""
        ...

    def parse(self, data: bytes) -> Plan | None:
        """Read another version of the file, such as HEAD's; None where it is no valid plan."""
        ...

    def open(self, data: bytes) -> Snapshot:
        """Read another version of the file to edit it. Raises PlanError where it is invalid."""
        ...

    def preview(self, before: Snapshot | None, changes: Sequence[Change]) -> bytes:
        """Return the bytes that `write` would write."""
        ...

    def write(self, before: Snapshot | None, changes: Sequence[Change]) -> Snapshot:
        """Make `changes` (and write down `before.named`), touching no other byte.

        Atomic. Raises FileMovedError, having written nothing, where the file on disk is not
        `before` any more. Writes nothing at all where nothing changes.
        """
        ...


class BaseStore(Protocol):
    """The base of one town in one worktree, and the history of its syncs."""

    def newest(self) -> str | None:
        """Return the version of the newest base, and read no more than that; None without one."""
        ...

    def load(self) -> Base | None:
        """Read the newest base; None where nothing was ever synced here."""
        ...

    def save(self, previous: Base | None, base: Base, record: SyncRecord) -> Base:
        """Make `base` the newest, `record` its history entry; atomic, and it survives a crash.

        Raises BaseMovedError where `previous` is no longer the newest. Tasks that are the same
        objects in both are not written again. Returns `base` with its version.
        """
        ...

    def history(self, limit: int = 50) -> list[SyncRecord]:
        """List the syncs that changed something, newest first."""
        ...

    def version(self, name: str) -> tuple[Base, Base] | None:
        """Return the base before and after the named sync; None where history does not have it."""
        ...


class Journal(Protocol):
    """Syncs of one town in one worktree that began to write, and did not get to save the base."""

    def begin(self, version: str, begun: Begun) -> None:
        """Note a sync that goes on from this version of the base ("" where there is none yet)."""
        ...

    def begun(self, version: str) -> Sequence[Begun]:
        """List what was noted since this version of the base was saved, oldest first."""
        ...

    def end(self) -> None:
        """Forget what was noted: a base was saved."""
        ...


@record
class Town:
    """Whose a town is and how far it has come: the hash `tt:<town>:plan`.

    `repo` holds the owner's identities, separated by spaces. `seq` is raised by each sync that
    writes, `epoch` is made anew whenever a lost or restored store is healed. `aside` are keys of
    `meta` that exist and cannot be used; they are not absent. `raw` is the whole hash as it was
    read, the ground of compare-and-set.
    """

    repo: str = ""
    branch: str = ""
    seq: int = 0
    epoch: str = ""
    meta: Mapping[str, Value] = field(default_factory=lambda: _NO_META)
    aside: frozenset[str] = frozenset()
    raw: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)


@record
class StoredTask:
    """One task's hash as it was read. `raw` is the whole hash, the ground of compare-and-set.

    `complete` says that `tt` wrote the hash, so that a plan field that is not in it is known to be
    none; in a hash of another tool it is merely unknown. `tagged`: the hash has its plan tag.
    """

    task: Task
    uuid: str
    raw: Mapping[str, str]
    complete: bool = True
    tagged: bool = True
    reassigned: bool = False
    """The task's agent is read off its assignment, and the hash's own `agent` is behind."""
    made: int = 0
    """The town's counter when `tt` made this hash; 0 where another tool did."""


@record
class StoreState:
    """Everything of a town that a sync needs, read at one go; all by plan id.

    `tombstones` are those of tasks that have no hash: a hash that is there overrides its tombstone.
    `aside` are ids that exist but cannot be used (see `faults`); they are not absent. `copies` are
    the hashes behind `duplicates`, `stones` the raw text of every tombstone, overridden or not:
    the ground on which a write compares them. `unread` are the uuids of tasks that are there and
    were not read, where those are not the computed ones; nothing else is said of such tasks.
    `orphans` are ids whose hash names a parent that has none: it depends on the ids that the caller
    knows which task that is.
    """

    town: Town | None
    tasks: Mapping[str, StoredTask]
    tombstones: Mapping[str, Task]
    faults: tuple[Fault, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    aside: frozenset[str] = frozenset()
    copies: Mapping[str, tuple[StoredTask, ...]] = field(default_factory=dict)
    stones: Mapping[str, str] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=lambda: NO_UUIDS)
    orphans: frozenset[str] = frozenset()


@record
class Wanted:
    """What is to be read of a town that was read before, by plan id or by uuid.

    `names` says what each hash was called then: the plan ids by uuid. Hashes that are not in it are
    read, too, and those in it that are gone are told.
    """

    names: Mapping[str, str]
    ids: frozenset[str] = frozenset()
    uuids: frozenset[str] = frozenset()


@record
class Glimpse:
    """What was read of a town, and what each of its hashes is called now, by uuid.

    `state` has of the tasks those of which the ids are in `ids`, and says of these what a look at
    all would say.
    """

    state: StoreState
    names: Mapping[str, str]
    ids: frozenset[str]


@record
class Claim:
    """What a write says of its writer: the identities it goes by, its branch, and the epoch.

    `floor` is a lower bound for the counter: the town's becomes `max(its own, floor) + 1`.
    """

    repo: str
    branch: str
    epoch: str
    floor: int = 0


@record
class Applied:
    """The outcome of a write: ids whose compare-and-set was lost, and the counter afterwards.

    `faults` are values that could not be written, such as the name of an agent nobody knows.
    """

    lost: frozenset[str]
    seq: int
    faults: tuple[Fault, ...] = ()


class TaskStore(Protocol):
    """One town in Redis. Every method raises StoreError when Redis does not do its part."""

    @property
    def address(self) -> str:
        """How messages call the server; never holds a password."""
        ...

    @property
    def run_fields(self) -> frozenset[str]:
        """The run fields that the file has, too."""
        ...

    def load(self, ids: Iterable[str] = (), uuids: Mapping[str, str] = NO_UUIDS) -> StoreState:
        """Read the town. `ids` are plan ids known here, `uuids` their uuids where not computed:
        with them a task whose plan tag was lost is still known."""
        ...

    def glimpse(
        self, wanted: Wanted, ids: Iterable[str], uuids: Mapping[str, str]
    ) -> Glimpse | None:
        """Read what is wanted of the town, and all of it that is not a task; else as `load`.

        None where it takes a look at all of it to tell which task a hash is.
        """
        ...

    def apply(
        self,
        state: StoreState,
        changes: Sequence[Change],
        claim: Claim,
        *,
        mark: Collection[str] = (),
    ) -> Applied:
        """Make `changes`, each by compare-and-set on `state`, touching only what changes.

        `mark` are ids of incomplete or untagged hashes that are written out in full.
        Raises StoreError where the town has become another repository's meanwhile.
        """
        ...

    def tag(self, state: StoreState, ids: Collection[str]) -> None:
        """Write only the plan tag into the hashes of `ids`, so that their ids stay; lost races
        are left to the next time."""
        ...

    def touch(self, claim: Claim) -> int:
        """Raise only the counter, and return it. Raises StoreError like `apply`."""
        ...

    def remove_duplicates(self, state: StoreState) -> int:
        """Delete the copies in `state` that are still as they were read; return how many."""
        ...


class Repository(Protocol):
    """The Git worktree around the plan."""

    @property
    def state(self) -> RepoState:
        """Where the worktree stands."""
        ...

    def show(self, revision: str, path: Path) -> bytes | None:
        """Return the content of `path` at `revision` ("" is the index), None where it has none."""
        ...

    def unmerged(self, path: Path) -> Three[bytes | None] | None:
        """Return the versions that a merge of `path` was about, None where it is not in conflict.

        A version that has no such file is None.
        """
        ...

    def versions(self, since: str | None, path: Path) -> list[bytes]:
        """List the versions of `path` from where HEAD's history left commit `since`, up to HEAD.

        The version there is the first, where it has one; none where the two have nothing in common.
        All that HEAD descends from where there was no commit yet (`since` is None).
        """
        ...

    def roots(self) -> tuple[str, ...]:
        """Return the root commits that HEAD descends from; () in a shallow clone or unborn."""
        ...


class Operations(Protocol):
    """What Git is in the middle of."""

    def operation_in_progress(self) -> str | None:
        """Name it: rebase, am, merge, cherry-pick, revert or bisect; None where there is none."""
        ...

    def picks_left(self) -> int:
        """Count the commits that a cherry-pick or revert of several has to make, this one too."""
        ...

    def has_put_away(self, path: Path) -> bool:
        """Say whether Git holds back edits of `path`, and gives them back after its last hook."""
        ...


@record
class Staged:
    """The plan as an index has it: its blob's name, its mode as Git writes it, and its bytes."""

    oid: str
    mode: str
    data: bytes


class Index(Protocol):
    """The index that the commit in flight is made of, as far as one path goes."""

    @property
    def is_temporary(self) -> bool:
        """Whether it is thrown away after the commit, as that of `git commit -- PATH` is."""
        ...

    def read(self, path: Path) -> Staged | None:
        """Return what is staged; None where the path is not in the index, or in conflict."""
        ...

    def holds(self, staged: Staged, path: Path, data: bytes) -> bool:
        """Say whether `staged` is what a file with these bytes would be staged as."""
        ...

    def stage_file(self, path: Path, staged: Staged, data: bytes) -> None:
        """Stage a file that has these bytes, and its mode as it is. Raises TTError."""
        ...

    def stage(self, path: Path, staged: Staged, data: bytes) -> None:
        """Put `data` in the place of `staged`, whatever the file has. Raises TTError."""
        ...


class Committer(Protocol):
    """Commits of the plan alone, apart from the user's index."""

    def committed(self, path: Path) -> Staged | None:
        """Return the file as HEAD has it; None where it has none."""
        ...

    def commit(self, path: Path, before: Staged, data: bytes, message: str) -> str:
        """Commit HEAD's tree with `data` in the place of `before`; return the commit.

        Raises TTError where there is no such commit then.
        """
        ...


class Identity(Protocol):
    """The names by which a repository is known to its towns; any one in common makes it theirs."""

    def primary(self) -> str:
        """Return the configured id, else a random one that is kept with the repository."""
        ...

    def every(self) -> tuple[str, ...]:
        """Return all of them, the primary one first; may be slow (it looks for root commits)."""
        ...


class Clock(Protocol):
    """The time, for what is written into records and hashes; it never decides anything."""

    def now_ns(self) -> int:
        """Return nanoseconds since 1970, UTC."""
        ...


class History(Protocol):
    """The commits below HEAD that touch a plan, and its versions."""

    def commits(self) -> Sequence[Commit]:
        """List them newest first, children before their parents; none on an unborn branch."""
        ...

    def versions(self, commits: Sequence[Commit]) -> Iterator[Version]:
        """Read the plan as each of these commits has it."""
        ...


class Ends(Protocol):
    """The versions of a plan that can be compared. Each is read as far as it can be."""

    def worktree(self) -> End:
        """Return what is in the worktree."""
        ...

    def index(self) -> End:
        """Return what is staged."""
        ...

    def at(self, revision: str) -> End:
        """Return what a commit has. Raises TTError where there is no such commit."""
        ...

    def fork(self, one: str, other: str) -> End:
        """Return what the commit has where two lines parted. Raises TTError without one."""
        ...
