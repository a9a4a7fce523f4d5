"""`tt commit`: a commit of what Redis brought, and of nothing else."""

from __future__ import annotations

import click

from tt.cli.options import json_option
from tt.cli.patience import patience
from tt.cli.screen import Flags, answer, examples
from tt.errors import ExitCode


@click.command(epilog=examples("tt commit", 'tt commit -m "Sprint 12: what the agents did"'))
@click.option("-m", "--message", help="The commit's message; made of the changes by default.")
@json_option
@click.pass_obj
def commit(flags: Flags, message: str | None, *, as_json: bool) -> int:
    """Commit what Redis brought into tasks.toml, and nothing else.

    Merges the two as `tt sync merge` does, and makes a commit on top of HEAD that has the changes
    which came from Redis. What you staged stays staged, what you left unstaged stays unstaged. Your
    own Git hooks run.
    """
    from tt.app.committing import commit_pulled
    from tt.render.commit import committed_lines

    with patience("committing"), flags.project() as project:
        ground, (committer, operations) = project.hook_ground(), project.committer()
        done = commit_pulled(ground, committer, operations, message)
    answer(flags, done, lambda look: committed_lines(done, look), as_json=as_json)
    return ExitCode.DONE
