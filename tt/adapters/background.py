"""Starting a `tt` that goes on without us, and hearing how it began: a watcher, an agent."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from tt.adapters.proctree import DETACHED
from tt.adapters.starter import STARTED_AS
from tt.adapters.watchlog import open_log
from tt.errors import ExitCode, PlanError, StoreError, TTError, UsageError
from tt.record import record

START_SECONDS: Final = 15.0
"""How long to wait for the first sync; the watcher goes on when it takes longer."""

_LAST: Final = 2000
_SLOW: Final = "its start takes longer"
_PASSING: Final = frozenset(
    {
        *("GIT_INDEX_FILE", "GIT_PREFIX", "GIT_QUARANTINE_PATH", "GIT_REFLOG_ACTION"),
        *("TT_TASK", "TT_CLAIM", "TT_ROUND", "TINYTOWN_AGENT_ID", "TINYTOWN_AGENT_NAME"),
    }
)
"""What Git says to a hook of the one command in which it runs, and an agent to its program."""
_KINDS: Final[dict[object, type[TTError]]] = {
    int(ExitCode.USAGE): UsageError,
    int(ExitCode.STORE): StoreError,
    int(ExitCode.PLAN): PlanError,
}


@record
class Begun:
    """What was started. `problem` says why it is not at work yet, empty where it is."""

    pid: int
    log: str
    problem: str = ""


def own_command(arguments: Sequence[str]) -> list[str]:
    """Return the words that run this very `tt`, from any directory.

    `-P`: what lies in that directory is no part of `tt`, whatever its name.
    """
    return [sys.executable, "-P", "-m", "tt", *arguments]


def start(
    arguments: Sequence[str],
    settings: Mapping[str, str],
    where: Path,
    log: Path,
    what: str = "The watcher",
) -> Begun:
    """Start `tt` with `arguments` in a session of its own, and wait until it is at work.

    `settings` go by its environment, where no other user sees them. Raises what it raises; `what`
    is how messages call it.
    """
    hear, tell = os.pipe()
    try:
        process = _spawn(arguments, settings, where, log, tell)
    except OSError as error:
        os.close(hear)
        raise TTError(f"{what} cannot be started: {error.strerror}: {log}.") from error
    finally:
        os.close(tell)
    try:
        answer = _answer(hear, time.monotonic() + START_SECONDS)
    finally:
        os.close(hear)
    if answer is None:
        return Begun(process.pid, str(log), _SLOW)
    if "problem" not in answer:
        raise _failed(answer, process, log, what)
    process.returncode = 0  # it goes on by itself: nobody waits for its end
    return Begun(process.pid, str(log), str(answer["problem"]))


def _spawn(
    arguments: Sequence[str], settings: Mapping[str, str], where: Path, log: Path, tell: int
) -> subprocess.Popen[bytes]:
    kept = {name: text for name, text in os.environ.items() if name not in _PASSING}
    environment = {**kept, **settings, STARTED_AS: f"background:{tell}", DETACHED: "1"}
    if paths := environment.get("PYTHONPATH"):
        environment["PYTHONPATH"] = os.pathsep.join(map(os.path.abspath, paths.split(os.pathsep)))
    output = open_log(log)
    try:
        return subprocess.Popen(
            own_command(arguments),
            cwd=where,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(tell,),
            start_new_session=True,
        )
    finally:
        os.close(output)


def _answer(hear: int, deadline: float) -> dict[str, object] | None:
    """Return what it says of its start: nothing at all where it ended; None in time."""
    said = b""
    while not said.endswith(b"\n"):
        ready, _, _ = select.select([hear], [], [], max(deadline - time.monotonic(), 0))
        if not ready:
            return None
        part = os.read(hear, _LAST)
        if not part:
            return {}
        said += part
    found: dict[str, object] = json.loads(said)
    return found


def _failed(
    answer: Mapping[str, object], process: subprocess.Popen[bytes], log: Path, what: str
) -> TTError:
    code = process.wait()
    if "error" not in answer:
        last = _last_line(log)
        said = f": {last}" if last else "."
        return TTError(f"{what} ended at its start (exit code {code}){said}", f"Its log: {log}")
    kind = _KINDS.get(answer["code"], TTError)
    return kind(str(answer["error"]), str(answer["hint"]) if answer["hint"] else None)


def _last_line(log: Path) -> str:
    with suppress(OSError):
        with log.open("rb") as file:
            file.seek(max(log.stat().st_size - _LAST, 0))
            lines = file.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""
    return ""
