"""One program that an agent runs, with everything that descends from it.

It has a session of its own. What it prints is read here, so that it is bounded and its end is at
hand. It is over when it has ended itself; what it leaves behind is killed. Being asked to stop, it
gets SIGTERM with its process group, and is over when the whole group has ended; whatever is there
after the grace is killed.

Nothing in here waits, but for the killed to be gone. SIGCHLD has to wake whoever calls `poll`. This
process has no other children: all that end are taken in.
"""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from tt.adapters.proctree import Tree, end_all, freeze, has_children, signal_all
from tt.errors import TTError

if TYPE_CHECKING:
    from psutil import Process

    from tt.adapters.roundlog import RoundLog

GRACE: Final = 5.0
"""Seconds between SIGTERM and SIGKILL."""

_CHUNK: Final = 256 * 1024
_MOST: Final = 16
"""Chunks that are read at one go: a flood keeps nobody from the clock."""
_DEFAULTS: Final = (signal.SIGPIPE, signal.SIGXFSZ)
"""What Python ignores, and no program expects to be ignored."""


class FormatError(TTError):
    """A file is a program that only a shell can run: a script whose first line names none."""


class Child:
    """A program that was started; `tree` knows what descends from it.

    It is for a process that has nothing else below it: all that descends from this process counts
    as the program's, and ends with it.
    """

    __slots__ = (
        "_code", "_frozen", "_kill_at", "_left", "_log", "_output", "_seen", "_tree", "grace",
        "pid", "survivors",
    )  # fmt: skip

    def __init__(self, pid: int, output: int, log: RoundLog, tree: Tree) -> None:
        self.pid, self._output, self._log = pid, output, log
        self._tree = tree
        self.grace = GRACE
        self.survivors: tuple[int, ...] = ()
        """Processes that could not be killed, when all is over."""
        self._code: int | None = None
        self._left = False
        self._kill_at: float | None = None
        self._seen: list[Process] = []
        self._frozen: list[Process] = []

    @property
    def fileno(self) -> int:
        """What to wait on for output; -1 where there is none to come."""
        return self._output

    @property
    def due(self) -> float | None:
        """When `poll` has to be called at the latest, by the monotonic clock."""
        return self._kill_at

    @property
    def is_frozen(self) -> bool:
        """Whether it stands still."""
        return bool(self._frozen)

    def last_lines(self) -> str:
        """Return the end of what it has printed."""
        return self._log.last_lines()

    def pump(self) -> bool:
        """Take in what it has printed; False where there was nothing."""
        got = False
        for _ in range(_MOST if self._output >= 0 else 0):
            try:
                data = os.read(self._output, _CHUNK)
            except BlockingIOError:
                return got
            except OSError:
                data = b""
            if not data:
                self._hang_up()
                return got
            self._log.write(data)
            got = True
        return got

    def poll(self) -> int | None:
        """Return its exit code when it is over with all its descendants, None before; a negative
        one is the signal that ended it."""
        if self._left:
            return self._code
        self._reap()
        is_late = self._kill_at is not None and time.monotonic() >= self._kill_at
        if not is_late and (self._code is None or self._is_heeding()):
            return None
        self._end()
        return self._code

    def stop(self) -> None:
        """Ask it to end; once or more often."""
        if self._kill_at is not None or self._left:
            return
        self._seen = self._below()
        self._kill_at = time.monotonic() + self.grace
        if self._code is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGTERM)
        self.thaw()

    def freeze(self) -> None:
        """Let it and its descendants stand still until `thaw`."""
        if not self._frozen and self._code is None:
            self._frozen = freeze(self._below)

    def thaw(self) -> None:
        """Let it go on."""
        signal_all(self._frozen, signal.SIGCONT)
        self._frozen = []

    def kill(self) -> None:
        """End it and its descendants here and now."""
        if not self._left:
            self._reap()
            self._end()

    def _end(self) -> None:
        """Kill what is left, and take in the last that was printed."""
        if self._code is None or has_children() or self._seen or self._tree.must_be_searched:
            self.survivors = end_all(self._below, self._reap)
        if self._code is None:
            self._code = -int(signal.SIGKILL)  # it cannot be killed, and is given up
        self._left, self._frozen, self._seen = True, [], []
        for _ in range(_MOST):  # who is spared may still be printing
            if not self.pump():
                break
        self._hang_up()
        self._log.close()

    def _is_heeding(self) -> bool:
        """Say whether it was asked to end, and others of its process group have not ended yet: a
        shell that runs a program ends before that does."""
        if self._kill_at is None:
            return False
        try:
            os.killpg(self.pid, 0)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def _below(self) -> list[Process]:
        return self._tree.below(self._seen)

    def _reap(self) -> None:
        """Take in all that have ended: the program itself, and orphans that came to us."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.pid:
                self._code = os.waitstatus_to_exitcode(status)

    def _hang_up(self) -> None:
        if self._output >= 0:
            os.close(self._output)
            self._output = -1


def start(
    words: Sequence[str], environment: Mapping[str, str], stdin: str, log: RoundLog, tree: Tree
) -> Child:
    """Start a program by its path, in the current directory; `stdin` is a file to read.

    Raises TTError where it cannot be started, FormatError where the kernel cannot run such a file.
    """
    ours, its = os.pipe()
    os.set_blocking(ours, False)
    try:
        pid = os.posix_spawn(
            words[0],
            list(words),
            environment,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, stdin, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, its, 1),
                (os.POSIX_SPAWN_DUP2, its, 2),
            ],
            setsid=True,
            setsigmask=(),
            setsigdef=_DEFAULTS,
        )
    except (OSError, ValueError) as error:
        os.close(ours)
        why = error.strerror if isinstance(error, OSError) else str(error)
        is_format = isinstance(error, OSError) and error.errno == errno.ENOEXEC
        kind = FormatError if is_format else TTError
        raise kind(f"{words[0]} cannot be started: {why}.") from error
    finally:
        os.close(its)
    return Child(pid, ours, log, tree)
