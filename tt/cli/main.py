"""The `tt` command: options that go before every command, and the one place that ends a process."""

from __future__ import annotations

import os
import sys
from typing import TextIO

import click

from tt.cli.group import LazyGroup
from tt.cli.screen import Flags
from tt.errors import ExitCode, TTError

_COMPLETE = "_TT_COMPLETE"


@click.command(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    subcommand_metavar="COMMAND …",
)
@click.option("-t", "--town", default=".", metavar="DIR", help="Work in this directory.")
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
        click.echo(ctx.get_help())


def _version(ctx: click.Context) -> None:
    from tt import __version__

    click.echo(f"tt {__version__}")
    ctx.exit()


def main(arguments: list[str] | None = None) -> int:
    """Run `tt` and return its exit code; no exception comes out of it."""
    given = sys.argv[1:] if arguments is None else arguments
    for stream in (sys.stdout, sys.stderr):
        _forgive(stream)
    try:
        code = _guarded(given)
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        return _reader_left()
    except OSError as error:  # what is written last can fail, too: the disk behind `>` is full
        sys.stderr.write(f"tt: The output could not be written: {error.strerror}.\n")
        return _reader_left(ExitCode.FAILED)
    return code


def _guarded(given: list[str]) -> int:
    """Run a command, and turn whatever goes wrong into words and an exit code."""
    try:
        return _run(given)
    except (TTError, click.ClickException) as error:
        return _tell(error, given)
    except (KeyboardInterrupt, click.Abort):
        sys.stderr.write("\ntt: Interrupted.\n")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001  the last line of defence: a log instead of a traceback
        return _tell(error, given)


def _tell(error: Exception, given: list[str]) -> int:
    from tt.cli import trouble  # nothing of it is needed while all goes well

    return trouble.tell(trouble.expected(error, given), as_json="--json" in given)


def _run(given: list[str]) -> int:
    if _COMPLETE in os.environ:
        from click.shell_completion import shell_complete

        return shell_complete(cli, {}, "tt", _COMPLETE, os.environ[_COMPLETE])
    try:
        with cli.make_context("tt", list(given)) as ctx:
            return int(cli.invoke(ctx) or 0)
    except click.exceptions.Exit as end:
        return end.exit_code


def _forgive(stream: TextIO | None) -> None:
    """Let a stream replace what its encoding cannot say, instead of failing."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")


def _reader_left(code: int = ExitCode.DONE) -> int:
    """End quietly when nobody reads on: Python would else complain while it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return code
