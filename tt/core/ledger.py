"""What a conductor knows of its town, kept up to date by what it hears.

The plan's tasks are in the order in which they are handed out. Reading all of them again, and
working out how they hang together, is for the times when more than statuses changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from tt.core.agents import GONE, Agent
from tt.core.jobs import Board, Job
from tt.core.model import Plan, Task
from tt.core.readiness import Shape
from tt.core.values import Value
from tt.errors import TTError
from tt.record import record

HELD: Final = frozenset({"assigned", "running"})
"""The statuses of a task that somebody has."""
_SHAPING: Final = ("parent", "agent", "tags", "depends_on")


@record
class Turn:
    """How a task, or its absence, was and is now."""

    before: Job | None
    after: Job | None


class Ledger:
    """The jobs and agents of one town, and the shape of its plan."""

    def __init__(self, board: Board, order: Sequence[str] = ()) -> None:
        """Take over a board; `order` are plan ids as the file has them, as far as it is known."""
        self.jobs: dict[str, Job] = dict(board.jobs)
        self.agents: Mapping[str, Agent] = board.agents
        self.meta: Mapping[str, Value] = board.meta
        self.aside = board.aside
        """The plan ids of tasks that cannot be read; nobody knows how they stand."""
        self.held: dict[str, Job] = {}
        """What somebody has, in a plan or not, by uuid."""
        self.is_stale = False
        """Whether two tasks have one plan id: only a look at everything tells which counts."""
        self._places = {identifier: place for place, identifier in enumerate(order)}
        self._arrange()

    def _arrange(self) -> None:
        """Put the plan's tasks in order, and work out how they hang together."""
        jobs = sorted((job for job in self.jobs.values() if job.tagged), key=self._place)
        self.tasks: dict[str, Task] = {job.task.id: job.task for job in jobs}
        self.uuids: dict[str, str] = {job.task.id: job.uuid for job in jobs}
        self.shape = Shape(Plan(self.meta, self.tasks), self.aside)
        self.held = {uuid: job for uuid, job in self.jobs.items() if job.state in HELD}

    def _place(self, job: Job) -> tuple[int, str, str]:
        place = self._places.get(job.task.id)
        return (len(self._places) if place is None else place, job.created_at, job.task.id)

    def job(self, identifier: str) -> Job:
        """Return the job of one of the plan's tasks."""
        return self.jobs[self.uuids[identifier]]

    def update(self, uuids: Collection[str], found: Mapping[str, Job]) -> list[Turn]:
        """Take in how some tasks are now, `uuids` being all that were looked at; say what changed.

        Those that were looked at and not found are gone.
        """
        turns = [
            Turn(before, after)
            for uuid in dict.fromkeys((*uuids, *found))
            if (before := self.jobs.get(uuid)) != (after := found.get(uuid))
        ]
        if any(map(self._reshapes, turns)):
            self._apply(turns)
            self._arrange()
            self.is_stale |= len(self.tasks) != sum(job.tagged for job in self.jobs.values())
        else:
            self._apply(turns)
        return turns

    def _apply(self, turns: Iterable[Turn]) -> None:
        for before, after in ((turn.before, turn.after) for turn in turns):
            if after is None:
                if before is not None:
                    del self.jobs[before.uuid]
                    self.held.pop(before.uuid, None)
                continue
            self.jobs[after.uuid] = after
            if after.state in HELD:
                self.held[after.uuid] = after
            else:
                self.held.pop(after.uuid, None)
            if after.tagged and after.task.id in self.tasks:
                self.is_stale |= self.uuids[after.task.id] != after.uuid
                self.tasks[after.task.id] = after.task

    def _reshapes(self, turn: Turn) -> bool:
        """Say whether more changed than how far a task is."""
        before, after = turn.before, turn.after
        if before is None or after is None:
            return (before or after or _NOTHING).tagged
        if before.tagged != after.tagged or before.task.id != after.task.id:
            return True
        old, new = before.task.fields, after.task.fields
        return after.tagged and any(old.get(name) != new.get(name) for name in _SHAPING)

    def wanted(self, task: Task) -> str:
        """Return whom a task is for, by name, role or nickname; empty where nobody is named."""
        default = self.meta.get("default_agent")
        return task.agent or (default if isinstance(default, str) else "")

    def holder(self, job: Job) -> Agent | None:
        """Return the agent of this town that has a task; None where none of it does."""
        return self.agents.get(job.agent) if job.state in HELD else None

    def is_under_way(self, job: Job) -> bool:
        """Say whether an agent of this town that is not gone has a task."""
        holder = self.holder(job)
        return holder is not None and holder.state not in GONE

    def is_elsewhere(self, job: Job) -> bool:
        """Say whether somebody has a task of whom this town knows nothing."""
        return job.state in HELD and job.agent not in self.agents


def no_tasks(town: str) -> TTError:
    """Return the error of a town that has nothing to work on."""
    return TTError(
        f"The town {town} has no tasks.",
        "`tt sync push` brings those of tasks.toml; `tt plan --init` begins one.",
    )


_NOTHING: Final = Job("", Task("", {"description": "", "status": "pending"}), tagged=False)
