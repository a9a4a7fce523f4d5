"""`tt epics`: how far groups are, who is at them, and what they wait for."""

from __future__ import annotations

import click

from tt.cli.graph import live_option, plan_of
from tt.cli.options import json_option
from tt.cli.screen import Flags, answer, examples
from tt.errors import ExitCode


@click.command(epilog=examples("tt epics", "tt epics --live", "tt epics --all --json"))
@click.option("--all", "everything", is_flag=True, help="Closed ones, too.")
@live_option
@json_option
@click.pass_obj
def epics(flags: Flags, /, *, everything: bool, live: bool, as_json: bool) -> int:
    """List the groups of the plan: open, landed or closed, with progress.

    A group has landed when all of its tasks are done; it is closed when it says so itself, which
    the conductor sees to. Without --live it reads the plan's file alone.
    """
    from tt.core.convoys import Convoy
    from tt.core.convoys import epics as convoys
    from tt.render.epics import epic_data, epic_lines

    with flags.project() as project:
        plan, holders = plan_of(project, live=live)
    found = convoys(plan, holders)
    shown = [epic for epic in found if everything or epic.convoy is not Convoy.CLOSED]
    answer(flags, epic_data(shown), lambda look: epic_lines(found, shown, look), as_json=as_json)
    return ExitCode.DONE
