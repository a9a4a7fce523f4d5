"""Connecting: a socket, TCP or TLS, with one deadline over names, hosts and handshake."""

from __future__ import annotations

import errno
import socket
from time import monotonic, sleep
from typing import Any, Final, TypeAlias

from tt.adapters.redis.address import Address, Kind
from tt.adapters.redis.replies import NoServerError
from tt.adapters.redis.wire import Wire
from tt.errors import StoreError

_Target: TypeAlias = tuple[int, int, int, str, Any]

_START_HINT: Final = "Start the server there, or point REDIS_URL at another one."
_SLOW_HINT: Final = "Check host and port in REDIS_URL, and the network between."
_RETRY_SECONDS: Final = 0.005


def dial(address: Address, timeout: float) -> Wire:
    """Connect within `timeout` seconds. Raises NoServerError or StoreError, in words."""
    deadline = monotonic() + timeout
    if address.kind is Kind.UNIX:
        return Wire(_dial_unix(address, deadline), timeout)
    connected = _dial_tcp(address, timeout, deadline)
    if address.tls is None:
        return Wire(connected, timeout)
    from tt.adapters.redis.tls import secure  # ssl is slow to import

    return secure(connected, address, timeout, deadline)


def left(deadline: float) -> float:
    """Return the seconds that are left. Raises TimeoutError where none are."""
    seconds = deadline - monotonic()
    if seconds <= 0:
        raise TimeoutError("the time is up")
    return seconds


def _dial_unix(address: Address, deadline: float) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.settimeout(left(deadline))
        _connect_unix(made, address.path, deadline)
    except OSError as error:
        made.close()
        raise _unix_sentence(error, address.display) from error
    return made


def _connect_unix(made: socket.socket, path: str, deadline: float) -> None:
    while True:
        try:
            return made.connect(path)
        except BlockingIOError:  # so many wait to be accepted that no more may wait
            sleep(min(_RETRY_SECONDS, left(deadline)))


def _unix_sentence(error: OSError, display: str) -> StoreError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return NoServerError(f"There is no socket {display}.", _START_HINT)
    if isinstance(error, ConnectionRefusedError):
        return NoServerError(f"No server listens on {display}.", _START_HINT)
    if isinstance(error, TimeoutError):
        return StoreError(f"{display} does not accept connections in time.", "Is it hung?")
    if error.errno is None:  # the path is longer than a socket's may be
        return StoreError(f"{display} cannot be a socket: {error}.", "Use a shorter path.")
    return StoreError(f"{display} cannot be opened: {error.strerror}.", "Check who may use it.")


def _dial_tcp(address: Address, timeout: float, deadline: float) -> socket.socket:
    host, port = address.nodes[0]
    trouble = OSError(errno.EADDRNOTAVAIL, "the name has no address")
    targets = _resolve(host, port, address.display, deadline)
    for tried, target in enumerate(targets):
        try:
            return _connect(target, (deadline - monotonic()) / (len(targets) - tried))
        except OSError as error:
            trouble = error
    raise _tcp_sentence(trouble, address.display, timeout) from trouble


def _connect(target: _Target, timeout: float) -> socket.socket:
    family, kind, protocol, _, place = target
    made = socket.socket(family, kind, protocol)
    try:
        made.settimeout(max(timeout, _RETRY_SECONDS))
        made.connect(place)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError:
        made.close()
        raise
    return made


def _tcp_sentence(error: OSError, display: str, timeout: float) -> StoreError:
    if isinstance(error, ConnectionRefusedError):
        return NoServerError(f"No server listens on {display}.", _START_HINT)
    if isinstance(error, TimeoutError):
        return StoreError(f"{display} does not answer within {timeout:g} s.", _SLOW_HINT)
    return StoreError(f"{display} cannot be reached: {error.strerror or error}.", _SLOW_HINT)


def _resolve(host: str, port: int, display: str, deadline: float) -> list[_Target]:
    """Look a host up. The system's resolver knows no deadline, so a thread does it for us."""
    found: list[list[_Target] | OSError | UnicodeError] = []
    if host == "localhost" or _is_literal(host):
        _look_up(host, port, found)
    else:
        from threading import Thread  # only names need one

        thread = Thread(target=_look_up, args=(host, port, found), daemon=True)
        thread.start()
        thread.join(max(deadline - monotonic(), 0))
    outcome = found[0] if found else TimeoutError("the name server does not answer in time")
    if isinstance(outcome, list):
        return outcome
    why = getattr(outcome, "strerror", None) or outcome
    raise StoreError(f"The host of {display} is not known: {why}.", _SLOW_HINT) from outcome


def _look_up(host: str, port: int, found: list[list[_Target] | OSError | UnicodeError]) -> None:
    name = host.encode() if host.isascii() else host  # as str it would load the IDNA tables
    try:
        found.append(list(socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)))
    except (OSError, UnicodeError) as error:
        found.append(error)


def _is_literal(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return True
    return False
