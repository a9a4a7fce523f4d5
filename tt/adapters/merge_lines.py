"""The plain merge of lines, by Git itself, while we are still reading."""

from __future__ import annotations

import os
from typing import Final, Self

from tt.adapters.gitproc import GitProcess
from tt.core.merged import LineMerge
from tt.core.three import Three
from tt.errors import TTError

_MOST_CONFLICTS: Final = 127
"""The exit code counts conflicts up to here; beyond are failures."""


class MergingLines:
    """A merge of three files' lines that has begun, and writes none of them.

    Use it in a `with` statement: it holds a process until its result is taken.
    """

    def __init__(self, files: Three[str], size: int) -> None:
        """Begin, with conflict markers of `size`; raises TTError where there is no Git."""
        names = [files.ours, files.base, files.theirs]
        labels = [word for label in ("ours", "base", "theirs") for word in ("-L", label)]
        options = ["merge-file", "-p", "-q", f"--marker-size={size}", *labels]
        self._name = names[0]
        self._process = GitProcess(["-C", ".", *options, "--", *names], os.environ)
        self._result: LineMerge | None = None

    def result(self) -> LineMerge:
        """Return what came of it. Raises TTError where Git cannot merge them."""
        if self._result is None:
            done = self._process.finish()
            if not 0 <= done.code <= _MOST_CONFLICTS:
                raise TTError(f"Git cannot merge the lines of {self._name}: {done.words}.")
            self._result = LineMerge(done.out, done.code == 0)
        return self._result

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
