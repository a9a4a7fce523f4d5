"""A Redis hash read as an agent, and an agent as the fields of a hash; pure.

The fields are tinytown's, and of ours `run:lease`, `run:host`, `run:pid` and `run:born`.
"""

from __future__ import annotations

from typing import Final

from tt.adapters.redis.codec import MAX_TEXT, Hash
from tt.adapters.redis.happenings import readable
from tt.adapters.redis.hashes import texts_of
from tt.adapters.redis.jobfields import count_in, seconds_in, uuid_in
from tt.core.agents import Agent, AgentState

_STATES: Final = {str(state): state for state in AgentState}
_TEXTS: Final = ("cli", "nickname", "created_at", "last_heartbeat", "last_active_at")


class BadAgentError(ValueError):
    """A hash that cannot be read as an agent; the text says why."""


def read_agent(uuid: str, stored: Hash, *, alive: bool) -> Agent:
    """Read an agent. Raises BadAgentError."""
    raw = texts_of(stored)
    state, name = _STATES.get(raw.get("state") or ""), raw.get("name") or ""
    if raw.get("id") != uuid:
        raise BadAgentError("its field `id` is not the uuid of its key")
    if state is None:
        raise BadAgentError(f"unknown state {readable(raw.get('state') or '')[:40]!r}")
    if not name or any(len(text) > MAX_TEXT for text in raw.values()):
        raise BadAgentError("it has no name, or is absurdly large")
    return Agent(
        uuid=uuid,
        name=readable(name),
        state=state,
        kind=readable(raw.get("agent_type") or "worker"),
        role=readable(raw.get("role_id") or ""),
        parent=uuid_in(raw, "parent_agent_id"),
        current_task=uuid_in(raw, "current_task"),
        tasks_completed=count_in(raw, "tasks_completed"),
        rounds_completed=count_in(raw, "rounds_completed"),
        spawn_mode=readable(raw.get("spawn_mode") or "fresh"),
        lease=seconds_in(raw, "run:lease"),
        alive=alive,
        host=readable(raw.get("run:host") or ""),
        pid=count_in(raw, "run:pid"),
        born=readable(raw.get("run:born") or ""),
        **{field: readable(raw.get(field) or "") for field in _TEXTS},
    )


def agent_fields(agent: Agent) -> dict[str, str | None]:
    """Return all fields of an agent's hash; None for those that it does not have."""
    return {
        "id": agent.uuid, "name": agent.name, "agent_type": agent.kind, "state": str(agent.state),
        "cli": agent.cli, "created_at": agent.created_at, "last_heartbeat": agent.last_heartbeat,
        "tasks_completed": str(agent.tasks_completed),
        "rounds_completed": str(agent.rounds_completed),
        "last_active_at": agent.last_active_at, "spawn_mode": agent.spawn_mode,
        "nickname": agent.nickname or None, "role_id": agent.role or None,
        "parent_agent_id": agent.parent or None, "current_task": agent.current_task or None,
        "run:lease": repr(agent.lease) if agent.lease else None, "run:host": agent.host or None,
        "run:pid": str(agent.pid) if agent.pid else None, "run:born": agent.born or None,
    }  # fmt: skip
