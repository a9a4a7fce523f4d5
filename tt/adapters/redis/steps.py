"""One transition of a town as data: what it rests on, and the commands that make it.

`step.lua` does all of it at once or nothing of it. Everything that a step depends on is a
condition; so whoever lost a race reads again and decides again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tt.adapters.redis.codec import Hash
from tt.adapters.redis.commands import Arg, Commands, script_digest, script_text
from tt.adapters.redis.replies import Reply, ReplyError, refused

KEPT_EVENTS: Final = 1_000
"""About how many events a stream keeps."""


class Step:
    """Conditions and commands in the making, in order."""

    __slots__ = ("_commands", "_conditions", "_keys")

    def __init__(self) -> None:
        self._keys: dict[str, int] = {}
        self._conditions: list[tuple[Arg, ...]] = []
        self._commands: list[Arg] = []

    def expect(self, key: str, raw: Hash, *names: str) -> None:
        """Rest on these fields of a hash as they were read."""
        for name in names:
            text = raw.get(name)
            self._condition(key, name, b"" if text is None else b"=" + as_bytes(text))

    def expect_listed(self, key: str, text: str) -> None:
        """Rest on a list's holding a text."""
        self._condition(key, "", b"=" + as_bytes(text))

    def do(self, name: str, key: str, *args: Arg) -> None:
        """Do a command that takes one key, first of its arguments."""
        self._commands += [len(args), name, self._number(key), *args]

    def change(self, key: str, raw: Hash, new: dict[str, str | None]) -> None:
        """Set fields of a hash that is `raw`; None takes one away."""
        texts = {name: text for name, text in new.items() if text is not None}
        gone = [name for name, text in new.items() if text is None and name in raw]
        if texts:
            self.do("HSET", key, *(as_bytes(part) for pair in texts.items() for part in pair))
        if gone:
            self.do("HDEL", key, *gone)

    def tell(self, streams: Sequence[str], kind: str, data: str) -> None:
        """Write one event into each of these streams."""
        for key in streams:
            size = ("MAXLEN", "~", KEPT_EVENTS)
            self.do("XADD", key, *size, "*", "event_type", kind, "data", as_bytes(data))

    def run(self, connection: Commands) -> bool:
        """Make it; False where something is not as it was read. Raises StoreError."""
        conditions = [part for condition in self._conditions for part in condition]
        args = [len(self._conditions), *conditions, *self._commands]
        return run_script(connection, "step", list(self._keys), args) == 1

    def _condition(self, key: str, name: str, text: bytes) -> None:
        self._conditions.append((self._number(key), name, text))

    def _number(self, key: str) -> int:
        return self._keys.setdefault(key, len(self._keys) + 1)


def run_script(
    connection: Commands, name: str, keys: Sequence[str], args: Sequence[Arg] = ()
) -> Reply:
    """Call one script by its digest, and by its text where the server does not know it (a script
    that it does not know has not run). Raises StoreError."""
    rest = (len(keys), *keys, *args)
    (reply,) = connection.pipeline([("EVALSHA", script_digest(name), *rest)])
    if isinstance(reply, ReplyError) and reply.code == "NOSCRIPT":
        (reply,) = connection.pipeline([("EVAL", script_text(name), *rest)])
    if isinstance(reply, ReplyError):
        raise refused(reply, connection.address, f"{name}.lua")
    return reply


def as_bytes(text: str) -> bytes:
    """Give back the bytes that a text was read from, no UTF-8 among them."""
    return text.encode(errors="surrogateescape")
