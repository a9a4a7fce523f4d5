"""`tt sync`: bring the file and Redis in step, and list what syncs changed."""

from __future__ import annotations

import click

from tt.cli.options import json_option
from tt.cli.screen import Flags, answer, examples
from tt.cli.syncing import DIRECTIONS, run_sync
from tt.errors import ExitCode, UsageError

_LOG = "log"


@click.command(
    epilog=examples(
        "tt sync                  push what you changed in tasks.toml",
        "tt sync merge            also bring what agents did into tasks.toml",
        "tt sync pull --dry-run   what would come from Redis",
        "tt sync log              what syncs changed; `tt undo` takes one back",
    )
)
@click.argument(
    "what", type=click.Choice([*DIRECTIONS, _LOG]), default="push", metavar="[push|pull|merge|log]"
)
@click.option("--dry-run", is_flag=True, help="Say what would change; write nothing.")
@click.option("--reset", is_flag=True, help="Let the file's states win, over finished ones too.")
@click.option("--force", is_flag=True, help="Let any number of tasks disappear at once.")
@click.option(
    "-n", "--limit", type=click.IntRange(1), default=50, show_default=True,
    help="log: how many syncs.",
)  # fmt: skip
@json_option
@click.pass_obj
def sync(flags: Flags, /, what: str, limit: int, *, as_json: bool, **how: bool) -> int:
    """Bring tasks.toml and Redis in step.

    push (the default) writes Redis only, pull the file only, merge both. All three compare the two
    with what they last agreed on, so that nothing of either side is lost: a field that both
    changed differently is a conflict, stays as it is on both sides, and is reported (exit code 3).

    A status that went backwards in the file counts when somebody wrote it; `--reset` makes every
    status of the file count. When more than `sync.max_delete` tasks, or a third of them, would
    disappear, that is taken for damage and nothing is synced: look with --dry-run, and say --force
    when it is meant.
    """
    if what == _LOG:
        if any(how.values()):
            raise UsageError("`tt sync log` only reads: it takes --limit and --json.")
        return _log(flags, limit, as_json=as_json)
    wanted = {name for name, said in how.items() if said}
    return run_sync(flags, what, wanted, as_json=as_json)


def _log(flags: Flags, limit: int, *, as_json: bool) -> int:
    from tt.app.history import history
    from tt.render.history import history_lines

    with flags.project() as project:
        records = history(project.site, limit)
    answer(flags, {"syncs": records}, lambda look: history_lines(records, look), as_json=as_json)
    return ExitCode.DONE
