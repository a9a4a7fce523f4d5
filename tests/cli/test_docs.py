"""The documents describe what there is: every command, option, setting and exit code."""

from __future__ import annotations

import re
from pathlib import Path

import click

from tt.cli.root import cli
from tt.cli.table import COMMANDS
from tt.config.keys import KEYS
from tt.errors import ExitCode
from tt.render.settings import value_words

DOCS = Path(__file__).resolve().parents[2] / "docs"
COMMAND_PAGE = (DOCS / "commands.md").read_text(encoding="utf-8")
SETTING_ROWS = [
    [cell.strip() for cell in line.split("|")[1:5]]
    for line in (DOCS / "config.md").read_text(encoding="utf-8").splitlines()
    if re.match(r"\| `[a-z_.]+` \|", line)
]


def test_every_command_is_described() -> None:
    assert {name for name in COMMANDS if f"`tt {name}" not in COMMAND_PAGE} == set()


def test_every_option_that_is_not_everywhere_is_described() -> None:
    with click.Context(cli) as context:
        commands = [cli, *(cli.get_command(context, name) for name in COMMANDS)]
    options = {
        name
        for command in commands
        if command is not None
        for parameter in command.params
        for name in parameter.opts
        if name.startswith("--")
    }
    assert {name for name in options if f"{name}" not in COMMAND_PAGE} == set()


def test_every_exit_code_is_described() -> None:
    rows = {int(code) for code in re.findall(r"^\| (\d+) \|", COMMAND_PAGE, re.MULTILINE)}
    assert rows == {int(code) for code in ExitCode}


def test_every_setting_is_described_with_its_default_and_its_variables() -> None:
    assert [row[0].strip("`") for row in SETTING_ROWS] == list(KEYS)
    for name, _, default, variables in SETTING_ROWS:
        key = KEYS[name.strip("`")]
        assert tuple(re.findall(r"`(\w+)`", variables)) == key.env
        assert default.strip("`") == (
            value_words(key.default) or ("[]" if key.kind == "list" else "")
        )
