"""What a server answers: replies, errors among them, and what those mean for a person."""

from __future__ import annotations

from typing import Final, TypeAlias

from tt.adapters.redis.address import printable
from tt.errors import StoreError, StoreRefusedError
from tt.record import record

_MAX_TEXT: Final = 200


@record
class ReplyError:
    """One command's error reply, as a value: `code` is its first word, `text` the whole line."""

    code: str
    text: str

    @classmethod
    def parse(cls, line: str) -> ReplyError:
        """Read the line that follows the `-` on the wire."""
        return cls(line.partition(" ")[0], line)


Reply: TypeAlias = "bytes | int | list[Reply] | ReplyError | None"


class NoServerError(StoreError):
    """Nothing listens at the address."""


class LostError(StoreError):
    """The connection broke; whether the last commands were done is not known: read again."""


class SilentError(LostError):
    """The server is connected and says nothing."""


class RefusedError(StoreRefusedError):
    """The server answered with an error; `reply` is that answer."""

    def __init__(self, message: str, hint: str | None, reply: ReplyError) -> None:
        super().__init__(message, hint)
        self.reply = reply


class MovedError(RefusedError):
    """The town is on another node of the Cluster now: discover again and retry once."""


_TRY_AGAIN: Final = "Nothing is lost; run the command again in a moment."
_CLUSTER: Final = "Name the cluster as redis+cluster://HOST:PORT, so that its nodes are found."

# What concerns the server or the connection and not the one command that met it.
_FATAL: Final[dict[str, tuple[str, str]]] = {
    "NOAUTH": (
        "asks for a password.",
        "Give it in REDIS_URL, as redis://:PASSWORD@HOST:PORT or redis://USER:PASSWORD@HOST:PORT.",
    ),
    "WRONGPASS": (
        "does not accept the user name or the password.",
        "Check both in REDIS_URL; special characters in them are written as %XX.",
    ),
    "NOPERM": (
        "does not permit this user what tt needs: {text}",
        "Allow the user the commands on `~tt:*` (`ACL SETUSER`), or name another one in REDIS_URL.",
    ),
    "READONLY": (
        "is a read-only replica.",
        "Point REDIS_URL at the primary, or at the Sentinels with redis+sentinel://.",
    ),
    "OOM": (
        "has no memory left: it has reached its `maxmemory`.",
        "Give it more `maxmemory`, then run the command again.",
    ),
    "LOADING": ("is still loading its data.", _TRY_AGAIN),
    "MASTERDOWN": (
        "is a replica that has lost its primary.",
        "Point REDIS_URL at the primary, or try again when the two are connected.",
    ),
    "NOREPLICAS": ("has too few replicas to accept writes.", _TRY_AGAIN),
    "MISCONF": (
        "refuses writes because it cannot save to disk: {text}",
        "Look at its log and at the free space of its disk, then run the command again.",
    ),
    "BUSY": ("is busy with a script of some client.", _TRY_AGAIN),
    "MOVED": ("is a node of a cluster, and the town is on another one.", _CLUSTER),
    "ASK": ("is handing the town over to another node.", _TRY_AGAIN),
    "TRYAGAIN": ("is handing the town over to another node.", _TRY_AGAIN),
    "CROSSSLOT": (
        "is a cluster, which keeps a town together only by braces in its name.",
        "Name the town with braces, such as `{myrepo}-main`.",
    ),
    "CLUSTERDOWN": ("is a cluster that is not complete: {text}", _TRY_AGAIN),
    "DENIED": (
        "accepts only connections of its own machine (its protected mode).",
        "Set a password on it and give it in REDIS_URL.",
    ),
}
# The same, where the server says just ERR: by how the rest begins, in lower case.
_FATAL_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "max number of clients": ("has no connection free: all are in use.", _TRY_AGAIN),
    "client sent auth, but no password is set": (
        "has no password, and one was given.",
        "Leave the password out of REDIS_URL, or set it on the server.",
    ),
    "auth <password> called without any password": (
        "has no password, and one was given.",
        "Leave the password out of REDIS_URL, or set it on the server.",
    ),
    "invalid password": _FATAL["WRONGPASS"],
    "db index is out of range": (
        "has no database of that number.",
        "Give a smaller one at the end of REDIS_URL, such as /0.",
    ),
    "invalid db index": (
        "has no database of that number.",
        "Give a smaller one at the end of REDIS_URL, such as /0.",
    ),
    "select is not allowed in cluster mode": (
        "is a cluster, which has only database 0.",
        "Leave the database out of REDIS_URL.",
    ),
}
_ELSEWHERE: Final = frozenset({"MOVED", "ASK", "TRYAGAIN"})
_UNKNOWN: Final = ("err unknown command", "err unknown redis command")
_NEEDED: Final = "Agents and the conductor need Redis 6.2 or newer, or Valkey."


def fatal(reply: ReplyError, address: str) -> RefusedError | None:
    """Say what an error means that concerns more than its command; None where it does not."""
    found = _FATAL.get(reply.code) or _fatal_text(reply)
    if found is None:
        return None
    kind = MovedError if reply.code in _ELSEWHERE else RefusedError
    return kind(f"{address} {found[0].format(text=said(reply))}", found[1], reply)


def refused(reply: ReplyError, address: str, command: str) -> RefusedError:
    """Say that `command` got an error where none was expected, whatever the error is."""
    hint = _NEEDED if reply.text.lower().startswith(_UNKNOWN) else None
    return fatal(reply, address) or RefusedError(
        f"{address} refuses {printable(command)}: {said(reply)}", hint, reply
    )


def said(reply: ReplyError) -> str:
    """Quote the server: printable, one line, not longer than a message may be."""
    return printable(reply.text)[:_MAX_TEXT]


def _fatal_text(reply: ReplyError) -> tuple[str, str] | None:
    if reply.code != "ERR":
        return None
    text = reply.text[len("ERR ") :].lower()
    return next((found for start, found in _FATAL_TEXTS.items() if text.startswith(start)), None)
