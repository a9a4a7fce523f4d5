"""Events of a town and its messages, as the texts that tinytown reads; pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import cast

from tt.adapters.redis.keys import UUID, TownKeys
from tt.adapters.redis.replies import Reply
from tt.adapters.redis.texts import shown
from tt.core.messages import Kind, Message, encode
from tt.core.times import zulu
from tt.workports import Happened


def event_text(kind: str, message: str, now: int, data: Mapping[str, object]) -> str:
    """Write what an event says; `now` are nanoseconds since 1970. What is empty is left out."""
    said = {name: value for name, value in data.items() if value not in ("", None)}
    document = {"event_type": kind, "message": message, "timestamp": zulu(now), **said}
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def read_event(entry: Reply) -> Happened:
    """Read one entry of a stream; what is no event of this form has no data."""
    where, parts = cast("tuple[bytes, list[bytes]]", entry)
    texts = [part.decode(errors="replace") for part in parts or ()]
    fields = dict(zip(texts[::2], texts[1::2], strict=False))
    try:
        data = json.loads(fields.get("data", "{}"))
    except (ValueError, RecursionError):
        data = {}
    return Happened(
        where.decode(), fields.get("event_type", ""), data if isinstance(data, dict) else {}
    )


def streams(keys: TownKeys, *agents: str) -> list[str]:
    """Return the streams that an event goes to: the town's, and those of the agents."""
    named = dict.fromkeys(agent for agent in agents if UUID.fullmatch(agent))
    return [keys.own("events"), *(keys.of("events:agent", agent) for agent in named)]


def message_text(
    kind: Kind, sender: str, to: str, now: int, identifier: str, **content: object
) -> str:
    """Write a message of our own."""
    made = Message(identifier, sender, to, kind, content, created_at=zulu(now))
    return encode(made)


def readable(text: str) -> str:
    """Return a text of Redis for people and for JSON: what was no UTF-8 becomes escapes."""
    return text if text.isascii() else shown(text)


def oldest_first(reply: Reply) -> Sequence[Happened]:
    """Read what XREVRANGE answers."""
    return [read_event(entry) for entry in reversed(cast("list[Reply]", reply))]
