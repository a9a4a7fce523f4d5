"""Writing the base into Git, each time with one `git fast-import`.

It makes the objects from a stream, and moves the ref as its last act, by compare-and-set: a ref
that is not an ancestor of the new commit stays. The stream must end in `done`, so that a `tt` that
dies while it writes leaves the ref alone. Few objects become loose files, many become one pack.

`git gc`, run in one worktree, does not see the `refs/worktree` of the others and would prune their
bases, but it does see all reflogs. So each sync is logged, with a date that never expires.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final, NamedTuple

from tt.adapters.base_codec import encode_header, encode_tasks, shard_count, shard_of
from tt.adapters.base_git_objects import Layout, SyncCommit, message
from tt.adapters.base_records import encode_record
from tt.adapters.gitproc import Finished, GitProcess, run
from tt.adapters.gitrepo import GitRepository
from tt.core.base import Base
from tt.core.model import Task
from tt.core.report import SyncRecord

_LOOSE: Final = 100
"""The most objects that are written as loose files."""

_OPTIONS: Final = (
    "-c", "core.hooksPath=/dev/null",  # a reference-transaction hook is not for our refs
    "-c", "core.logAllRefUpdates=always",
    "-c", f"fastimport.unpackLimit={_LOOSE}",
    "-c", "core.fsync=committed,loose-object",  # the ref must not outlive its objects
    "-c", "core.fsyncMethod=batch",
)  # fmt: skip
_LOGGING: Final = {
    "GIT_COMMITTER_NAME": "tt",
    "GIT_COMMITTER_EMAIL": "tt@localhost",
    "GIT_COMMITTER_DATE": "@4102444800 +0000",  # in 2100: of the reflog entry, not the commit
}
_COMMITTER: Final = b"tt <tt@localhost>"
_NEW_OBJECTS: Final = 6
"""What every sync makes: a commit, two trees, the header, the record, the recent tasks."""

_MOST_RECENT: Final = 200
"""The most tasks that may be newer than their shards."""


class Sync(NamedTuple):
    """What is to be written."""

    previous: Base | None
    base: Base
    record: SyncRecord


class Written(NamedTuple):
    """The new commit and how it is stored; or no commit, and why."""

    oid: str | None
    layout: Layout
    why: str = ""


def write_sync(repository: GitRepository, ref: str, sync: Sync, before: Layout) -> Written:
    """Write one sync as a commit on top of the previous one, stored as `before`; move `ref`."""
    layout, dirty = _plan(sync, before)
    small = len(dirty) + _NEW_OBJECTS < _LOOSE
    compression = f"pack.compression={0 if small else 1}"
    stream = _sync_stream(ref, sync, layout, dirty)
    finished = _import(repository, ["-c", compression], stream)
    if finished.code != 0:
        return Written(None, before, finished.words)
    return Written(finished.out.decode("ascii").strip(), layout)


def _plan(sync: Sync, before: Layout) -> tuple[Layout, set[int]]:
    """Decide how to store the new version, and which shards must be written for it."""
    depth = before.depth + 1
    shards = shard_count(len(sync.base.tasks), before.shards)
    if sync.previous is None or shards != before.shards:
        return Layout(depth, shards), set(range(shards))
    recent = before.recent | _changed(sync.previous.tasks, sync.base.tasks)
    if shards > 1 and len(recent) <= _MOST_RECENT:
        return Layout(depth, shards, recent), set()
    return Layout(depth, shards), {shard_of(name, shards) for name in recent}


def cut_history(
    repository: GitRepository, ref: str, commits: Sequence[SyncCommit], tip: str
) -> str | None:
    """Write `commits` (oldest first, `tip` the last) anew, with nothing before them.

    Returns the new tip; None where `ref` moved meanwhile or Git refused: then all is as it was.
    """
    finished = _import(repository, [], _cut_stream(ref + "%cut", commits))
    if finished.code != 0:
        return None
    new = finished.out.decode("ascii").strip()
    environment = repository.environment | _LOGGING
    options = ["-C", str(repository.state.top), *_OPTIONS]
    # The log would keep what is cut off. One entry comes back, and keeps it until the next cut.
    run([*options, "reflog", "expire", "--expire=all", ref], environment)
    moved = run([*options, "update-ref", ref, new, tip], environment)
    return new if moved.code == 0 else None


def _import(repository: GitRepository, options: Sequence[str], stream: Iterable[bytes]) -> Finished:
    arguments = ["-C", str(repository.state.top), *_OPTIONS, *options]
    process = GitProcess(
        [*arguments, "fast-import", "--quiet", "--done", "--depth=0"],
        repository.environment | _LOGGING,
    )
    try:
        # A process that no longer listens says why when it is waited for.
        with suppress(BrokenPipeError):
            for part in stream:
                process.write(part)
    finally:
        # Not killed even now: without its `done` it gives up by itself and tidies away.
        finished = process.finish()
        if finished.code != 0:
            report = repository.state.git_dir / f"fast_import_crash_{process.pid}"
            with suppress(OSError):
                report.unlink(missing_ok=True)
    return finished


def _sync_stream(ref: str, sync: Sync, layout: Layout, dirty: set[int]) -> Iterator[bytes]:
    record, base = sync.record, sync.base
    subject = (
        f"{record.direction}: {len(record.to_store)} to Redis, {len(record.to_file)} to the file"
    )
    when = b"%s %d +0000" % (_COMMITTER, _seconds(record.time))
    yield _commit(ref, when, message(subject.encode(), layout.depth))
    if sync.previous is not None:
        yield b"from %s\n" % sync.previous.version.encode()
    present = layout.recent & base.tasks.keys()
    yield _file("meta.json", encode_header(base, layout.shards, layout.recent - present))
    yield _file("record.json", encode_record(record))
    yield (
        _file("recent", encode_tasks(base.tasks[name] for name in present))
        if present
        else b"D recent\n"
    )
    if len(dirty) == layout.shards:  # all: then their number may be another than before
        yield b"D tasks\n"
    members = _members(base, layout.shards, dirty)
    for number in sorted(dirty):
        name = f"tasks/{number:03x}"
        tasks = members.pop(number, None)
        yield _file(name, encode_tasks(tasks)) if tasks else f"D {name}\n".encode()
    yield b"\nget-mark :1\ndone\n"


def _cut_stream(ref: str, commits: Sequence[SyncCommit]) -> Iterator[bytes]:
    """Write the commits again under a ref that is taken away again before it is ever written."""
    for depth, commit in enumerate(commits):
        text = message(commit.subject, depth)
        yield _commit(ref, commit.committer, text) + b'M 040000 %s ""\n\n' % commit.tree.encode()
    yield b"get-mark :1\nreset %s\nfrom %s\n\ndone\n" % (ref.encode(), b"0" * len(commits[0].oid))


def _commit(ref: str, committer: bytes, text: bytes) -> bytes:
    head = b"commit %s\nmark :1\ncommitter %s\n" % (ref.encode(), committer)
    return head + b"data %d\n%s\n" % (len(text), text)


def _file(name: str, data: bytes) -> bytes:
    return b"M 100644 inline %s\ndata %d\n%s\n" % (name.encode(), len(data), data)


def _changed(before: Mapping[str, Task], after: Mapping[str, Task]) -> set[str]:
    """Return the ids of tasks that are new, gone, or another object than before."""
    changed = {name for name, task in after.items() if before.get(name) is not task}
    new = sum(name not in before for name in changed)
    if len(before) + new != len(after):
        changed |= before.keys() - after.keys()
    return changed


def _members(base: Base, shards: int, wanted: set[int]) -> dict[int, list[Task]]:
    """Sort the tasks of the wanted shards into them."""
    members: dict[int, list[Task]] = {}
    if wanted:
        for task in base.tasks.values():
            number = shard_of(task.id, shards)
            if number in wanted:
                members.setdefault(number, []).append(task)
    return members


def _seconds(time: str) -> int:
    """Return the seconds since 1970 of a record's time, which only people read."""
    try:
        moment = datetime.fromisoformat(time)
    except ValueError:
        return 0
    return max(0, int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()))
