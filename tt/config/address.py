"""Which Redis the settings mean, as one URL; and how a URL is shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from tt.config.keys import KEYS, SettingValue

EMBEDDED: Final = "embedded"
_PLACE: Final = ("redis.host", "redis.port", "redis.use_socket", "redis.socket_path")
_CENTRAL_PORT: Final = 16379
"""The port of tinytown's own central Redis, whose password is in the user's file."""
# Texts, compiled where they are used: most addresses are never shown.
_CREDENTIALS: Final = r"://[^\s]*@"
_IN_QUERY: Final = r"(?i)([?&][a-z_]*password=)[^&\s]*"


class Source(NamedTuple):
    """The settings of one origin. Sources are listed strongest first; `folder` is the file's."""

    name: str
    values: Mapping[str, SettingValue]
    folder: Path | None = None


def mask(text: str) -> str:
    """Return `text` without the user names and passwords of the URLs in it."""
    return re.sub(_IN_QUERY, r"\1***", re.sub(_CREDENTIALS, "://***@", text))


def has_password(url: str) -> bool:
    """Say whether a URL carries a secret."""
    return mask(url) != url


def is_secret(key: str, value: SettingValue) -> bool:
    """Say whether a setting with this value must not be seen by others."""
    return bool(value) and (KEYS[key].secret or (isinstance(value, str) and has_password(value)))


def redis_url(sources: list[Source]) -> str | None:
    """Return the URL of the Redis to use, None for the embedded server.

    The strongest source that says anything of a place decides; in one source a URL beats host and
    port. A password from a weaker source goes only to the server that it was given for.
    """
    for rank, source in enumerate(sources):
        url = source.values.get("redis.url")
        if url:
            return _url(str(url), sources[: rank + 1])
        if any(name in source.values for name in _PLACE):
            return _place(sources, rank, source.folder)
    return None


def _url(url: str, sources: list[Source]) -> str | None:
    if url == EMBEDDED:
        return None
    password = _first(sources, "redis.password")
    scheme, found, rest = url.partition("://")
    if not found or not password or has_password(url):
        return url
    return f"{scheme}://{_quoted(password)}{rest}"


def _place(sources: list[Source], rank: int, folder: Path | None) -> str:
    password = _first(sources[: rank + 1], "redis.password") or _central_password(sources, rank)
    prefix = _quoted(password) if password else ""
    weaker = sources[rank:]
    if _first(weaker, "redis.use_socket") or not _says_host(weaker):
        path = Path(str(_first(weaker, "redis.socket_path") or ".tt/redis.sock"))
        return f"unix://{prefix}{_escaped((folder or Path()) / path)}"
    scheme = "rediss" if _first(weaker, "redis.tls_enabled") else "redis"
    host = str(_first(weaker, "redis.host") or KEYS["redis.host"].default)
    host = f"[{host}]" if ":" in host else host
    port = _first(weaker, "redis.port") or KEYS["redis.port"].default
    return f"{scheme}://{prefix}{host}:{port}"


def _says_host(sources: list[Source]) -> bool:
    said = [source.values for source in sources if any(name in source.values for name in _PLACE)]
    return "redis.host" in said[0] or "redis.port" in said[0]


def _central_password(sources: list[Source], rank: int) -> SettingValue | None:
    """Return the weaker sources' password where they mean the very same server by host and port."""
    for weaker in sources[rank + 1 :]:
        if weaker.values.get("redis.password") and _same_place(sources[rank], weaker):
            return weaker.values["redis.password"]
    return None


def _same_place(source: Source, weaker: Source) -> bool:
    return _host_and_port(source.values) == _host_and_port(weaker.values)


def _host_and_port(values: Mapping[str, SettingValue]) -> tuple[SettingValue, SettingValue]:
    return values.get("redis.host", "127.0.0.1"), values.get("redis.port", _CENTRAL_PORT)


def _first(sources: list[Source], name: str) -> SettingValue | None:
    return next((source.values[name] for source in sources if name in source.values), None)


def _escaped(path: Path) -> str:
    return str(path).replace("%", "%25").replace("?", "%3F").replace("@", "%40")


def _quoted(password: SettingValue) -> str:
    from urllib.parse import quote

    return f":{quote(str(password), safe='')}@"
