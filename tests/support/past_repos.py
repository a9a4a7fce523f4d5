"""Histories of one plan, written into real repositories as a graph of commits at one go."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.git_repos import git, init
from tests.support.sites import plan_text
from tt.adapters.gitlog import GitHistory
from tt.adapters.gitrepo import find
from tt.adapters.planends import PlanEnds
from tt.core.model import Plan


@dataclass(frozen=True)
class Node:
    """A commit: the numbers of its parents, and the files that it has, None for no such file.

    `hour` is when it was made; by default its number.
    """

    parents: tuple[int, ...] = ()
    files: dict[str, bytes | None] = field(default_factory=dict)
    author: str = "Test Author <author@example.invalid>"
    subject: str = ""
    hour: int | None = None


def with_plan(plan: Plan | bytes | None, *parents: int, name: str = "tasks.toml") -> Node:
    """Make a node whose plan is this; None has no file."""
    data = plan_text(plan).encode() if isinstance(plan, Plan) else plan
    return Node(parents, {name: data})


def write(top: Path, nodes: Sequence[Node], *options: str) -> list[str]:
    """Make a repository of these commits, the last of which is HEAD, and check it out.

    Return the commits.
    """
    init(top, *options)
    stream = b"".join(_stream(number, node) for number, node in enumerate(nodes))
    marks = top / ".git" / "marks"
    subprocess.run(
        ["git", "-C", str(top), "fast-import", "--quiet", "--force", f"--export-marks={marks}"],
        input=stream, check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    git(top, "update-ref", "refs/heads/main", f"refs/heads/n{len(nodes) - 1}")
    git(top, "reset", "--quiet", "--hard")
    pairs = (line.split() for line in marks.read_text().splitlines())
    commits = {int(mark[1:]): oid for mark, oid in pairs}
    return [commits[number + 1] for number in range(len(nodes))]


def _stream(number: int, node: Node) -> bytes:
    subject = (node.subject or f"Commit {number}").encode(errors="surrogateescape")
    author = node.author.encode(errors="surrogateescape")
    when = 1_700_000_000 + (number if node.hour is None else node.hour) * 3600
    head = b"commit refs/heads/n%d\nmark :%d\nauthor %s %d +0100\n" % (
        number, number + 1, author, when,
    )  # fmt: skip
    head += b"committer C <c@example.invalid> %d +0000\ndata %d\n%s\n" % (
        when, len(subject), subject,
    )  # fmt: skip
    words = [b"from", *([b"merge"] * (len(node.parents) - 1))]
    for word, parent in zip(words, node.parents, strict=bool(node.parents)):
        head += b"%s :%d\n" % (word, parent + 1)
    for name, data in node.files.items():
        quoted = b'"' + name.encode().replace(b'"', b'\\"') + b'"'
        if data is None:
            head += b"D %s\n" % quoted
        else:
            head += b"M 100644 inline %s\ndata %d\n%s\n" % (quoted, len(data), data)
    return head + b"\n"


@contextmanager
def history(top: Path, name: str = "tasks.toml") -> Iterator[GitHistory]:
    """Open the history of a plan."""
    repository = find(top)
    assert repository is not None
    with repository:
        opened = GitHistory(repository, name, name)
        try:
            yield opened
        finally:
            opened.close()


@contextmanager
def ends(top: Path, name: str = "tasks.toml") -> Iterator[PlanEnds]:
    """Open what a plan can be compared with."""
    repository = find(top)
    assert repository is not None
    with repository, PlanEnds(
        repository, GitHistory(repository, name, name), top / name, name, name
    ) as opened:  # fmt: skip
        yield opened
