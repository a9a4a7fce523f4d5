"""Peers that misbehave: a socket that does just what a test says, instead of a server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tt.adapters.redis.address import Address

Talk = Callable[[socket.socket], None]


@contextmanager
def peer(directory: Path, talk: Talk) -> Iterator[Address]:
    """Listen on a Unix socket; `talk` is given each connection, which is closed after it."""
    path = directory / "peer.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=_serve, args=(listener, talk))
        thread.start()
        try:
            yield Address.unix(str(path))
        finally:
            listener.shutdown(socket.SHUT_RDWR)  # wakes the accept that the thread waits in
            thread.join()


def _serve(listener: socket.socket, talk: Talk) -> None:
    while True:
        try:
            accepted, _ = listener.accept()
        except OSError:
            return
        with accepted:
            accepted.settimeout(10)
            try:
                talk(accepted)
            except OSError:  # the client hung up
                continue


def greet(accepted: socket.socket) -> None:
    """Answer the PING that every connection begins with."""
    accepted.recv(1 << 16)
    accepted.sendall(b"+PONG\r\n")


def until_hung_up(accepted: socket.socket) -> None:
    """Read, and say nothing, until the client is gone."""
    while accepted.recv(1 << 16):
        pass
