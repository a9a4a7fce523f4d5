"""Bytes out, replies in: RESP over one socket, every wait bounded.

`import redis` costs more than everything else a small sync does; this and hiredis are all of the
protocol that a sync needs.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

import hiredis

from tt.adapters.redis.replies import Reply, ReplyError

_NOTHING: Final = object()
_READ_SIZE: Final = 256 * 1024
_PROBES: Final = (
    ("TCP_KEEPIDLE", 30), ("TCP_KEEPALIVE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)
)  # fmt: skip
"""After how many seconds of silence, in which intervals and how often; macOS has its own name."""
_READABLE: Final = select.POLLIN | select.POLLHUP | select.POLLERR


class Wire:
    """One connected socket, made non-blocking, and the parser of what arrives on it.

    Raises TimeoutError where `timeout` seconds pass with no byte moved, ConnectionError and other
    OSErrors where the connection breaks, and hiredis.ProtocolError where the other side does not
    speak RESP. `blocked` are the exceptions by which the socket says that it would have to wait.
    """

    __slots__ = ("_blocked", "_buffer", "_reader", "_socket", "_timeout_ms", "_unread")

    def __init__(
        self,
        connected: socket.socket,
        timeout: float,
        blocked: tuple[type[OSError], ...] = (BlockingIOError,),
    ) -> None:
        connected.setblocking(False)
        self._socket = connected
        self._timeout_ms = timeout * 1000
        self._unread = 0
        self._blocked = blocked
        self._buffer = bytearray(_READ_SIZE)
        self._reader = hiredis.Reader(replyError=ReplyError.parse, notEnoughData=_NOTHING)  # type: ignore[arg-type]

    def send(self, data: bytes) -> None:
        """Send all of `data`, and take in what arrives meanwhile.

        A peer that waits for us to read before it reads on (a proxy with full buffers) must not
        be able to make both sides wait for ever.
        """
        view = memoryview(data)
        while view:
            try:
                view = view[self._socket.send(view) :]
            except self._blocked:
                if self._wait(select.POLLOUT | select.POLLIN) & _READABLE:
                    self._take()

    def replies(self, count: int) -> Iterator[Reply]:
        """Yield the next `count` replies, each as it arrives."""
        gets = self._reader.gets
        for _ in range(count):
            reply = gets()
            while reply is _NOTHING:
                self._fill()
                reply = gets()
            yield reply

    def arrived(self, most: int) -> Iterator[Reply]:
        """Yield what is there without waiting for more: replies, and what nobody asked for.

        Raises ConnectionAbortedError where one of them takes more than about `most` bytes.
        """
        while True:
            reply = self._reader.gets()
            if reply is not _NOTHING:
                self._unread = 0
                yield reply
            elif size := self._take():
                self._unread += size
                if self._unread > most:
                    raise ConnectionAbortedError("the server tells too much at once")
            else:
                return

    def wait(self, seconds: float) -> None:
        """Wait until something arrives. Raises TimeoutError where nothing does in time."""
        self._wait(select.POLLIN, seconds * 1000)

    def keep_alive(self) -> None:
        """Let the system find out that the other side is gone, while nothing is said."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _PROBES:
            with suppress(OSError, AttributeError):  # no TCP, or no such option here
                self._socket.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

    def fileno(self) -> int:
        """Return the socket's descriptor. What was read ahead of a caller does not show there."""
        return self._socket.fileno()

    def last_words(self) -> ReplyError | None:
        """Return the last thing that a server sent before it hung up, if that was an error."""
        last: object = None
        with suppress(OSError, hiredis.ProtocolError):
            while (reply := self._reader.gets()) is not _NOTHING or self._take():
                last = last if reply is _NOTHING else reply
        return last if isinstance(last, ReplyError) else None

    def close(self) -> None:
        """Hang up; once or more often."""
        self._socket.close()

    def _fill(self) -> None:
        while not self._take():
            self._wait(select.POLLIN)

    def _take(self) -> int:
        """Feed the parser with what is there, and return its size; 0 where nothing is."""
        try:
            size = self._socket.recv_into(self._buffer)
        except self._blocked:
            return 0
        if not size:
            raise ConnectionResetError("the server closed the connection")
        self._reader.feed(self._buffer, 0, size)  # type: ignore[arg-type]
        return size

    def _wait(self, events: int, milliseconds: float | None = None) -> int:
        poller = select.poll()
        poller.register(self._socket, events)
        ready = poller.poll(self._timeout_ms if milliseconds is None else milliseconds)
        if not ready:
            raise TimeoutError("no byte moved in time")
        return ready[0][1]
