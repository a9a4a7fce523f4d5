"""Redis URLs: every part checked, and nothing of them quoted that may be a password."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, unquote

from tt.adapters.redis.address import Address, Kind, Login, Tls, printable
from tt.errors import UsageError

DEFAULT_PORT: Final = 6379
DEFAULT_SENTINEL_PORT: Final = 26379

_TLS_OPTIONS: Final = frozenset(
    {"ssl_cert_reqs", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_check_hostname"}
)
_OPTIONS: Final = _TLS_OPTIONS | {
    "db", "username", "password", "sentinel_username", "sentinel_password"
}  # fmt: skip
# How other clients are tuned. REDIS_URL is shared with them, and these do not say where to connect.
_OTHERS: Final = frozenset(
    {
        "client_name", "decode_responses", "encoding", "encoding_errors", "health_check_interval",
        "max_connections", "protocol", "retry_on_timeout", "socket_connect_timeout",
        "socket_keepalive", "socket_timeout", "timeout",
    }
)  # fmt: skip
_ENCODE_HINT: Final = (
    "In a user name or password write `/` as %2F, `?` as %3F, `@` as %40 and `%` as %25."
)


_SCHEMES: Final[Mapping[str, tuple[Kind, bool]]] = {
    "redis": (Kind.TCP, False),
    "rediss": (Kind.TCP, True),
    "unix": (Kind.UNIX, False),
    "redis+sentinel": (Kind.SENTINEL, False),
    "rediss+sentinel": (Kind.SENTINEL, True),
    "redis+cluster": (Kind.CLUSTER, False),
    "rediss+cluster": (Kind.CLUSTER, True),
}
_KNOWN: Final = (
    "redis://, rediss:// (TLS), unix://, redis+sentinel:// and redis+cluster:// (rediss+… for TLS)"
)


def parse_address(url: str) -> Address:
    """Read a Redis URL. Raises UsageError, which never quotes anything secret."""
    kind, secure, rest = _split_scheme(url.strip())
    authority, path, options = _split(rest)
    _refuse_unknown(options, secure=secure)
    userinfo, _, hosts = authority.rpartition("@")
    service, number = _service_and_db(kind, path)
    return Address(
        kind,
        nodes=() if kind is Kind.UNIX else _nodes(kind, hosts),
        path=_socket_path(hosts, path) if kind is Kind.UNIX else "",
        db=_db(options.get("db") or number),
        login=_login(userinfo, options),
        tls=_tls(options) if secure else None,
        service=service,
        sentinel_login=Login(
            options.get("sentinel_username", ""), options.get("sentinel_password", "")
        ),
    )


def _split_scheme(url: str) -> tuple[Kind, bool, str]:
    scheme, found, rest = url.partition("://")
    if not found:
        raise UsageError(
            "The address of Redis has to begin with a scheme such as redis://.",
            f"Known are {_KNOWN}: for example redis://localhost:6379.",
        )
    if scheme.lower() not in _SCHEMES:
        raise UsageError(
            f"`{printable(scheme)}://` is no address of a Redis.", f"Known are {_KNOWN}."
        )
    kind, secure = _SCHEMES[scheme.lower()]
    return kind, secure, rest


def _split(rest: str) -> tuple[str, str, dict[str, str]]:
    """Split what follows the scheme into authority, path and options.

    By hand, because urlsplit quotes what it stumbles over, and that may be a password.
    """
    rest, _, query = rest.partition("?")
    if "@" in query:
        raise UsageError("The address of Redis has a `?` before its host.", _ENCODE_HINT)
    authority, _, path = rest.partition("/")
    pairs = parse_qsl(query, keep_blank_values=True, errors="surrogateescape")
    return authority, _decode(path), dict(pairs)


def _decode(text: str) -> str:
    return unquote(text, errors="surrogateescape")


def _refuse_unknown(options: Mapping[str, str], *, secure: bool) -> None:
    for name in options:
        if name not in _OPTIONS and name not in _OTHERS:
            raise UsageError(
                f"The address of Redis has an unknown option `{printable(name)}`.",
                f"Known are {', '.join(sorted(_OPTIONS))}. {_ENCODE_HINT}",
            )
        if name in _TLS_OPTIONS and not secure:
            raise UsageError(
                f"The option `{name}` of the address of Redis has no meaning without TLS.",
                "Write rediss:// for a server that speaks TLS, or leave the option out.",
            )


def _service_and_db(kind: Kind, path: str) -> tuple[str, str]:
    if kind is Kind.UNIX:
        return "", ""
    if kind is not Kind.SENTINEL:
        return "", path
    service, _, number = path.partition("/")
    if not service:
        raise UsageError(
            "The address of the Sentinels names no service.",
            "Write redis+sentinel://host1:26379,host2:26379/SERVICE, as in the Sentinels' own "
            "`sentinel monitor SERVICE …`.",
        )
    return service, number


def _nodes(kind: Kind, hosts: str) -> tuple[tuple[str, int], ...]:
    default = DEFAULT_SENTINEL_PORT if kind is Kind.SENTINEL else DEFAULT_PORT
    nodes = tuple(_host_port(part, default) for part in hosts.split(","))
    if kind is Kind.TCP and len(nodes) > 1:
        raise UsageError(
            "The address of Redis names several hosts.",
            "Several are for redis+sentinel:// and redis+cluster:// only.",
        )
    return nodes


def _host_port(text: str, default: int) -> tuple[str, int]:
    host, port = _host_and_port_text(text)
    host = host or "localhost"
    if not host.isprintable() or " " in host:
        raise UsageError("The host in the address of Redis is no name of a host.", _ENCODE_HINT)
    if not port:
        return host, default
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise UsageError(
            "The port in the address of Redis is not a number from 1 to 65535.", _ENCODE_HINT
        )
    return host, int(port)


def _host_and_port_text(text: str) -> tuple[str, str]:
    if text.startswith("["):
        host, closed, after = text[1:].partition("]")
        if not closed or after[:1] not in ("", ":"):
            raise UsageError(
                "The IPv6 host in the address of Redis is not written as [::1]:6379.", _ENCODE_HINT
            )
        return host, after[1:]
    if text.count(":") > 1:
        raise UsageError(
            "The address of Redis has more than one colon in its host.",
            f"Write an IPv6 host in brackets: redis://[::1]:6379. {_ENCODE_HINT}",
        )
    host, _, port = text.partition(":")
    return host, port


def _socket_path(authority: str, path: str) -> str:
    if authority or not path or "\0" in path:
        raise UsageError(
            "A unix:// address needs the absolute path of a socket.",
            "Write three slashes: unix:///run/redis/redis.sock.",
        )
    return f"/{path}"


def _db(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise UsageError(
            "The database in the address of Redis is not a number.",
            f"Write redis://host:6379/0. {_ENCODE_HINT}",
        )
    return int(text)


def _login(userinfo: str, options: Mapping[str, str]) -> Login:
    username, _, password = userinfo.partition(":")
    return Login(
        _decode(username) or options.get("username", ""),
        _decode(password) or options.get("password", ""),
    )


def _tls(options: Mapping[str, str]) -> Tls:
    wanted = options.get("ssl_cert_reqs", "required").lower().removeprefix("cert_")
    if wanted not in ("none", "optional", "required"):
        raise UsageError("The option `ssl_cert_reqs` is neither `required` nor `none`.")
    return Tls(
        verify=wanted != "none",
        check_hostname=options.get("ssl_check_hostname", "true").lower()
        not in ("false", "0", "no"),
        authorities=options.get("ssl_ca_certs", ""),
        certificate=options.get("ssl_certfile", ""),
        key=options.get("ssl_keyfile", ""),
    )
