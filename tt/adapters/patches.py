"""Where hook frameworks put the user's unstaged edits away while hooks run, and who does so now.

pre-commit and prek name the process in the patch's name and leave the patch there for ever.
lefthook and lint-staged have one patch without a name in it; lint-staged leaves that one as well.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from typing import Final, Protocol

from tt.adapters import processes

_SETTLED: Final = 1_000_000_000
"""Nanoseconds after which another change of a directory surely gets another time."""

_Version = tuple[int, int, int]


class Patches(Protocol):
    """The patches of one framework, for one worktree."""

    tool: str
    is_proven: bool

    def kept(self) -> str | None:
        """Return the patch that holds edits of this worktree now; cheap to ask."""
        ...


class NumberedPatches:
    """A directory of patches with their process's id in the name."""

    def __init__(self, tool: str, directory: str, pattern: str, top: str) -> None:
        self.tool, self._directory, self._top = tool, directory, top
        self.is_proven = processes.HAS_PROC
        """Whether a patch that is `kept` is so for sure: a process id may be another's by now."""
        self._pattern = re.compile(pattern)
        self._names = frozenset((tool, tool.replace("-", "_")))
        self._version: _Version | None = None
        self._candidates: dict[str, int] = {}

    def kept(self) -> str | None:
        """Return the patch whose process works in this worktree; see `Patches`."""
        self._list()
        for path, pid in tuple(self._candidates.items()):
            if self._is_owner(pid, path):
                return path
            del self._candidates[path]  # who has that number later is somebody else
        return None

    def _list(self) -> None:
        """Read the directory where it has changed: it may have thousands of old patches."""
        version = _version(self._directory)
        if version == self._version:
            return
        try:
            names = os.listdir(self._directory) if version else []  # noqa: PTH208
        except OSError:
            names = []
        found = ((name, self._pattern.fullmatch(name)) for name in names)
        self._candidates = {
            os.path.join(self._directory, name): int(match[1])  # noqa: PTH118
            for name, match in found
            if match
        }
        is_settled = version is None or time.time_ns() - version[2] > _SETTLED
        self._version = version if is_settled else None

    def _is_owner(self, pid: int, path: str) -> bool:
        if pid == os.getpid() or not processes.is_running(pid):
            return False
        if not processes.HAS_PROC:
            return True
        if not processes.works_in(pid, self._top):
            return False
        names = processes.programs_in(processes.words_of(pid))
        return bool(self._names & names) or processes.is_older_than(pid, path)


class OnePatch:
    """A patch that always has the same name: whose it is, a look at the processes tells."""

    def __init__(self, tool: str, path: str, top: str) -> None:
        self.tool, self._path, self._top = tool, path, top
        self.is_proven = processes.HAS_PROC
        """Whether a patch that is `kept` is so for sure: without `/proc` it may be left over."""
        self._over: _Version | None = None
        self._owner: int | None = None

    def kept(self) -> str | None:
        """Return the patch while its program works in this worktree; see `Patches`."""
        version = _version(self._path)
        if version is None or version == self._over:
            return None
        if not processes.HAS_PROC or self._is_owned():
            return self._path
        self._over = version  # who starts now writes it anew
        return None

    def _is_owned(self) -> bool:
        if self._owner is None or not self._is_owner(self._owner):
            self._owner = next(processes.workers(self._top, self._is_tool), None)
        return self._owner is not None

    def _is_owner(self, pid: int) -> bool:
        return processes.works_in(pid, self._top) and self._is_tool(processes.words_of(pid))

    def _is_tool(self, words: list[str]) -> bool:
        return self.tool in processes.programs_in(words)


def known_patches(
    git_dir: str, common_dir: str, top: str, environ: Mapping[str, str]
) -> tuple[Patches, ...]:
    """Return where each framework keeps the patches that may concern a worktree."""
    real = os.path.realpath(top)
    join = os.path.join
    cache = _cache(environ)
    pre_commit = environ.get("PRE_COMMIT_HOME") or join(cache, "pre-commit")
    prek = os.path.expanduser(environ.get("PREK_HOME") or join(cache, "prek"))  # noqa: PTH111
    return (
        NumberedPatches("pre-commit", join(real, pre_commit), r"patch\d+-(\d+)", real),
        NumberedPatches("prek", join(real, prek, "patches"), r"\d+-(\d+)\.patch", real),
        OnePatch("lefthook", join(common_dir, "info", "lefthook-unstaged.patch"), real),
        OnePatch("lint-staged", join(git_dir, "lint-staged_unstaged.patch"), real),
    )


def _cache(environ: Mapping[str, str]) -> str:
    home = environ.get("HOME") or os.path.expanduser("~")  # noqa: PTH111
    return environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")  # noqa: PTH118


def _version(path: str) -> _Version | None:
    """Return what differs when a file or directory is another or was changed; None without one."""
    try:
        found = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns
