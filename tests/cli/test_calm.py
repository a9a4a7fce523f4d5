"""A terminal on which a picture moves, by a process that has one."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import sys
import termios
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = """\
import os, signal, sys, termios
from tt.cli.calm import calm_terminal

def says():
    return "echo" if termios.tcgetattr(0)[3] & termios.ECHO else "silent"

print(says(), flush=True)
end = calm_terminal(lambda: os.write(1, b"resized\\n"))
print(says(), flush=True)
print(sys.stdin.readline().strip(), flush=True)
end()
print(says(), signal.getsignal(signal.SIGWINCH) is signal.SIG_DFL, flush=True)
"""


def test_what_is_typed_is_not_shown_and_not_lost_and_a_new_size_is_heard() -> None:
    pid, terminal = pty.fork()
    if not pid:
        os.execve(sys.executable, [sys.executable, "-c", CODE], {"PYTHONPATH": str(ROOT)})
    shown = b""
    while b"silent" not in shown:
        shown += os.read(terminal, 1000)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 90, 0, 0))
    while b"resized" not in shown:
        shown += os.read(terminal, 1000)
    os.write(terminal, b"typed\n")
    while b"echo True" not in shown:
        shown += os.read(terminal, 1000)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    os.close(terminal)
    assert shown.split() == [b"echo", b"silent", b"resized", b"typed", b"echo", b"True"]
