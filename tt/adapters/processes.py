"""What can be known of other processes: whether they live, where they work, what they are.

`/proc` tells it on Linux; elsewhere only whether a process lives is known.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

HAS_PROC: Final = os.path.exists("/proc/self/cwd")  # noqa: PTH110
"""Whether there is more to know of a process than that it lives."""

_STARTED: Final = 19
"""The field of `/proc/PID/stat`, counted after the name, that tells when it was started."""
_NAME_END: Final = b") "
_PROGRAM_WORDS: Final = 3
"""An interpreter, an option and a script: further words are what a program works on."""
_SCRIPT_ENDS: Final = re.compile(r"\.(?:exe|cmd|py|js|mjs|cjs)$")
_SLACK: Final = 2.0


def this_host() -> str:
    """Name this machine, and the container on it: where a process id means this process.

    Many machines have one name; where the kernel says so, its own run is in it.
    """
    words = [os.uname().nodename]
    with suppress(OSError), open("/proc/sys/kernel/random/boot_id") as file:  # noqa: PTH123
        words.append(file.read().strip())
    with suppress(OSError):
        words.append(os.readlink("/proc/self/ns/pid"))  # noqa: PTH115  it is no path
    return " ".join(words)


def is_running(pid: int) -> bool:
    """Say whether there is such a process, whosever it is."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def is_paused(pid: int) -> bool:
    """Say whether a process is stopped by a signal, and is there all the same."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123
            return file.read().rpartition(_NAME_END)[2][:1] == b"T"
    except OSError:
        return False


def works_in(pid: int, top: str) -> bool:
    """Say whether a process works in the directory `top` or below; `top` has no links in it."""
    try:
        directory = os.readlink(f"/proc/{pid}/cwd")  # noqa: PTH115
    except (OSError, ValueError):
        return False
    return directory == top or directory.startswith(top.rstrip("/") + "/")


def words_of(pid: int) -> list[str]:
    """Return the words of the command line of a process; none where it is gone, or not ours."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:  # noqa: PTH123
            return os.fsdecode(file.read()).split("\0")
    except OSError:
        return []


def programs_in(words: list[str]) -> frozenset[str]:
    """Return the names that a process may go by: its program's, its script's or module's."""
    found = (word.removeprefix("-m") for word in words[:_PROGRAM_WORDS] if word)
    names = (os.path.basename(word) for word in found)  # noqa: PTH119
    return frozenset(_SCRIPT_ENDS.sub("", name) for name in names)


def is_older_than(pid: int, path: str) -> bool:
    """Say whether a process was started before a file was last written, as far as clocks tell."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123
            fields = file.read().rpartition(_NAME_END)[2].split()
        written = os.stat(path).st_mtime  # noqa: PTH116
        started = int(fields[_STARTED]) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError, ValueError):
        return False
    lives_for = time.clock_gettime(time.CLOCK_BOOTTIME) - started
    return lives_for + _SLACK > time.time() - written


def workers(top: str, is_it: Callable[[list[str]], bool]) -> Iterator[int]:
    """Find processes in a worktree by their command lines. Reads all of `/proc`: milliseconds."""
    for name in os.listdir("/proc"):  # noqa: PTH208
        if name.isdecimal() and works_in(int(name), top) and is_it(words_of(int(name))):
            yield int(name)
