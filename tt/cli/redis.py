"""`tt redis`: the server that `tt` keeps for the user when no other is configured."""

from __future__ import annotations

import click

from tt.bootstrap import embedded_server
from tt.cli.group import Family
from tt.cli.options import json_option
from tt.cli.screen import Flags, answer, examples, say, warn
from tt.record import as_dict
from tt.render.text import safe


@click.group(cls=Family, epilog=examples("tt redis status", "tt redis stop"))
def redis() -> None:
    """Look after the built-in Redis: private to you, on a socket, started when it is needed."""


@redis.command()
@json_option
@click.pass_obj
def status(flags: Flags, *, as_json: bool) -> None:
    """Say whether it runs, where, and how it is."""
    from tt.render.server import server_lines

    with flags.project() as project:
        elsewhere = project.elsewhere
        state = embedded_server(project.config.home).status()
    found = {**as_dict(state), "address": str(state.address)}
    answer(flags, found, lambda look: server_lines(found, elsewhere, look), as_json=as_json)


@redis.command()
@click.pass_obj
def start(flags: Flags) -> None:
    """Start it; other commands do that by themselves."""
    with flags.project() as project:
        address = embedded_server(project.config.home).start()
        _mention(project.elsewhere)
    say([f"Redis runs at {safe(str(address))}"])


@redis.command()
@click.pass_obj
def stop(flags: Flags) -> None:
    """Stop it; what it holds is saved."""
    with flags.project() as project:
        stopped = embedded_server(project.config.home).stop()
    say(["Redis is stopped." if stopped else "Redis did not run."])


@redis.command()
@click.pass_obj
def restart(flags: Flags) -> None:
    """Stop it and start it again."""
    with flags.project() as project:
        address = embedded_server(project.config.home).restart()
        _mention(project.elsewhere)
    say([f"Redis runs at {safe(str(address))}"])


def _mention(elsewhere: str | None) -> None:
    """Say that this project does not use the built-in server."""
    if elsewhere is not None:
        warn([f"tt: This project uses another Redis: {safe(elsewhere)} (see `tt config`)."])
