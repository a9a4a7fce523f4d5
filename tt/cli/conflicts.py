"""`tt conflicts`, `resolve`, `reopen`, `undo` and `dedupe`: deciding, and second thoughts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from tt.cli.complete import complete_task
from tt.cli.options import json_option
from tt.cli.patience import patience
from tt.cli.screen import Flags, answer, examples
from tt.cli.syncing import show_sync
from tt.core.outcome import Side
from tt.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from tt.core.marked import MarkedConflict
    from tt.core.report import Conflict
    from tt.render.text import Look

_task_argument = click.argument("task", metavar="ID", shell_complete=complete_task)


@click.command(epilog=examples("tt conflicts", "tt conflicts --json"))
@json_option
@click.pass_obj
def conflicts(flags: Flags, *, as_json: bool) -> int:
    """List what the file and Redis disagree on, or both sides of a merge; only reads.

    While conflict markers of a merge stand in the file, it lists those, and needs no Redis. The
    commands that decide are listed as well. Exit code 3 when there is any.
    """
    from tt.app.conflicts import conflicts as find
    from tt.render.conflicts import conflict_lines
    from tt.render.marked import marked_lines
    from tt.render.text import safe

    found: Sequence[Conflict | MarkedConflict]
    with patience("comparing"), flags.project() as project:
        marked = project.marked_file.conflicts()
        unsynced = () if marked else find(project.site)
        file = safe(project.plan_file.name)

    def lines(look: Look) -> list[str]:
        if marked:
            return marked_lines(marked, file, look)
        return conflict_lines(unsynced, file, look) or ["No conflicts."]

    found = marked or unsynced
    answer(flags, {"conflicts": found}, lines, as_json=as_json)
    return ExitCode.CONFLICTS if found else ExitCode.DONE


@click.command(
    epilog=examples(
        "tt resolve login --file    between tasks.toml and Redis",
        "tt resolve login --ours    between the conflict markers of a merge",
    )
)
@_task_argument
@click.option("--file", "side", flag_value="file", help="What tasks.toml says holds.")
@click.option("--store", "side", flag_value="store", help="What Redis says holds.")
@click.option("--ours", "side", flag_value="ours", help="In a merge: our side holds.")
@click.option("--theirs", "side", flag_value="theirs", help="In a merge: their side holds.")
@json_option
@click.pass_obj
def resolve(flags: Flags, task: str, side: str | None, *, as_json: bool) -> int:
    """End every conflict on one task for one side.

    Between the file and Redis the rest is merged as well. Between conflict markers of a merge
    nothing but that task's markers is touched; Git hears of it by `git add`, which is yours to do.
    """
    if side is None:
        raise click.UsageError(
            "Say which side holds: --file or --store; in a merge, --ours or --theirs."
        )
    if side in ("ours", "theirs"):
        return _resolve_marked(flags, task, side, as_json=as_json)
    from tt.app.conflicts import resolve as decide

    with patience("syncing"), flags.project() as project:
        if project.marked_file.conflicts():
            raise UsageError(
                f"{project.plan_file.name} has conflict markers of a merge.",
                "Decide these first: `tt conflicts` lists them, --ours or --theirs ends them.",
            )
        report = decide(project.site, task, Side(side))
    return show_sync(flags, report, as_json=as_json)


def _resolve_marked(flags: Flags, task: str, side: str, *, as_json: bool) -> int:
    from tt.app.marked import resolve_marked
    from tt.core.markers import MergeSide
    from tt.render.marked import resolution_lines
    from tt.render.text import safe

    with flags.project() as project:
        done = resolve_marked(project.marked_file, task, MergeSide(side))
        file = safe(project.plan_file.name)
    answer(
        flags,
        {"resolved": done.decided, "conflicts": done.left},
        lambda look: resolution_lines(task, side, done, file, look),
        as_json=as_json,
    )
    return ExitCode.CONFLICTS if done.left else ExitCode.DONE


@click.command(epilog=examples("tt reopen login"))
@_task_argument
@json_option
@click.pass_obj
def reopen(flags: Flags, task: str, *, as_json: bool) -> None:
    """Make a task pending again on both sides, whatever it was."""
    from tt.app.conflicts import reopen as make_pending
    from tt.render.changes import change_lines
    from tt.render.text import safe

    with patience("syncing"), flags.project() as project:
        changes = make_pending(project.site, task)
    answer(
        flags,
        {"changes": changes},
        lambda look: (
            change_lines(changes, look, indent="") or [f"{safe(task)} is pending already."]
        ),
        as_json=as_json,
    )


@click.command(epilog=examples("tt undo", "tt sync log", "tt undo 1f3a9c"))
@click.argument("name", required=False)
@json_option
@click.pass_obj
def undo(flags: Flags, name: str | None, *, as_json: bool) -> int:
    """Take the last sync back, or the one that NAME names (`tt sync log`), on both sides.

    All of it or nothing: where newer changes stand on it they are listed, and nothing is done
    (exit code 1). An undo is a sync of its own and can be undone.
    """
    from tt.app.history import undo as take_back
    from tt.render.history import undo_lines

    with patience("syncing"), flags.project() as project:
        report = take_back(project.site, name)
    answer(flags, report, lambda look: undo_lines(report, look), as_json=as_json)
    return ExitCode.FAILED if report.blocked else ExitCode.DONE


@click.command(epilog=examples("tt dedupe --dry-run", "tt dedupe"))
@click.option("--dry-run", is_flag=True, help="Say what would be removed; remove nothing.")
@json_option
@click.pass_obj
def dedupe(flags: Flags, *, dry_run: bool, as_json: bool) -> None:
    """Remove second copies of tasks from Redis.

    Other tools make a new copy of every task with each push. `tt` counts the one that is furthest
    along, and leaves the others alone until you ask.
    """
    from tt.app.duplicates import dedupe as remove
    from tt.render.duplicates import dedupe_lines

    with patience("comparing"), flags.project() as project:
        found, removed = remove(project.site, dry_run=dry_run)
    answer(
        flags,
        {"copies": found, "removed": removed, "dry_run": dry_run},
        lambda look: dedupe_lines(found, removed, look, dry_run=dry_run),
        as_json=as_json,
    )
