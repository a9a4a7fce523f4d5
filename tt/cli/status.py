"""`tt status`: how a plan and its town stand."""

from __future__ import annotations

import time

import click

from tt.cli.options import json_option
from tt.cli.patience import patience
from tt.cli.screen import Flags, examples, say, say_json, warn
from tt.errors import ExitCode


@click.command(epilog=examples("tt status", "tt -v status", "tt status --deep --tasks"))
@click.option("--deep", is_flag=True, help="Also messages, rounds and the last words of agents.")
@click.option("--tasks", "by_task", is_flag=True, help="Also the tasks by state, and whose.")
@json_option
@click.pass_obj
def status(flags: Flags, /, *, deep: bool, by_task: bool, as_json: bool) -> int:
    """Show the town, its tasks by state, groups' progress, agents, and what differs; only reads.

    Without Redis the file's side is still shown (exit code 4).
    """
    from tt.app.crew import crew as crew_of
    from tt.app.status import status as compare
    from tt.core.groups import groups
    from tt.render.crew import crew_data, crew_lines
    from tt.render.jobs import jobs_data
    from tt.render.status import status_data, status_lines
    from tt.render.watcher import watch_line, watching_data

    with patience("comparing"), flags.project() as project:
        report = compare(project.site)
        workers = (
            crew_of(project.workshop, deep=deep, by_task=by_task)
            if not report.store_error
            else None
        )
        watching = project.watch_post.watching()
        warn(project.warnings())
    progress = groups(report.plan)
    if as_json:
        agents = {"agents": [] if workers is None else crew_data(workers)}
        tasks = workers.tasks if workers is not None else None
        listed = {} if tasks is None else {"task_list": jobs_data(tasks.jobs, tasks.agents)}
        watcher = {"watcher": watching_data(watching)}
        say_json({**status_data(report, progress), **watcher, **agents, **listed})
    else:
        look, watched = flags.look, watch_line(watching)
        crew = [] if workers is None else crew_lines(workers, time.time(), look)
        say(status_lines(report, progress, look, watched, crew))
        if report.store_error and report.hint:
            warn([f"    {report.hint}"])
    return ExitCode.DONE if report.store_error is None else ExitCode.STORE
