"""`tt agent-impl`: the process of an agent, which `tt spawn` starts. It imports no click.

It is two processes. One works; the other does nothing but see to it that nothing is left of what
the first one started, however that one ends.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Final

from tt.adapters.bell import Bell
from tt.adapters.proctree import DETACHED, Tree, adopt_orphans, end_all
from tt.adapters.starter import STARTED_AS
from tt.cli.screen import TOWN_DIR
from tt.core.myself import AGENT
from tt.errors import ExitCode, StoreError, TTError
from tt.record import record

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

    from tt.adapters.redis.earshot import Earshot
    from tt.adapters.starter import Starter
    from tt.app.agent import AgentLoop
    from tt.bootstrap import Project
    from tt.core.agents import Agent
    from tt.core.clis import Cli

NAME: Final = "agent-impl"
_ENDS: Final = (signal.SIGTERM, signal.SIGHUP)
_OURS: Final = frozenset({STARTED_AS, DETACHED})
"""Variables that are about this process, and none of its program's."""
_LONGEST: Final = 60.0


@record
class Orders:
    """What an agent is started with. `uuid` is that of one that is to work again; `worktree` is
    where its program runs, if not in the plan's own one."""

    name: str
    cli: str = ""
    uuid: str = ""
    role: str = ""
    nickname: str = ""
    parent: str = ""
    rounds: int = 0
    timeout: float = 0.0
    how: str = "background"
    worktree: str = ""
    branch: str = ""


def words_for(orders: Orders) -> list[str]:
    """Return the arguments of `tt` that start an agent; there is no secret in them."""
    from tt.record import as_dict

    return [NAME, json.dumps({name: value for name, value in as_dict(orders).items() if value})]


def run_agent(arguments: list[str]) -> int:
    """Be an agent, or the one who cleans up after it. Raises TTError in the agent's process."""
    orders = Orders(**json.loads(arguments[0]))
    adopt_orphans()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return _look_after(pid, orders)
    adopt_orphans()
    gc.enable()  # this process is there to stay
    return _work(orders)


