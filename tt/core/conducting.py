"""One step of the conductor as data: what is to be done now, and whether it goes on; pure.

The same ledger, orders and sightings give the same step. Nothing is done twice: what a step says
is done by comparing and setting, and the next one is decided on what came of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from tt.core.agents import GONE, Agent
from tt.core.crew import Crew
from tt.core.jobs import Job
from tt.core.ledger import Ledger
from tt.core.model import Task
from tt.core.values import Literal
from tt.record import field, record

_MOST_RETRIES: Final = 1_000_000
"""More than anybody waits for; what is kept of a task's attempts has room for nine digits."""
_NONE: Final[Mapping[str, str]] = {}
_NO_TIMES: Final[Mapping[str, float]] = {}


@record
class Orders:
    """How to conduct. `retries` and `timeout` (seconds, 0: for ever) are for tasks that say
    nothing else; `max_parallel` tasks are handed out at once, 0: as many as there are agents for;
    `per_agent` of them to one agent. With `spawns`, agents that are named and not there are
    started, up to `max_agents` of them."""

    retries: int = 0
    timeout: float = 0.0
    max_parallel: int = 0
    per_agent: int = 2
    spawns: bool = False
    max_agents: int = 10


@record
class Seen:
    """What was seen of the world beside the town.

    `dead` are agents, and how that is known; `busy` for how many seconds the attempts of running
    tasks have taken, by uuid. `spawning` are names of agents that are about to be there, `barred`
    those that cannot be started, and why.
    """

    dead: Mapping[str, str] = field(default_factory=lambda: _NONE)
    busy: Mapping[str, float] = field(default_factory=lambda: _NO_TIMES)
    spawning: frozenset[str] = frozenset()
    barred: Mapping[str, str] = field(default_factory=lambda: _NONE)


@record
class Complete:
    """All tasks of a group are done: it is completed."""

    job: Job


@record
class Bury:
    """An agent is dead, or gone with work in its hands: what it held goes back."""

    agent: Agent
    why: str


@record
class Fail:
    """An attempt took too long, and the agent is another tool's, which does not stop it."""

    job: Job
    why: str


@record
class HandOut:
    """A task is given to an agent."""

    job: Job
    agent: Agent
    retries: int
    timeout: float


@record
class Spawn:
    """An agent is started."""

    name: str


Action: TypeAlias = Complete | Bury | Fail | HandOut | Spawn


@record
class Step:
    """What is to be done now, in this order, and whether there is more to wait for after that."""

    actions: tuple[Action, ...]
    goes_on: bool
    ready: tuple[str, ...] = ()
    """Ids of tasks that could be begun, and that nobody is given in this step."""
    nobody: tuple[str, ...] = ()
    """Whom such tasks are for where nobody is that, nor will be."""


def decide(ledger: Ledger, orders: Orders, seen: Seen) -> Step:
    """Decide one step."""
    done = ledger.shape.done(ledger.tasks)
    actions: list[Action] = [
        Complete(ledger.job(task.id)) for task in ledger.shape.landed(ledger.tasks, done)
    ]
    actions += _burials(ledger, seen)
    actions += _failures(ledger, orders, seen)
    crew = Crew(ledger, seen.dead)
    handing = _HandingOut(ledger, orders, crew)
    actions += handing.all(ledger.shape.ready(ledger.tasks, done))
    spawned = list(_spawns(ledger, orders, seen, handing.nobody))
    actions += spawned
    moves = bool(actions or handing.waits or seen.spawning) or _is_any_under_way(ledger, seen)
    coming = {*seen.spawning, *(spawn.name for spawn in spawned)}
    nobody = tuple(name for name in handing.nobody if name not in coming)
    return Step(tuple(actions), moves, tuple(handing.left), nobody)


