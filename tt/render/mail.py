"""What lies in inboxes, and what was sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from tt.core.agents import SUPERVISOR
from tt.core.endings import gist
from tt.core.messages import Kind, Message, Priority
from tt.core.worked import Mailbox
from tt.render.text import Look, count, safe

_MARKS: Final = {
    Kind.TASK: "T", Kind.TASK_ASSIGN: "T", Kind.QUERY: "Q", Kind.INFORMATIONAL: "I",
    Kind.CONFIRMATION: "C", Kind.TASK_DONE: "I", Kind.TASK_FAILED: "I",
}  # fmt: skip
"""What tinytown calls them: work to be done, queries, information, confirmations."""
_COUNTED: Final = {
    "T": ("task", "tasks"), "Q": ("query", "queries"), "I": ("information", "information"),
    "C": ("confirmation", "confirmations"), "?": ("other", "others"),
}  # fmt: skip
_TEXTS: Final = ("description", "question", "summary", "result", "error", "reason", "kind", "state")
_FEW: Final = 10


def mailbox_lines(found: Mailbox, look: Look, limit: int = _FEW) -> list[str]:
    """Return what lies in one inbox: how much of what, and the first messages.

    An agent begins with the first ones; of what is there for a person the last ones are shown.
    """
    number = len(found.messages)
    state = f" ({safe(found.state)})" if found.state else ""
    lines = [f"Inbox of {look.paint(safe(found.name), 'bold')}{state}: {count(number, 'message')}"]
    if number:
        lines[0] += f" ({tally(found)})"
    if look.all or number <= limit:
        return [*lines, *(_message(message, found, look) for message in found.messages)]
    mine = found.uuid == SUPERVISOR
    shown = found.messages[-limit:] if mine else found.messages[:limit]
    said = [_message(message, found, look) for message in shown]
    if mine:
        more = f"  … {number - limit:,} older ones; `tt inbox --clear` shows all, and removes them"
        return [*lines, more, *said]
    return [*lines, *said, f"  … and {count(number - limit, 'more message')} (tt -v inbox)"]


def mailboxes_lines(found: Sequence[Mailbox], look: Look) -> list[str]:
    """Return the inboxes that have something in them."""
    full = [one for one in found if one.messages]
    if not full:
        return ["No messages."]
    lines = [line for one in full for line in [*mailbox_lines(one, look), ""]]
    asks = sum(mark(message) in "TQ" for one in full for message in one.messages)
    return [*lines, f"{count(asks, 'message')} to act on."]


def tally(found: Mailbox) -> str:
    """Return `2 tasks, 1 query`."""
    counted = Counter(mark(message) for message in found.messages)
    parts = []
    for sign, (one, many) in _COUNTED.items():
        if number := counted[sign]:
            parts.append(f"{number} {one if number == 1 else many}")
    return ", ".join(parts)


def mark(message: Message) -> str:
    """Return tinytown's letter for a kind of message."""
    return _MARKS.get(Kind(message.kind), "?") if message.kind in set(Kind) else "?"


def _message(message: Message, found: Mailbox, look: Look) -> str:
    urgent = look.paint("urgent ", "red") if message.priority == Priority.URGENT else ""
    sender = safe(found.senders.get(message.sender, message.sender[:8]))
    text = safe(says(message, found))
    return f"  [{mark(message)}] {urgent}{sender}: {look.fit(text, 12 + len(sender))}"


def says(message: Message, found: Mailbox) -> str:
    """Return what a message says, on one line."""
    words = next((text for name in _TEXTS if (text := message.text(name))), "")
    ack = message.content.get("ack_type")
    if isinstance(ack, dict):
        words = ": ".join(str(ack[name]) for name in ("type", "reason") if ack.get(name))
    uuid = message.text("task_id")
    if not uuid:
        return words or str(message.kind)
    name, about = found.tasks.get(uuid, (uuid, "there is no such task"))
    done = {Kind.TASK_DONE: "completed", Kind.TASK_FAILED: "failed"}.get(_kind(message), "")
    return f"{name}{f' {done}' if done else ''}: {gist(words) or about}"


def _kind(message: Message) -> Kind:
    return Kind(message.kind) if message.kind in set(Kind) else Kind.CUSTOM


def sent_lines(message: Message, sender: str, to: str) -> list[str]:
    """Return what was sent to whom."""
    label = {Kind.INFORMATIONAL: "informational"}.get(_kind(message), str(message.kind))
    who = "" if sender == "supervisor" else f" (from {safe(sender)})"
    if message.priority == Priority.URGENT:
        return [f"🚨 Sent URGENT {label} message to '{safe(to)}'{who}"]
    return [f"📤 Sent {label} message to '{safe(to)}'{who}"]


def mailbox_data(found: Mailbox) -> dict[str, object]:
    """Return an inbox for programs."""
    return {
        "agent": found.name,
        "uuid": found.uuid,
        "state": found.state or None,
        "messages": [message_data(message, found) for message in found.messages],
    }


def message_data(message: Message, found: Mailbox | None = None) -> dict[str, object]:
    """Return a message for programs, in tinytown's form, with the plan id of its task."""
    data: dict[str, object] = {
        "id": message.id, "from": message.sender, "to": message.to, "type": str(message.kind),
        **message.content, "priority": str(message.priority), "created_at": message.created_at,
        "correlation_id": message.correlation_id,
    }  # fmt: skip
    task = message.text("task_id")
    if found is not None and task in found.tasks:
        data["task"] = found.tasks[task][0]
    return data
