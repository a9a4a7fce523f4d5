"""The pre-commit framework and prek as they are, on scratch repositories and with caches apart."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.support.git_repos import git, init
from tests.support.tools import missing

if TYPE_CHECKING:
    from tests.support.commands import Place

ROOT: Final = Path(__file__).resolve().parents[2]
LIMIT_SECONDS: Final = 300.0
"""Building an environment fetches packages; everything else takes a second."""

_SCRIPTS: Final = str(Path(sys.executable).parent)


@dataclass(frozen=True)
class Framework:
    """One of the two programs, and the caches that all tests of the session share."""

    name: str
    program: str
    caches: Path

    @property
    def prepare(self) -> str:
        """The command that builds the environments of a configuration."""
        return "install-hooks" if self.name == "pre-commit" else "prepare-hooks"

    @property
    def environment(self) -> dict[str, str]:
        """An environment in which it, and hooks, touch nothing of the user's."""
        return {
            **os.environ,
            "PATH": f"{self.caches / 'bin'}{os.pathsep}{_SCRIPTS}{os.pathsep}{os.environ['PATH']}",
            "PRE_COMMIT_HOME": str(self.caches / "pre-commit"),
            "PREK_HOME": str(self.caches / "prek"),
            "XDG_CACHE_HOME": str(self.caches / "cache"),
            "XDG_DATA_HOME": str(self.caches / "data"),
            "PIP_CACHE_DIR": str(self.caches / "pip"),
        }

    def run(self, where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it in a repository, to whatever end."""
        return in_shell(where, [self.program, *arguments], self.environment)


def in_shell(
    where: Path, command: list[str], environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a command as a user's shell does, output and complaints in one stream."""
    return subprocess.run(
        command,
        cwd=where,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
        timeout=LIMIT_SECONDS,
    )


@dataclass(frozen=True)
class Hooked:
    """A repository with the hooks of a framework in place."""

    framework: Framework
    place: Place

    @property
    def environment(self) -> dict[str, str]:
        """What a user's shell has here: the framework's caches and the Redis to use."""
        return {**self.framework.environment, "REDIS_URL": self.place.server.url}

    def git(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Git with its hooks, to whatever end."""
        return in_shell(self.place.top, ["git", *arguments], self.environment)

    def done(self, *arguments: str) -> str:
        """Run Git with its hooks; it has to succeed."""
        ended = self.git(*arguments)
        assert ended.returncode == 0, ended.stdout
        return ended.stdout

    def show(self, *arguments: str) -> str:
        """Return what a Git command prints that runs no hook."""
        return git(self.place.top, *arguments)


@pytest.fixture(scope="session")
def caches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory for what the frameworks keep, with a `tt` of this checkout in `bin`."""
    directory = tmp_path_factory.mktemp("frameworks")
    program = directory / "bin" / "tt"
    program.parent.mkdir()
    run = f'PYTHONPATH="{ROOT}" exec "{sys.executable}" -m tt "$@"'
    program.write_text(f"#!/bin/sh\n{run}\n", encoding="utf-8")
    program.chmod(0o755)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session", params=["pre-commit", "prek"])
def framework(request: pytest.FixtureRequest, caches: Path) -> Framework:
    """Each of the two programs."""
    name: str = request.param
    found = shutil.which(name, path=f"{_SCRIPTS}{os.pathsep}{os.environ['PATH']}")
    if found is None:
        missing(f"`{name}` is not installed")
    return Framework(name, found, caches)


@pytest.fixture(scope="session")
def hook_source(caches: Path) -> Path:
    """A clone of this project as a hook source: what is in this checkout, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, check=False,
    )  # fmt: skip
    if listed.returncode != 0:
        pytest.skip("not a Git checkout")
    source = init(caches / "source")
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name)
    git(source, "add", "--all")
    git(source, "commit", "--quiet", "--message", "As it is now")
    return source


@pytest.fixture(scope="session")
def from_source(framework: Framework, hook_source: Path, caches: Path) -> str:
    """A configuration that takes the hooks from the source; their environment is built."""
    config = SOURCE.format(source=hook_source, rev=git(hook_source, "rev-parse", "HEAD"))
    trial = init(caches / f"trial-{framework.name}")
    (trial / ".pre-commit-config.yaml").write_text(config, encoding="utf-8")
    git(trial, "add", "--all")
    built = framework.run(trial, framework.prepare)
    if built.returncode != 0:
        missing(f"{framework.name} cannot build an environment: {built.stdout[-2000:]}")
    return config


INSTALL: Final = """\
default_install_hook_types:
  [pre-commit, pre-merge-commit, post-commit, post-merge, post-checkout, post-rewrite]
"""
SOURCE: Final = (
    INSTALL
    + """\
repos:
  - repo: {source}
    rev: {rev}
    hooks:
      - id: tt-check
      - id: tt-sync
      - id: tt-push
"""
)
