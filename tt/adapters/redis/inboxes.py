"""Messages between the agents of one town: sent, taken, settled.

`urgent:<agent>` and `inbox:<agent>` are tinytown's. What one of ours has taken lies in
`taken:<agent>` until it is dealt with, so that a crash loses none; what is no message goes to
`refused:<agent>`, of which the last ones are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, cast

from tt.adapters.redis.commands import Commands
from tt.adapters.redis.happenings import event_text, streams
from tt.adapters.redis.keys import TownKeys
from tt.adapters.redis.steps import KEPT_EVENTS, as_bytes, run_script
from tt.core.messages import BadMessageError, Message, Priority, decode, encode
from tt.ports import Clock

_KEPT_REFUSED: Final = 100


class Inboxes:
    """The inboxes of one town."""

    __slots__ = ("_clock", "_connection", "_keys")

    def __init__(self, connection: Commands, keys: TownKeys, clock: Clock) -> None:
        self._connection, self._keys, self._clock = connection, keys, clock

    def send(self, message: Message) -> None:
        """Put a message where its reader looks for it, unless it lies there unread already."""
        urgent, inbox, taken = self._places(message.to)
        if message.priority == Priority.URGENT:
            keys, push = [urgent, inbox, taken], "RPUSH"
        else:
            high = message.priority == Priority.HIGH
            keys, push = [inbox, urgent, taken], "LPUSH" if high else "RPUSH"
        run_script(self._connection, "send", keys, (push, as_bytes(encode(message))))

    def take(self, agent: str, most: int) -> list[Message]:
        """Take the next messages; see `tt.workports.Workshop.take_some`."""
        found: list[Message] = []
        while wanted := most - len(found):
            reply = run_script(self._connection, "take", self._places(agent), [wanted])
            raws = cast("list[bytes]", reply)
            found += self._sound(agent, raws)
            if len(raws) < wanted:
                break
        return found

    def _sound(self, agent: str, raws: Iterable[bytes]) -> Iterator[Message]:
        """Yield what are messages; set aside what is none."""
        for raw in raws:
            try:
                yield decode(raw.decode())
            except (BadMessageError, UnicodeDecodeError) as error:
                self._refuse(agent, raw, str(error))

    def settle(self, agent: str, message: Message) -> None:
        """Have dealt with a message that was taken."""
        self._remove(self._keys.of("taken", agent), message)

    def drop(self, agent: str, message: Message) -> bool:
        """Take one message out that lies unread; see `tt.workports.Workshop`."""
        urgent, inbox, _ = self._places(agent)
        return self._remove(inbox, message) or self._remove(urgent, message)

    def untake(self, agent: str) -> int:
        """Put all that was taken back, to be read first; return how many."""
        _, inbox, taken = self._places(agent)
        return cast("int", run_script(self._connection, "untake", [taken, inbox]))

    def inbox(self, agent: str) -> list[Message]:
        """Look at what lies in an inbox, urgent ones first; what is no message is left out."""
        urgent, inbox, _ = self._places(agent)
        found = (_read(raw) for key in (urgent, inbox) for raw in self._raw(key))
        return [message for message in found if message is not None]

    def _remove(self, key: str, message: Message) -> bool:
        """Take a message out of a list; False where it is not in it."""
        if self._connection.execute("LREM", key, 1, as_bytes(encode(message))):
            return True
        for raw in self._raw(key):
            found = _read(raw)  # another tool's may be written otherwise
            if found is not None and found.id == message.id:
                return self._connection.execute("LREM", key, 1, raw) != 0
        return False

    def _raw(self, key: str) -> list[bytes]:
        return cast("list[bytes]", self._connection.execute("LRANGE", key, 0, -1))

    def _refuse(self, agent: str, raw: bytes, why: str) -> None:
        kind = "message_refused"
        text = event_text(
            kind, f"No message: {why}", self._clock.now_ns(), {"agent_id": agent, "reason": why}
        )
        keys = [self._keys.of("taken", agent), self._keys.of("refused", agent)]
        args = (raw, _KEPT_REFUSED, KEPT_EVENTS, kind, as_bytes(text))
        run_script(self._connection, "refuse", [*keys, *streams(self._keys, agent)], args)

    def _places(self, agent: str) -> list[str]:
        return [self._keys.of(kind, agent) for kind in ("urgent", "inbox", "taken")]


def _read(raw: bytes) -> Message | None:
    try:
        return decode(raw.decode())
    except (BadMessageError, UnicodeDecodeError):
        return None
