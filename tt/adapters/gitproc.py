"""A `git` process: started without a shell, fed and read without deadlock, always reaped.

`import subprocess` and its first start cost about 20 ms, `os.posix_spawn` with pipes of our own 4
(the process included), and a sync starts two of them. Rules that hold for each process: every file
descriptor is close-on-exec and closed again, standard input is ours (Git can never ask the user),
silence for longer than the time limit kills it, and it never stays behind as a zombie.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, NoReturn

from tt.errors import TTError

TIME_LIMIT: Final = 30.0
"""Seconds without a sign of life after which a Git process is killed."""

_GRACE: Final = 2.0
"""Seconds that a process has to end by itself when it is told to."""

_CHUNK: Final = 1 << 18
_CLOSED: Final = -1
_GRAVE: Final = ("fatal: ", "error: ")
# Python ignores these, and what is ignored stays ignored in the program that is started.
_DEFAULT_SIGNALS: Final = (signal.SIGPIPE, signal.SIGXFSZ)


class GitMissingError(TTError):
    """There is no `git` that could be started."""


class Finished(NamedTuple):
    """How a process ended: its exit code (negative: the signal that killed it) and its output."""

    code: int
    out: bytes
    err: bytes

    @property
    def words(self) -> str:
        """What it complained of first, as one line without a full stop, for a message."""
        lines = self.err.decode("utf-8", "replace").strip().splitlines()
        grave = [line for line in lines if line.startswith(_GRAVE)]
        first = (grave or lines or [f"exit code {self.code}"])[0]
        return first.removeprefix(_GRAVE[0]).removeprefix(_GRAVE[1]).rstrip(".")


class GitProcess:
    """One running `git`. `finish` or `kill` must be called; either may be called twice."""

    def __init__(
        self, arguments: Sequence[str], environment: Mapping[str, str], limit: float = TIME_LIMIT
    ) -> None:
        """Start `git` with `arguments`; raises GitMissingError where there is none."""
        self._what = "git " + next(word for word in arguments[2:] if _is_command(word))
        self._limit = limit
        self._code: int | None = None
        self._taken = 0
        self._output = bytearray()
        self._errors = bytearray()
        self._pid, self._stdin, self._stdout, self._stderr = _spawn(arguments, environment)

    @property
    def pid(self) -> int:
        """The process id, also after its end."""
        return self._pid

    def write(self, data: bytes) -> None:
        """Send all of `data`, taking in what the process says meanwhile.

        Raises BrokenPipeError where the process no longer listens: `finish` tells why.
        """
        if self._stdin == _CLOSED:
            raise BrokenPipeError
        left = memoryview(data)
        while left:
            if self._turn(self._stdin):
                left = left[_send(self._stdin, left) :]

    def line(self) -> bytes:
        """Take the next line of output, without its newline; raises EOFError at the end."""
        while (end := self._output.find(b"\n", self._taken)) < 0:
            self._more()
        return self._take(end - self._taken + 1)[:-1]

    def exactly(self, size: int) -> bytes:
        """Take the next `size` bytes of output; raises EOFError where it ends before that."""
        while len(self._output) - self._taken < size:
            self._more()
        return self._take(size)

    def finish(self) -> Finished:
        """Close the input, take all output that is left and wait for the end."""
        try:
            self._stdin = _close(self._stdin)
            while self._stdout != _CLOSED or self._stderr != _CLOSED:
                self._turn(_CLOSED)
            self._reap()
        finally:
            self.kill()
        left = self._take(len(self._output) - self._taken)
        return Finished(self._code if self._code is not None else -1, left, bytes(self._errors))

    def kill(self) -> None:
        """End it now if it still runs, and leave nothing of it behind.

        It is asked first: Git takes its lock files away when it is told to end, and leaves them in
        everybody's way when it is killed.
        """
        self._stdin, self._stdout, self._stderr = map(
            _close, (self._stdin, self._stdout, self._stderr)
        )
        try:
            if self._code is None:
                os.kill(self._pid, signal.SIGTERM)
                self._ended_within(_GRACE)
        finally:
            if self._code is None:
                os.kill(self._pid, signal.SIGKILL)
                self._wait(0)

    def _take(self, size: int) -> bytes:
        start, self._taken = self._taken, self._taken + size
        with memoryview(self._output) as view:
            taken = bytes(view[start : self._taken])
        if self._taken == len(self._output) or self._taken > _CHUNK:
            del self._output[: self._taken]
            self._taken = 0
        return taken

    def _more(self) -> None:
        if self._stdout == _CLOSED:
            raise EOFError(self._what)
        self._turn(_CLOSED)

    def _turn(self, sending: int) -> bool:
        """Wait until a pipe moves and take in what is there; say whether `sending` has room."""
        poll = select.poll()
        if sending != _CLOSED:
            poll.register(sending, select.POLLOUT)
        for descriptor in (self._stdout, self._stderr):
            if descriptor != _CLOSED:
                poll.register(descriptor, select.POLLIN)
        ready = [descriptor for descriptor, _ in poll.poll(self._limit * 1000)]
        if not ready:
            self._too_slow()
        if self._stdout in ready:
            self._stdout = _receive(self._stdout, self._output)
        if self._stderr in ready:
            self._stderr = _receive(self._stderr, self._errors)
        return sending in ready

    def _reap(self) -> None:
        """Wait for the end of a process that has closed its output: a moment, or it is killed."""
        if not self._ended_within(self._limit):
            self._too_slow()

    def _ended_within(self, seconds: float) -> bool:
        deadline, pause = time.monotonic() + seconds, 0.0001
        while not self._wait(os.WNOHANG):
            if time.monotonic() > deadline:
                return False
            time.sleep(pause)
            pause = min(pause * 2, 0.01)
        return True

    def _wait(self, flags: int) -> bool:
        try:
            pid, status = os.waitpid(self._pid, flags)
        except ChildProcessError:  # whoever started us ignores SIGCHLD: there is no exit code
            self._code = 0
            return True
        if pid:
            self._code = os.waitstatus_to_exitcode(status)
        return bool(pid)

    def _too_slow(self) -> NoReturn:
        self.kill()
        raise TTError(
            f"`{self._what}` did not answer within {self._limit:g} seconds and was stopped.",
            "Run `git status` there to see whether Git itself works, then run this again.",
        )


def run(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    given: bytes = b"",
    limit: float = TIME_LIMIT,
) -> Finished:
    """Run `git` to its end, with `given` as its standard input."""
    process = GitProcess(arguments, environment, limit)
    try:
        if given:
            process.write(given)
    except BrokenPipeError:
        pass  # it needs no more input; its exit code says whether that is an error
    except BaseException:
        process.kill()
        raise
    return process.finish()


def _is_command(word: str) -> bool:
    """Say whether a word of a Git command line is the command: no option, and no `-c` value."""
    return not word.startswith("-") and "=" not in word


def _spawn(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[int, int, int, int]:
    """Start `git`; return its pid and our ends of its standard input, output and error."""
    pipes: list[int] = []
    try:
        for _ in range(3):
            pipes += os.pipe()
        actions = [
            (os.POSIX_SPAWN_DUP2, pipes[index], to) for index, to in ((0, 0), (3, 1), (5, 2))
        ]
        pid = os.posix_spawnp(
            "git",
            ["git", *arguments],
            environment,
            file_actions=actions,
            setsigdef=_DEFAULT_SIGNALS,
        )
    except BaseException as error:
        for descriptor in pipes:
            os.close(descriptor)
        if isinstance(error, FileNotFoundError | PermissionError):
            raise GitMissingError(
                "There is no `git` on the PATH that could be started.",
                "Install Git, or add its directory to PATH.",
            ) from error
        raise
    for index in (0, 3, 5):
        os.close(pipes[index])
    ours = pipes[1], pipes[2], pipes[4]
    for descriptor in ours:
        os.set_blocking(descriptor, False)
    return pid, *ours


def _send(descriptor: int, data: memoryview) -> int:
    try:
        return os.write(descriptor, data)
    except BlockingIOError:  # some systems promise room and then want it empty
        return 0


def _receive(descriptor: int, into: bytearray) -> int:
    """Append what is there; return the descriptor, or `_CLOSED` after the end."""
    data = os.read(descriptor, _CHUNK)
    if not data:
        return _close(descriptor)
    into += data
    return descriptor


def _close(descriptor: int) -> int:
    if descriptor != _CLOSED:
        os.close(descriptor)
    return _CLOSED
