"""`tt watch`: a save in an editor is in Redis at once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from tt.bootstrap import every_post
from tt.cli.options import json_option
from tt.cli.screen import Flags, answer, examples
from tt.cli.servicing import (
    check_name,
    every_option,
    install,
    two_way_option,
    uninstall,
    watch_words,
)
from tt.config.settings import tt_home
from tt.errors import ExitCode, TTError, UsageError

if TYPE_CHECKING:
    from tt.adapters.watchpost import WatchPost


@click.group(
    invoke_without_command=True,
    epilog=examples(
        "tt watch                    watch this plan until Ctrl-C",
        "tt watch --two-way          and pull what agents do",
        "tt watch --background       go on without the terminal",
        "tt watch --status           who watches, and how it goes",
        "tt watch --stop             end it",
        "tt watch install            start it with each session",
    ),
)
@two_way_option
@every_option
@click.option("--background", is_flag=True, help="Go on without the terminal.")
@click.option("--status", is_flag=True, help="Say who watches, and how it goes.")
@click.option("--stop", is_flag=True, help="End the watcher that is at work here.")
@json_option
@click.pass_context
def watch(
    ctx: click.Context, /, two_way: bool | None, *, every: bool, as_json: bool, **does: bool
) -> int:
    """Sync whenever the plan is saved, and with --two-way whenever an agent does something.

    A save is pushed a tenth of a second after it is over; half a file never is. While Git is at
    work it waits, while Redis is away it goes on watching and catches up. One watcher is at work
    in each worktree. In the background and as a service it keeps a log, which --status names.

    --status ends with 1 where nobody watches.
    """
    flags, wanted = ctx.obj, [name for name, given in does.items() if given]
    if ctx.invoked_subcommand is not None:
        if two_way is not None or wanted or every or as_json:
            raise UsageError(f"Options go behind it: `tt watch {ctx.invoked_subcommand} …`.")
        return ExitCode.DONE
    _check(flags, wanted, two_way, every=every)
    if does["status"]:
        return _status(flags, every=every, as_json=as_json)
    if does["stop"]:
        return _stop(flags, every=every, as_json=as_json)
    if does["background"]:
        return _background(flags, two_way, every=every, as_json=as_json)
    from tt.cli.posting import watch_here

    return watch_here(flags, two_way=two_way, every=every, as_json=as_json)


def _check(flags: Flags, wanted: list[str], two_way: bool | None, *, every: bool) -> None:
    """Refuse what cannot mean anything."""
    if len(wanted) > 1:
        raise UsageError(f"One of --{' and --'.join(wanted)} at a time: they are different things.")
    if wanted and wanted[0] != "background" and two_way is not None:
        raise UsageError(f"--two-way and --push-only say how to watch; --{wanted[0]} does not.")
    check_name(flags, every=every)


def _post(flags: Flags, *, every: bool) -> WatchPost:
    if every:
        return every_post(tt_home(os.environ))
    with flags.project() as project:
        return project.watch_post


def _status(flags: Flags, *, every: bool, as_json: bool) -> int:
    from tt.render.watcher import watching_data, watching_lines

    found = _post(flags, every=every).watching()
    data = {"watching": found is not None, "watcher": watching_data(found)}
    answer(flags, data, lambda look: watching_lines(found, look, every=every), as_json=as_json)
    return ExitCode.FAILED if found is None else ExitCode.DONE


def _stop(flags: Flags, *, every: bool, as_json: bool) -> int:
    post = _post(flags, every=every)
    found = post.holder()
    if found is not None and found.every and not every:
        raise TTError(
            f"This plan is watched by the watcher of all plans (pid {found.pid}).",
            "`tt watch --all --stop` ends that one, for all of them.",
        )
    stopped = post.stop()
    lines = [f"Stopped the watcher, pid {stopped.pid}." if stopped else "Nobody was watching."]
    if stopped is not None and stopped.how == "service":
        lines.append("It starts again with your next session; `tt watch uninstall` ends that.")
    answer(flags, {"stopped": stopped and stopped.pid}, lambda look: lines, as_json=as_json)
    return ExitCode.DONE


def _background(flags: Flags, two_way: bool | None, *, every: bool, as_json: bool) -> int:
    from tt.adapters.background import start
    from tt.render.text import safe

    if every:
        where = tt_home(os.environ)
        where.mkdir(mode=0o700, parents=True, exist_ok=True)
    else:
        with flags.project() as project:
            where = project.config.root
    post = _post(flags, every=every)
    post.check_free()
    begun = start(watch_words(flags, two_way, every=every), _settings(flags), where, post.log)
    lines = [f"Watching in the background: pid {begun.pid}, log {safe(begun.log)}"]
    lines += [f"    Not in step yet: {safe(begun.problem)}"] if begun.problem else []
    answer(flags, begun, lambda look: lines, as_json=as_json)
    return ExitCode.DONE


def _settings(flags: Flags) -> dict[str, str]:
    """Return the flags that are settings as environment: `ps` shows others a command line."""
    from tt.config.keys import KEYS

    return {KEYS[name].env[0]: text for name, text in flags.settings.items() if text}


watch.add_command(install)
watch.add_command(uninstall)
