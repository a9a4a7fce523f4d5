"""`tt hooks`: letting Git sync by itself."""

from __future__ import annotations

import click

from tt.cli.group import Family
from tt.cli.options import json_option
from tt.cli.screen import Flags, answer, examples
from tt.errors import ExitCode

_dry_run = click.option("--dry-run", is_flag=True, help="Say what would be done; do nothing.")


@click.group(
    cls=Family,
    epilog=examples("tt hooks install", "tt hooks status", "tt hooks uninstall"),
)
def hooks() -> None:
    """Let Git sync by itself: with each commit, merge, checkout and rebase.

    Hooks that are there go on running, first; husky's, lefthook's and the pre-commit framework's,
    too. `TT_HOOKS=0 git …` is one command without ours.
    """


@hooks.command(epilog=examples("tt hooks install --dry-run", "tt hooks install"))
@_dry_run
@click.option("--files", "as_files", is_flag=True,
              help="Into hook files, even where Git has hooks in its configuration.")  # fmt: skip
@json_option
@click.pass_obj
def install(flags: Flags, *, dry_run: bool, as_files: bool, as_json: bool) -> None:
    """Install the hooks and the merge driver in this repository; each clone does that once.

    From Git 2.54 on they are in Git's configuration, before that in the files that Git looks for.
    Where an older Git works in the same repository as well, say --files.
    """
    from tt.app.installing import install as put
    from tt.render.hooks import installation_lines

    with flags.project() as project:
        done = put(project.hook_place, dry_run=dry_run, as_files=as_files)
        if not dry_run:
            project.register()
    answer(flags, done, lambda look: installation_lines(done, look), as_json=as_json)


@hooks.command(epilog=examples("tt hooks uninstall --dry-run", "tt hooks uninstall"))
@_dry_run
@json_option
@click.pass_obj
def uninstall(flags: Flags, *, dry_run: bool, as_json: bool) -> None:
    """Take hooks and merge driver out again, and give back what was there, to the byte."""
    from tt.app.installing import uninstall as take
    from tt.render.hooks import installation_lines

    with flags.project() as project:
        done = take(project.hook_place, dry_run=dry_run)
    answer(flags, done, lambda look: installation_lines(done, look), as_json=as_json)


@hooks.command(epilog=examples("tt hooks status", "tt hooks status --json"))
@json_option
@click.pass_obj
def status(flags: Flags, *, as_json: bool) -> int:
    """Prove whether Git reaches each hook; no hook of yours runs for it.

    Exit code 1 where one is not reached, or the merge driver is not set up.
    """
    from tt.app.hookstatus import hook_status
    from tt.render.hooks import hooks_lines

    with flags.project() as project:
        report = hook_status(project.hook_place)
    answer(flags, report, lambda look: hooks_lines(report, look), as_json=as_json)
    return ExitCode.DONE if report.ok else ExitCode.FAILED
