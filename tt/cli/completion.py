"""`tt completion`: how a shell learns to complete `tt`."""

from __future__ import annotations

import os
from pathlib import PurePath

import click

from tt.cli.screen import examples, say

_HOW = {
    "bash": ('eval "$(tt completion bash)"', "~/.bashrc"),
    "zsh": ('eval "$(tt completion zsh)"', "~/.zshrc, after compinit"),
    "fish": ("tt completion fish | source", "~/.config/fish/completions/tt.fish"),
}


@click.command(epilog=examples('eval "$(tt completion bash)"', "tt completion fish | source"))
@click.argument("shell", required=False, type=click.Choice(list(_HOW)))
def completion(shell: str | None) -> None:
    """Print what makes a shell complete `tt` on TAB: commands, options, task ids, filters.

    Without SHELL it tells what to put where.
    """
    if shell is None:
        say(_advice(PurePath(os.environ.get("SHELL", "")).name))
        return
    from click.shell_completion import get_completion_class

    from tt.cli.root import cli

    made = get_completion_class(shell)
    assert made is not None  # noqa: S101  click knows all three
    say([made(cli, {}, "tt", "_TT_COMPLETE").source()])


def _advice(shell: str) -> list[str]:
    shells = [shell] if shell in _HOW else list(_HOW)
    return [f"{name}: put `{_HOW[name][0]}` into {_HOW[name][1]}" for name in shells]
