"""How failures are told: an expected one is a sentence, a bug is a log file and its path."""

from __future__ import annotations

import os
import sys
from itertools import pairwise
from pathlib import Path

import click

from tt.cli.screen import say, warn
from tt.errors import ExitCode, TTError, UsageError
from tt.render.text import safe


def tell(error: TTError, *, as_json: bool) -> int:
    """Say what went wrong and what to do; with `as_json` also as a document on standard output."""
    code = int(error.exit_code)
    if as_json:
        from tt.render.jsonout import error_envelope

        say([error_envelope(error, code)])
    first, *rest = [safe(line) for line in error.message.split("\n")]
    warn([f"tt: {first}", *rest])
    if error.hint:
        warn([f"    {safe(line)}" for line in error.hint.split("\n")])
    return code


def expected(error: Exception, arguments: list[str]) -> TTError:
    """Turn whatever came up into an error in words: click's complaints, and bugs into their log."""
    if isinstance(error, TTError):
        return error
    if isinstance(error, click.ClickException):
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "tt"
        return UsageError(error.format_message(), f"`{path} --help` tells more.")
    return _bug(error, arguments)


def _bug(error: Exception, arguments: list[str]) -> TTError:
    """Write a log of what should never happen, and return the one sentence that tells of it."""
    name = type(error).__name__
    try:
        path = _write_log(error, arguments)
    except (OSError, TTError):
        found = BugError(f"This is a bug in tt: {name}. No log of it could be written.")
    else:
        found = BugError(f"This is a bug in tt: {name}.", f"Please report it with {path}.")
    return found


class BugError(TTError):
    """Something that should never happen did."""

    exit_code = ExitCode.BUG


def _write_log(error: Exception, arguments: list[str]) -> Path:
    from datetime import UTC, datetime
    from traceback import format_exception

    from tt import __version__
    from tt.config.settings import tt_home

    now = datetime.now(UTC)
    folder = tt_home(os.environ) / "logs"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"bug-{now:%Y%m%d-%H%M%S}-{os.getpid()}.log"
    head = f"tt {__version__}, Python {sys.version}, {sys.platform}\n{now.isoformat()}\n"
    content = f"{head}{arguments!r}\n\n{''.join(format_exception(error))}"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as log:
        log.write(_without_secrets(content, arguments))
    return path


def _without_secrets(content: str, arguments: list[str]) -> str:
    """Take out what a bug may have been met with: passwords, whole or inside an address."""
    from tt.config.address import mask

    for secret in sorted(_secrets(arguments), key=len, reverse=True):
        for said in (secret, repr(secret)[1:-1]):
            content = content.replace(said, "***")
    return mask(content)


def _secrets(arguments: list[str]) -> set[str]:
    """Return what was given as a password, or where one belongs, even if it is no address."""
    from tt.config.keys import KEYS

    variables = [name for key in KEYS.values() if key.secret for name in key.env]
    found = {os.environ.get(name, "") for name in variables}
    for before, word in pairwise(arguments):
        if before in ("--redis", "redis.url") or (before in KEYS and KEYS[before].secret):
            found.add(word)
    found.update(word.partition("=")[2] for word in arguments if word.startswith("--redis="))
    return found - {"", "embedded", "--json", "--project"}
