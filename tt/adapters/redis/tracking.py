"""Hearing which keys of a town change, on a connection of its own.

Since version 6 a Redis tells by itself: in the broadcast mode of client-side caching (RESP3) it
names each key with a given prefix that anybody changes. It names no database, so that a change in
another one is heard, too. Where keys go without being named (a flush, a reload, a replica that is
filled anew) it says that any may have changed. It does not tell of a SWAPDB; a ping sees that. So
what is heard is only that it may be worth while to look.
"""

from __future__ import annotations

from collections.abc import Collection
from time import monotonic
from types import TracebackType
from typing import Any, Final, NoReturn, Self, cast

import hiredis

from tt.adapters.redis.commands import Command
from tt.adapters.redis.connection import Connection, broken
from tt.adapters.redis.dialing import left
from tt.adapters.redis.heard import Heard, News
from tt.adapters.redis.keys import TownKeys
from tt.adapters.redis.replies import LostError, Reply, ReplyError, fatal, refused, said
from tt.adapters.redis.wire import Wire
from tt.errors import StoreError, TrackingError

CLIENT_NAME: Final = "tt-watch"
"""What `CLIENT LIST` calls a connection that only listens."""

_MOST_BYTES: Final = 8 * 1024 * 1024
_HELLO: Final[Command] = ("HELLO", 3, "SETNAME", CLIENT_NAME)
_READONLY: Final = ReplyError("READONLY", "READONLY it was a primary")
_REPLICA: Final = (b"replica", b"slave")
_UNHARMED: Final = "Nothing is lost: what changed meanwhile is read when the server is back."
_ASKED: Final = "It is asked from time to time instead; Redis and Valkey tell since version 6."
_PERMIT: Final = (
    "It is asked from time to time instead; `ACL SETUSER NAME +client|tracking` permits it."
)


def track(connection: Connection, town: str, timeout: float, *, tasks: bool) -> Tracking:
    """Let a connection hear what happens to a town, and to its `tasks`; it serves only for that.

    What happened before is not heard: look once after this. What happens at once may be heard
    already, without the descriptor telling. Raises TrackingError where the server cannot tell, or
    may not tell this user, and StoreError; the connection is closed then.
    """
    return listen(connection, town, ["plan", "tombstones", *(["task:"] if tasks else [])], timeout)


def listen(
    connection: Connection, town: str, prefixes: Collection[str], timeout: float
) -> Tracking:
    """Like `track`, for any keys of a town: those that go on like this after its name.

    No prefix may begin with another one. See `Heard.keys` for what is heard of them.
    """
    keys = TownKeys(town)
    try:
        now = _begin(connection, keys, [keys.own(prefix) for prefix in prefixes])
    except BaseException:
        connection.close()
        raise
    return Tracking(connection, News(keys, prefixes), keys, timeout, now)


