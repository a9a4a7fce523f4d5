"""Messages between agents, in tinytown's JSON; pure.

What comes out of Redis is untrusted: a message that cannot be read is kept as it is, and said.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, cast

from tt.record import field, record

_NO_CONTENT: Final[Mapping[str, object]] = {}
_ENVELOPE: Final = frozenset(
    {"id", "from", "to", "type", "priority", "created_at", "correlation_id"}
)


class Kind(StrEnum):
    """What a message is about; tinytown's spelling."""

    TASK = "task"
    QUERY = "query"
    INFORMATIONAL = "informational"
    CONFIRMATION = "confirmation"
    TASK_ASSIGN = "task_assign"
    TASK_DONE = "task_done"
    TASK_FAILED = "task_failed"
    STATUS_REQUEST = "status_request"
    STATUS_RESPONSE = "status_response"
    PING = "ping"
    PONG = "pong"
    SHUTDOWN = "shutdown"
    CUSTOM = "custom"


class Priority(StrEnum):
    """How soon a message is read; urgent ones lie in a list of their own."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


@record
class Message:
    """One message. `content` are the fields of its kind, as in tinytown's documentation.

    `kind` may be one that we do not know; it is kept. `created_at` is RFC 3339 with a `Z`.
    """

    id: str
    sender: str
    to: str
    kind: str
    content: Mapping[str, object] = field(default_factory=lambda: _NO_CONTENT)
    priority: str = Priority.NORMAL
    created_at: str = ""
    correlation_id: str | None = None

    def text(self, name: str) -> str:
        """Return one of its fields, empty where it has none of that name or no text in it."""
        value = self.content.get(name, "")
        return value if isinstance(value, str) else ""

    @property
    def mark(self) -> str:
        """What tells it from all others, whoever is to read it; other tools may use an id twice."""
        return f"{self.id}\0{self.created_at}\0{self.text('description')}"


class BadMessageError(ValueError):
    """What lies in an inbox is no message; the text says why."""


def encode(message: Message) -> str:
    """Write a message as tinytown does."""
    document = {
        "id": message.id, "from": message.sender, "to": message.to, "type": str(message.kind),
        **message.content, "priority": str(message.priority), "created_at": message.created_at,
        "correlation_id": message.correlation_id,
    }  # fmt: skip
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def decode(text: str) -> Message:
    """Read a message. Raises BadMessageError."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadMessageError(f"it is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise BadMessageError("it is no JSON object")
    if "\\u" in text and not _is_text(found):
        raise BadMessageError("it has half a character in it")
    for name in ("id", "from", "to", "type"):
        if not isinstance(found.get(name), str):
            raise BadMessageError(f"its `{name}` is no text")
    content = {name: value for name, value in found.items() if name not in _ENVELOPE}
    correlation = found.get("correlation_id")
    return Message(
        id=found["id"],
        sender=found["from"],
        to=found["to"],
        kind=found["type"],
        content=cast("Mapping[str, object]", content),
        priority=str(found.get("priority") or Priority.NORMAL),
        created_at=str(found.get("created_at") or ""),
        correlation_id=correlation if isinstance(correlation, str) else None,
    )


def _is_text(found: object) -> bool:
    """Say whether a document can be written: JSON can escape half a character, which no text is."""
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
