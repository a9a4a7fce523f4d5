"""What happened in a town: told in words, and as the events themselves."""

from __future__ import annotations

from typing import Final

from tt.core.endings import gist
from tt.core.worked import Past, Told
from tt.render.history import when
from tt.render.text import Look, columns, pad, safe

_COLORS: Final = {
    "task_completed": "green", "task_failed": "red", "task_requeued": "yellow",
    "agent_stopped": "dim", "message_refused": "red",
}  # fmt: skip
_SAID: Final = ("result", "reason", "note")
_TELLING: Final = frozenset({"agent_state_changed", "agent_spawned"})
"""Kinds of events whose message says no more than they do."""
_BEFORE: Final = 40
"""Columns before what is said: the time, and an agent's name as it is most of the time."""


def past_lines(found: Past, look: Look) -> list[str]:
    """Return what happened, in words, oldest first."""
    if not found.events:
        return [f"No events in {safe(found.town)} yet."]
    who = [safe(one.agent) or "tt" for one in found.events]
    width = max(columns(name) for name in who)
    return [
        f"{when(one.time)}  {pad(name, width)}  {_words(one, look)}"
        for one, name in zip(found.events, who, strict=True)
    ]


def _words(one: Told, look: Look) -> str:
    verb = safe(one.kind).removeprefix("task_").removeprefix("agent_").replace("_", " ")
    what = f"{safe(one.task)} {verb}" if one.task else verb
    if one.kind == "agent_state_changed":
        what = f"is {safe(_text(one, 'new_state'))}"
    said = next((text for name in _SAID if (text := _text(one, name))), "")
    if not one.task and not said and one.kind not in _TELLING:
        said = _text(one, "message")
    color = _COLORS.get(one.kind)
    shown = look.paint(what, color) if color else what
    said = safe(gist(said))
    return f"{shown}: {look.fit(said, _BEFORE + columns(what))}" if said else shown


def event_line(one: Told, look: Look) -> str:
    """Return one event: when, its kind, what it is about, and its message."""
    scope = f"agent:{safe(one.agent)}" if one.agent else "town"
    task = f" {safe(one.task)}" if one.task else ""
    message = safe(_text(one, "message"))
    color = _COLORS.get(one.kind)
    kind = look.paint(safe(one.kind), color) if color else safe(one.kind)
    return f"{when(one.time)} [{kind}] {scope}{task} — {message}"


def event_data(one: Told) -> dict[str, object]:
    """Return an event for programs: as it was written, with the names of those in it."""
    return {
        "id": one.id, "kind": one.kind, "time": one.time, "agent": one.agent or None,
        "task": one.task or None, "event": one.data,
    }  # fmt: skip


def _text(one: Told, name: str) -> str:
    value = one.data.get(name, "")
    return value if isinstance(value, str) else ""
