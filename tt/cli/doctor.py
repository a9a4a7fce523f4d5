"""`tt doctor`: what keeps a plan and its town from being in step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tt.cli.options import json_option
from tt.cli.patience import patience
from tt.cli.screen import Flags, answer, examples
from tt.errors import ExitCode, TTError

if TYPE_CHECKING:
    from tt.core.health import Finding


@click.command(epilog=examples("tt doctor", "tt -v doctor", "tt doctor --json"))
@json_option
@click.pass_obj
def doctor(flags: Flags, *, as_json: bool) -> int:
    """Look at everything that syncing depends on, and say what to do; only reads.

    Settings, Git, the plan, hooks and merge driver, Redis, the base and the town. That Git reaches
    the hooks is proven by a run in which nothing but ours happens. Without Redis, Git or a plan it
    says so and goes on. Exit code 1 when something fails; a warning is none.
    """
    from tt.core.health import failed
    from tt.render.doctor import doctor_lines

    with patience("looking"):
        found = _found(flags)
    data = {"ok": not failed(found), "findings": found}
    answer(flags, data, lambda look: doctor_lines(found, look), as_json=as_json)
    return ExitCode.FAILED if failed(found) else ExitCode.DONE


def _found(flags: Flags) -> tuple[Finding, ...]:
    from tt.app.doctor import examine
    from tt.core.health import Finding
    from tt.surroundings import surroundings

    try:
        with flags.project() as project, surroundings(project) as around:
            return examine(around)
    except TTError as error:  # a broken setting, a repository that Git refuses: nothing to look at
        return (Finding("project", "fail", error.message, error.hint),)
