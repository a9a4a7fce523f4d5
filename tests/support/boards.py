"""Boards of a town in a few words, for decisions that need no server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tt.core.agents import Agent, AgentState
from tt.core.jobs import Board, Job
from tt.core.ledger import Ledger
from tt.core.model import Plan, Task
from tt.core.values import Value


def agent(
    name: str, state: AgentState = AgentState.IDLE, *, lease: float = 30.0, **fields: str
) -> Agent:
    """Make an agent, which is alive; its uuid is its name with an @ before it."""
    return Agent(f"@{name}", name, state, lease=lease, alive=lease > 0, **fields)


def job(identifier: str, status: str = "pending", by: str = "", **fields: Value) -> Job:
    """Make a job of the plan's task `identifier`, which the agent `by` has."""
    task = Task(identifier, {"description": f"Do {identifier}", "status": status, **fields})
    return Job(f"u-{identifier}", task, agent=f"@{by}" if by else "", created_at=identifier)


def ledger(
    jobs: Iterable[Job],
    agents: Iterable[Agent] = (),
    order: Iterable[str] = (),
    meta: Mapping[str, Value] | None = None,
) -> Ledger:
    """Make a ledger of them."""
    board = Board({one.uuid: one for one in jobs}, {one.uuid: one for one in agents}, meta or {})
    return Ledger(board, tuple(order))


def jobs_of(plan: Plan) -> list[Job]:
    """Make a job of each task of a plan, made in the plan's order."""
    return [
        Job(f"u-{one.id}", one, created_at=f"{place:06}")
        for place, one in enumerate(plan.tasks.values())
    ]
