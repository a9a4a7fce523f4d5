"""What a look at a worktree and its hooks gives reason to say; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from tt.core.githooks import HooksReport
from tt.core.health import Finding, GitFacts, HookConfig

_OURS: Final = ("file", "config", "stale")
_INSTALL: Final = "`tt hooks install` sets them up; it can be taken back to the byte."
_PRE_PUSH: Final = "pre-push"  # the one hook of ours that a framework need not have


def git_findings(facts: GitFacts, *, fixed: bool) -> Iterator[Finding]:
    """Say how the worktree is; `fixed`: the town's name is the same on every branch."""
    if facts.new_enough:
        yield Finding("git.version", "ok", f"Git {facts.version}.")
    else:
        hint = "Install Git 2.31 or newer."
        yield Finding("git.version", "fail", f"Git {facts.version} is too old for tt.", hint)
    yield _moment(facts)
    if fixed and facts.others:
        yield Finding(
            "git.worktrees",
            "warn",
            f"The town has a fixed name, and {_places(facts.others)} would share it.",
            "It follows one branch. Without `name` in tinytown.toml each branch has its own town.",
        )
    if facts.mirrors:
        yield Finding(
            "git.mirror",
            "warn",
            f"A push to {_names(facts.mirrors)} carries the bases of syncs along.",
            "They belong to this worktree alone: push branches and tags, such as "
            "`refs/heads/*:refs/heads/*`, instead of everything.",
        )


def _moment(facts: GitFacts) -> Finding:
    check = "git.branch"
    if facts.operation is not None:
        message = f"Git is in the middle of a {facts.operation}: hooks sync nothing until its end."
        return Finding(check, "warn", message, "`git status` says how it goes on.")
    if facts.branch is None:
        message = "HEAD is detached: it has no town, and hooks sync nothing."
        return Finding(check, "warn", message, "`git switch BRANCH` goes back to a branch.")
    return Finding(check, "ok", f"On the branch {facts.branch}.")


def plan_in_git(facts: GitFacts, name: str) -> Iterator[Finding]:
    """Say what Git does with the plan, which is there."""
    check = "plan.git"
    if facts.unmerged:
        hint = f"`tt resolve` decides field by field; `git add {name}` when it is done."
        yield Finding(check, "fail", f"{name} has a merge conflict that is not resolved.", hint)
    elif facts.hidden:
        option = (
            "--no-skip-worktree" if facts.hidden == "skip-worktree" else "--no-assume-unchanged"
        )
        message = f"Git does not look at {name}: it has the flag {facts.hidden}."
        yield Finding(check, "warn", message, f"`git update-index {option} {name}` takes it off.")
    elif facts.tracked:
        yield Finding(check, "ok", f"Git tracks {name}.")
    elif facts.ignored:
        message = f"Git ignores {name}, by the rule {facts.ignored}."
        hint = "Take that rule out: without the plan in Git there is neither history nor team."
        yield Finding(check, "warn", message, hint)
    else:
        message = f"Git does not track {name}, so no commit takes it along."
        yield Finding(check, "warn", message, f"`git add {name}` lets it.")


def hook_findings(report: HooksReport, configs: Sequence[HookConfig]) -> Iterator[Finding]:
    """Say whether Git reaches our hooks, and whether it merges the plan with our driver."""
    ours = [config.file for config in configs if config.ours]
    installed = any(hook.how in _OURS for hook in report.hooks)
    if installed:
        yield from _installed(report)
        if ours:
            yield Finding(
                "hooks.twice", "warn",
                f"tt's hooks are installed, and {_names(ours)} runs them as well.",
                "Take them out on one side: `tt hooks uninstall`, or those lines.",
            )  # fmt: skip
    elif ours:
        yield _by_manager(report, ours)
    else:
        yield _none(configs)
    yield _driver(report, installed=installed)


def _installed(report: HooksReport) -> Iterator[Finding]:
    lost = [hook for hook in report.hooks if not hook.reached]
    stale = [hook.event for hook in report.hooks if hook.how == "stale"]
    if lost:
        why = next((f": {hook.note}" for hook in lost if hook.note), "")
        names = _names([hook.event for hook in lost])
        yield Finding("hooks.reached", "fail", f"Git does not reach {names}{why}.", _INSTALL)
    else:
        yield Finding("hooks.reached", "ok", f"Git reaches all {len(report.hooks)} hooks.")
    if stale:
        message = f"Another version of tt wrote {_names(stale)}."
        yield Finding("hooks.version", "warn", message, "`tt hooks install` renews them.")
    for hook in report.hooks:
        if hook.reached and hook.note:
            message = f"{hook.event}: {hook.note}."
            yield Finding("hooks.program", "warn", message, "`tt hooks install` renews it.")


def _by_manager(report: HooksReport, files: Sequence[str]) -> Finding:
    """Judge hooks that another program runs: a stage that it was not installed for never runs."""
    missing = [
        hook.event
        for hook in report.hooks
        if hook.how == "not installed" and hook.event != _PRE_PUSH
    ]
    if not missing:
        return Finding("hooks.reached", "ok", f"{_names(files)} runs tt's hooks.")
    return Finding(
        "hooks.reached",
        "warn",
        f"{_names(files)} has tt's hooks, and nothing is installed for {_names(missing)}.",
        "With `default_install_hook_types` in it, `pre-commit install` installs every stage.",
    )


def _none(configs: Sequence[HookConfig]) -> Finding:
    there = f", nor does {_names([config.file for config in configs])} run them" if configs else ""
    return Finding("hooks.reached", "warn", f"tt's hooks are not installed{there}.", _INSTALL)


def _driver(report: HooksReport, *, installed: bool) -> Finding:
    check, driver = "merge.driver", report.driver
    if driver.ok:
        return Finding(check, "ok", "Merges of the plan are made by task and field.")
    if driver.attribute == "union":
        message = "The plan is merged with `merge=union`, which makes invalid plans of valid ones."
        hint = "Take that out of .gitattributes; `tt hooks install` puts `merge=tt` there."
        return Finding(check, "fail", message, hint)
    if driver.attribute == "tt":
        message = "The plan's attribute is merge=tt, and this clone does not know that driver."
        return Finding(
            check, "warn", message, "`tt hooks install` sets it up; each clone needs it."
        )
    why = "" if not installed else f": its merge attribute is `{driver.attribute}`"
    message = f"Merges of the plan are made line by line{why}."
    return Finding(check, "warn", message, "`tt hooks install` has them made by task and field.")


def _names(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else "".join(names)


def _places(paths: Sequence[str]) -> str:
    return f"{len(paths)} other worktrees" if len(paths) > 1 else f"the worktree {paths[0]}"
