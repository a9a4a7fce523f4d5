"""A town that is worked in, for tests: agents, tasks, and what the raw keys say of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, cast

from tests.support.town_worlds import RedisWorld, TickingClock
from tt.adapters.redis.commands import Arg, Command, Commands
from tt.adapters.redis.identifiers import new_uuid
from tt.adapters.redis.replies import LostError, Reply
from tt.adapters.redis.workshop import RedisWorkshop
from tt.core.agents import SUPERVISOR, Agent, AgentState
from tt.core.diff import Added
from tt.core.jobs import Job
from tt.core.messages import Kind, Message, Priority
from tt.core.model import Task
from tt.core.values import Value
from tt.ports import Claim
from tt.workports import Happened, Outcome, Terms

OURS = Claim("repo-a", "main", "epoch-1")


@dataclass
class Yard:
    """One town, its workshop, and its raw content."""

    town: str
    connection: Commands
    clock: TickingClock = field(default_factory=TickingClock)

    def __post_init__(self) -> None:
        self.workshop = RedisWorkshop(self.connection, self.town, self.clock)
        self.world = RedisWorld(self.town, self.connection, self.clock)  # type: ignore[arg-type]

    def agent(self, name: str = "dev", lease: float = 30.0) -> Agent:
        made = Agent(new_uuid(), name, AgentState.IDLE, cli="claude", lease=lease)
        return self.workshop.enlist(made)

    def plan(self, *names: str, **fields: Value) -> list[Job]:
        """Push tasks of a plan, and return them."""
        store = self.world.store()
        tasks = [
            Task(name, {"description": f"Do {name}", "status": "pending", **fields})
            for name in names
        ]
        assert not store.apply(store.load(), [Added(task) for task in tasks], OURS).lost
        jobs = {job.task.id: job for job in self.workshop.board().jobs.values()}
        return [jobs[name] for name in names]

    def handed(self, job: Job, agent: Agent, retries: int = 0, timeout: float = 0) -> Job:
        terms = Terms(retries, timeout)
        return done(self.workshop.hand_out(job, agent.uuid, terms, SUPERVISOR))

    def running(self, job: Job, agent: Agent, retries: int = 0) -> Job:
        self.handed(job, agent, retries)
        return done(self.workshop.claim(job.uuid, agent.uuid))

    def job(self, uuid: str) -> Job:
        return self.workshop.jobs([uuid])[uuid]

    def key(self, ending: str) -> str:
        return f"tt:{self.town}:{ending}"

    def list(self, ending: str) -> list[str]:
        reply = self.connection.execute("LRANGE", self.key(ending), 0, -1)
        return [part.decode() for part in cast("list[bytes]", reply)]

    def kinds(self) -> list[str]:
        """Return the kinds of all events of the town, oldest first."""
        return [event.kind for event in self.workshop.events(10_000)]

    def everything(self) -> dict[str, object]:
        """Return all that there is."""
        saved = self.workshop.dump()
        return {one.ending.decode(): one.content for one in saved}


def done(outcome: Outcome) -> Job:
    """Return the task of something that was done."""
    assert outcome.done, f"not done: {outcome}"
    assert outcome.job is not None
    return outcome.job


def refused(outcome: Outcome) -> Job:
    """Return the task of something that was refused."""
    assert not outcome.done
    assert not outcome.requeued
    assert outcome.job is not None
    return outcome.job


def message_of(text: str) -> dict[str, object]:
    return cast("dict[str, object]", json.loads(text))


@dataclass
class Breaking:
    """A connection that breaks once: at its `at`th pipeline, `after` it was done or before.

    What comes next works again: whoever reconnects has it whole. `meddle` is done just before.
    """

    connection: Commands
    at: int = -1
    after: bool = True
    meddle: Callable[[], object] | None = None
    seen: int = 0

    @property
    def address(self) -> str:
        return self.connection.address

    def execute(self, *args: Arg) -> Reply:
        (reply,) = self.pipeline([args])
        return reply

    def pipeline(self, commands: Iterable[Command]) -> list[Reply]:
        self.seen += 1
        if self.seen - 1 != self.at:
            return self.connection.pipeline(commands)
        if self.meddle is not None:
            self.meddle()
            return self.connection.pipeline(commands)
        if self.after:
            self.connection.pipeline(commands)
        raise LostError("The connection broke.")

    def stream(self, commands: Iterable[Command]) -> Iterator[Reply]:
        return iter(self.pipeline(commands))


def message(
    to: str, kind: str = Kind.TASK, priority: str = Priority.NORMAL, **content: object
) -> Message:
    """Return a message of the supervisor's."""
    stamp = "2026-11-21T01:18:51.464064876Z"
    return Message(new_uuid(), SUPERVISOR, to, kind, content, priority, stamp)


_AFTER: Final = {
    "task_assigned": "assigned", "task_started": "running", "task_requeued": "pending",
    "task_completed": "completed", "task_failed": "failed", "task_cancelled": "cancelled",
}  # fmt: skip
_OPEN: Final = ("pending", "assigned", "running")


def check_history(events: Iterable[Happened]) -> dict[str, str]:
    """Check that each task went one way: no two attempts at once, and each ended at most once.

    Return the last state of each task. A task that is pending without an event was reopened.
    """
    stands: dict[str, str] = {}
    claims: dict[str, str] = {}
    begun: set[str] = set()
    for event in events:
        if event.kind not in _AFTER:
            continue
        data = cast("dict[str, str]", event.data)
        task, was, now = data["task_id"], data.get("old_state", ""), data["new_state"]
        assert now == _AFTER[event.kind]
        assert was in (stands.get(task, was), "pending", ""), f"{event} after {stands[task]}"
        assert was in ("", *_OPEN), f"{event} ends what had ended"
        if event.kind == "task_started":
            assert was == "assigned"
            assert data["claim"] not in begun
            begun.add(data["claim"])
            claims[task] = data["claim"]
        elif was == "running":
            assert data["claim"] == claims.pop(task), f"{event} ends another attempt"
        stands[task] = now
    return stands
