"""How an attempt at a task ended, where the agent has not said so itself; pure."""

from __future__ import annotations

import signal
from typing import Literal

from tt.core.clis import Cli, Reporting
from tt.record import record

Judged = Literal["completed", "failed"]


@record
class Ending:
    """How the program ended. `code` is its exit code, or a signal's number below 0; `said` are its
    last lines; `why` says why it was stopped, empty where it ended by itself."""

    code: int
    said: str
    why: str = ""


def gist(said: str) -> str:
    """Return what was said at length in one line: how it begins, and how it ends.

    The first line of a report says what it is about; the last one of an output how it ended.
    """
    lines = [line for line in map(str.strip, said.splitlines()) if line]
    if len(lines) < 2:
        return "".join(lines)
    return f"{lines[0]} {'·' if len(lines) == 2 else '…'} {lines[-1]}"


def judged(cli: Cli, ending: Ending) -> tuple[Judged, str]:
    """Return the state that a task comes to, and its result, when nobody has reported it."""
    if ending.why:
        return "failed", _with(ending.why, ending.said)
    if ending.code == 0 and cli.report is Reporting.EXIT:
        return "completed", ending.said
    if ending.code == 0:
        return "failed", _with("ended without a report (exit 0)", ending.said, cli)
    return "failed", _with(_code_words(ending.code), ending.said, cli)


def _code_words(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"ended by signal {-code}"


def _with(what: str, said: str, cli: Cli | None = None) -> str:
    advice = cli.advice(said) if cli is not None else ""
    return "\n".join(part for part in (what, said, advice) if part)
