"""Where a Redis is, as a value which never shows a password."""

from __future__ import annotations

from enum import StrEnum

from tt.record import field, record


class Kind(StrEnum):
    """How a server is reached; the value is the URL's scheme without TLS."""

    TCP = "redis"
    UNIX = "unix"
    SENTINEL = "redis+sentinel"
    CLUSTER = "redis+cluster"


@record
class Tls:
    """How TLS is done. Empty paths mean the system's authorities and no client certificate."""

    verify: bool = True
    check_hostname: bool = True
    authorities: str = ""
    certificate: str = ""
    key: str = ""


@record
class Login:
    """A user name and password; both empty means that nobody logs in."""

    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    def __bool__(self) -> bool:
        return bool(self.username or self.password)


@record
class Address:
    """A Redis as the user names it.

    `nodes` are host and port of the server, of the Sentinels or of some Cluster nodes; a Unix
    socket has `path` instead. `service` is the name that the Sentinels know the primary by.
    """

    kind: Kind
    nodes: tuple[tuple[str, int], ...] = ()
    path: str = ""
    db: int = 0
    login: Login = Login()
    tls: Tls | None = None
    service: str = ""
    sentinel_login: Login = Login()

    @classmethod
    def unix(cls, path: str) -> Address:
        """Name the server behind a Unix socket."""
        return cls(Kind.UNIX, path=path)

    @classmethod
    def parse(cls, url: str) -> Address:
        """Read a Redis URL. Raises UsageError, which never quotes anything secret."""
        from tt.adapters.redis.url import parse_address  # not needed for a plain socket

        return parse_address(url)

    @property
    def display(self) -> str:
        """How messages name the server: a URL with neither user, password nor odd characters."""
        if self.kind is Kind.UNIX:
            return printable(f"unix://{self.path}" + (f"?db={self.db}" if self.db else ""))
        scheme = self.kind.replace("redis", "rediss", 1) if self.tls else self.kind
        hosts = ",".join(
            f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.nodes
        )
        service = f"/{self.service}" if self.service else ""
        return printable(f"{scheme}://{hosts}{service}" + (f"/{self.db}" if self.db else ""))

    def __str__(self) -> str:
        return self.display


def printable(text: str) -> str:
    """Replace what must not reach a terminal, control characters above all."""
    return "".join(char if char.isprintable() else "?" for char in text)
