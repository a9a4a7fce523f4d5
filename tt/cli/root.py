"""The `tt` command as click sees it: the options that go before every command."""

from __future__ import annotations

import os

import click

from tt.cli.group import LazyGroup
from tt.cli.screen import TOWN_DIR, Flags, OutputError, say


@click.command(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    subcommand_metavar="COMMAND …",
)
@click.option("-t", "--town", default=".", metavar="DIR", envvar=TOWN_DIR,
              help="Work in this directory.")  # fmt: skip
@click.option("--name", metavar="NAME", help="The town's name, instead of <repo>-<branch>.")
@click.option("--redis", metavar="URL", help="The Redis to use; `embedded` is the built-in one.")
@click.option("-v", "--verbose", is_flag=True, help="List everything, however long.")
@click.option("--color/--no-color", default=None, help="Colours; by default on a terminal only.")
@click.option("--version", is_flag=True, expose_value=False, is_eager=True,
              callback=lambda ctx, _, wanted: _version(ctx) if wanted else None,
              help="Print the version.")  # fmt: skip
@click.pass_context
def cli(ctx: click.Context, /, **options: object) -> None:
    """Keep tasks.toml and Redis in step.

    tasks.toml, tracked by Git, says what is to be done; Redis says who is doing it and how far it
    is. A task's life is in both, and in Git's history.

    \b
    Begin with:
      tt init             make this directory a town
      tt plan --init      begin a plan in tasks.toml
      tt sync             push it; `tt sync merge` also brings back what agents did
    """
    words = "tt" if ctx.invoked_subcommand is None else f"tt {ctx.invoked_subcommand}"
    ctx.obj = Flags(**options, command=words)  # type: ignore[arg-type]  # click has checked each option's type
    if ctx.invoked_subcommand is None:
        say([ctx.get_help()])


def _version(ctx: click.Context) -> None:
    from tt import __version__

    say([f"tt {__version__}"])
    ctx.exit()


def run(arguments: list[str]) -> int:
    """Run a command line and return its exit code; whatever goes wrong is raised.

    Not by click's own `main`, which takes a broken pipe to Redis for one on standard output.
    """
    try:
        with cli.make_context("tt", list(arguments)) as ctx:
            return int(cli.invoke(ctx) or 0)
    except click.exceptions.Exit as end:
        return end.exit_code
    except BrokenPipeError as error:
        if {"-h", "--help"}.isdisjoint(arguments):
            raise
        raise OutputError(error.errno, error.strerror) from error  # click's help writes by itself
    except click.Abort:
        raise KeyboardInterrupt from None


def complete(variable: str) -> int:
    """Answer a shell that completes a command line: what it asks is in the environment."""
    from click.shell_completion import shell_complete

    return shell_complete(cli, {}, "tt", variable, os.environ[variable])
