"""What people write beside a task, and taking away a task that is in no plan; pure.

Notes are a JSON list in the field `run:notes` of the task's hash: of each when, by whom (the uuid
of an agent, or nothing) and what was written; `id` is by what a repeated step is known.
"""

from __future__ import annotations

import json
from typing import Any, Final

from tt.adapters.redis.codec import NOTES, Hash
from tt.adapters.redis.happenings import readable
from tt.adapters.redis.jobscene import NOTHING, Move, Scene, Told
from tt.core.jobs import Note
from tt.core.times import rfc3339

KEPT: Final = 50
"""Notes of one task that are kept; the oldest go first."""


def note(scene: Scene, text: str, by: str) -> Move:
    """Add a note to a task."""
    notes = _entries(scene.task)
    if any(entry.get("id") == scene.token for entry in notes):
        return Move(done=True)
    made = {"id": scene.token, "at": rfc3339(scene.now), "by": by, "text": text}
    kept = [*notes, made][-KEPT:]
    step = scene.resting(NOTES)
    scene.tell(step, Told("task_note", "Note on the task", by, "", {"note": text}))
    new = {NOTES: json.dumps(kept, separators=(",", ":"), ensure_ascii=False)}
    step.change(scene.task_key, scene.task, dict(new))
    return Move(True, step, new)


def remove(scene: Scene) -> Move:
    """Take a task away that is in no plan; what is in one comes back with the next sync."""
    if scene.tagged:
        return NOTHING
    step = scene.resting("tags")
    scene.tell(step, Told("task_deleted", "Task deleted", scene.held_by, ""))
    step.do("LREM", scene.backlog, 0, scene.uuid)
    step.do("DEL", scene.task_key)
    return Move(True, step, dict.fromkeys(scene.task))


def read_notes(text: str) -> tuple[Note, ...]:
    """Read the notes of a task; what is none is left out."""
    return tuple(
        Note(**{name: readable(str(entry.get(name, ""))) for name in ("at", "by", "text")})
        for entry in _parse(text)
    )


def _entries(task: Hash) -> list[dict[str, Any]]:
    return _parse(task.get(NOTES) or "")


def _parse(text: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return []
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
