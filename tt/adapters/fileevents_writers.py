"""Whether a program has a file open for writing: such a file is not saved yet."""

from __future__ import annotations

import fcntl
import os
import signal
from typing import Final

_OPEN: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW
_SET_SIGNAL: Final = getattr(fcntl, "F_SETSIG", None)
_SET_LEASE: Final = getattr(fcntl, "F_SETLEASE", None)


def is_being_written(path: str) -> bool:
    """Say whether somebody has it open for writing; False where the system does not tell.

    Linux grants a lease for reading where nobody does, to the owner of a file, and it is given back
    at once. Who opens the file in between is let wait for that moment; the signal that would tell
    us so is one that is ignored by default.
    """
    if _SET_SIGNAL is None or _SET_LEASE is None:
        return False
    try:
        file = os.open(path, _OPEN)
    except OSError:
        return False
    try:
        fcntl.fcntl(file, _SET_SIGNAL, signal.SIGURG)
        fcntl.fcntl(file, _SET_LEASE, fcntl.F_RDLCK)
        fcntl.fcntl(file, _SET_LEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:
        pass
    finally:
        os.close(file)
    return False
