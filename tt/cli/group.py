"""The group of all commands: it imports a command only when that command runs."""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from typing import cast

import click

from tt.cli.table import COMMANDS, SECTIONS


class Family(click.Group):
    """A command with commands of its own; alone it tells what there is."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Show the help where nothing is asked for."""
        return super().parse_args(ctx, args or ["--help"])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that `args` begin with; an unknown one is told what was meant."""
        _check(ctx, args[0], self.commands)
        return super().resolve_command(ctx, args)


def _check(ctx: click.Context, name: str, known: Collection[str]) -> None:
    """Fail for a command that there is not."""
    if name in known or name.startswith("-"):
        return
    from tt.core.document import did_you_mean

    hint = did_you_mean(name, known)
    ctx.fail(f"There is no command `{name}`" + (f"; {hint}" if hint else "."))


class LazyGroup(click.Group):
    """A click group over the table of commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the named command; None where there is none."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.where.partition(":")
        return cast("click.Command", getattr(import_module(f"tt.cli.{module}"), attribute))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that `args` begin with; an unknown one is told what was meant."""
        _check(ctx, args[0], COMMANDS)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands in their sections, from the table alone."""
        for title, entries in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, entry.about) for name, entry in entries.items()])

    def shell_complete(
        self, ctx: click.Context, incomplete: str
    ) -> list[click.shell_completion.CompletionItem]:
        """Complete a command's name from the table, anything else as click does."""
        from click.shell_completion import CompletionItem

        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        return [
            CompletionItem(name, help=entry.about)
            for name, entry in COMMANDS.items()
            if name.startswith(incomplete)
        ]
