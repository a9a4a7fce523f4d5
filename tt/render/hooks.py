"""What installing hooks did, and whether Git reaches them."""

from __future__ import annotations

from tt.core.githooks import HooksReport, HookState, Installation
from tt.render.steps import step_lines
from tt.render.text import Look, pad, safe

_WORDS = {
    "file": "runs, from a file",
    "config": "runs, from Git's configuration",
    "stale": "runs, as another version of tt wrote it",
    "foreign": "is another's",
    "not installed": "not installed",
}


def installation_lines(done: Installation, look: Look) -> list[str]:
    """Return a line for each step, and then what a person should know."""
    lines = step_lines(done.steps, look) or ["There is nothing of tt's."]
    lines += [f"  {safe(note)}" for note in done.notes]
    return [*lines, "Nothing was written (--dry-run)."] if done.dry_run else lines


def hooks_lines(report: HooksReport, look: Look) -> list[str]:
    """Return a line for each event, one for the merge driver, and what to do."""
    width = max(len(hook.event) for hook in report.hooks)
    lines = [f"Git looks for hooks in {safe(str(report.directory))}"]
    lines += [_hook_line(hook, width, look) for hook in report.hooks]
    driver = report.driver
    words = "merges the plan" if driver.ok else "does not merge the plan"
    if not driver.ok:
        words += (
            ": it is not in Git's configuration"
            if not driver.configured
            else (f": the plan's merge attribute is `{safe(driver.attribute)}`")
        )
    lines.append(f"{_sign(driver.ok, look)} {pad('merge.tt', width)}  {words}")
    if not report.ok or any(hook.how == "stale" for hook in report.hooks):
        lines.append("`tt hooks install` repairs this.")
    return lines


def _hook_line(hook: HookState, width: int, look: Look) -> str:
    words = _WORDS[hook.how]
    if not hook.reached and hook.how in ("file", "config", "stale"):
        words = "is not reached"
    if hook.chained:
        words += f", after {safe(hook.chained)}"
    if hook.note:
        words += f": {safe(hook.note)}"
    return f"{_sign(hook.reached, look)} {pad(hook.event, width)}  {words}"


def _sign(good: bool, look: Look) -> str:
    return look.paint("+", "green") if good else look.paint("-", "red")
