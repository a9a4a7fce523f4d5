"""`tt assign` and `tt backlog`: giving tasks to agents by hand."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from tt.cli.complete import complete_agent, complete_task
from tt.cli.group import Family
from tt.cli.options import json_option
from tt.cli.reporting import utf8
from tt.cli.screen import Flags, answer, examples
from tt.core.myself import Myself

if TYPE_CHECKING:
    from tt.app.assigning import Desk
    from tt.bootstrap import Project

_agent = click.argument("agent", shell_complete=complete_agent)
_task = click.argument("task", metavar="ID", shell_complete=complete_task)


def desk_of(project: Project) -> Desk:
    """Return from where tasks are given out: by whoever runs this, as the settings say."""
    from tt.app.assigning import Desk
    from tt.core.conducting import Orders

    config = project.config
    orders = Orders(
        retries=config.number("conductor.retries"),
        timeout=float(config.number("conductor.timeout")),
    )
    return Desk(project.workshop, orders, Myself.of(os.environ).sender)


@click.command(
    epilog=examples(
        'tt assign developer "Fix the login form"     a new task',
        "tt assign developer implement                one of the plan",
    )
)
@_agent
@click.argument("task", metavar="TEXT|ID", shell_complete=complete_task)
@click.option("--new", is_flag=True, help="It is a new task's text, even if a task is called so.")
@json_option
@click.pass_obj
def assign(flags: Flags, /, agent: str, task: str, *, new: bool, as_json: bool) -> None:
    """Give a task to an agent: one of the plan by its id, or a new one by its text.

    A task has to be pending for that. A new one is in no plan; `tt sync pull` adopts it.
    """
    from tt.app.assigning import assign as give
    from tt.render.jobs import assigned_lines, job_data

    with flags.project() as project:
        found = give(desk_of(project), utf8(agent), utf8(task), new=new)
    agents = {found.agent.uuid: found.agent}
    data = {"task": job_data(found.job, agents), "made": found.made, "unmet": found.unmet}
    answer(flags, data, lambda look: assigned_lines(found, look), as_json=as_json)


@click.group(
    cls=Family,
    epilog=examples(
        'tt backlog add "Write the changelog" --tags docs',
        "tt backlog list",
        "tt backlog claim 18b473aa developer",
    ),
)
def backlog() -> None:
    """Keep tasks that nobody is to do yet."""


@backlog.command(epilog=examples('tt backlog add "Write the changelog" --tags docs,release'))
@click.argument("text")
@click.option("--tags", default="", metavar="A,B", help="Tags, with commas between them.")
@json_option
@click.pass_obj
def add(flags: Flags, /, text: str, tags: str, *, as_json: bool) -> None:
    """Make a task that waits in the backlog."""
    from tt.app.assigning import shelve
    from tt.render.jobs import job_data
    from tt.render.text import safe

    words = [tag.strip() for tag in utf8(tags).split(",") if tag.strip()]
    with flags.project() as project:
        job = shelve(project.workshop, utf8(text), words)
    lines = [
        f"📋 Added task to backlog: {job.uuid}",
        f"   Description: {safe(job.task.description)}",
    ]
    answer(flags, job_data(job, {}), lambda look: lines, as_json=as_json)


@backlog.command("list", epilog=examples("tt backlog list"))
@json_option
@click.pass_obj
def list_backlog(flags: Flags, /, *, as_json: bool) -> None:
    """List the backlog, what waits longest first."""
    from tt.app.tasks import backlog as waiting
    from tt.render.jobs import backlog_lines, jobs_data

    with flags.project() as project:
        found = waiting(project.workshop)
    gone = [uuid for uuid in found.backlog if uuid not in {job.uuid for job in found.jobs}]
    data = {"tasks": jobs_data(found.jobs, found.agents), "gone": gone}
    answer(flags, data, lambda look: backlog_lines(found, look), as_json=as_json)


@backlog.command(epilog=examples("tt backlog claim 18b473aa developer"))
@_task
@_agent
@json_option
@click.pass_obj
def claim(flags: Flags, /, task: str, agent: str, *, as_json: bool) -> None:
    """Give a task out of the backlog to an agent."""
    from tt.app.assigning import claim as give
    from tt.render.jobs import assigned_lines, job_data

    with flags.project() as project:
        found = give(desk_of(project), utf8(task), utf8(agent))
    agents = {found.agent.uuid: found.agent}
    data = {"task": job_data(found.job, agents), "unmet": found.unmet}
    answer(flags, data, lambda look: assigned_lines(found, look), as_json=as_json)


@backlog.command("assign-all", epilog=examples("tt backlog assign-all developer"))
@_agent
@json_option
@click.pass_obj
def assign_all(flags: Flags, /, agent: str, *, as_json: bool) -> None:
    """Give all that is in the backlog to one agent, in order."""
    from tt.app.assigning import share
    from tt.render.jobs import jobs_data, shared_lines

    with flags.project() as project:
        found = share(desk_of(project), utf8(agent))
    agents = {found.agent.uuid: found.agent}
    data = {"assigned": jobs_data(found.given, agents), "left": found.left}
    answer(flags, data, lambda look: shared_lines(found, look), as_json=as_json)


@backlog.command(epilog=examples("tt backlog remove 18b473aa"))
@_task
@json_option
@click.pass_obj
def remove(flags: Flags, /, task: str, *, as_json: bool) -> None:
    """Take a task out of the backlog. It stays a task: `tt task cancel` ends it."""
    from tt.app.assigning import unshelve
    from tt.core.jobs import Job
    from tt.render.text import safe

    with flags.project() as project:
        found = unshelve(project.workshop, utf8(task))
    uuid, name = (found.uuid, found.task.id) if isinstance(found, Job) else (found, found)
    lines = [f"Removed {safe(name)} from the backlog."]
    answer(flags, {"id": name, "uuid": uuid}, lambda look: lines, as_json=as_json)
