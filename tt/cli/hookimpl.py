"""`tt hook-impl`: what the shims in `hooks/` run. Not for people; it understands no options.

It is never in the way: whatever goes wrong is one line, and Git goes on. Only pre-commit may stop a
commit, for what the settings say it shall be stopped for.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from tt.cli.screen import warn
from tt.errors import (
    NotAPlanError,
    NoTownError,
    OtherBranchError,
    PlanError,
    StoreError,
    TTError,
    UsageError,
)

if TYPE_CHECKING:
    from tt.bootstrap import Project

PUSHING: Final = ("post-commit", "post-merge", "post-checkout", "post-rewrite")
EVENTS: Final = ("pre-commit", *PUSHING, "pre-push")
_FRAMEWORK: Final = "--framework"
_PARENT: Final = "TT_GIT_PID"
_NULL: Final = "0" * 7
_GO_ON: Final = 0
_STOP: Final = 75
"""What stops a commit; a Python that cannot start ends with 1, and must not."""
_LONGEST: Final = 60
"""Seconds that a hook may take in all: a first push of a hundred thousand tasks takes half."""


def run_hook(given: Sequence[str]) -> int:
    """Run the hook `given[0]` with the arguments that Git gave it; return its exit code.

    Raises UsageError for an event that is none.
    """
    event, *arguments = given or ("",)
    if event == "post":  # the pre-commit framework tells by variables which hook it runs
        event, arguments = _from_framework()
    if event not in EVENTS:
        raise UsageError(f"`{event}` is no hook of tt's.", f"Hooks are {', '.join(EVENTS)}.")
    if event == "post-checkout" and arguments[2:3] == ["0"]:
        return _GO_ON  # single files: no branch was switched
    try:
        with _bounded():
            return _run(event, arguments)
    except TTError as error:
        _warn_of(error)
        return _GO_ON


@contextmanager
def _bounded() -> Iterator[None]:
    """End a hook that outlasts every other limit, such as a server that sends a byte a second.

    Ending it is safe anywhere: the next sync finishes what was begun.
    """

    def give_up(*_: object) -> None:
        raise TTError(f"tt took longer than {_LONGEST} seconds and gave up.", "Nothing is lost.")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(_LONGEST)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _from_framework() -> tuple[str, list[str]]:
    variables = os.environ
    if "PRE_COMMIT_REWRITE_COMMAND" in variables:
        return "post-rewrite", [variables["PRE_COMMIT_REWRITE_COMMAND"]]
    if "PRE_COMMIT_CHECKOUT_TYPE" in variables:
        names = ("PRE_COMMIT_FROM_REF", "PRE_COMMIT_TO_REF", "PRE_COMMIT_CHECKOUT_TYPE")
        return "post-checkout", [variables.get(name, "") for name in names]
    if "PRE_COMMIT_IS_SQUASH_MERGE" in variables:
        return "post-merge", [variables["PRE_COMMIT_IS_SQUASH_MERGE"]]
    return "post-commit", []


def _run(event: str, arguments: Sequence[str]) -> int:
    from tt.app.moment import is_settled
    from tt.bootstrap import open_project

    with open_project(".", {}, f"git {event}", hasty=True) as project:
        repository = project.repository
        if repository is None or not os.path.lexists(project.config.plan_path):
            return _GO_ON
        if event == "pre-push":
            return _pre_push(project)
        plan = project.config.plan_path.relative_to(project.config.root)
        if not is_settled(repository.state, repository, event, plan):
            return _GO_ON
        if event != "pre-commit":
            return _push(project, event)
        if _FRAMEWORK in arguments:
            return _framework(project)
        return _pre_commit(project)


def _pre_commit(project: Project) -> int:
    try:
        return _GO_ON if project.is_at_rest(staged=True) else _commit(project)
    except TTError as error:
        return _commit_goes_on(project, error)
    finally:
        _note_commit(project)


def _commit(project: Project) -> int:
    from tt.app.hooks import before_commit
    from tt.render.hooklines import commit_lines, conflict_lines, invalid_lines, trouble_line

    done = before_commit(project.hook_ground())
    if done.invalid is not None:
        warn(invalid_lines(done.invalid))
        return _stops(project, "hooks.on_invalid", "It is staged and not valid.")
    file = project.plan_file.name
    warn(commit_lines(done.staged, file))
    if done.unstaged is not None:
        warn([trouble_line(done.unstaged)])
    conflicts = done.sync.conflicts if done.sync else ()
    warn(conflict_lines(conflicts, file))
    return _stops(project, "hooks.on_conflict", "There are conflicts.") if conflicts else _GO_ON


def _commit_goes_on(project: Project, error: TTError) -> int:
    unreachable = isinstance(error, StoreError)
    _warn_of(error, project, "This commit has nothing from Redis." if unreachable else "")
    return _stops(project, "hooks.on_unreachable", "Redis was not reached.") if unreachable else 0


def _stops(project: Project, setting: str, why: str) -> int:
    """Stop the commit where the settings say so."""
    if project.config.text(setting) != "fail":
        return _GO_ON
    warn([f"tt: {why} The commit was stopped (`{setting}`)."])
    return _STOP


def _note_commit(project: Project) -> None:
    """Tell the post-commit of this same commit that there is nothing left to do."""
    parent = os.environ.get(_PARENT)
    if parent and parent.isdigit():
        project.note_commit(parent)


def _push(project: Project, event: str) -> int:
    try:
        if project.is_at_rest():
            return _GO_ON
        from tt.app.hooks import after_git
        from tt.render.hooklines import conflict_lines, push_lines

        report = after_git(project.hook_ground(), event)
    except NoTownError:
        return _GO_ON  # a checkout alone makes none, and that is no news
    except TTError as error:
        _warn_of(error, project)
        return _GO_ON
    warn(push_lines(report))
    warn(conflict_lines(report.conflicts, report.file))
    return _GO_ON


def _framework(project: Project) -> int:
    from tt.app.hooks import in_framework
    from tt.render.hooklines import framework_lines

    try:
        changes = in_framework(project.hook_ground())
    except TTError as error:
        return _commit_goes_on(project, error)
    warn(framework_lines(changes, project.plan_file.name))
    return _STOP if changes else _GO_ON


def _pre_push(project: Project) -> int:
    from tt.app.hooks import before_push
    from tt.render.hooklines import push_warning

    commit = _pushed(project, sys.stdin.read() if sys.stdin is not None else "")
    if commit is None:
        return _GO_ON
    try:
        warn(push_warning(before_push(project.hook_ground(), commit), project.plan_file.name))
    except NoTownError:
        return _GO_ON
    except TTError as error:
        _warn_of(error, project)
    return _GO_ON


def _pushed(project: Project, lines: str) -> str | None:
    """Return the commit that is pushed of the branch this worktree is on; None where it is not."""
    assert project.repository is not None  # noqa: S101  the caller has looked
    ours = f"refs/heads/{project.repository.state.branch}"
    for line in lines.splitlines():
        words = line.split()
        if len(words) == 4 and words[0] in (ours, "HEAD") and not words[1].startswith(_NULL):
            return words[1]
    return None


def _warn_of(error: TTError, project: Project | None = None, after: str = "") -> None:
    """Say in one line what kept the hook from syncing; what is no news, once for each branch."""
    if isinstance(error, NotAPlanError):
        return
    if isinstance(error, NoTownError | OtherBranchError) and project is not None:
        branch = project.repository.state.branch if project.repository else ""
        if not project.is_news(f"{type(error).__name__} {branch}"):
            return
    from tt.render.hooklines import trouble_line

    if isinstance(error, PlanError):
        after = "Nothing is synced until it is valid."
    warn([trouble_line(error, after)])