def terms(task: Task, orders: Orders) -> tuple[int, float]:
    """Return how many failures of a task are forgiven, and how many seconds an attempt may take.

    A key of the task that is no such number is passed over.
    """
    retries, timeout = task.fields.get("retries"), _seconds(task.fields.get("timeout"))
    counted = isinstance(retries, int) and retries >= 0
    return (
        min(retries, _MOST_RETRIES) if counted and isinstance(retries, int) else orders.retries,
        orders.timeout if timeout is None else timeout,
    )


def _seconds(value: object) -> float | None:
    try:
        number = float(value.text if isinstance(value, Literal) else value)  # type: ignore[arg-type]  # what is no number raises
    except (ValueError, TypeError, OverflowError):
        return None
    return number if 0 <= number < float("inf") and not isinstance(value, str) else None


def silence(agent: Agent) -> str:
    """Say how it is known that an agent is dead which shows no sign of life."""
    return f"it has shown no sign of life for {agent.lease:g} seconds"


def _burials(ledger: Ledger, seen: Seen) -> Iterator[Bury]:
    """Yield whoever is dead, and who has stopped and still has something."""
    holders = {job.agent for job in ledger.held.values()}
    for uuid, agent in ledger.agents.items():
        if uuid in seen.dead:
            yield Bury(agent, seen.dead[uuid])
        elif agent.state in GONE and uuid in holders:
            yield Bury(agent, f"{agent.name} is {agent.state}")


def _failures(ledger: Ledger, orders: Orders, seen: Seen) -> Iterator[Fail]:
    for uuid, seconds in seen.busy.items():
        job = ledger.held.get(uuid)
        if job is None or not may_be_late(ledger, job):
            continue
        _, timeout = terms(job.task, orders)
        if timeout and seconds >= timeout:
            yield Fail(job, f"took longer than {timeout:g} seconds")


def may_be_late(ledger: Ledger, job: Job) -> bool:
    """Say whether it is for the conductor to see that a task takes too long."""
    holder = ledger.holder(job)
    return job.tagged and job.state == "running" and holder is not None and not holder.is_ours


def _spawns(ledger: Ledger, orders: Orders, seen: Seen, nobody: Iterable[str]) -> Iterator[Spawn]:
    there = sum(agent.state not in GONE for agent in ledger.agents.values()) + len(seen.spawning)
    for name in nobody if orders.spawns else ():
        if name not in seen.spawning and name not in seen.barred and there < orders.max_agents:
            there += 1
            yield Spawn(name)


def _is_any_under_way(ledger: Ledger, seen: Seen) -> bool:
    return any(
        job.tagged and ledger.is_under_way(job) and job.agent not in seen.dead
        for job in ledger.held.values()
    )


class _HandingOut:
    """Who gets what. `nobody` are names that no agent has, in order; `left` ids that nobody gets;
    `waits`: some of those wait for an agent that is there, or for room."""

    def __init__(self, ledger: Ledger, orders: Orders, crew: Crew) -> None:
        self._ledger, self._orders, self._crew = ledger, orders, crew
        under_way = sum(map(ledger.is_under_way, ledger.held.values()))
        self._room = orders.max_parallel - under_way if orders.max_parallel else len(ledger.tasks)
        self._full: set[str] = set()
        self.nobody: dict[str, None] = {}
        self.left: list[str] = []
        self.waits = False

    def all(self, ready: Iterable[Task]) -> Iterator[HandOut]:
        """Hand out what can be handed out, in order."""
        for task in ready:
            agent = self._agent(self._ledger.wanted(task))
            if agent is None:
                self.left.append(task.id)
                continue
            self._room -= 1
            yield HandOut(self._ledger.job(task.id), agent, *terms(task, self._orders))

    def _agent(self, name: str) -> Agent | None:
        if name in self._full or name in self.nobody or not name:
            return None
        if not self._crew.named(name):
            self.nobody[name] = None
            return None
        found = self._crew.take(name, self._orders.per_agent) if self._room > 0 else None
        if found is None:
            self._full.add(name)
            self.waits = True
        return found
