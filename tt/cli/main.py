"""The `tt` process: runs a command, and is the one place that ends it."""

from __future__ import annotations

import gc
import os
import sys
from errno import EPIPE
from typing import TextIO

from tt.cli.screen import OutputError, warn
from tt.errors import ExitCode

_COMPLETE = "_TT_COMPLETE"
_HOOK = "hook-impl"


def main(arguments: list[str] | None = None) -> int:
    """Run `tt` and return its exit code; no exception comes out of it."""
    if arguments is None:
        # A process of one command: what it leaves behind goes with it, and looking for cycles in
        # a plan of thousands would take a tenth of its time.
        gc.disable()
    for stream in (sys.stdout, sys.stderr):
        _forgive(stream)
    given = sys.argv[1:] if arguments is None else arguments
    try:
        code = _guarded(given)
    except OutputError as error:
        return _unheard(error)
    if arguments is None and given[:1] == ["hook-impl"]:
        _leave(code)
    return code


def _guarded(given: list[str]) -> int:
    """Run a command, and turn whatever goes wrong into words and an exit code."""
    try:
        return _run(given)
    except KeyboardInterrupt:
        warn(["", "tt: Interrupted."])
        return ExitCode.INTERRUPTED
    except OutputError:
        raise
    except Exception as error:  # noqa: BLE001  the last line of defence: a log, not a traceback
        from tt.cli import trouble  # nothing of it is needed while all goes well

        code = trouble.tell(trouble.expected(error, given), as_json="--json" in given)
        return ExitCode.DONE if given[:1] == [_HOOK] else code  # a fault of ours stops no commit


def _run(given: list[str]) -> int:
    """Run a command: the commonest without click, whose import alone costs as much as a sync."""
    if _COMPLETE in os.environ:
        from tt.cli.root import complete

        return complete(_COMPLETE)
    if given[:1] == ["sync"]:
        from tt.cli.syncing import run_sync, understood

        request = understood(given[1:])
        if request is not None:
            return run_sync(*request)
    if given[:1] == ["task"]:
        from tt.cli import reporting

        said = reporting.understood(given[1:])
        if said is not None:
            return reporting.run_report(*said)
    if given[:1] == [_HOOK]:
        from tt.cli.hookimpl import run_hook

        return run_hook(given[1:])
    if given[:1] == ["merge-driver"]:
        from tt.cli.merging import run_driver

        return run_driver(given[1:])
    if given[:1] == ["agent-impl"]:
        from tt.cli.agentimpl import run_agent

        return run_agent(given[1:])
    from tt.cli.root import run

    return run(given)


def _leave(code: int) -> None:
    """End the process here and now: taking everything apart first would take a hook longer than
    its talk with Redis. Returns where somebody has not read all that was written."""
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except OSError:
        return
    os._exit(code)


def _forgive(stream: TextIO | None) -> None:
    """Let a stream replace what its encoding cannot say, instead of failing."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")


def _unheard(error: OutputError) -> int:
    """End after standard output has failed; quietly where only its reader had read enough."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python would complain while it exits
    if error.errno == EPIPE:
        return ExitCode.DONE
    warn([f"tt: The output could not be written: {error.strerror}."])
    return ExitCode.FAILED
