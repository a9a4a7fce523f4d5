"""Running a conductor: from what `tt conductor` was called with to its end."""

from __future__ import annotations

import gc
import select
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from tt.adapters.bell import Bell
from tt.app.conduct import Conduct, Terms
from tt.cli.conductnews import Newsroom
from tt.cli.ending import ending
from tt.cli.screen import Flags, say
from tt.config.keys import KEYS
from tt.core.conducted import Event, Told
from tt.core.conducting import Orders
from tt.core.times import rfc3339
from tt.errors import ExitCode, StoreError, TTError
from tt.podium import Podium
from tt.render.conductlines import uncommitted_lines, verdict_data, verdict_lines
from tt.render.isolation import merge_lines, tree_data
from tt.render.text import Look, count

if TYPE_CHECKING:
    from tt.bootstrap import Project
    from tt.core.isolation import AgentTree


class Wishes(NamedTuple):
    """The options of `tt conductor`; None where nobody said."""

    once: bool = False
    commits: bool = False
    spawns: bool = False
    max_parallel: int | None = None
    as_json: bool = False


def orders_of(project: Project, max_parallel: int | None, *, spawns: bool) -> Orders:
    """Return how the settings, and the options over them, say to conduct."""
    config = project.config
    parallel = config.number("conductor.max_parallel")
    return Orders(
        retries=config.number("conductor.retries"),
        timeout=float(config.number("conductor.timeout")),
        max_parallel=parallel if max_parallel is None else max_parallel,
        spawns=spawns,
        max_agents=config.number("max_agents"),
    )


def run_conductor(flags: Flags, wishes: Wishes) -> int:
    """Conduct until all is done, nothing can move, or a signal asks to end."""
    gc.enable()  # this process is there to stay
    environment = {KEYS[name].env[0]: text for name, text in flags.settings.items() if text}
    with flags.project() as project, Podium(project, environment) as podium:
        log = project.private / "conductor.log"
        with Newsroom(flags, podium.workshop, log, as_json=wishes.as_json) as newsroom:
            conduct = Conduct(podium, _terms(project, wishes), newsroom.tell, _clock(), time.time)
            try:
                asked = _Loop(podium, conduct, newsroom).run()
            finally:
                with suppress(StoreError):
                    conduct.resign()
            newsroom.leave()
            if asked:
                return ExitCode.INTERRUPTED
            return _end(conduct, newsroom, wishes, flags.look, project)


def _terms(project: Project, wishes: Wishes) -> Terms:
    orders = orders_of(project, wishes.max_parallel, spawns=wishes.spawns)
    lease = project.config.seconds("conductor.lease")
    return Terms(orders, lease, commits=wishes.commits, once=wishes.once)


def _clock() -> Callable[[], float]:
    """Return a clock that counts the time for which the machine sleeps: a lease runs out meanwhile.

    Where there is no clock of that name the kernel's monotonic one does it, unlike Python's.
    """
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return lambda: time.clock_gettime(clock)


class _Loop:
    """Sleeps until Redis speaks, an agent or an errand ends, something is due, or a signal."""

    def __init__(self, podium: Podium, conduct: Conduct, newsroom: Newsroom) -> None:
        self._podium, self._conduct, self._newsroom = podium, conduct, newsroom
        self._clock = _clock()

    def run(self) -> int:
        """Conduct to the end; return the signal that asked for it, 0 where none did."""
        with Bell[None]() as bell, ending(bell.alarm) as asked:
            told = frozen = False
            while True:
                if asked() and not told:
                    told = True
                    self._conduct.end()
                    self._newsroom.tell(Told(Event.INTERRUPTED, message=self._left()))
                self._conduct.step()
                if not frozen and self._conduct.ledger is not None:
                    frozen = True
                    gc.freeze()  # it need not go through ten thousand tasks again and again
                self._newsroom.show(self._conduct.ledger)
                if self._conduct.is_over:
                    return asked()
                if not asked() or told:
                    self._sleep(bell)

    def _left(self) -> str:
        ledger = self._conduct.ledger
        number = len(ledger.held) if ledger else 0
        under_way = f"{count(number, 'task')} under way; " if number else ""
        return f"Agents go on working: {under_way}`tt conductor` goes on from here."

    def _sleep(self, bell: Bell[None]) -> None:
        poller = select.poll()
        poller.register(bell, select.POLLIN)
        conduct = self._conduct
        for number in self._podium.filenos(listens=conduct.listens, leads=conduct.is_leading):
            poller.register(number, select.POLLIN)
        mine = conduct.due - self._clock()
        seconds = min(mine, self._newsroom.due - time.monotonic())
        poller.poll(None if seconds == float("inf") else max(seconds, 0) * 1000)
        bell.heard()


def _branches(project: Project) -> list[AgentTree]:
    """Return agents' worktrees in which there is something to merge. What Git cannot say is left
    out: it is beside the point of how the plan ended."""
    if project.repository is None:
        return []
    with suppress(TTError):
        return [tree for tree in project.agent_trees.list() if tree.has_news]
    return []


def _end(conduct: Conduct, newsroom: Newsroom, wishes: Wishes, look: Look, project: Project) -> int:
    """Say how it ended, and return the exit code."""
    verdict = conduct.verdict
    if verdict is None:
        return ExitCode.DONE
    goes_on = wishes.once and conduct.goes_on
    if wishes.as_json:
        from tt.render.jsonout import line

        ended = {"time": rfc3339(time.time_ns()), "event": "ended", "goes_on": goes_on}
        trees = tree_data(_branches(project))
        say([line({**ended, **verdict_data(verdict), "branches": trees})])
    elif not goes_on:
        branches, problem = _branches(project), conduct.commit_problem
        for tell, how in ((newsroom.note, Look()), (newsroom.say, look)):
            lines = [*verdict_lines(verdict, how), *uncommitted_lines(problem, how)]
            tell([*lines, *merge_lines(branches, how)])
    done = (verdict.is_completed or goes_on) and not conduct.commit_problem
    return ExitCode.DONE if done else ExitCode.FAILED
