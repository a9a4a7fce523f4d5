"""Why tasks wait: for a dry run, and for the end of a conductor that can do no more; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from tt.core.agents import GONE, Agent
from tt.core.conducting import HandOut, Orders, Seen, Spawn, Step
from tt.core.crew import OPEN, Crew
from tt.core.ledger import Ledger
from tt.core.readiness import Stand, Standing, behind, is_root
from tt.record import record

MOST: Final = 5
"""Root causes that are named of one wait."""


class Block(StrEnum):
    """What keeps a task from being begun, or being done."""

    FAILED = "failed"
    WAITS = "waits"
    CIRCLE = "circle"
    NOBODY = "nobody"
    STOPPED = "stopped"
    STARTING = "starting"
    UNNAMED = "unnamed"
    BUSY = "busy"
    PAUSED = "paused"
    LIMIT = "limit"
    ELSEWHERE = "elsewhere"


_STUCK: Final = frozenset({Block.NOBODY, Block.STOPPED, Block.UNNAMED, Block.ELSEWHERE})
"""What does not end by itself."""


@record
class Wait:
    """Why one task waits.

    `waits_for` are the ids that it waits for, `roots` those at the end of that which will not be
    done by themselves (`gone` of them are in no plan). `agent` is who it is for, or who has it;
    `why` says more: the result of what failed, why nobody can be started.
    """

    id: str
    block: Block
    waits_for: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    agent: str = ""
    why: str = ""


@record
class Verdict:
    """How the plan stands where nothing moves: completed, or why not.

    `waits` has failed tasks, too; groups are in it only where nothing else is. Of those `aside`
    nobody knows how they stand: they cannot be read.
    """

    total: int
    completed: int
    cancelled: int
    waits: tuple[Wait, ...] = ()
    aside: tuple[str, ...] = ()

    @property
    def is_completed(self) -> bool:
        """Whether all that there is to do was done."""
        return not (self.waits or self.aside)


def judge(ledger: Ledger, orders: Orders, seen: Seen, step: Step) -> Verdict:
    """Say how the plan stands, groups not counted."""
    tasks = [task for task in ledger.tasks.values() if task.id not in ledger.shape.groups]
    statuses = [task.status for task in tasks]
    return Verdict(
        len(tasks) + len(ledger.aside),
        statuses.count("completed"),
        statuses.count("cancelled"),
        tuple(explain(ledger, orders, seen, step)),
        tuple(sorted(ledger.aside)),
    )


def explain(ledger: Ledger, orders: Orders, seen: Seen, step: Step) -> list[Wait]:
    """Say of each task that is not under way, handed out or done why that is so."""
    return _Explaining(ledger, orders, seen, step).all()


class _Explaining:
    """The reasons of one step."""

    def __init__(self, ledger: Ledger, orders: Orders, seen: Seen, step: Step) -> None:
        self._ledger, self._orders, self._seen = ledger, orders, seen
        self._crew = Crew(ledger, seen.dead)
        self._handed = {act.job.task.id for act in step.actions if isinstance(act, HandOut)}
        self._coming = seen.spawning | {act.name for act in step.actions if isinstance(act, Spawn)}
        self._found = ledger.shape.stands(ledger.tasks)
        self._own = self._reasons()
        roots = [*filter(self._is_root, self._found), *self._missing()]
        self._roots = behind(self._found, roots, MOST)
        self._moving = behind(self._found, self._movers(), 1)

    def all(self) -> list[Wait]:
        """Return the reasons in the plan's order."""
        found = []
        for identifier, stand in self._found.items():
            if stand.standing is Standing.WAITING:
                found.append(self._waiting(identifier, stand))
            elif identifier in self._own:
                found.append(self._own[identifier])
        return found

    def _reasons(self) -> dict[str, Wait]:
        """Return the reasons that tasks have in themselves."""
        own: dict[str, Wait] = {}
        for identifier, stand in self._found.items():
            wait = self._reason(identifier, stand)
            if wait is not None:
                own[identifier] = wait
        return own

    def _reason(self, identifier: str, stand: Stand) -> Wait | None:
        job = self._ledger.job(identifier)
        if stand.standing is Standing.OVER and job.state == "failed":
            return Wait(identifier, Block.FAILED, why=job.result)
        if stand.standing is Standing.UNDER_WAY and self._ledger.is_elsewhere(job):
            return Wait(identifier, Block.ELSEWHERE, agent=job.agent)
        if stand.standing is Standing.READY and identifier not in self._handed:
            return self._ready(identifier, self._ledger.wanted(job.task))
        return None

    def _ready(self, identifier: str, name: str) -> Wait:
        """Say why nobody is given a task that could be begun."""
        agents = self._crew.named(name) if name else []
        if not name:
            return Wait(identifier, Block.UNNAMED)
        if not agents:
            return self._nobody(identifier, name)
        if not any(agent.state in OPEN for agent in agents):
            return Wait(identifier, Block.PAUSED, agent=name, why=_states(agents))
        full = all(self._crew.load(agent) >= self._orders.per_agent for agent in agents)
        return Wait(identifier, Block.BUSY if full else Block.LIMIT, agent=name)

    def _nobody(self, identifier: str, name: str) -> Wait:
        """Say why nobody is there of the name that a task asks for."""
        if name in self._coming:
            return Wait(identifier, Block.STARTING, agent=name)
        why = self._seen.barred.get(name, "")
        stopped = not why and has_left(self._ledger, name)
        return Wait(identifier, Block.STOPPED if stopped else Block.NOBODY, agent=name, why=why)

    def _is_root(self, identifier: str) -> bool:
        own = self._own.get(identifier)
        stuck = own is not None and own.block in _STUCK
        return stuck or is_root(self._found[identifier])

    def _missing(self) -> Iterable[str]:
        named = (name for stand in self._found.values() for name in stand.waits_for)
        return dict.fromkeys(name for name in named if name not in self._found)

    def _movers(self) -> Iterable[str]:
        """Yield the tasks that are, or will be, done by somebody."""
        for identifier, stand in self._found.items():
            moves = stand.standing in (Standing.READY, Standing.UNDER_WAY, Standing.LANDED)
            if moves and not self._is_root(identifier):
                yield identifier

    def _waiting(self, identifier: str, stand: Stand) -> Wait:
        roots = self._roots.get(identifier, ())
        block = Block.WAITS if roots or identifier in self._moving else Block.CIRCLE
        return Wait(identifier, block, stand.waits_for, roots)


def has_left(ledger: Ledger, name: str) -> bool:
    """Say whether an agent of this name was there, and could be there again."""
    return any(agent.name == name and agent.state in GONE for agent in ledger.agents.values())


def _states(agents: Iterable[Agent]) -> str:
    return ", ".join(f"{agent.name} is {agent.state}" for agent in agents)


def roots_of(waits: Iterable[Wait]) -> Mapping[str, int]:
    """Count how many tasks wait for each root cause, in order."""
    counted: dict[str, int] = {}
    for wait in waits:
        for root in wait.roots:
            counted[root] = counted.get(root, 0) + 1
    return counted
