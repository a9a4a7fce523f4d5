"""Starting a server program so that it is on its own: nothing of its starter stays with it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from typing import Final

from tt.adapters.redis.home import ServerHome
from tt.adapters.redis.serverlog import ServerLog

START_SECONDS: Final = 5.0
"""How long a start may take, with loading the data."""

_NOT_RUNNABLE: Final = (126, 127)
_CONFIG: Final = """\
# Written by tt whenever it starts its own server: changes made here do not last.
port 0
unixsocket "{socket}"
unixsocketperm 700
daemonize yes
pidfile server.pid
logfile server.log
# Everything is in the append-only file, in plain commands: any Redis or Valkey can load it.
appendonly yes
appendfsync everysec
aof-use-rdb-preamble no
save ""
# Nothing is ever thrown away to make room.
maxmemory 0
maxmemory-policy noeviction
"""


def launch(place: ServerHome, binaries: Iterable[str], lock: int, log: ServerLog) -> None:
    """Start the first of `binaries` that runs here; one may be for another C library, say.

    The server holds the open file `lock` for as long as it lives. Raises StoreError.
    """
    (place.directory / "server.conf").write_text(_config(place))
    for binary in binaries:
        try:
            code = _run(binary, place, lock, log)
        except OSError:
            continue
        if code not in _NOT_RUNNABLE:
            break
    else:
        raise log.failed("cannot be run on this system")
    if code:
        raise log.failed("did not start")


def _config(place: ServerHome) -> str:
    inside = place.socket.parent == place.directory
    return _CONFIG.format(socket=place.socket.name if inside else place.socket)


def _run(binary: str, place: ServerHome, lock: int, log: ServerLog) -> int:
    """Run until the program has left a daemon behind; the daemon has no file of ours but `lock`.

    It works in its own directory, so that it keeps no worktree or disk busy. As a daemon it has a
    session of its own, so that it survives the terminal, and no pipe of a hook waits for it.
    """
    with log.path.open("ab") as output:
        try:
            done = subprocess.run(
                [binary, "server.conf"],
                cwd=place.directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(lock,),
                timeout=START_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise log.failed("does not go into the background") from error
    return done.returncode
