"""Real AI programs of pinned versions, installed once by npm, set up for a model API of a test's.

They are large (0.8 GB), so that only who wants them gets them: `TT_TEST_CLIS` names the directory
where they are, or shall be; without it the `nightly` effort keeps them in the user's cache.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

import pytest

from tests.support.effort import CLIS, CLIS_CACHE

_REACH_SECONDS: Final = 20.0
_INSTALL_SECONDS: Final = 300.0


def _for_claude(home: Path, url: str) -> dict[str, str]:
    return {
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": "dummy",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CONFIG_DIR": str(home / ".claude"),
    }


def _for_codex(home: Path, url: str) -> dict[str, str]:
    directory = home / ".codex"
    directory.mkdir()
    (directory / "config.toml").write_text(
        'model = "gpt-5.4"\nmodel_provider = "test"\n'
        f'[model_providers.test]\nname = "test"\nbase_url = "{url}/v1"\nwire_api = "responses"\n'
        'env_key = "TEST_API_KEY"\n'
        # Else it looks for plugins on the Web, and waits five seconds at its end.
        "[analytics]\nenabled = false\n[features]\nplugins = false\n"
    )
    return {"CODEX_HOME": str(directory), "TEST_API_KEY": "dummy"}


def _for_auggie(home: Path, url: str) -> dict[str, str]:
    del home
    session = {"accessToken": "dummy", "tenantURL": f"{url}/", "scopes": ["email"]}
    return {"AUGMENT_SESSION_AUTH": json.dumps(session), "AUGMENT_DISABLE_AUTO_UPDATE": "1"}


@dataclass(frozen=True)
class Packaged:
    """A program and where it comes from; `set_up` writes its settings, and gives its environment
    for the model API at a URL. Without the variable `secret` in it, nobody is logged in."""

    program: str
    package: str
    version: str
    secret: str
    set_up: Callable[[Path, str], dict[str, str]]

    @property
    def spec(self) -> str:
        """What npm calls it."""
        return f"{self.package}@{self.version}"


_CODEX: Final = Packaged("codex", "@openai/codex", "0.169.0", "TEST_API_KEY", _for_codex)
PACKAGED: Final[Mapping[str, Packaged]] = {
    "claude": Packaged(
        "claude", "@anthropic-ai/claude-code", "2.1.329", "ANTHROPIC_API_KEY", _for_claude
    ),
    "codex": _CODEX,
    "codex-mini": _CODEX,
    "auggie": Packaged(
        "auggie", "@augmentcode/auggie", "0.36.0", "AUGMENT_SESSION_AUTH", _for_auggie
    ),
}


def environment_for(cli: str, url: str) -> dict[str, str]:
    """Set a program up in the test's home, and return what `tt spawn` needs to find and run it.

    The test is skipped where it is not there and nobody wants it; who does, and names a directory,
    is told that it cannot be installed.
    """
    packaged = PACKAGED[cli]
    program = _installed(packaged)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, **packaged.set_up(Path.home(), url)}


def _installed(packaged: Packaged) -> Path:
    if not CLIS and not CLIS_CACHE:
        pytest.skip("real AI programs are for the nightly effort, or where TT_TEST_CLIS names them")
    if shutil.which("node") is None:
        _go_without(f"{packaged.spec} needs Node, which is not installed")
    place = Path(CLIS or CLIS_CACHE) / f"{packaged.program}-{packaged.version}"
    program = place / "bin" / packaged.program
    if not program.exists():
        _install(packaged, place)
    return program


def _install(packaged: Packaged, place: Path) -> None:
    """Install it beside its place, and move it there when it is whole: others may do the same."""
    if shutil.which("npm") is None:
        _go_without(f"{packaged.spec} is not in {place.parent}, and npm is not installed")
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=place.parent) as scratch:
        _npm("view", packaged.spec, "version", "--fetch-retries=0", seconds=_REACH_SECONDS)
        whole = f"{scratch}/it"
        _npm("install", "--global", "--prefix", whole, "--cache", f"{scratch}/cache",
             "--no-audit", "--no-fund", packaged.spec, seconds=_INSTALL_SECONDS)  # fmt: skip
        with suppress(OSError):  # somebody else was faster
            Path(whole).rename(place)


def _npm(*words: str, seconds: float) -> None:
    try:
        done = subprocess.run(
            ["npm", *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, check=False, timeout=seconds,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        _go_without(f"`npm {words[0]}` takes longer than {seconds:g} s")
    if done.returncode != 0:
        _go_without(f"`npm {words[0]}` fails: {done.stderr[-1000:]}")


def _go_without(why: str) -> NoReturn:
    """Skip the test, in CI as well; but who has asked for these programs by name is told."""
    if CLIS:
        pytest.fail(why)
    pytest.skip(why)
