"""`tt watch install` and `uninstall`: a watcher that the user's session starts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import click

from tt.cli.options import json_option
from tt.cli.screen import Flags, answer, examples, say
from tt.errors import TTError, UsageError

if TYPE_CHECKING:
    from tt.adapters.sessions import Launchd, Systemd
    from tt.config.settings import Config
    from tt.core.service import Service

two_way_option = click.option(
    "--two-way/--push-only",
    default=None,
    help="Also bring what agents do into the file, as it happens; by default `watch.two_way` says.",
)
every_option = click.option("--all", "every", is_flag=True, help="All plans that you have synced.")

_KEPT: Final = ("PATH", "PYTHONPATH", "TT_HOME", "XDG_CACHE_HOME", "PRE_COMMIT_HOME", "PREK_HOME")
"""What a watcher needs to find as the user's shell does: Git, itself, its home, put-away edits."""


@click.command(epilog=examples("tt watch install", "tt watch install --all"))
@two_way_option
@every_option
@json_option
@click.pass_obj
def install(flags: Flags, two_way: bool | None, *, every: bool, as_json: bool) -> None:
    """Start a watcher with each session: a systemd user unit, or a launchd agent.

    It starts at once, too. Twice is once; a file that you have edited is not overwritten.
    """
    from tt.adapters.configfile import replace_file
    from tt.app.serving import install as put
    from tt.render.watcher import serving_lines

    check_name(flags, every=every)
    service, holder = _service(flags, two_way, every=every)
    done = put(_keeper(), service, replace_file)
    answer(flags, done, lambda look: serving_lines(done, look), as_json=as_json)
    if holder and not as_json:
        say([f"It waits until the watcher that is at work here ends (pid {holder})."])


@click.command(epilog=examples("tt watch uninstall", "tt watch uninstall --all"))
@every_option
@json_option
@click.pass_obj
def uninstall(flags: Flags, *, every: bool, as_json: bool) -> None:
    """Take away what `tt watch install` made, and end the watcher that it started."""
    from tt.app.serving import uninstall as take
    from tt.core.service import EVERY, service_name
    from tt.render.watcher import serving_lines

    if every:
        name = EVERY
    else:
        with flags.project() as project:
            name = service_name(str(project.config.root))
    done = take(_keeper(), name)
    answer(flags, done, lambda look: serving_lines(done, look), as_json=as_json)


def check_name(flags: Flags, *, every: bool) -> None:
    """Refuse one town's name for all plans."""
    if every and (flags.name or os.environ.get("TT_NAME")):
        what = "--name" if flags.name else "TT_NAME"
        raise UsageError(f"{what} is the name of one town, and --all is for all of them.")


def watch_words(flags: Flags, two_way: bool | None, *, every: bool) -> list[str]:
    """Return the command line of a watcher that runs by itself; settings are not on it."""
    words = [*(["--verbose"] if flags.verbose else []), "watch", *(["--all"] if every else [])]
    return words if two_way is None else [*words, "--two-way" if two_way else "--push-only"]


def service_environment(config: Config, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which a service finds what this command finds.

    What flags and environment say of settings goes with it. Raises TTError where that is a
    password: the service's file is no place for one.
    """
    from tt.config.address import is_secret
    from tt.config.keys import KEYS
    from tt.render.settings import value_words

    found = {name: environ[name] for name in _KEPT if environ.get(name)}
    for name, (value, origin) in config.settings.items():
        if not origin.startswith(("flag ", "environment ")):
            continue
        if is_secret(name, value):
            raise TTError(
                f"The {origin} holds a password, and a service's file must not.",
                f"`tt config {name} …` keeps it in ~/.tt/config.toml, for you alone; then install "
                "without it.",
            )
        found[KEYS[name].env[0]] = value_words(value)
    return found


def _keeper() -> Systemd | Launchd:
    import sys

    from tt.adapters.sessions import session_keeper

    return session_keeper(sys.platform, os.environ)


def _service(flags: Flags, two_way: bool | None, *, every: bool) -> tuple[Service, int]:
    """Describe the watcher that is wanted, and say who watches now: a process id, or 0."""
    from tt.adapters.background import own_command
    from tt.adapters.starter import STARTED_AS
    from tt.bootstrap import every_post
    from tt.core.service import EVERY, Service, service_name

    with flags.project() as project:
        environment = service_environment(project.config, os.environ)
        root, home, post = project.config.root, project.config.home, project.watch_post
        project.register()
    if every:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        root, post = home, every_post(home)
    holder = post.holder()
    service = Service(
        name=EVERY if every else service_name(str(root)),
        about="tt watch, all plans" if every else f"tt watch in {root}",
        command=own_command(watch_words(flags, two_way, every=every)),
        directory=str(root),
        environment={**environment, STARTED_AS: "service"},
        log=str(post.log),
    )
    return service, holder.pid if holder is not None and holder.how != "service" else 0
