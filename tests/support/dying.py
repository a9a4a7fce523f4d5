"""Run `tt` and kill it, as a power cut would, before the n-th thing that it does to the world.

`python dying.py N COMMAND…` ends by SIGKILL, or, where there are fewer than N such steps, like the
command. A step is a call of the system that sends, writes, renames, removes, starts a program.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from types import FrameType
from typing import Any

_CALLS = frozenset(
    {
        "replace", "rename", "link", "unlink", "remove", "mkdir", "fsync", "ftruncate", "write",
        "writev", "pwrite", "sendfile", "posix_spawn", "fork_exec", "kill", "fchmod", "fchown",
        "symlink", "truncate", "utime", "open",
    }
)  # fmt: skip
_SENDS = frozenset({"send", "sendall", "connect", "shutdown"})


def _is_step(call: Any) -> bool:
    if call.__name__ in _SENDS:
        return isinstance(getattr(call, "__self__", None), socket.SocketType)
    return call.__name__ in _CALLS and getattr(call, "__module__", "") in (
        "posix",
        "_posixsubprocess",
    )


def main(last: int, arguments: list[str]) -> int:
    """Run the command until step number `last`, counted from 1."""
    from tt.cli.main import main as tt

    steps = 0

    def watch(_frame: FrameType, event: str, call: Any) -> None:
        nonlocal steps
        if event == "c_call" and _is_step(call):
            steps += 1
            if steps == last:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)
    code = tt(arguments)
    sys.setprofile(None)
    return code


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
