"""`tt status`: how a plan and its town stand."""

from __future__ import annotations

import click

from tt.cli.options import json_option
from tt.cli.patience import patience
from tt.cli.screen import Flags, examples, say, say_json, warn
from tt.errors import ExitCode


@click.command(epilog=examples("tt status", "tt -v status", "tt status --json"))
@json_option
@click.pass_obj
def status(flags: Flags, *, as_json: bool) -> int:
    """Show the town, its tasks by state, groups' progress, and what differs; only reads.

    Without Redis the file's side is still shown (exit code 4).
    """
    from tt.app.status import status as compare
    from tt.core.groups import groups
    from tt.render.status import status_data, status_lines
    from tt.render.watcher import watch_line, watching_data

    with patience("comparing"), flags.project() as project:
        report = compare(project.site)
        watching = project.watch_post.watching()
        warn(project.warnings())
    progress = groups(report.plan)
    if as_json:
        say_json({**status_data(report, progress), "watcher": watching_data(watching)})
    else:
        say(status_lines(report, progress, flags.look, watch_line(watching)))
        if report.store_error and report.hint:
            warn([f"    {report.hint}"])
    return ExitCode.DONE if report.store_error is None else ExitCode.STORE
