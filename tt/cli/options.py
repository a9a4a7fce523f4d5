"""What the commands' options and help have in common."""

from __future__ import annotations

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Answer as JSON, for programs.")
"""The option of every command that reports."""
