"""What `tt doctor` looks at, as facts without words, and what it finds, as words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from tt.record import record

State = Literal["ok", "warn", "fail"]


@record
class Finding:
    """One check: `check` names it for programs, `hint` is a safe next step.

    `warn` is something to know or to decide, `fail` keeps `tt` from doing its work.
    """

    check: str
    state: State
    message: str
    hint: str | None = None


@record
class Program:
    """The `tt` that a shell finds: its path, empty where it finds none, and what it calls itself.

    `same` says that it is the one that is running, or another door to it.
    """

    path: str
    version: str
    same: bool


@record
class HookConfig:
    """The configuration file of a program that keeps Git's hooks; `ours`: it runs hooks of tt's."""

    file: str
    ours: bool


@record
class GitFacts:
    """A worktree as far as it concerns the plan in it.

    `operation` is what Git is in the middle of. `ignored` is the rule that ignores the plan,
    `hidden` the flag that hides its edits from Git; both empty as a rule. `mirrors` are remotes to
    which a push would carry the bases along. `others` are the repository's other worktrees.
    """

    version: str
    new_enough: bool
    branch: str | None
    operation: str | None
    tracked: bool
    ignored: str
    hidden: str
    unmerged: bool
    mirrors: tuple[str, ...]
    others: tuple[str, ...]
    configs: tuple[HookConfig, ...]


@record
class RedisFacts:
    """A server as it describes itself; a text is empty where it does not say.

    `keeps` is how it keeps data on disk: `aof`, `rdb` or `nothing`. `failing` says that it tried
    and could not. `policy` is what it does when its memory is full, and `expiring` counts the
    town's keys that will vanish by themselves. `branch` is the town's, None where there is no town.
    """

    version: str
    replica: bool
    keeps: str
    failing: bool
    policy: str
    expiring: int
    branch: str | None


def failed(findings: Sequence[Finding]) -> bool:
    """Say whether any check failed."""
    return any(finding.state == "fail" for finding in findings)
