"""Reporting on a task, with click or without: it is what every agent runs at the end of each."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final, cast

from tt.cli.screen import Flags, answer
from tt.core.myself import Myself
from tt.errors import ExitCode, TTError
from tt.workports import Ended

ENDS: Final[dict[str, Ended]] = {
    "complete": "completed", "fail": "failed", "cancel": "cancelled",
}  # fmt: skip
"""The words of the command line, and the states that they mean."""
_RESULT: Final = "--result"
_JSON: Final = "--json"


def understood(words: Sequence[str]) -> tuple[Flags, Ended, str, str, bool] | None:
    """Read the words after `tt task` where they are plain, the way click would; else None."""
    state, rest = ENDS.get(words[0] if words else ""), list(words[1:])
    if state is None:
        return None
    as_json, result = False, ""
    names: list[str] = []
    while rest:
        word = rest.pop(0)
        if word == _RESULT and rest:
            result = rest.pop(0)
        elif word.startswith(f"{_RESULT}="):
            result = word[len(_RESULT) + 1 :]
        elif word == _JSON:
            as_json = True
        elif word.startswith("-") or names:
            return None
        else:
            names.append(word)
    name = names[0] if names else ""
    return Flags(command=f"tt task {words[0]}"), state, name, result, as_json


def run_report(flags: Flags, state: Ended, name: str, result: str, as_json: bool) -> int:
    """Say what became of a task. A report that comes too late is refused (exit code 1)."""
    from tt.app.reporting import report
    from tt.render.reports import refusal, report_data, report_lines

    with flags.project() as project:
        found = report(project.workshop, Myself.of(os.environ), name, state, utf8(result))
    if not found.is_done:
        raise TTError(*refusal(found))
    answer(flags, report_data(found), lambda look: report_lines(found), as_json=as_json)
    return cast("int", ExitCode.DONE)


def utf8(text: str) -> str:
    """Return a word of the command line as text: bytes that are no UTF-8 are replaced."""
    return text.encode(errors="surrogateescape").decode(errors="replace")
