"""What Git says of its hooks and of merging, and what is written into its configuration."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Final

from tt.adapters import gitproc
from tt.adapters.gitproc import Finished
from tt.adapters.gitrepo import GitRepository
from tt.core.githooks import CONFIG_HOOKS_SINCE, Scope
from tt.errors import TTError

_RUN_SINCE: Final = (2, 36)
_OURS: Final = r"^(hook\.tt-|merge\.tt\.)"
_HOOK: Final = re.compile(r"hook\.(.+)\.(?:event|command)", re.DOTALL)
_NOT_SET: Final = 5
_COUNT: Final = "GIT_CONFIG_COUNT"


class GitHooks:
    """Git's side of the hooks, in one worktree. Raises TTError where Git refuses."""

    def __init__(self, repository: GitRepository) -> None:
        """Take the worktree."""
        self._repository = repository

    @property
    def top(self) -> Path:
        """The worktree's top."""
        return self._repository.state.top

    @property
    def scripts(self) -> Path:
        """Where the scripts are that hooks in the configuration read; all worktrees share it."""
        return self._repository.private_dir(per_worktree=False) / "hooks"

    @property
    def has_config_hooks(self) -> bool:
        """Say whether this Git runs hooks that are in its configuration."""
        return self._version >= CONFIG_HOOKS_SINCE

    @cached_property
    def _version(self) -> tuple[int, int]:
        answer = self._repository.git("version")
        found = re.search(rb"(\d+)\.(\d+)", answer.out)
        return (int(found[1]), int(found[2])) if found else (0, 0)

    @property
    def default_directory(self) -> Path:
        """Where Git looks for hooks unless it is told otherwise."""
        return self._repository.state.common_dir / "hooks"

    def directory(self) -> tuple[Path, Scope]:
        """Return the directory in which Git looks for hooks, and whose it is."""
        return self._directory

    @cached_property
    def _directory(self) -> tuple[Path, Scope]:
        answer = self._asked("rev-parse", "--path-format=absolute", "--git-path", "hooks")
        path = Path(os.fsdecode(answer.out.removesuffix(b"\n")))
        return path, self._scope(path)

    def _scope(self, path: Path) -> Scope:
        if os.path.lexists(path) and not path.is_dir():
            return "none"
        real = Path(os.path.realpath(path))
        state = self._repository.state
        if real.is_relative_to(os.path.realpath(state.common_dir)):
            return "repository"
        if real.is_relative_to(os.path.realpath(state.top)):
            ignored = self._repository.git("check-ignore", "-q", "--", str(real / "pre-commit"))
            return "worktree" if ignored.code == 0 else "tracked"
        shown = self._repository.git("config", "--show-scope", "--get", "core.hooksPath")
        return "shared" if not shown.out.startswith((b"local", b"worktree")) else "repository"

    def ours(self) -> dict[str, str]:
        """Return what the repository's own configuration has of ours."""
        return _pairs(self._repository.git("config", "--local", "--null", "--get-regexp", _OURS))

    def put(self, key: str, value: str) -> None:
        """Write a key of the repository's own configuration."""
        self._asked("config", "--local", "--replace-all", key, value)

    def unset(self, key: str) -> None:
        """Take a key out of it; its section goes with the last one."""
        answer = self._repository.git("config", "--local", "--unset-all", key)
        if answer.code not in (0, _NOT_SET):
            self._refused("config", answer)

    def merge_attribute(self, path: str) -> str:
        """Return how Git would merge `path`: a driver's name, `union`, `unspecified`, …"""
        answer = self._asked("check-attr", "-z", "merge", "--", path)
        return answer.out.split(b"\0")[2].decode("utf-8", "replace")

    def versions(self, path: Path) -> list[bytes]:
        """Return what the index and HEAD have for a file, as far as they have it."""
        head = ["HEAD"] if self._repository.state.head else []
        shown = (self._repository.show(revision, path) for revision in ("", *head))
        return [data for data in shown if data is not None]

    def reaches(self, event: str, hook: Path, *, by_config: bool) -> bool:
        """Let Git run our hook with a canary, and nobody else's; say whether it arrived.

        `hook` is the file in the hooks' directory, which begins with our lines unless `by_config`.
        """
        from tempfile import NamedTemporaryFile

        with NamedTemporaryFile(prefix="tt-canary-") as canary:
            environment = {**self._repository.environment, "TT_HOOK_CANARY": canary.name}
            if self._version < _RUN_SINCE:
                _run_alone(hook, self.top, environment)
            else:
                environment |= self._alone(event, hook, environment, by_config=by_config)
                top = ["-C", str(self.top)]
                gitproc.run([*top, "hook", "run", "--ignore-missing", event], environment)
            return canary.read().split() == [event.encode()]

    def _alone(
        self, event: str, hook: Path, environment: Mapping[str, str], *, by_config: bool
    ) -> dict[str, str]:
        """Return what to add to the environment so that no hook but the one in question runs."""
        ours = f"tt-{event}"
        off = {f"hook.{name}.enabled": "false" for name in self._names() - {ours}}
        if not by_config:
            off[f"hook.{ours}.enabled"] = "false"
        elif hook.exists():
            off["core.hooksPath"] = os.devnull
        return _settings(off, int(environment.get(_COUNT, 0)))

    def _names(self) -> set[str]:
        """Return the names of all hooks in the configuration, whoever wrote them."""
        keys = _pairs(self._repository.git("config", "--null", "--get-regexp", r"^hook\."))
        return {found[1] for key in keys if (found := _HOOK.fullmatch(key))}

    def _asked(self, *arguments: str) -> Finished:
        answer = self._repository.git(*arguments)
        if answer.code != 0:
            self._refused(arguments[0], answer)
        return answer

    def _refused(self, what: str, answer: Finished) -> None:
        raise TTError(
            f"`git {what}` failed in {self.top}: {answer.words}.",
            "Where Git's directory may not be written, as in a sandbox, run this outside of it.",
        )


def _pairs(answer: Finished) -> dict[str, str]:
    """Return what `git config --null` lists, the last value of each key."""
    entries = os.fsdecode(answer.out).split("\0")
    return {key: value for key, _, value in (entry.partition("\n") for entry in entries if entry)}


def _settings(values: Mapping[str, str], given: int) -> dict[str, str]:
    """Return the environment that gives settings to Git, after as many as are `given` already."""
    variables = {_COUNT: str(given + len(values))}
    for number, (key, value) in enumerate(values.items(), given):
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return variables


def _run_alone(hook: Path, top: Path, environment: Mapping[str, str]) -> None:
    """Run a hook as a Git does that has no command for it."""
    import subprocess

    subprocess.run([hook], cwd=top, env=environment, stdin=subprocess.DEVNULL, check=False)
