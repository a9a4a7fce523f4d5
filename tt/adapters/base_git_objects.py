"""What commits and trees of the stored base look like, as Git keeps them."""

from __future__ import annotations

from typing import NamedTuple

from tt.adapters.base_codec import DamagedError
from tt.adapters.gitbatch import GitObject


class Layout(NamedTuple):
    """How a version is stored: the depth of its commit, its number of shards, and the ids whose
    shards are older than the version (their tasks are in `recent`, or gone)."""

    depth: int = 0
    shards: int = 0
    recent: frozenset[str] = frozenset()


class SyncCommit(NamedTuple):
    """A stored sync without its tree. `depth` counts the syncs down to the first, which has 1.

    0 is a base whose own past was dropped: what its sync changed can no longer be told.
    """

    oid: str
    parent: str | None
    depth: int
    tree: str
    committer: bytes
    subject: bytes


def message(subject: bytes, depth: int) -> bytes:
    """Write a commit's message, from which `read_commit` knows the history's length."""
    return b"%s\n\nDepth: %d\n" % (subject, depth)


def read_commit(found: GitObject) -> SyncCommit:
    """Read a commit that `tt` made; raises ValueError for any other object."""
    if found.kind != "commit":
        raise DamagedError(f"{found.oid} is a {found.kind}")
    head, _, text = found.data.partition(b"\n\n")
    headers = dict(line.split(b" ", 1) for line in head.split(b"\n"))
    subject, _, trailers = text.partition(b"\n\n")
    notes = dict(line.split(b": ", 1) for line in trailers.splitlines())
    if b"Depth" not in notes:
        raise DamagedError(f"{found.oid} was not made by tt")
    parent = headers.get(b"parent")
    return SyncCommit(
        found.oid,
        parent.decode("ascii") if parent else None,
        int(notes[b"Depth"]),
        headers[b"tree"].decode("ascii"),
        headers[b"committer"],
        subject,
    )


def tree_entries(tree: GitObject) -> list[str]:
    """List the objects in a tree, in the order of their names."""
    size = len(tree.oid) // 2
    data, at = tree.data, 0
    oids: list[str] = []
    while at < len(data):
        start = data.index(b"\0", at) + 1
        at = start + size
        oids.append(data[start:at].hex())
    return oids