class Tracking:
    """A connection on which a server tells what changes.

    After a StoreError it is closed and of no use any more: another one is opened, by whatever way
    leads to the server now, and all is looked at anew. It is not for use in several threads.
    """

    __slots__ = (
        "_epoch", "_is_closed", "_news", "_question", "_role", "_timeout", "_wire", "address",
    )  # fmt: skip

    def __init__(
        self,
        connection: Connection,
        news: News,
        keys: TownKeys,
        timeout: float,
        now: tuple[bytes, Reply],
    ) -> None:
        """Take over a connection that tells already; `now` are the server's role and the epoch."""
        self.address = connection.address
        self._wire: Wire = connection.detach()
        self._wire.keep_alive()
        self._news = news
        self._timeout = timeout
        self._role, self._epoch = now
        self._is_closed = False
        asked = map(hiredis.pack_command, (("HELLO",), _epoch(keys)))  # type: ignore[arg-type]
        self._question = b"".join(asked)

    @property
    def filenos(self) -> tuple[int, ...]:
        """What to wait on: one of them is readable when there is something to hear."""
        return () if self._is_closed else (self._wire.fileno(),)

    def heard(self) -> Heard:
        """Return what was heard since the last call, without waiting for more.

        Raises StoreError where the connection is gone.
        """
        self._check_open()
        try:
            self._listen()
        except (OSError, hiredis.ProtocolError) as error:
            self._fail(error)
        return self._news.take()

    def ping(self) -> None:
        """Make sure within the timeout that the server is there, and the one to listen to.

        What is heard meanwhile is for the next `heard`, which therefore comes right after this: the
        descriptor does not tell of it. Raises StoreError where the server is gone or does not
        answer, and where it has become a replica or has handed the town over to another node.
        """
        self._check_open()
        try:
            hello, epoch = self._ask(monotonic() + self._timeout)
        except (OSError, hiredis.ProtocolError) as error:
            self._fail(error)
        try:
            self._judge(hello, epoch)
        except StoreError:
            self.close()
            raise

    def close(self) -> None:
        """Hear nothing any more; once or more often."""
        self._is_closed = True
        self._wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._is_closed:
            raise LostError(f"The connection to {self.address} is closed.", _UNHARMED)

    def _fail(self, error: OSError | hiredis.ProtocolError) -> NoReturn:
        self.close()
        raise broken(error, self.address, _UNHARMED) from error

    def _ask(self, deadline: float) -> list[Reply]:
        """Return the two answers to a ping, and take in everything else that has arrived."""
        self._wire.send(self._question)
        answers = self._listen()
        while len(answers) < 2:
            self._wire.wait(left(deadline))
            answers += self._listen()
        return answers[:2]

    def _listen(self) -> list[Reply]:
        """Take in all that has arrived; return the answers in it.

        No answer to what is asked here is a list, so that each list is told unasked. (Only recent
        releases of hiredis give those a type of their own.)
        """
        answers: list[Reply] = []
        for reply in self._wire.arrived(_MOST_BYTES):
            if isinstance(reply, list):
                self._news.add(reply)
            else:
                answers.append(reply)
        return answers

    def _judge(self, hello: Reply, epoch: Reply) -> None:
        role = _told_of_itself(hello).get(b"role", b"")
        if role != self._role and role in _REPLICA:
            raise refused(_READONLY, self.address, "HELLO")
        _check_epoch(epoch, self.address)
        if epoch != self._epoch and not self._news.town_since_ping:
            self._news.lost = True
        self._role, self._epoch = role, epoch
        self._news.town_since_ping = False


def _begin(connection: Connection, keys: TownKeys, wanted: Collection[str]) -> tuple[bytes, Reply]:
    """Let the server tell; return its role and the town's epoch."""
    prefixes = [part for prefix in wanted for part in ("PREFIX", prefix)]
    listen = ("CLIENT", "TRACKING", "ON", "BCAST", *prefixes)
    # It is the last command, so that nothing is told between these answers.
    hello, epoch, told = connection.pipeline([_HELLO, _epoch(keys), listen])
    role = _role(hello, connection.address)
    _check_epoch(epoch, connection.address)
    if isinstance(told, ReplyError):
        raise _untold(told, connection.address)
    return role, epoch


def _epoch(keys: TownKeys) -> Command:
    """Return what reads a town's epoch; the answer also says whether the town is still here."""
    return ("HGET", keys.plan, "epoch")


def _check_epoch(reply: Reply, address: str) -> None:
    """Raise StoreError where the server cannot be asked for this town at all."""
    error = fatal(reply, address) if isinstance(reply, ReplyError) else None
    if error is not None and error.reply.code != "NOPERM":
        raise error


def _role(hello: Reply, address: str) -> bytes:
    """Return the server's role. Raises TrackingError where it does not speak RESP3."""
    if isinstance(hello, ReplyError):
        raise _untold(hello, address)
    told = _told_of_itself(hello)
    if told.get(b"proto") != 3:
        raise TrackingError(f"{address} cannot tell which keys change.", _ASKED)
    return cast("bytes", told.get(b"role", b""))


def _told_of_itself(hello: Any) -> dict[bytes, Any]:
    """Return what HELLO answers, which is a map in RESP3."""
    return hello if isinstance(hello, dict) else {}


def _untold(reply: ReplyError, address: str) -> StoreError:
    """Say why a server does not tell."""
    if reply.code == "NOPERM":
        what = "does not permit this user to hear which keys change"
        return TrackingError(f"{address} {what}: {said(reply)}", _PERMIT)
    return fatal(reply, address) or TrackingError(
        f"{address} cannot tell which keys change: {said(reply)}", _ASKED
    )
