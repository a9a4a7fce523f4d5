"""The user's own Redis: found or started by whoever comes first, and left running.

A server holds the lock `server.lock` in its directory for as long as it lives, however it ends:
it inherits the open file. So a dead server is told from one that cannot be reached without any
process id on disk, and no two ever write the same data. `start.lock` is held while one process
starts or stops the server.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from tt.adapters.redis.address import Address
from tt.adapters.redis.binary import server_binaries
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.filelock import FileLock
from tt.adapters.redis.home import ServerHome
from tt.adapters.redis.launching import START_SECONDS, launch
from tt.adapters.redis.replies import (
    LostError,
    NoServerError,
    RefusedError,
    ReplyError,
    SilentError,
    said,
)
from tt.adapters.redis.serverlog import ServerLog
from tt.adapters.redis.serverstatus import ServerStatus, read_status
from tt.errors import StoreError

STOP_SECONDS: Final = 10.0
"""How long a server may take to write what it has and end."""

_POLL_SECONDS: Final = 0.002


class EmbeddedServer:
    """The server that lives below `home` (`TT_HOME`). Every method raises StoreError, in words."""

    def __init__(self, home: Path, environ: Mapping[str, str] = os.environ) -> None:
        self._place = ServerHome(home)
        self._environ = environ
        self._starting = FileLock(self._place.directory / "start.lock")
        self._living = FileLock(self._place.directory / "server.lock")
        self._log = ServerLog(self._place.directory / "server.log")

    def start(self, seconds: float = START_SECONDS) -> Address:
        """Make sure that the server is up; return where."""
        deadline = monotonic() + seconds
        self._place.prepare()
        try:
            with self._starting.held(deadline):
                self._find_or_launch(deadline)
        except OSError as error:
            raise self._unusable(error) from error
        return self._place.address

    def stop(self, seconds: float = STOP_SECONDS) -> bool:
        """Have the server write what it has and end; False where none was running."""
        deadline = monotonic() + seconds
        if not self._place.directory.exists():
            return False
        self._place.prepare()
        try:
            with self._starting.held(deadline):
                return self._shut_down(deadline)
        except OSError as error:
            raise self._unusable(error) from error

    def restart(self) -> Address:
        """Stop the server where it runs, and start it."""
        self.stop()
        return self.start()

    def status(self) -> ServerStatus:
        """Look at the server without starting it."""
        place = self._place
        connection = self._connect() if place.is_private() else None
        if connection is None:
            return ServerStatus(False, place.address, place.directory)
        with connection:
            return read_status(place, connection)

    def _connect(self) -> Connection | None:
        """Connect; None where no server is there, or it is just ending."""
        try:
            return Connection.open(self._place.address)
        except SilentError:
            raise
        except (NoServerError, LostError):
            return None

    def _is_up(self, deadline: float) -> bool:
        """Say whether the server answers; one that loads its data is waited for."""
        while True:
            try:
                connection = self._connect()
            except RefusedError as error:
                if error.reply.code != "LOADING" or monotonic() > deadline:
                    raise
                sleep(_POLL_SECONDS)
                continue
            if connection is not None:
                connection.close()
            return connection is not None

    def _find_or_launch(self, deadline: float) -> None:
        """Wait for a server that comes up or goes down; start one as soon as there is none."""
        while not self._is_up(deadline):
            claim = self._living.take()
            if claim is not None:
                return self._launch(claim, deadline)
            if monotonic() > deadline:
                raise self._unreachable()
            sleep(_POLL_SECONDS)
        return None

    def _launch(self, claim: int, deadline: float) -> None:
        try:
            self._log.begin()
            launch(self._place, server_binaries(self._environ), claim, self._log)
        finally:
            os.close(claim)  # from here on only the server holds it
        while not self._is_up(deadline):
            if self._living.is_free():
                raise self._log.failed("ended at its start")
            if monotonic() > deadline:
                raise self._log.failed("is not ready in time")
            sleep(_POLL_SECONDS)

    def _shut_down(self, deadline: float) -> bool:
        connection = self._connect()
        if connection is None:
            if self._living.is_free():
                return False
            raise self._unreachable()
        with connection:
            self._check_ours(connection)
            self._say_shutdown(connection)
        while not self._living.is_free():
            if monotonic() > deadline:
                raise self._log.failed("does not end")
            sleep(_POLL_SECONDS)
        return True

    def _check_ours(self, connection: Connection) -> None:
        found = connection.execute("CONFIG", "GET", "dir")
        directory = found[1] if isinstance(found, list) else None
        if directory != os.fsencode(self._place.directory):
            raise StoreError(
                f"The server at {self._place.address} is not the one that tt started.",
                "It is left alone; whoever started it has to stop it.",
            )

    def _say_shutdown(self, connection: Connection) -> None:
        try:
            (reply,) = connection.pipeline([("SHUTDOWN",)])
        except LostError:
            return  # a server that ends hangs up without an answer
        if isinstance(reply, ReplyError):
            raise StoreError(
                f"The Redis server does not stop: {said(reply)}: {self._log.last()}", self._log.hint
            )

    def _unreachable(self) -> StoreError:
        return StoreError(
            f"A Redis server works in {self._place.directory}, but none answers at "
            f"{self._place.address}.",
            "It may be on another machine that shares the directory, or its socket was removed. "
            "Set TT_HOME to a directory of this machine, or have that server end first.",
        )

    def _unusable(self, error: OSError) -> StoreError:
        return StoreError(
            f"The directory {self._place.directory} cannot be used: {error.strerror or error}.",
            "Make room and check who may write there, or set TT_HOME to another directory.",
        )
