"""An AI command line in front of the user: it has the terminal, and a page to begin with."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tt.adapters.agentcli import find_program
from tt.adapters.private import make_private_directory
from tt.core.clis import Cli, Prompting
from tt.errors import TTError


def run_in_front(
    cli: Cli, page: str, file: Path, environment: Mapping[str, str], root: Path
) -> int:
    """Run a CLI in `root` with a page, which is in `file`, too; return its exit code.

    Raises TTError where it cannot be run.
    """
    own = {**environment, **(cli.env_as_root if os.geteuid() == 0 else {}), **cli.env}
    program = find_program(cli, own, root)
    _write(file, page)
    words = cli.call(page, str(file))
    if cli.words:
        words = (program, *words[1:])
    source = file if cli.prompt == Prompting.STDIN else Path(os.devnull)
    try:
        with source.open("rb") as given:
            done = subprocess.run(words, cwd=root, env=own, stdin=given, check=False)
    except OSError as error:
        raise TTError(f"`{words[0]}` cannot be run: {error.strerror}.") from error
    return done.returncode


def _write(file: Path, page: str) -> None:
    try:
        make_private_directory(file.parent)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as written:
            written.write(page.encode("utf-8", "replace"))
    except OSError as error:
        raise TTError(f"{file} cannot be written: {error.strerror}.") from error
