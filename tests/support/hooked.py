"""Repositories with the Git hooks in them: whole `git` commands, that run `tt` as users do."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from time import monotonic
from typing import Final, NamedTuple

from tests.support.commands import Ended
from tests.support.redis_server import RedisServer

ROOT: Final = Path(__file__).resolve().parents[2]
LIMIT_SECONDS: Final = 60.0
"""No `git` of a test takes longer, hooks and all; one that does hangs."""

CLIENT_HOOKS: Final = (
    "pre-commit", "pre-merge-commit", "prepare-commit-msg", "commit-msg", "post-commit",
    "post-merge", "post-checkout", "post-rewrite", "pre-rebase", "pre-push",
)  # fmt: skip
"""Hooks that a user may have; the recording ones are laid down for all of them."""

_RECORDING: Final = '#!/bin/sh\n[ -z "$TT_TEST_RECORD" ] || echo "{event} $*" >>"$TT_TEST_RECORD"\n'
_OID: Final = re.compile(r"\b[0-9a-f]{40}\b")
_DATE: Final = "2026-01-02T03:04:05Z"
"""When everything happens: where two histories are compared, they are walked in one order."""

_WRAPPER: Final = """\
#!/bin/sh
exec "{python}" -I -c 'import sys
sys.path.insert(0, "{root}")
sys.argv[0] = "{program}"
from tt.cli.main import main
sys.exit(main())' "$@"
"""


class Step(NamedTuple):
    """One Git command: its words, what is typed into it, and more of an environment.

    `where` is the directory it runs in, below the world's root; "" is the repository at hand.
    """

    words: tuple[str, ...]
    given: str | None = None
    env: Mapping[str, str] = {}
    where: str = ""


def git(*words: str, given: str | None = None, where: str = "", **env: str) -> Step:
    """Name a Git command of the user's."""
    return Step(("git", *words), given, env, where)


def install_program(directory: Path) -> Path:
    """Lay down a `tt` that is this checkout's; return the directory to put on the PATH."""
    directory.mkdir(parents=True, exist_ok=True)
    program = directory / "tt"
    program.write_text(_WRAPPER.format(root=ROOT, python=sys.executable, program=program))
    program.chmod(0o755)
    return directory


def lay_recording_hooks(directory: Path) -> None:
    """Lay down hooks as a user's own, that note their name and arguments in a file."""
    directory.mkdir(parents=True, exist_ok=True)
    for event in CLIENT_HOOKS:
        hook = directory / event
        hook.write_text(_RECORDING.format(event=event))
        hook.chmod(0o755)


@dataclass
class Shell:
    """Where `git` is run with hooks that find `tt`, and `tt` the server.

    `programs` holds the `tt`; `env` is added to each command's environment.
    """

    programs: Path
    server: RedisServer
    env: dict[str, str] = field(default_factory=dict)

    @cached_property
    def environment(self) -> dict[str, str]:
        """The environment of every command."""
        path = f"{self.programs}{os.pathsep}{os.environ['PATH']}"
        common = {"PATH": path, "REDIS_URL": self.server.url}
        dates = dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), _DATE)
        return {**os.environ, **common, **dates, **self.env}

    def run(self, words: Sequence[str], cwd: Path, given: str | None = None, **env: str) -> Ended:
        """Run a program to its end, whatever that is; `given` is typed into it."""
        start = monotonic()
        done = subprocess.run(
            list(words),
            cwd=cwd,
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
            timeout=LIMIT_SECONDS,
            env={**self.environment, **env},
        )
        return Ended(done.returncode, done.stdout, done.stderr, monotonic() - start)

    def git(self, cwd: Path, *words: str, given: str | None = None, **env: str) -> Ended:
        """Run a Git command, hooks and all."""
        return self.run(["git", *words], cwd, given, **env)

    def quiet(self, cwd: Path, *words: str, given: str | None = None, **env: str) -> str:
        """Run a Git command that has to succeed, with our hooks switched off."""
        ended = self.git(cwd, *words, given=given, TT_HOOKS="0", TT_TEST_RECORD="", **env)
        assert ended.code == 0, (words, ended)
        return ended.out.removesuffix("\n")

    def tt(self, cwd: Path, *words: str, **env: str) -> Ended:
        """Run `tt` as a process of its own."""
        return self.run([str(self.programs / "tt"), *words], cwd, **env)

    def done(self, cwd: Path, *words: str, **env: str) -> Ended:
        """Run `tt`, which has to succeed."""
        ended = self.tt(cwd, *words, **env)
        assert ended.code == 0, (words, ended)
        return ended

    def install_hooks(self, top: Path) -> None:
        """Install our hooks and the merge driver beside what is there."""
        self.done(top, "hooks", "install", "--files")

    def init(self, top: Path, *options: str) -> Path:
        """Make a repository without a commit, in which only a user's recording hooks are."""
        top.mkdir(parents=True, exist_ok=True)
        self.quiet(top, "init", "-q", "-b", "main", "--template=", *options)
        return top


def recorded(record: Path) -> list[str]:
    """Return what the recording hooks noted, with the names of commits left out."""
    if not record.exists():
        return []
    return [_OID.sub("<oid>", line) for line in record.read_text().splitlines()]
