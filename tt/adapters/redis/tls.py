"""TLS around a connected socket. Imported only for rediss://, since ssl is slow to import."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from functools import partial
from typing import Final

from tt.adapters.redis.address import Address, Tls, printable
from tt.adapters.redis.dialing import left
from tt.adapters.redis.wire import Wire
from tt.errors import StoreError, UsageError

_PLAIN_HINT: Final = "A server without TLS needs redis:// instead of rediss:// in REDIS_URL."
_BLOCKED: Final = (ssl.SSLWantReadError, ssl.SSLWantWriteError)


def secure(connected: socket.socket, address: Address, timeout: float, deadline: float) -> Wire:
    """Shake hands before `deadline`. Raises StoreError where the two do not come together."""
    host = address.nodes[0][0]
    try:
        connected.settimeout(left(deadline))
        made = _context(address.tls or Tls()).wrap_socket(connected, server_hostname=host)
    except OSError as error:
        connected.close()
        raise _sentence(error, address.display) from error
    except UsageError:
        connected.close()
        raise
    return Wire(made, timeout, _BLOCKED)


def _context(tls: Tls) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = tls.verify and tls.check_hostname
    context.verify_mode = ssl.CERT_REQUIRED if tls.verify else ssl.CERT_NONE
    _use("ssl_ca_certs", tls.authorities, context.load_verify_locations)
    # An encrypted key must not make anything ask for its password on the terminal.
    chain = partial(context.load_cert_chain, keyfile=tls.key or None, password="")
    _use("ssl_certfile", tls.certificate, chain)
    return context


def _use(option: str, path: str, load: Callable[[str], None]) -> None:
    if not path:
        return
    try:
        load(path)
    except OSError as error:
        raise UsageError(
            f"The file of `{option}` cannot be used: {path}: {error.strerror or error}."
        ) from error


def _sentence(error: OSError, display: str) -> StoreError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return StoreError(
            f"The certificate of {display} is not trusted: {error.verify_message}.",
            "Name its authority's certificate with ?ssl_ca_certs=/path/to/ca.pem.",
        )
    if isinstance(error, TimeoutError):  # what a Redis without TLS does, too
        return StoreError(f"{display} does not answer the TLS greeting in time.", _PLAIN_HINT)
    why = printable(error.strerror or str(error))
    return StoreError(f"{display} cannot be spoken to with TLS: {why}.", _PLAIN_HINT)
