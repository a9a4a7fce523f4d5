"""What there is to know of a worktree whose plan shall be synced; reads only."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from tt.adapters.gitrepo import GitRepository
from tt.core.health import GitFacts, HookConfig

_OLDEST: Final = (2, 31)
"""Git answers `rev-parse --path-format` since then, and no sync does without."""

_LITERAL: Final = "--literal-pathspecs"
_BASE: Final = "refs/worktree/tt/any"
_PUSHED: Final = r"^remote\..*\.(mirror|push)$"
_CONFIGS: Final = (
    ".pre-commit-config.yaml", ".pre-commit-config.yml", "prek.toml", "lefthook.yml",
    "lefthook.yaml", "lefthook.toml", ".lefthook.yml", ".husky/pre-commit",
)  # fmt: skip
_OUR_HOOKS: Final = re.compile(r"\btt-sync\b|\btt-push\b|\btt hook-impl (?:pre-commit|post)\b")
_FLAGS: Final = {"S": "skip-worktree", "s": "skip-worktree", "h": "assume-unchanged"}


def git_facts(repository: GitRepository, plan: Path) -> GitFacts:
    """Look at a worktree and at the plan at `plan` in it."""
    state = repository.state
    version = _ask(repository, "version").removeprefix("git version ").strip()
    name = os.fspath(plan)
    return GitFacts(
        version=version,
        new_enough=_numbers(version) >= _OLDEST,
        branch=state.branch,
        operation=repository.operation_in_progress(),
        tracked=repository.is_tracked(plan),
        ignored=_ignored(repository, name),
        hidden=_FLAGS.get(_ask(repository, _LITERAL, "ls-files", "-v", "--", name)[:1], ""),
        unmerged=bool(_ask(repository, _LITERAL, "ls-files", "--unmerged", "--", name)),
        mirrors=tuple(dict.fromkeys(_mirrors(repository))),
        others=tuple(_others(repository)),
        configs=tuple(_configs(state.top)),
    )


def _ask(repository: GitRepository, *arguments: str) -> str:
    """Return what Git prints; nothing where it refuses, since that is found out elsewhere."""
    answer = repository.git(*arguments)
    return os.fsdecode(answer.out) if answer.code == 0 else ""


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _ignored(repository: GitRepository, name: str) -> str:
    """Return the rule that ignores a file, as `FILE:LINE: PATTERN`; empty where none does."""
    given = os.fsencode(name) + b"\0"
    answer = repository.git("check-ignore", "--verbose", "-z", "--stdin", given=given)
    parts = os.fsdecode(answer.out).split("\0")
    if len(parts) < 4 or parts[2].startswith("!"):
        return ""
    return f"{parts[0]}:{parts[1]}: {parts[2]}"


def _mirrors(repository: GitRepository) -> Iterator[str]:
    pairs = _ask(repository, "config", "--null", "--get-regexp", _PUSHED).split("\0")
    for key, _, value in (pair.partition("\n") for pair in pairs if pair):
        remote, _, kind = key.removeprefix("remote.").rpartition(".")
        source = value.removeprefix("+").partition(":")[0]
        if value == "true" if kind == "mirror" else fnmatchcase(_BASE, source):
            yield remote


def _others(repository: GitRepository) -> Iterator[str]:
    here = os.path.realpath(repository.state.top)
    for line in _ask(repository, "worktree", "list", "--porcelain").splitlines():
        kind, _, path = line.partition(" ")
        if kind == "worktree" and os.path.realpath(path) != here:
            yield path


def _configs(top: Path) -> Iterator[HookConfig]:
    for name in _CONFIGS:
        try:
            text = (top / name).read_text("utf-8", "replace")
        except OSError:
            continue
        yield HookConfig(name, bool(_OUR_HOOKS.search(text)))
