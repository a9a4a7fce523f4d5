"""Reading from Git's object store through one `git cat-file --batch` that stays open."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from tt.adapters.gitproc import TIME_LIMIT, GitProcess, run
from tt.errors import TTError


class GitObject(NamedTuple):
    """An object as it is stored: `kind` is blob, tree, commit or tag; a tree's data are raw."""

    oid: str
    kind: str
    data: bytes


class ObjectReader:
    """Answers `HEAD`, `<revision>:<path>`, `:0:<path>`, object and ref names, one after another.

    The process starts with the first question and ends with `close`. It sees refs and objects that
    were made later; the index it reads once, so that a changed index file makes a new process.
    """

    def __init__(
        self, arguments: Sequence[str], environment: Mapping[str, str], limit: float = TIME_LIMIT
    ) -> None:
        self._arguments = [*arguments, "cat-file", "--batch"]
        self._environment = environment
        self._limit = limit
        self._process: GitProcess | None = None
        self._index_stamp: tuple[int, int, int] | None = None
        self._index_read = False

    def start(self) -> None:
        """Start the process ahead of the first question, so that Git gets ready meanwhile."""
        if self._process is None:
            self._process = GitProcess(self._arguments, self._environment, self._limit)

    def read(self, name: str) -> GitObject | None:
        """Return the object of this name; None where there is none.

        Raises TTError where Git finds the object and cannot read it.
        """
        return next(self.read_all([name]))

    def read_index(self, names: Sequence[str], index: str) -> list[GitObject | None]:
        """Answer names that look into the index, which is the file `index`, as it is now."""
        stamp = _stamp(index)
        if self._index_read and stamp != self._index_stamp:
            self.close()
        self._index_stamp, self._index_read = stamp, True
        return list(self.read_all(names))

    def read_all(self, names: Sequence[str]) -> Iterator[GitObject | None]:
        """Yield the object of each name; all are asked at once, and parsed while Git reads on."""
        if any("\n" in name for name in names):
            yield from map(self._read_alone, names)
            return
        self.start()
        process = self._process
        assert process is not None  # noqa: S101  started above
        left = len(names)
        try:
            process.write(b"".join(os.fsencode(name) + b"\n" for name in names))
            for _ in names:
                answer = _answer(process)
                left -= 1
                yield answer
        except (EOFError, BrokenPipeError):
            self._process = None
            raise TTError(
                f"Git cannot read its own data: {process.finish().words}.",
                "`git fsck` says what is damaged.",
            ) from None
        finally:
            if left:  # the answers that were not taken would be the next question's
                self.close()

    def close(self) -> None:
        """End the process; the next question starts another."""
        if self._process is not None:
            self._process.kill()
            self._process = None
        self._index_read = False

    def _read_alone(self, name: str) -> GitObject | None:
        """Read a name with a newline in it, which the batch cannot be asked for."""
        if name.startswith("-"):
            return None
        base = self._arguments[:-2]
        found = run([*base, "rev-parse", "--verify", "--quiet", name], self._environment)
        return self.read(found.out.decode().strip()) if found.code == 0 else None


def _answer(process: GitProcess) -> GitObject | None:
    header = process.line()
    if header.endswith((b" missing", b" ambiguous")):
        return None
    oid, kind, size = header.decode("ascii").split(" ")
    data = process.exactly(int(size))
    process.exactly(1)
    return GitObject(oid, kind, data)


def _stamp(path: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116  as fast as it gets, and a text path is at hand
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size
