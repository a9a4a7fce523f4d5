"""`tt conductor` and `tt ready`: handing out what can be begun, and seeing it done."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from tt.cli.options import json_option
from tt.cli.screen import Flags, answer, examples
from tt.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from tt.bootstrap import Project
    from tt.core.ledger import Ledger
    from tt.core.rehearsal import Rehearsal


@click.command(
    epilog=examples(
        "tt conductor                      hand out tasks until all is done",
        "tt conductor --dry-run            say what would be handed out, and why the rest waits",
        "tt conductor --once               one step, for cron",
        "tt conductor --spawn --commit     start agents, and commit each step",
        "tt conductor --cli claude         let an AI conduct",
    )
)
@click.option("--once", is_flag=True, help="Do what can be done now, and end.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and why the rest waits.")
@click.option("--commit", "commits", is_flag=True, help="Commit tasks.toml as tasks move.")
@click.option("--spawn", "spawns", is_flag=True, help="Start the agents that the plan names.")
@click.option("--cli", metavar="CLI", help="Let this AI command line conduct instead.")
@click.option(
    "--max-parallel", type=click.IntRange(0), metavar="N",
    help="Hand out so many tasks at once; 0: as many as there are agents for.",
)  # fmt: skip
@json_option
@click.pass_obj
def conductor(
    flags: Flags, /, *, cli: str | None, max_parallel: int | None, as_json: bool, **does: bool
) -> int:
    """Hand out the tasks that can be begun to the agents they are for, until all is done.

    A task can be begun when all that it depends on is completed, and the stage before it. What an
    agent held that died is handed out anew. Several conductors may run: one leads, and another one
    takes over when it is gone. Agents go on working when it ends.

    Ends with 0 when all tasks are completed, and with 1 when something failed or nothing can move:
    it says which, why, and what to do.
    """
    if does["once"] and does["dry_run"]:
        raise UsageError("--once does something, and --dry-run nothing: one of them.")
    if cli is not None:
        if any(does.values()) or max_parallel is not None or as_json:
            raise UsageError("An AI that conducts decides itself: --cli goes alone.")
        return _by_ai(flags, cli)
    if does["dry_run"]:
        return _dry_run(flags, max_parallel, spawns=does["spawns"], as_json=as_json)
    from tt.cli.conducting import Wishes, run_conductor

    wishes = Wishes(does["once"], does["commits"], does["spawns"], max_parallel, as_json)
    return run_conductor(flags, wishes)


@click.command(epilog=examples("tt ready", "tt ready --json"))
@json_option
@click.pass_obj
def ready(flags: Flags, *, as_json: bool) -> int:
    """List the tasks that can be begun now; only reads, and needs only Redis.

    Each is listed with the agent it is for, in the order in which `tt conductor` hands them out.
    """
    from tt.render.conductlines import ready_lines

    with flags.project() as project:
        ledger = _ledger(project)
    found = ledger.shape.ready(ledger.tasks, ledger.shape.done(ledger.tasks))
    rows = [
        {"id": task.id, "description": task.description, "agent": ledger.wanted(task) or None}
        for task in found
    ]
    answer(flags, {"ready": rows}, lambda look: ready_lines(found, ledger, look), as_json=as_json)
    return ExitCode.DONE


def _ledger(project: Project) -> Ledger:
    """Read the town. Raises TTError where it has no tasks."""
    from tt.core.ledger import Ledger, no_tasks
    from tt.podium import plan_order

    ledger = Ledger(project.workshop.board(), plan_order(project))
    if not ledger.tasks:
        raise no_tasks(project.town)
    return ledger


def _dry_run(flags: Flags, max_parallel: int | None, *, spawns: bool, as_json: bool) -> int:
    from tt.render.conductlines import rehearsal_data, rehearsal_lines

    with flags.project() as project:
        found = _rehearsed(project, _ledger(project), max_parallel, spawns=spawns)
    answer(flags, rehearsal_data(found), lambda look: rehearsal_lines(found, look), as_json=as_json)
    return ExitCode.DONE


def _rehearsed(
    project: Project, ledger: Ledger, max_parallel: int | None = None, *, spawns: bool = False
) -> Rehearsal:
    from tt.adapters.lives import Vigil
    from tt.cli.conducting import orders_of
    from tt.core.rehearsal import rehearse

    orders, vigil = orders_of(project, max_parallel, spawns=spawns), Vigil()
    try:
        dead = vigil.dead(ledger.agents.values())
    finally:
        vigil.close()
    return rehearse(ledger, orders, dead, time.time())


def _by_ai(flags: Flags, name: str) -> int:
    """Give the terminal to an AI command line, with all that our conductor goes by."""
    from tt.adapters.agentcli import own_words
    from tt.adapters.frontcli import run_in_front
    from tt.cli.agentorders import agent_environment
    from tt.config.clis import find_cli
    from tt.core.agents import SUPERVISOR
    from tt.render.conductcontext import conducting_page

    with flags.project() as project:
        cli, ledger = find_cli(project.config, name), _ledger(project)
        page = conducting_page(ledger, _rehearsed(project, ledger), project.town, own_words())
        environment = agent_environment(project, SUPERVISOR, "conductor")
        file = project.private / "conductor.md"
        code = run_in_front(cli, page, file, environment, project.config.root)
    return ExitCode.DONE if code == 0 else ExitCode.FAILED
