"""Gathering what an agent has to know of a task: what it is a part of, and what came before it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from tt.core.ids import task_uuid
from tt.core.jobs import Job
from tt.core.messages import Message
from tt.core.prompts import Brief
from tt.workports import Workshop

_DEEPEST: Final = 8
"""Groups inside of groups that are looked through."""


def brief_of(shop: Workshop, job: Job, messages: Sequence[Message]) -> Brief:
    """Read it. A task that stands alone costs no question. Raises StoreError."""
    groups: list[Job] = []
    before: dict[str, Job] = {}
    at = job
    for _ in range(_DEEPEST):
        parent = at.task.parent
        found = _jobs(shop, [*at.task.depends_on, *([parent] if parent else [])])
        above = found.pop(parent, None) if parent else None
        before |= {name: each for name, each in found.items() if name not in before}
        if above is None:
            break
        if _is_stage(above):
            before.setdefault(above.task.id, above)
            break
        groups.append(above)
        at = above
    return Brief(job, groups, [*before.values()], messages, names_of(shop, messages))


def _jobs(shop: Workshop, plan_ids: Iterable[str]) -> dict[str, Job]:
    uuids = [task_uuid(shop.town, plan_id) for plan_id in plan_ids]
    return {job.task.id: job for job in shop.jobs(uuids).values()} if uuids else {}


def _is_stage(job: Job) -> bool:
    return job.task.agent is not None and "epic" not in job.task.tags


def names_of(shop: Workshop, messages: Sequence[Message]) -> dict[str, str]:
    """Return the names of those who may have sent messages, by uuid. Raises StoreError."""
    if not messages:
        return {}
    return {uuid: agent.name for uuid, agent in shop.agents().items()}
