"""`tt agent-impl`: the process of an agent, which `tt spawn` starts. It imports no click.

It is two processes: the one that works, and its keeper. What the first one does is `tt.app.agent`;
here it sleeps until Redis, its program or a signal wakes it.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

from tt.adapters.bell import Bell
from tt.adapters.proctree import adopt_orphans
from tt.cli.agentkeeper import look_after
from tt.cli.agentorders import Orders, logs_of, orders_in
from tt.errors import ExitCode, TTError

if TYPE_CHECKING:
    from types import FrameType

    from tt.adapters.redis.earshot import Earshot
    from tt.adapters.starter import Starter
    from tt.app.agent import AgentLoop
    from tt.bootstrap import Project

_ENDS: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_LONGEST: Final = 60.0


def run_agent(arguments: list[str]) -> int:
    """Be an agent, or the one who cleans up after it. Raises TTError in the agent's process."""
    orders = orders_in(arguments)
    adopt_orphans()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return look_after(pid, in_background=orders.how == "background")
    adopt_orphans()
    gc.enable()  # this process is there to stay
    return _work(orders)


def _work(orders: Orders) -> int:
    from tt.adapters.starter import Starter

    starter = Starter(os.environ)
    try:
        from tt.bootstrap import open_project

        with (
            open_project(".", {}, "tt spawn") as project,
            _speaking(project, orders, starter),
        ):
            return _employ(project, orders, starter)
    except TTError as error:
        starter.failed(error)
        raise


@contextmanager
def _speaking(project: Project, orders: Orders, starter: Starter) -> Iterator[None]:
    """Send all that is said to the agent's log, with the time, where no terminal is for it."""
    if starter.how == "foreground":
        yield
        return
    from tt.adapters.watchlog import WatchLog

    path = logs_of(project) / f"{orders.name}.log"
    try:
        words = WatchLog(path)
    except OSError as error:
        raise TTError(f"The log {path} cannot be written: {error.strerror}.") from error
    before = sys.stdout, sys.stderr
    sys.stdout = sys.stderr = words
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _employ(project: Project, orders: Orders, starter: Starter) -> int:
    """Enlist the agent and let it work until it ends."""
    from tt.cli.agenthire import hire
    from tt.config.clis import find_cli

    cli = find_cli(project.config, orders.cli)
    _go(orders.worktree or str(project.config.root))
    if project.repository is not None:  # an agent has no other children than its program
        project.repository.close()
        project.repository = None
    with ExitStack() as open_things:
        bell = open_things.enter_context(Bell[int]())
        open_things.enter_context(_waking(bell.alarm))
        ended = open_things.enter_context(_ending())
        loop, ears = hire(project, orders, cli, echo=starter.how == "foreground")
        open_things.callback(ears.close)
        _serve(loop, ears, bell, ended, starter)
    return ExitCode.FAILED if loop.failed else ExitCode.DONE


def _go(directory: str) -> None:
    try:
        os.chdir(directory)
    except OSError as error:
        raise TTError(f"The directory {directory} cannot be used: {error.strerror}.") from error


def _serve(
    loop: AgentLoop,
    ears: Earshot,
    bell: Bell[int],
    ended: Callable[[], str],
    starter: Starter,
) -> None:
    """Let the agent do what is due, and sleep in between."""
    from tt.core.watcher import WatchState

    has_begun = False
    gc.freeze()  # what is there now stays: it need not be looked through again and again
    while not loop.is_over:
        if why := ended():
            loop.end(why, now=True)
        loop.step()
        if not has_begun and loop.is_ready:
            has_begun = True
            starter.begun(WatchState("working"))
        if not loop.is_over:
            _sleep(loop, ears, bell)
            bell.heard()


def _sleep(loop: AgentLoop, ears: Earshot, bell: Bell[int]) -> None:
    poller = select.poll()
    for number in (bell.fileno(), *ears.filenos, *loop.filenos):
        poller.register(number, select.POLLIN)
    poller.poll(min(max(loop.due - time.monotonic(), 0), _LONGEST) * 1000)


@contextmanager
def _waking(alarm: int) -> Iterator[None]:
    """Let signals, and the end of a child among them, wake the loop."""
    before = signal.set_wakeup_fd(alarm, warn_on_full_buffer=False)
    child = signal.signal(signal.SIGCHLD, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, child)
        signal.set_wakeup_fd(before)


@contextmanager
def _ending() -> Iterator[Callable[[], str]]:
    """Give what says by which signal it was asked to end; empty for none."""
    asked: list[int] = []

    def ask(number: int, _: FrameType | None) -> None:
        asked.append(number)

    before = {number: signal.signal(number, ask) for number in _ENDS}
    try:
        yield lambda: f"ended by {signal.Signals(asked[0]).name}" if asked else ""
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
