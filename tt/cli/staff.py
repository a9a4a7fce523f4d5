"""`tt list`, `recover`, `reclaim` and `prune`: who is there, and what those had who are gone."""

from __future__ import annotations

import time

import click

from tt.cli.assign import desk_of
from tt.cli.complete import complete_agent
from tt.cli.options import json_option
from tt.cli.reporting import utf8
from tt.cli.screen import Flags, answer, examples
from tt.errors import ExitCode, UsageError


@click.command("list", epilog=examples("tt list", "tt -v list          with uuids"))
@json_option
@click.pass_obj
def list_agents(flags: Flags, /, *, as_json: bool) -> None:
    """List the agents of this town, and what each works on."""
    from tt.app.crew import agents_at_work
    from tt.render.staff import agent_data, agent_lines

    with flags.project() as project:
        found = agents_at_work(project.workshop)
    now = time.time()
    answer(flags, agent_data(found), lambda look: agent_lines(found, now, look), as_json=as_json)


@click.command(
    epilog=examples(
        "tt recover --dry-run     who would be recovered",
        "tt recover               do it",
        "tt recover developer     this one is dead, whatever it looks like",
    )
)
@click.argument("agents", nargs=-1, metavar="[AGENT]…", shell_complete=complete_agent)
@click.option("--dry-run", is_flag=True, help="Say what would be done; do nothing.")
@json_option
@click.pass_obj
def recover(flags: Flags, /, agents: tuple[str, ...], *, dry_run: bool, as_json: bool) -> int:
    """Find agents that died, and give back what they held. The conductor does so by itself.

    Dead is whose process is gone on this machine, or who has shown no sign of life for its lease by
    the server's clock; nobody is judged within a lease of the server's start. Another tool's agents
    show one only between tasks: while they work, AGENT has to say that one is dead. Tasks are
    pending again, messages lie in the inbox again. The third death over one task ends it as failed.
    """
    from tt.adapters.lives import Vigil
    from tt.app.recovery import Sight
    from tt.app.recovery import recover as find
    from tt.render.staff import recovered_data, recovered_lines

    vigil = Vigil()
    try:
        sight = Sight(vigil.dead, time.time())
        with flags.project() as project:
            found = find(project.workshop, sight, [utf8(one) for one in agents], dry_run=dry_run)
    finally:
        vigil.close()
    answer(flags, recovered_data(found), lambda look: recovered_lines(found, look), as_json=as_json)
    spared = bool(agents) and any(one.spared for one in found.found)
    return ExitCode.FAILED if spared else ExitCode.DONE


@click.command(
    epilog=examples(
        "tt reclaim                              what those have who are gone",
        "tt reclaim --to-backlog                 let anybody claim it",
        "tt reclaim --from architect --to dev    give it to somebody",
        "tt reclaim --orphan-tasks --cancel      end tasks whose agent is gone",
    )
)
@click.option("--to-backlog", is_flag=True, help="Put it into the backlog.")
@click.option("--to", default="", metavar="AGENT", help="Give it to this agent.",
              shell_complete=complete_agent)  # fmt: skip
@click.option("--from", "source", default="", metavar="AGENT", help="Only what this one had.",
              shell_complete=complete_agent)  # fmt: skip
@click.option("--orphan-tasks", "orphaned", is_flag=True,
              help="Tasks whose agent is gone or not there at all; messages stay.")  # fmt: skip
@click.option("--cancel", is_flag=True, help="With --orphan-tasks: cancel them.")
@click.option("--delete", is_flag=True,
              help="With --orphan-tasks: delete those that are in no plan.")  # fmt: skip
@json_option
@click.pass_obj
def reclaim(
    flags: Flags, /, to: str, source: str, *, orphaned: bool, as_json: bool, **does: bool
) -> None:
    """Give the work of agents that are gone to others: tasks they held, messages that ask for some.

    Without an option that says where it goes it is only listed, and nothing changes.
    """
    from tt.app.reclaiming import Reclaim, orphans
    from tt.app.reclaiming import reclaim as give
    from tt.render.staff import reclaimed_data, reclaimed_lines

    wanted = Reclaim(to=utf8(to), source=utf8(source), **does)
    _check(wanted.to, wanted.source, orphaned=orphaned, does=does)
    with flags.project() as project:
        found = (orphans if orphaned else give)(desk_of(project), wanted)
    data = {"reclaimed": reclaimed_data(found), "listed": wanted.is_listing}
    answer(flags, data, lambda look: reclaimed_lines(found, look), as_json=as_json)


def _check(to: str, source: str, *, orphaned: bool, does: dict[str, bool]) -> None:
    """Refuse what cannot mean anything."""
    wanted = [f"--{name.replace('_', '-')}" for name, given in does.items() if given]
    wanted += ["--to"] if to else []
    if len(wanted) > 1:
        raise UsageError(f"One of {' and '.join(wanted)} at a time: they are different things.")
    if not orphaned and (does["cancel"] or does["delete"]):
        raise UsageError("--cancel and --delete are for `tt reclaim --orphan-tasks`.")
    if orphaned and source:
        raise UsageError("--orphan-tasks looks at all tasks; --from does not go with it.")


@click.command(epilog=examples("tt prune", "tt prune --all"))
@click.option("--all", "every", is_flag=True, help="Remove all agents, those at work, too.")
@json_option
@click.pass_obj
def prune(flags: Flags, /, *, every: bool, as_json: bool) -> None:
    """Remove agents that have stopped from the town. What they still held is pending again.

    One whose inbox has work in it stays: `tt reclaim` gives that to somebody. With --all everybody
    goes, and those at work notice and end.
    """
    from tt.app.recovery import prune as remove
    from tt.render.jobs import jobs_data
    from tt.render.staff import pruned_lines

    with flags.project() as project:
        found = remove(project.workshop, every=every)
    data = {
        "removed": found.removed,
        "kept": [{"agent": agent, "why": why} for agent, why in found.kept],
        "given_back": jobs_data(found.given_back, {}),
    }
    answer(flags, data, lambda look: pruned_lines(found, look), as_json=as_json)
