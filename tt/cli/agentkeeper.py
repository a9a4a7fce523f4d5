"""The keeper of an agent: it does nothing but see to it that nothing is left of what the agent has
started, however that one ends."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import Final

from tt.adapters.proctree import Tree, end_all, has_children
from tt.core.myself import AGENT
from tt.errors import ExitCode

_ENDS: Final = (signal.SIGTERM, signal.SIGHUP)


def look_after(pid: int, *, in_background: bool) -> int:
    """Wait for the agent's end, and end all that it left behind. Returns its exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal tells the agent, too
    for number in _ENDS:
        signal.signal(number, lambda got, _: _pass_on(pid, got))
    if in_background:
        os.closerange(3, 256)  # who waits for the agent's start must not wait for us
    _, status = os.waitpid(pid, 0)
    for number in _ENDS:
        signal.signal(number, signal.SIG_IGN)  # it is about to end, and clears up before
    if has_children():
        end_all(Tree(own_servers()).below, _reap)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else ExitCode.FAILED


def _pass_on(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def end_what_is_left_of(uuid: str) -> None:
    """End what an earlier process of this agent has started and left: its keeper may have been
    killed with it."""
    end_all(Tree(own_servers(), mark=(AGENT, uuid)).below, _reap)


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def own_servers() -> str:
    """Return the directory in which the user's own Redis works: it is left alone."""
    from tt.adapters.redis.home import ServerHome
    from tt.config.settings import tt_home

    return str(ServerHome(tt_home(os.environ)).directory)
