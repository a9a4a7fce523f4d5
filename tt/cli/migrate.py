"""`tt migrate`: give this town what tinytown wrote before there were towns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tt.cli.keeping import confirmed, unmeant
from tt.cli.options import json_option
from tt.cli.screen import Flags, answer, examples, say
from tt.errors import ExitCode

if TYPE_CHECKING:
    from tt.bootstrap import Project
    from tt.core.migrated import Migrated


@click.command(
    epilog=examples(
        "tt migrate --dry-run    what would be renamed",
        "tt migrate              keys without a town get this one's name",
        "tt migrate --hash       agents and tasks that are JSON become hashes",
    )
)
@click.option("--hash", "hashes", is_flag=True, help="Make hashes of JSON, in this town.")
@click.option("--dry-run", is_flag=True, help="Say what would be done; do nothing.")
@click.option("--force", is_flag=True, help="Do it without asking.")
@json_option
@click.pass_obj
def migrate(flags: Flags, /, *, hashes: bool, dry_run: bool, force: bool, as_json: bool) -> int:
    """Give this town what tinytown wrote before there were towns; it asks first.

    Keys without a town, such as tt:task:UUID, become this town's. With --hash its agents and tasks
    that are JSON texts become hashes, without which neither program sees them. Nothing is ever
    overwritten: what cannot be migrated stays as it is and is listed, with exit code 1. Twice is
    once.
    """
    from tt.adapters.redis.keys import TownKeys
    from tt.adapters.redis.oldkeys import RedisOldKeys
    from tt.app.migrating import migrate as carry_out
    from tt.app.migrating import survey
    from tt.render.migrated import migrated_data, migrated_lines

    with flags.project() as project:
        old = RedisOldKeys(project.connection, TownKeys(project.town))
        found, address = survey(project.site, old, hashes=hashes), project.connection.address
        meant = dry_run or not found.keys or force
        meant = meant or _asked(project, found, as_json=as_json)
        if meant and found.keys and not dry_run:
            found = carry_out(old, found)
    answer(
        flags,
        migrated_data(found, dry_run=dry_run),
        lambda look: (
            migrated_lines(found, address, look) if meant else [unmeant("Nothing was migrated.")]
        ),
        as_json=as_json,
    )
    return ExitCode.DONE if meant and not found.left else ExitCode.FAILED


def _asked(project: Project, found: Migrated, *, as_json: bool) -> bool:
    """Say what is about to happen, and ask whether it is meant."""
    from tt.render.migrated import survey_lines

    if not as_json:
        say(survey_lines(found, project.connection.address))
    return confirmed("Make hashes of them?" if found.hashes else "Rename them in Redis?")
