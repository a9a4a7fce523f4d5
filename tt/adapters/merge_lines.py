"""The plain merge of lines, by Git itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from tt.adapters.gitproc import run
from tt.core.merged import LineMerge
from tt.core.three import Three
from tt.errors import TTError

_MOST_CONFLICTS: Final = 127
"""The exit code counts conflicts up to here; beyond are failures."""


def merge_lines(files: Three[Path], size: int) -> LineMerge:
    """Merge the lines of three files, writing none of them. Raises TTError where Git cannot."""
    labels = [word for label in ("ours", "base", "theirs") for word in ("-L", label)]
    names = [os.path.relpath(path) for path in (files.ours, files.base, files.theirs)]
    arguments = ["merge-file", "-p", "-q", f"--marker-size={size}", *labels, "--", *names]
    done = run(["-C", ".", *arguments], os.environ)
    if not 0 <= done.code <= _MOST_CONFLICTS:
        raise TTError(f"Git cannot merge the lines of {names[0]}: {done.words}.")
    return LineMerge(done.out, done.code == 0)