def _look_after(pid: int, orders: Orders) -> int:
    """Wait for the agent's end, and end all that it left behind. Returns its exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal tells the agent, too
    for number in _ENDS:
        signal.signal(number, lambda got, _: _pass_on(pid, got))
    if orders.how == "background":
        os.closerange(3, 256)  # who waits for the agent's start must not wait for us
    _, status = os.waitpid(pid, 0)
    for number in _ENDS:
        signal.signal(number, signal.SIG_IGN)  # it is about to end, and clears up before
    _clear_up()
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else ExitCode.FAILED


def _pass_on(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _clear_up() -> None:
    from tt.adapters.proctree import has_children

    if has_children():
        end_all(Tree(_servers()).below, _reap)


def _servers() -> str:
    from tt.adapters.redis.home import ServerHome
    from tt.config.settings import tt_home

    return str(ServerHome(tt_home(os.environ)).directory)


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


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


def logs_of(project: Project) -> Path:
    """Return the directory of agents' logs, which is tinytown's."""
    return project.config.root / ".tt" / "logs"


def _employ(project: Project, orders: Orders, starter: Starter) -> int:
    """Enlist the agent and let it work until it ends."""
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
        loop, ears = _hire(project, orders, cli, echo=starter.how == "foreground")
        open_things.callback(ears.close)
        _serve(loop, ears, bell, ended, starter)
    return ExitCode.FAILED if loop.failed else ExitCode.DONE


def _go(directory: str) -> None:
    try:
        os.chdir(directory)
    except OSError as error:
        raise TTError(f"The directory {directory} cannot be used: {error.strerror}.") from error


def _hire(project: Project, orders: Orders, cli: Cli, *, echo: bool) -> tuple[AgentLoop, Earshot]:
    from functools import partial

    from tt.adapters.agentcli import Bench, Place, own_words
    from tt.adapters.clock import SystemClock
    from tt.adapters.redis.earshot import Earshot, prefixes_of
    from tt.adapters.redis.identifiers import new_uuid
    from tt.app.agent import AgentLoop
    from tt.app.agentduty import Duty, Means
    from tt.config.clis import prompt_template
    from tt.core.clis import Reporting
    from tt.core.prompts import Teller

    config, shop = project.config, project.workshop
    uuid = orders.uuid or new_uuid()
    place = Place(config.root, logs_of(project), _servers())
    environment = agent_environment(project, uuid, orders.name, orders.worktree)
    bench = Bench(orders.name, cli, place, environment, _echo if echo else None)
    bench.grace = config.seconds("agents.grace")
    template = prompt_template(config)
    me = shop.enlist(_agent(project, orders, uuid, cli.name))
    if orders.uuid:  # whoever was to clear up after the process before may have been killed, too
        end_all(Tree(place.servers, mark=(AGENT, uuid)).below, _reap)
    teller = Teller(me.name, me.role, shop.town, own_words(), cli.report is Reporting.SELF,
                    orders.branch)  # fmt: skip
    listen = partial(project.reach.listen, shop.town, prefixes_of(me.uuid))
    say = _Journal(project, me.uuid)
    ears = Earshot(me.uuid, listen, say)
    means = Means(shop, bench, ears, say, time.monotonic, SystemClock(), new_uuid)
    duty = Duty(cli, teller, template, orders.rounds, orders.timeout)
    return AgentLoop(me, duty, means), ears


def _agent(project: Project, orders: Orders, uuid: str, cli: str) -> Agent:
    """Describe the agent; one that works again keeps what is known of it."""
    from tt.adapters.lives import born_of
    from tt.adapters.processes import this_host
    from tt.core.agents import Agent, AgentState
    from tt.record import replace

    known = project.workshop.agent(uuid) if orders.uuid else None
    before = known or Agent(uuid, orders.name, AgentState.STARTING)
    return replace(
        before,
        state=AgentState.STARTING,
        cli=cli,
        role=orders.role or before.role,
        nickname=orders.nickname or before.nickname,
        parent=orders.parent or before.parent,
        current_task="",
        lease=project.config.seconds("conductor.lease"),
        host=this_host(),
        pid=os.getpid(),
        born=born_of(os.getpid()),
    )


def agent_environment(project: Project, uuid: str, name: str, where: str = "") -> dict[str, str]:
    """Return what an agent's program has in its environment: `tt` in it means this very town.

    `where` is the directory that it runs in, if not the worktree's top.
    """
    from tt.adapters.gitfind import LOCAL_VARIABLES

    config = project.config
    kept = {
        name: text
        for name, text in os.environ.items()
        if name not in _OURS and name not in LOCAL_VARIABLES
    }
    return {
        **kept,
        "PWD": where or str(config.root),  # a shell would say so; we may have none between
        AGENT: uuid,
        "TINYTOWN_AGENT_NAME": name,
        "TT_NAME": project.town,
        TOWN_DIR: str(config.root),
        "TT_REDIS_URL": config.redis or "embedded",
    }


def _serve(
    loop: AgentLoop,
    ears: Earshot,
    bell: Bell[int],
    ended: Callable[[], tuple[str, bool]],
    starter: Starter,
) -> None:
    """Let the agent do what is due, and sleep in between."""
    from tt.core.watcher import WatchState

    has_begun = False
    gc.freeze()  # what is there now stays: it need not be looked through again and again
    while not loop.is_over:
        why, now = ended()
        if why:
            loop.end(why, now=now)
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
def _ending() -> Iterator[Callable[[], tuple[str, bool]]]:
    """Give what says why a signal has asked to end, and that it shall be at once."""
    asked: list[int] = []

    def ask(number: int, _: FrameType | None) -> None:
        asked.append(number)

    numbers = (*_ENDS, signal.SIGINT)
    before = {number: signal.signal(number, ask) for number in numbers}

    def why() -> tuple[str, bool]:
        return (f"ended by {signal.Signals(asked[0]).name}", True) if asked else ("", False)

    try:
        yield why
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _echo(data: bytes) -> None:
    """Show what the program prints, without what could rewrite a terminal."""
    from tt.cli.screen import say
    from tt.render.text import safe

    say(safe(line) for line in data.decode("utf-8", "replace").splitlines())


class _Journal:
    """Says what the agent does: in its log, or on its terminal, and some of it to the town."""

    def __init__(self, project: Project, uuid: str) -> None:
        self._project, self._uuid = project, uuid

    def __call__(self, line: str, *, activity: bool = False) -> str:
        """Say one line; return it without what could rewrite a terminal."""
        from tt.cli.screen import warn
        from tt.render.text import safe

        said = safe(line)
        warn([said])
        if activity:
            with suppress(StoreError):  # it is for whoever looks on just now
                self._project.workshop.log(self._uuid, said)
        return said
