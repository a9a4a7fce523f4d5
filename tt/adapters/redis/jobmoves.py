"""How a task comes to an agent, decided on what was read of both; pure. See `jobends` for the rest.

A move without a step means that nothing is to be written: it is done already, or must not be done.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tt.adapters.redis import jobfields as names
from tt.adapters.redis.codec import Hash
from tt.adapters.redis.encoding import Writes
from tt.adapters.redis.jobfields import count_in
from tt.adapters.redis.jobscene import NOTHING, Move, Scene, Told
from tt.adapters.redis.texts import list_text
from tt.core.agents import GONE, SUPERVISOR, AgentState
from tt.core.jobs import Job
from tt.core.messages import Kind
from tt.core.times import rfc3339
from tt.workports import Terms

_STAYS: Final = (AgentState.PAUSED, AgentState.DRAINING)


def hand_out(scene: Scene, job: Job, agent: str, terms: Terms, sender: str) -> Move:
    """Give a pending task to an agent."""
    task, state = scene.task, scene.agent.get("state")
    if task.get(names.HANDED) == scene.token:
        return Move(done=True)
    if not scene.is_at("pending") or not _is_as_in(task, job) or state is None or state in GONE:
        return NOTHING
    new: Writes = {
        "state": "assigned", "assigned_to": agent, "updated_at": rfc3339(scene.now),
        "agent_for": agent if "agent" in task else None,
        names.CLAIM: scene.token, names.HANDED: scene.token, names.BY: sender,
        names.RETRIES: str(terms.retries), names.TIMEOUT: repr(float(terms.timeout)),
        names.UNSAID: None if terms.word else "1",
    }  # fmt: skip
    step = scene.resting("agent", names.CLAIM, names.FAILURES, names.DEATHS)
    step.expect(scene.keys.agent(agent), scene.agent, "state")
    scene.tell(step, _assigned(scene, agent))
    scene.mail_to(step, agent, Kind.TASK_ASSIGN, sender, {"task_id": scene.uuid})
    if scene.shelved:
        step.expect_listed(scene.backlog, scene.uuid)
        step.do("LREM", scene.backlog, 0, scene.uuid)
    step.change(scene.task_key, task, new)
    return Move(True, step, new)


def make(scene: Scene, description: str, tags: Sequence[str], agent: str) -> Move:
    """Make a task that is in no plan: into the backlog, or with a message to its agent."""
    if scene.task:
        return Move(True, None, scene.task)
    stamp, step = rfc3339(scene.now), scene.resting("id")
    new: Writes = {
        "id": scene.uuid, "description": description, "state": "assigned" if agent else "pending",
        "created_at": stamp, "updated_at": stamp, "tags": list_text(tags),
    }  # fmt: skip
    if agent:
        marks = {names.CLAIM: scene.token, names.HANDED: scene.token, names.BY: SUPERVISOR}
        new |= {"assigned_to": agent, **marks}
        scene.tell(step, _assigned(scene, agent))
        scene.mail_to(step, agent, Kind.TASK_ASSIGN, SUPERVISOR, {"task_id": scene.uuid})
    else:
        scene.tell(step, Told("task_created", "Task added to the backlog", "", "pending"))
        step.do("RPUSH", scene.backlog, scene.uuid)
    step.change(scene.task_key, {}, new)
    return Move(True, step, new)


def claim(scene: Scene, agent: str) -> Move:
    """Begin to work on an assigned task."""
    task, state = scene.task, scene.agent.get("state")
    if task.get(names.CLAIM) == scene.token and scene.is_at("running"):
        return Move(done=True)
    if not scene.is_at("assigned") or task.get("assigned_to") != agent or state in GONE:
        return NOTHING
    stamp = rfc3339(scene.now)
    new: Writes = {
        "state": "running", "started_at": stamp, "updated_at": stamp, names.CLAIM: scene.token,
        "completed_at": None, "result": None,
    }  # fmt: skip
    step = scene.resting()
    scene.tell(step, Told("task_started", "Task started", agent, "running", {"claim": scene.token}))
    step.change(scene.task_key, task, new)
    key = scene.keys.agent(agent)
    step.expect(key, scene.agent, "state")
    if scene.agent:
        works = str(state) if state in _STAYS else str(AgentState.WORKING)
        does: Writes = {"state": works, "current_task": scene.uuid}
        step.change(key, scene.agent, {**does, "last_heartbeat": stamp, "last_active_at": stamp})
    return Move(True, step, new)


def _is_as_in(task: Hash, job: Job) -> bool:
    """Say whether a task's attempts are those that somebody knew when he decided."""
    counts = (count_in(task, names.FAILURES), count_in(task, names.DEATHS))
    return (task.get(names.CLAIM) or "", *counts) == (job.claim, job.failures, job.deaths)


def _assigned(scene: Scene, agent: str) -> Told:
    name = scene.agent.get("name") or agent
    return Told("task_assigned", f"Task assigned to {name}", agent, "assigned")
