"""`tt history` and `tt events`: what happened in the town."""

from __future__ import annotations

import click

from tt.cli.complete import complete_agent
from tt.cli.options import json_option
from tt.cli.reporting import utf8
from tt.cli.screen import Flags, answer, examples, say

_agent = click.option(
    "--agent", "-a", default="", metavar="AGENT", help="Only what one agent did.",
    shell_complete=complete_agent,
)  # fmt: skip


@click.command(epilog=examples("tt history", "tt history -n 100 --agent developer"))
@click.option("-n", "--limit", type=click.IntRange(1, 1000), default=30, show_default=True,
              help="How many events.")  # fmt: skip
@_agent
@json_option
@click.pass_obj
def history(flags: Flags, /, limit: int, agent: str, *, as_json: bool) -> None:
    """Tell what agents and people did in this town, the newest last.

    It is what Redis remembers, about the last 1,000 events; `tt log` tells what Git knows.
    """
    from tt.app.happening import Stream, past
    from tt.render.past import event_data, past_lines

    with flags.project() as project:
        found = past(Stream.of(project.workshop, utf8(agent)), limit, brief=not as_json)
    data = {"town": found.town, "events": [event_data(one) for one in found.events]}
    answer(flags, data, lambda look: past_lines(found, look), as_json=as_json)


@click.command(epilog=examples("tt events --follow", "tt events -c 100 --json"))
@click.option("-c", "--count", type=click.IntRange(0, 1000), default=20, show_default=True,
              help="How many events.")  # fmt: skip
@_agent
@click.option("-f", "--follow", is_flag=True, help="Go on with what happens, until Ctrl-C.")
@json_option
@click.pass_obj
def events(flags: Flags, /, count: int, agent: str, *, follow: bool, as_json: bool) -> int:
    """Print the town's events as they are written, the newest last.

    With --follow, each is printed when it happens; with --json each is a document on a line of its
    own then.
    """
    from tt.app.happening import Stream, past
    from tt.render.past import event_data, event_line

    if follow:
        from tt.cli.following import follow as go_on

        return go_on(flags, utf8(agent), count, as_json=as_json)
    with flags.project() as project:
        found = past(Stream.of(project.workshop, utf8(agent)), count)
    if as_json:
        data = {"town": found.town, "events": [event_data(one) for one in found.events]}
        answer(flags, data, lambda look: [], as_json=True)
        return 0
    look = flags.look
    say([event_line(one, look) for one in found.events] or ["No events yet."])
    return 0
