"""`tt towns`: which there are, and removing those whose branch is gone."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from tt.cli.options import json_option
from tt.cli.screen import Flags, answer, examples, say
from tt.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from tt.core.answers import Verdict


@click.command(
    epilog=examples(
        "tt towns                       the towns in the Redis in use",
        "tt towns --prune               which could go, and ask",
        "tt towns --prune --yes         remove them",
        "tt towns --prune shop-login    only this one",
    )
)
@click.argument("names", nargs=-1, metavar="[NAME]…")
@click.option("--prune", is_flag=True, help="Remove this repository's towns of gone branches.")
@click.option("--yes", is_flag=True, help="Remove them without asking.")
@click.option("--dry-run", is_flag=True, help="Say what would be removed; remove nothing.")
@json_option
@click.pass_obj
def towns(flags: Flags, /, names: tuple[str, ...], *, as_json: bool, **how: bool) -> int:
    """List the towns in this Redis; the one of this directory is marked.

    With --prune, remove those of this repository whose branch is gone: from its branches, from
    those of its remotes as far as they were fetched, and from every worktree. A town with tasks
    that somebody holds stays, and so does one that was never synced from this clone, unless NAME
    says that it is meant. Without --yes it asks, and where nobody can be asked it only lists.
    """
    if how.pop("prune"):
        return _prune(flags, names, as_json=as_json, **how)
    if names or any(how.values()):
        raise UsageError("Names, --yes and --dry-run are for `tt towns --prune`.")
    return _list(flags, as_json=as_json)


def _list(flags: Flags, *, as_json: bool) -> int:
    from tt.render.towns import town_lines

    with flags.project() as project:
        found, here, address = project.towns(), project.town_or_none, project.connection.address
    answer(
        flags,
        {"address": address, "here": here, "towns": found},
        lambda look: town_lines(found, here, address, look),
        as_json=as_json,
    )
    return ExitCode.DONE


def _prune(flags: Flags, names: Sequence[str], *, as_json: bool, yes: bool, dry_run: bool) -> int:
    from tt.adapters.worktrees import forget_gone
    from tt.app.prune import judge, prune
    from tt.render.towns import forgotten_lines, prune_lines, pruned_lines
    from tt.surroundings import estate

    with flags.project() as project:
        ground = estate(project)
        verdicts = judge(ground, names)
        if not as_json:
            say(prune_lines(verdicts, flags.look))
        meant = not dry_run and any(verdict.goes for verdict in verdicts)
        meant = meant and (yes or (not as_json and _confirmed(verdicts)))
        removed = prune(ground, verdicts) if meant else ()
        sure = meant or (yes and not dry_run)
        forgotten = forget_gone(project.config.home) if sure else []
    answer(
        flags,
        {"removed": removed, "dry_run": not meant, "towns": verdicts, "forgotten": forgotten},
        lambda look: [
            *pruned_lines(verdicts, removed, look, done=meant),
            *forgotten_lines(forgotten),
        ],
        as_json=as_json,
    )
    stays = any(not verdict.goes for verdict in verdicts)
    return ExitCode.FAILED if names and stays else ExitCode.DONE


def _confirmed(verdicts: Sequence[Verdict]) -> bool:
    """Ask, where there is somebody to ask."""
    if sys.stdin is None or not sys.stdin.isatty():
        return False
    many = sum(verdict.goes for verdict in verdicts) > 1
    return click.confirm("Remove them from Redis?" if many else "Remove it from Redis?", err=True)
