"""A watcher that the user's session starts: as a systemd unit, or as a launchd agent.

Both are texts that end up on disk for years, so they hold no password, and each carries a mark by
which we know our own text from one that somebody has edited.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final, Literal

from tt.errors import TTError
from tt.record import record

EVERY: Final = "tt-watch"
"""The name of the service that watches all plans of a user."""

Done = Literal["made", "changed", "kept", "removed", "absent"]

_LONGEST_NAME: Final = 40
_ODD: Final = frozenset("\"'\\$")
_MARK: Final = "Written by `tt watch install`; `tt watch uninstall` takes it away. Mark: "
_PAUSE: Final = 10
"""Seconds between an end that was none of the user's and the next start."""


@record
class Service:
    """What is to run: `command` in `directory`, with `environment` added; texts are Unicode.

    `about` is a line for people. `log` is where an output goes that is no journal's.
    """

    name: str
    about: str
    command: Sequence[str]
    directory: str
    environment: Mapping[str, str]
    log: str


@record
class Turned:
    """What the system made of a start or a stop: `trouble` is why it did nothing, and `todo` the
    commands that would."""

    trouble: str = ""
    todo: tuple[str, ...] = ()


@record
class Serving:
    """What became of a service: its file, and whether it runs (or has ended) now.

    `edited` says that somebody has changed the file, and that it was left where it is.
    """

    name: str
    file: str
    done: Done
    turned: Turned
    edited: bool = False


def service_name(top: str) -> str:
    """Return the name of the service of one worktree, which no other worktree has."""
    word = re.sub(r"[^A-Za-z0-9_.-]+", "-", top.rstrip("/").rpartition("/")[2]).strip("-.")
    digest = sha256(top.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"{EVERY}-{word[:_LONGEST_NAME] or 'root'}-{digest}"


def systemd_unit(service: Service) -> bytes:
    """Return the unit. Raises TTError where a path or a value cannot be said in one."""
    lines = [
        "[Unit]",
        f"Description={_plain(service.about)}",
        f"ConditionPathIsDirectory={_plain(service.directory)}",
        "",
        "[Service]",
        "Type=notify",
        f"WorkingDirectory={_plain(service.directory)}",
        *(f"Environment={_word(f'{name}={text}')}" for name, text in service.environment.items()),
        f"ExecStart={_command(service.command)}",
        "Restart=on-failure",
        f"RestartSec={_PAUSE}",
        "# A Redis that the watcher has started is everybody's, and goes on without it.",
        "KillMode=process",
        "",
        "[Install]",
        "WantedBy=default.target",
    ]
    body = "".join(f"{line}\n" for line in lines)
    return f"# {_MARK}{_digest(body)}\n{body}".encode()


def launchd_agent(service: Service) -> bytes:
    """Return the property list. Raises TTError where a path or a value cannot be said in one."""
    import plistlib

    for text in (*service.command, service.directory, *service.environment.values()):
        _check(text)
    body = plistlib.dumps(
        {
            "Label": service.name,
            "ProgramArguments": list(service.command),
            "WorkingDirectory": service.directory,
            "EnvironmentVariables": dict(service.environment),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": _PAUSE,
            "StandardOutPath": service.log,
            "StandardErrorPath": service.log,
        },
        sort_keys=False,
    ).decode()
    return f"{body}<!-- {_MARK}{_digest(body)} -->\n".encode()


def is_unchanged(data: bytes) -> bool:
    """Say whether a unit or an agent is just as it was written, by this version or another."""
    text = data.decode("utf-8", "replace")
    found = re.search(re.escape(_MARK) + r"([0-9a-f]{16})", text)
    if found is None:
        return False
    body = "".join(line for line in text.splitlines(keepends=True) if _MARK not in line)
    return found[1] == _digest(body)


def _digest(body: str) -> str:
    return sha256(body.encode()).hexdigest()[:16]


def _command(words: Sequence[str]) -> str:
    """Quote a command line; a `$` is doubled, or it would begin a variable.

    A program's own path may not have quotes and backslashes in systemd, and of a `$` in it there
    are two readings: such a program is started by a shell, which is given the words.
    """
    if _ODD.intersection(words[0]):
        words = ["/bin/sh", "-c", 'exec "$0" "$@"', *words]
    return " ".join(_word(word.replace("$", "$$")) for word in words)


def _word(text: str) -> str:
    """Quote one word of a list of words: C's escapes, and `%` doubled."""
    escaped = _check(text).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def _plain(text: str) -> str:
    """Write a value that is taken as it stands, but for specifiers."""
    if _check(text) != text.strip() or text.endswith("\\"):
        raise _unsayable(text)
    return text.replace("%", "%%")


def _check(text: str) -> str:
    """Return a text without control characters, in Unicode; anything else cannot be said."""
    if any(char < " " or char == "\x7f" or "\ud800" <= char <= "\udfff" for char in text):
        raise _unsayable(text)
    return text


def _unsayable(text: str) -> TTError:
    shown = text.encode("unicode_escape", "backslashreplace").decode("ascii")
    return TTError(
        f"A service cannot be told of `{shown}`: it has characters that it would misread.",
        "Give the directory another name, or use `tt watch --background`.",
    )
