"""`tt commit`: a commit of what Redis brought into the plan, and of nothing else."""

from __future__ import annotations

from tt.app.hooks import Ground
from tt.app.staging import brought, stage_pulled
from tt.app.sync import Request, synced
from tt.app.work import Settled
from tt.core.diff import Added, Change, Edited
from tt.core.model import META_ID
from tt.core.report import Committed, Direction
from tt.errors import TTError
from tt.ports import Committer, Operations, Staged

_NAMED = 3


def commit_pulled(
    ground: Ground, committer: Committer, operations: Operations, message: str | None = None
) -> Committed:
    """Merge file and Redis, and commit what Redis brought on top of HEAD.

    The user's index keeps what it has, and gets what was committed. Raises TTError in the middle of
    a merge or rebase, and where HEAD has no plan yet.
    """
    site = ground.site
    operation = operations.operation_in_progress()
    if operation is not None:
        raise TTError(
            f"A {operation} is in progress; `tt commit` would get in its way.",
            "Finish it first: its end takes along what Redis has.",
        )
    head = _head(ground, committer)
    _, settled = synced(site, Request(Direction.MERGE))
    before = site.file.open(head.data)
    changes = tuple(brought(site, before, settled))
    if not changes:
        return Committed(site.file.name)
    data = site.file.preview(before, changes)
    subject = message or _subject(changes)
    made = committer.commit(site.path, head, data, subject)
    _follow(ground, head, settled, data)
    return Committed(site.file.name, changes, made, subject.split("\n", 1)[0])


def _head(ground: Ground, committer: Committer) -> Staged:
    head = committer.committed(ground.site.path)
    if head is None:
        raise TTError(
            f"{ground.site.file.name} is not committed yet.",
            f"`git add {ground.site.file.name}` and `git commit` begin its history.",
        )
    return head


def _follow(ground: Ground, head: Staged, settled: Settled, data: bytes) -> None:
    """Bring the user's index up to what was committed, so that no later commit takes it back."""
    site, index = ground.site, ground.index
    staged = index.read(site.path)
    if staged is None:  # it is staged to be removed
        return
    if staged.oid != head.oid:
        stage_pulled(site, index, staged, settled)
    elif settled.snapshot is not None and settled.snapshot.data == data:
        index.stage_file(site.path, staged, data)
    else:
        index.stage(site.path, staged, data)


def _subject(changes: tuple[Change, ...]) -> str:
    """Return a commit's subject, such as `Tasks: lint completed, docs running and 2 more`."""
    names = [_words(change) for change in changes[:_NAMED]]
    more = f" and {len(changes) - _NAMED} more" if len(changes) > _NAMED else ""
    return f"Tasks: {', '.join(names)}{more}"


def _words(change: Change) -> str:
    name = "[meta]" if change.id == META_ID else change.id
    if not isinstance(change, Edited):
        return f"{name} {'added' if isinstance(change, Added) else 'removed'}"
    if change.field == "status" and isinstance(change.new, str):
        return f"{name} {change.new}"
    return f"{name} {change.field}"
