"""A connection to one Redis server: commands in, replies out, failures as sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Final, NoReturn, Self, TypeAlias

import hiredis

from tt.adapters.redis.address import Address, printable
from tt.adapters.redis.dialing import dial
from tt.adapters.redis.replies import LostError, Reply, ReplyError, SilentError, fatal, refused
from tt.adapters.redis.wire import Wire
from tt.errors import StoreError

Arg: TypeAlias = str | bytes | int | float
Command: TypeAlias = tuple[Arg, ...]

DEFAULT_TIMEOUT: Final = 2.0
"""Seconds until connecting, or a read or write that makes no progress, is given up."""

_CHUNK_BYTES: Final = 256 * 1024
_CHUNK_COMMANDS: Final = 2_000
_FEW: Final = 16
_UNSURE: Final = "What was being written may or may not have arrived; the next run reads it again."
_UNHARMED: Final = "Nothing was written. Check the server's log, and REDIS_URL."


class Connection:
    """One conversation with one server; replies are bytes. Nothing is ever sent twice.

    After a failure in the middle the connection is of no use any more: every later command raises
    LostError, since which replies belong to which command is not known.
    """

    __slots__ = ("_hint", "_owed", "_wire", "address")

    def __init__(self, wire: Wire, address: str) -> None:
        self._wire = wire
        self._owed = 0
        self._hint = _UNHARMED
        self.address = address

    @classmethod
    def open(cls, address: Address, timeout: float = DEFAULT_TIMEOUT) -> Connection:
        """Connect to a server or socket, log in, select the database and hear that it is ready.

        Raises NoServerError where nothing listens, RefusedError where the server does not let us
        in or is not ready, and StoreError for everything else that can be wrong.
        """
        connection = cls(dial(address, timeout), address.display)
        try:
            connection._introduce(address)
        except BaseException:
            connection.close()
            raise
        return connection

    def execute(self, *args: Arg) -> Reply:
        """Do one command. Raises RefusedError for every error reply."""
        (reply,) = self.pipeline([args])
        if isinstance(reply, ReplyError):
            raise refused(reply, self.address, str(args[0]))
        return reply

    def pipeline(self, commands: Iterable[Command]) -> list[Reply]:
        """Do the commands in as few round trips as possible; error replies are in the result."""
        if isinstance(commands, list) and len(commands) <= _FEW:
            return self._at_once(commands)
        return list(self.stream(commands))

    def _at_once(self, commands: list[Command]) -> list[Reply]:
        """Do a few commands: what `stream` does, in half the time."""
        self._check_open()
        count = len(commands)
        self._send(b"".join(map(hiredis.pack_command, commands)), count)  # type: ignore[arg-type]
        try:
            replies = list(self._wire.replies(count))
        except (OSError, hiredis.ProtocolError) as error:
            self._fail(error)
        self._owed -= count
        return replies

    def stream(self, commands: Iterable[Command]) -> Iterator[Reply]:
        """Do the commands and yield each reply as it arrives; error replies are yielded.

        However many there are, only a chunk of commands and replies is held at a time. One chunk
        is always ahead of the reading, so that the server works while the caller does. The replies
        have to be read to the end before the connection can be used for anything else.
        """
        self._check_open()
        ahead = 0
        for data, count in _chunks(commands):
            self._send(data, count)
            yield from self._receive(ahead)
            ahead = count
        yield from self._receive(ahead)

    def check(self, reply: Reply) -> Reply:
        """Return `reply`. Raises RefusedError where it is an error that concerns more than it."""
        error = fatal(reply, self.address) if isinstance(reply, ReplyError) else None
        if error is not None:
            raise error
        return reply

    def detach(self) -> Wire:
        """Give the wire away, for another kind of talk; every later command raises LostError."""
        self._owed += 1
        return self._wire

    def close(self) -> None:
        """Hang up; once or more often."""
        self._owed += 1
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

    def _introduce(self, address: Address) -> None:
        """Do in one round trip what has to come first."""
        before: list[Command] = []
        if address.login:
            names = (address.login.username,) if address.login.username else ()
            words = (*names, address.login.password)
            before.append(("AUTH", *(word.encode(errors="surrogateescape") for word in words)))
        if address.db:
            before.append(("SELECT", address.db))
        *replies, ready = self.pipeline([*before, ("PING",)])
        for command, reply in zip(before, replies, strict=True):
            if isinstance(reply, ReplyError):
                raise refused(reply, self.address, str(command[0]))
        if not (isinstance(ready, ReplyError) and ready.code == "NOPERM"):
            self.check(ready)
        self._hint = _UNSURE

    def _check_open(self) -> None:
        if self._owed:
            raise LostError(f"The connection to {self.address} is closed.", self._hint)

    def _send(self, data: bytes, count: int) -> None:
        self._owed += count
        try:
            self._wire.send(data)
        except (OSError, hiredis.ProtocolError) as error:
            self._fail(error)

    def _receive(self, count: int) -> Iterator[Reply]:
        try:
            yield from self._wire.replies(count)
        except (OSError, hiredis.ProtocolError) as error:
            self._fail(error)
        self._owed -= count

    def _fail(self, error: OSError | hiredis.ProtocolError) -> NoReturn:
        """Close the connection and say what happened to it."""
        words = self._wire.last_words() if isinstance(error, ConnectionError) else None
        self.close()
        told = fatal(words, self.address) if words is not None else None
        raise told or broken(error, self.address, self._hint) from error


def broken(error: OSError | hiredis.ProtocolError, address: str, hint: str) -> StoreError:
    """Say what happened to a connection."""
    if isinstance(error, hiredis.ProtocolError):
        return StoreError(
            f"{address} does not speak the Redis protocol.",
            "Check host and port in REDIS_URL; a server that speaks TLS needs rediss://.",
        )
    if isinstance(error, TimeoutError):
        return SilentError(f"{address} is connected and does not answer in time.", hint)
    why = printable(error.strerror or str(error))
    return LostError(f"The connection to {address} was lost: {why}.", hint)


def _chunks(commands: Iterable[Command]) -> Iterator[tuple[bytes, int]]:
    """Pack the commands into pieces of a bounded size, each with its number of commands."""
    packed: list[bytes] = []
    size = 0
    for command in commands:
        data = hiredis.pack_command(command)  # type: ignore[arg-type]
        packed.append(data)
        size += len(data)
        if size >= _CHUNK_BYTES or len(packed) >= _CHUNK_COMMANDS:
            yield b"".join(packed), len(packed)
            packed, size = [], 0
    if packed:
        yield b"".join(packed), len(packed)
