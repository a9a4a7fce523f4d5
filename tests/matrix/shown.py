"""Everything that Git shows of a directory of repositories, and what of it is the plan's."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from tests.matrix.versions import NONE
from tests.matrix.world import Place, World, repositories
from tests.support.commands import Ended
from tests.support.hooked import recorded

_QUESTIONS: Final = """
part() { printf '\\0\\n'; }
git for-each-ref --format='%(refname) %(contents:subject)' | grep -v ^refs/worktree/; part
git log --branches --graph --format='%s %an %b'; part
[ -e .git ] || exit 0
if git rev-parse -q --verify HEAD >/dev/null; then git ls-tree -r HEAD; fi; part
git ls-files -s -v; part
git -c status.renames=false status --porcelain -uall; part
git cat-file blob "HEAD:$1" 2>/dev/null || printf none; part
git cat-file blob ":0:$1" 2>/dev/null || printf none
"""
_OURS: Final = re.compile(r"(^|/)tt($|/)|(^|/)(objects|refs/worktree|logs/refs)($|/)")
_HASH: Final = re.compile(r"[0-9a-f]{40,}")


class Entry(NamedTuple):
    """A path of a worktree: what kind of thing it is, and what it holds."""

    mode: str
    data: bytes


class Surroundings(NamedTuple):
    """What is there beside what the plan says: it has to be as if there were no `tt`.

    `record` are the user's hooks that ran, `files` the worktrees' paths, `git` what Git says of
    each repository, `names` those of Git's own files, where a lock would be, and `modes` the
    plan's in HEAD, the index and the worktree.
    """

    codes: tuple[int, ...]
    record: tuple[str, ...]
    files: dict[str, dict[str, Entry]]
    git: dict[str, tuple[str, ...]]
    names: frozenset[str]
    modes: tuple[str, ...]


class Shown(NamedTuple):
    """All that Git knows after some commands: the plan in HEAD and in the index, its status line,
    and everything else."""

    head: bytes | None
    staged: bytes | None
    status: str
    beside: Surroundings


class _Look(NamedTuple):
    """One repository: the lines that Git says of others than the plan, and those on the plan."""

    others: tuple[str, ...]
    plan: tuple[str, str, str]
    blobs: tuple[bytes | None, bytes | None]


def show(world: World, place: Place, played: list[Ended]) -> Shown:
    """Look at every repository of a world."""
    tops = {top.relative_to(world.root).as_posix(): top for top in repositories(world.root)}
    tops.setdefault(place.where, world.root / place.where)  # a submodule is inside another one
    looks = {at: _look(world, top, _plan_in(place, at)) for at, top in tops.items()}
    ours = looks[place.where]
    beside = Surroundings(
        codes=tuple(ended.code for ended in played),
        record=tuple(recorded(world.record)),
        files={at: _entries(top, _plan_in(place, at)) for at, top in tops.items()},
        git={at: look.others for at, look in looks.items()},
        names=frozenset(f"{at}/{one}" for at, top in tops.items() for one in _names(top)),
        modes=(*(line[:8] for line in ours.plan[:2]), _mode(tops[place.where] / place.path)),
    )
    return Shown(*ours.blobs, ours.plan[2], beside)


def _plan_in(place: Place, at: str) -> str:
    """Return the plan's path in the worktree `at`; no path where it is not in there."""
    path = f"{place.where}/{place.path}"
    return path.removeprefix(f"{at}/") if path.startswith(f"{at}/") else ""


def _look(world: World, top: Path, plan: str) -> _Look:
    answer = world.shell.run(["sh", "-c", _QUESTIONS, "sh", plan], top)
    refs, log, *parts = answer.out.split("\0\n")
    if len(parts) < 2:  # a bare repository, whose trees are those of its worktrees
        return _Look((refs, log), ("", "", ""), (None, None))
    tree, index, status, *blobs = parts
    others, ours = [refs, log], []
    for listed, mark in ((tree, "\t"), (index, "\t"), (status, " ")):
        lines = listed.splitlines()
        found = [line for line in lines if plan and line.endswith(f"{mark}{plan}")]
        others += [line for line in lines if line not in found]
        ours.append(found[0] if found else "")
    staged, committed = (_blob(blob) for blob in reversed(blobs))
    return _Look(tuple(others), (ours[0], ours[1], ours[2]), (committed, staged))


def _blob(said: str) -> bytes | None:
    """Return what Git printed of the plan; what is empty is there after `git add -N`."""
    assert "\r" not in said
    return None if said in ("none", "") else said.encode()


def _mode(path: Path) -> str:
    return stat.filemode(path.stat().st_mode) if path.exists() else NONE


def _entries(top: Path, plan: str) -> dict[str, Entry]:
    """Note every path of a worktree but Git's own and the plan; nothing of a bare repository."""
    found = {}
    for path in sorted(top.rglob("*")) if (top / ".git").exists() else []:
        relative = path.relative_to(top).as_posix()
        if relative.split("/")[0] == ".git" or relative == plan or _is_directory(path):
            continue
        data = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
        found[relative] = Entry(stat.filemode(path.lstat().st_mode), data)
    return found


def _is_directory(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _names(top: Path) -> Iterator[str]:
    """Yield the names of Git's own files, without hashes in them."""
    git_dir = top / ".git"
    if git_dir.is_file():
        git_dir = top / git_dir.read_text().removeprefix("gitdir: ").strip()
    elif not git_dir.exists():
        git_dir = top
    for path in git_dir.rglob("*"):
        name = path.relative_to(git_dir).as_posix()
        if not _OURS.search(name) and not path.is_dir():
            yield _HASH.sub("*", name)
