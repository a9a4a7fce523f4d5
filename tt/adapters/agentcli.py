"""The program of an agent: whether it is there, and how one round of it is begun."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tt.adapters.childproc import GRACE, Child, FormatError, start
from tt.adapters.private import make_private_directory
from tt.adapters.proctree import Tree
from tt.adapters.roundlog import RoundLog, forget_old_round, round_log_path
from tt.core.clis import Cli
from tt.errors import TTError
from tt.record import record

CLAIM: Final = "TT_CLAIM"
"""The variable with the claim of the attempt under way; nothing else has the same text in it."""

_PROMPT_MODE: Final = 0o600


def find_program(cli: Cli, environment: Mapping[str, str], directory: Path) -> str:
    """Return the path of a CLI's program, empty where only a shell can tell.

    Raises TTError, with how it is installed, where it is not there.
    """
    program = cli.program
    if not program:
        return ""
    found = _which(program, environment.get("PATH", os.defpath), directory)
    if found is None and not (cli.shell and _is_known_to_shell(program, environment, directory)):
        raise TTError(f"The CLI `{cli.name}` runs `{program}`, which is not there.", _how(cli))
    return found or ""


def _which(program: str, path: str, directory: Path) -> str | None:
    from shutil import which

    if "/" in program:
        whole = directory / program
        return str(whole) if whole.is_file() and os.access(whole, os.X_OK) else None
    return which(program, path=path)


def _is_known_to_shell(program: str, environment: Mapping[str, str], directory: Path) -> bool:
    """Say whether a word means something to the shell by itself: `cd`, `if`, `exit`."""
    return bool(_shell_finds(program, environment, directory))


def _shell_finds(program: str, environment: Mapping[str, str], directory: Path) -> str:
    """Return what a shell takes a word for: a file's path, or a name; empty where for nothing."""
    from subprocess import DEVNULL, PIPE, run

    words = ["/bin/sh", "-c", 'command -v -- "$1"', "sh", program]
    done = run(words, cwd=directory, env=dict(environment), check=False,
               stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL)  # fmt: skip
    return os.fsdecode(done.stdout.rstrip(b"\n"))


def plain_program(cli: Cli, found: str, environment: Mapping[str, str], directory: Path) -> str:
    """Return how a CLI's program is called without a shell, as it would be by one; empty where
    only a shell knows. `found` is its path as `find_program` returns it."""
    if cli.words:
        return found
    if not cli.plain_words or not found:
        return ""
    if "/" in cli.program:
        return cli.program  # from wherever the agent works, which may be a worktree of its own
    return found if _shell_finds(cli.program, environment, directory) == found else ""


def _how(cli: Cli) -> str:
    how = cli.install
    if not how:
        return f"Install it, or correct `agent_clis.{cli.name}` in the settings."
    return f"Install it ({how}), or choose another one with --cli."


def own_words() -> str:
    """Return what calls this very `tt` in any shell, from anywhere and with any PATH."""
    from tt.adapters.hookfiles import own_program

    program = own_program()
    return shlex.join([program] if program else [sys.executable, "-P", "-m", "tt"])


@record
class Place:
    """Where an agent works: `logs` are for its output, `servers` is where the user's Redis is."""

    root: Path
    logs: Path
    servers: str = ""


class Bench:
    """Where an agent's program runs, round by round."""

    def __init__(
        self,
        agent: str,
        cli: Cli,
        place: Place,
        environment: Mapping[str, str],
        echo: Callable[[bytes], None] | None = None,
    ) -> None:
        """Raises TTError where the program is not there, or nothing can be written."""
        self._agent, self._cli, self._place, self._echo = agent, cli, place, echo
        root = cli.env_as_root if os.geteuid() == 0 else {}
        self._environment = {**environment, **root, **cli.env}
        found = find_program(cli, self._environment, place.root)
        self._program = plain_program(cli, found, self._environment, place.root)
        """What is run without a shell, which costs a process more; empty where it takes one."""
        self.grace = GRACE
        """Seconds that a program which is stopped may take."""
        self._prompt = place.logs / f"{agent}.prompt"
        self._adopts = sys.platform.startswith("linux")
        prepare_logs(place.logs)

    def begin(self, prompt: str, number: int, more: Mapping[str, str]) -> Child:
        """Start the program with a prompt, as the round of that number; `more` environment.

        Raises TTError where it cannot be started.
        """
        self._write(prompt)
        forget_old_round(self._place.logs, self._agent, number)
        log = RoundLog(round_log_path(self._place.logs, self._agent, number), self._echo)
        child = self._start(prompt.rstrip("\n"), {**self._environment, **more}, log)
        child.grace = self.grace
        return child

    def _start(self, prompt: str, environment: Mapping[str, str], log: RoundLog) -> Child:
        file = str(self._prompt)
        stdin = file if self._cli.prompt == "stdin" else os.devnull
        mark = None if self._adopts else (CLAIM, environment.get(CLAIM, ""))
        tree = Tree(self._place.servers, mark)
        if self._program:
            words = (self._program, *self._cli.plain_call(prompt, file)[1:])
            try:
                return start(words, environment, stdin, log, tree)
            except FormatError:
                if self._cli.words:
                    raise
        return start(self._cli.call(prompt, file), environment, stdin, log, tree)

    def _write(self, prompt: str) -> None:
        """Write the prompt's file. It is cut last: a filesystem may take a file that is cut to
        nothing for one that is replaced, and see to it that it is on the disk."""
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW
            with open(os.open(self._prompt, flags, _PROMPT_MODE), "wb") as file:  # noqa: PTH123
                file.write(prompt.encode("utf-8", "replace"))
                file.truncate()
        except OSError as error:
            raise TTError(f"{self._prompt} cannot be written: {error.strerror}.") from error


def prepare_logs(logs: Path) -> None:
    """Make the directory of logs, which Git ignores. Raises TTError."""
    try:
        make_private_directory(logs)
        ignore = logs / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
    except OSError as error:
        raise TTError(f"{logs} cannot be written: {error.strerror}.") from error
