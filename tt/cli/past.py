"""`tt log`, `tt diff` and `tt blame`: what Git knows of the plan, by task and field."""

from __future__ import annotations

import click

from tt.cli.complete import complete_task
from tt.cli.options import json_option
from tt.cli.patience import patience
from tt.cli.screen import Flags, examples, say, say_json
from tt.errors import ExitCode

_task_argument = click.argument(
    "task", required=False, metavar="[TASK]", shell_complete=complete_task
)


@click.command(
    epilog=examples(
        "tt log                      what the last commits did to the plan",
        "tt log login                the life of one task",
        "tt log -n 100 --since '2 weeks ago'",
    )
)
@_task_argument
@click.option(
    "-n", "--limit", type=click.IntRange(1), default=20, show_default=True,
    help="How many commits.",
)  # fmt: skip
@click.option("--since", metavar="WHEN", help="Only commits after this, as Git understands it.")
@click.option("--until", metavar="WHEN", help="Only commits before this.")
@json_option
@click.pass_obj
def log(
    flags: Flags, /, task: str | None, limit: int, *, as_json: bool, **times: str | None
) -> None:
    """Tell what commits did to the plan, or to one TASK: created, started, completed, edited, …

    Newest first, through renames of the file and of tasks. What came from a branch is told where
    it was committed there; a merge has only what neither side had. A version that cannot be read
    is passed over: the next one is compared with the one before it.
    """
    from tt.app.lifelines import Wanted, tell
    from tt.render.lifelines import log_data, log_lines

    with patience("reading"), flags.project() as project, project.versions() as versions:
        history = versions.history
        moments = {when: history.moment(words) for when, words in times.items() if words}
        wanted = Wanted(task, limit, **moments)
        found = tell(history, versions.now(), wanted, project.plan_file.name)
    if as_json:
        say_json(log_data(found))
    else:
        say(log_lines(found, flags.look))


@click.command(
    epilog=examples(
        "tt diff                     what is not staged",
        "tt diff --staged            what the next commit will have",
        "tt diff HEAD~5              since then",
        "tt diff main...topic        what `topic` did since it left `main`",
    )
)
@click.argument("commits", nargs=-1, metavar="[A[..B]]")
@click.option("--staged", "--cached", is_flag=True, help="Compare with the index.")
@click.option("--exit-code", is_flag=True, help="End with 1 when something changed.")
@json_option
@click.pass_obj
def diff(
    flags: Flags, commits: tuple[str, ...], *, staged: bool, exit_code: bool, as_json: bool
) -> int:
    """Show what changed in the plan, by task and field: in the worktree, or between commits.

    A is a commit, compared with the worktree; `A B` and `A..B` compare two, `A...B` compares B
    with the commit where it parted from A. A version that is damaged is read as far as it can be.
    """
    from tt.app.comparing import difference
    from tt.render.difference import difference_data, difference_lines

    with patience("reading"), flags.project() as project, project.versions() as versions:
        found = difference(versions, commits, staged=staged)
    if as_json:
        say_json(difference_data(found))
    else:
        say(difference_lines(found, flags.look))
    return ExitCode.FAILED if exit_code and found.changes else ExitCode.DONE


@click.command(epilog=examples("tt blame login", "tt blame --json"))
@_task_argument
@json_option
@click.pass_obj
def blame(flags: Flags, task: str | None, *, as_json: bool) -> None:
    """Say of each field of a TASK, or of every task, which commit made it what it is.

    `^` marks what was like this already where a shallow clone's history ends.
    """
    from tt.app.touches import blame as last_touches
    from tt.render.lifelines import blame_data, blame_lines

    with patience("reading"), flags.project() as project, project.versions() as versions:
        found = last_touches(versions.history, versions.now(), task, project.plan_file.name)
    if as_json:
        say_json(blame_data(found))
    else:
        say(blame_lines(found, flags.look))
