"""`tt task`: reporting on tasks, looking at them, and writing notes beside them."""

from __future__ import annotations

import os

import click

from tt.cli.complete import complete_agent, complete_filter, complete_task
from tt.cli.group import Family
from tt.cli.options import json_option
from tt.cli.patience import patience
from tt.cli.reporting import ENDS, run_report, utf8
from tt.cli.screen import Flags, answer, examples, say
from tt.core.model import STATUSES
from tt.core.myself import Myself

_one = click.argument("task", metavar="ID", shell_complete=complete_task)
_mine = click.argument(
    "task", metavar="[ID]", required=False, default="", shell_complete=complete_task
)
_result = click.option("--result", metavar="R", default="", help="What was done, in a few words.")


@click.group(
    cls=Family,
    epilog=examples(
        'tt task complete lint --result "All files pass"',
        "tt task show lint",
        "tt task list status:failed,running",
        'tt task note lint "Waits for the new rules"',
    ),
)
def task() -> None:
    """Report on tasks, look at them, write notes beside them.

    ID is a task's id in the plan, its uuid, or the beginning of that (4 characters). Whoever works
    on a task as an agent need not name it. `tt sync merge` brings what is reported into tasks.toml.
    """


def _end(flags: Flags, word: str, name: str, result: str, *, as_json: bool) -> int:
    return run_report(flags, ENDS[word], name, result, as_json)


@task.command(epilog=examples('tt task complete lint --result "All files pass"'))
@_mine
@_result
@json_option
@click.pass_obj
def complete(flags: Flags, /, task: str, result: str, *, as_json: bool) -> int:
    """Say that a task is done.

    The report of an agent whose attempt was given up meanwhile is refused (exit code 1).
    """
    return _end(flags, "complete", task, result, as_json=as_json)


@task.command(epilog=examples('tt task fail lint --result "The linter is not installed"'))
@_mine
@_result
@json_option
@click.pass_obj
def fail(flags: Flags, /, task: str, result: str, *, as_json: bool) -> int:
    """Say that a task failed. Where retries are left it is pending again."""
    return _end(flags, "fail", task, result, as_json=as_json)


@task.command(epilog=examples('tt task cancel lint --result "Not needed any more"'))
@_one
@_result
@json_option
@click.pass_obj
def cancel(flags: Flags, /, task: str, result: str, *, as_json: bool) -> int:
    """Say that a task is not to be done. What waits for it goes on waiting."""
    return _end(flags, "cancel", task, result, as_json=as_json)


@task.command(
    short_help="Show all that there is to say of one task.",
    epilog=examples("tt task show lint", "tt task show 4a05207c --json"),
)
@_mine
@json_option
@click.pass_obj
def show(flags: Flags, /, task: str, *, as_json: bool) -> None:
    """Show all that there is to say of one task, its notes and result in full."""
    from tt.app.tasks import show as look_at
    from tt.render.jobs import job_data
    from tt.render.task import shown_lines

    with flags.project() as project:
        found = look_at(project.workshop, Myself.of(os.environ), utf8(task))
    data = {
        **job_data(found.job, found.agents),
        "waits_for": found.depends_on,
        "in_backlog": found.in_backlog,
    }
    answer(flags, data, lambda look: shown_lines(found, look), as_json=as_json)


@task.command(
    short_help="Show what agents work on.",
    epilog=examples("tt task current", "tt task current developer"),
)
@click.argument("agent", required=False, default="", shell_complete=complete_agent)
@json_option
@click.pass_obj
def current(flags: Flags, /, agent: str, *, as_json: bool) -> None:
    """Show what an agent works on: the one that asks, or AGENT; for a person, all of them."""
    from tt.app.tasks import current as under_way
    from tt.render.jobs import current_lines
    from tt.render.staff import agent_data

    with flags.project() as project:
        found = under_way(project.workshop, Myself.of(os.environ), utf8(agent))
    data = agent_data(found)
    answer(flags, data, lambda look: current_lines(found, look), as_json=as_json)


@task.command(
    "list",
    context_settings={"ignore_unknown_options": True},
    epilog=examples(
        "tt task list --state running",
        "tt task list tag:backend -agent:dev",
        "tt -v task list          with whole uuids",
    ),
)
@click.argument(
    "words", nargs=-1, type=click.UNPROCESSED, metavar="[FILTER]…", shell_complete=complete_filter
)
@click.option("--state", type=click.Choice(sorted(STATUSES)), help="Only tasks in this state.")
@json_option
@click.pass_obj
def list_tasks(
    flags: Flags, /, words: tuple[str, ...], state: str | None, *, as_json: bool
) -> None:
    """List the town's tasks, those that are in no plan among them.

    Filters are those of `tt plan`; `agent:` finds whoever has a task, else whom it is for.
    """
    from tt.app.tasks import listing
    from tt.render.jobs import jobs_data, task_lines

    with patience("reading"), flags.project() as project:
        found = listing(project.workshop, [utf8(word) for word in words], state or "")
    data = {"tasks": jobs_data(found.jobs, found.agents), "total": found.total}
    answer(flags, data, lambda look: task_lines(found, look), as_json=as_json)


@task.command(epilog=examples('tt task note lint "Waits for the new rules"'))
@_one
@click.argument("text")
@json_option
@click.pass_obj
def note(flags: Flags, /, task: str, text: str, *, as_json: bool) -> None:
    """Keep a note with a task, whoever works on it. `tt task show` shows it; the last 50 stay."""
    from tt.app.reporting import note as keep
    from tt.render.text import safe

    with flags.project() as project:
        job = keep(project.workshop, Myself.of(os.environ), utf8(task), utf8(text))
    if as_json:
        answer(flags, {"id": job.task.id, "notes": job.notes}, lambda look: [], as_json=True)
    else:
        say([f"📝 Noted on {safe(job.task.id)}"])
