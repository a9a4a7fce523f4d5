"""Which `tt` a shell finds: this one, another installation, or a program of the same name."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from tt import __version__
from tt.core.health import Program

_SECONDS: Final = 5
_LONGEST: Final = 60


def shells_program() -> Program:
    """Look for `tt` on the PATH; one that is not ours is asked for its version."""
    from shutil import which

    path = which("tt")
    if path is None:
        return Program("", "", same=False)
    if os.path.realpath(path) in _own_doors():
        return Program(path, f"tt {__version__}", same=True)
    return Program(path, _version(path), same=False)


def _own_doors() -> set[str]:
    """Return the files that start this very installation."""
    beside = Path(sys.executable).with_name("tt")
    return {os.path.realpath(sys.argv[0]), os.path.realpath(beside)}


def _version(path: str) -> str:
    from subprocess import DEVNULL, PIPE, SubprocessError, run

    try:
        said = run([path, "--version"], stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL,
                   timeout=_SECONDS, check=False).stdout  # fmt: skip
    except (OSError, SubprocessError):
        return ""
    lines = said.decode("utf-8", "replace").strip().splitlines()
    return lines[0][:_LONGEST] if lines else ""
